"""The whole of tests/kernel again with VRF devices, under a kernel that has them."""

from __future__ import annotations

import re
import sys

import pytest

from tests.uml.boot import run_in_uml

SECONDS = 1500
INNER = ("-m", "pytest", "tests/kernel", "-q", "-rA", "--color=no", "-o", "cache_dir=/run/pytest")
ENVIRONMENT = {"NESRV_TEST_VRF": "device", "PYTHONDONTWRITEBYTECODE": "1"}
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED) (tests/\S+::.*?|\[\d+\] \S+:\d+: .*?)(?: - .*)?$", re.MULTILINE)


@pytest.fixture(scope="session")
def inner_run() -> tuple[int, str]:
    return run_in_uml(sys.executable, SECONDS, arguments=INNER, environment=ENVIRONMENT)


def test_kernel_room_with_vrf_devices(inner_run: tuple[int, str], subtests: pytest.Subtests) -> None:
    status, output = inner_run
    outcomes = OUTCOME.findall(output)
    assert sum(outcome == "PASSED" for outcome, _name in outcomes) > 20, output
    for outcome, name in outcomes:
        with subtests.test(msg=name):
            assert outcome in ("PASSED", "SKIPPED"), output
    assert status == 0, output
