"""What of tests/parity needs VRF and VLAN devices, under a kernel that has them."""

from __future__ import annotations

import re
import sys

import pytest

from tests.uml.boot import run_in_uml

SECONDS = 900
FILES = ("test_operator.py", "test_unnumbered.py")
INNER = ("-m", "pytest", *(f"tests/parity/{file}" for file in FILES), "-q", "-rA", "--color=no")
OPTIONS = ("--durations=20", "-o", "cache_dir=/run/pytest")
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED) (tests/\S+::.*?|\[\d+\] \S+:\d+: .*?)(?: - .*)?$", re.MULTILINE)
HERE_ONLY = "this kernel has VLAN devices"
"""What a test that is for kernels without them says."""


@pytest.fixture(scope="session")
def inner_run() -> tuple[int, str]:
    return run_in_uml(sys.executable, SECONDS, arguments=(*INNER, *OPTIONS), environment=ENVIRONMENT)


def test_parity_with_vrf_devices(inner_run: tuple[int, str], subtests: pytest.Subtests) -> None:
    status, output = inner_run
    outcomes = OUTCOME.findall(output)
    assert sum(outcome == "PASSED" for outcome, _name in outcomes) > 4, output
    for outcome, name in outcomes:
        with subtests.test(msg=name):
            assert outcome == "PASSED" or (outcome == "SKIPPED" and HERE_ONLY in name), output
    assert status == 0, output
