"""The whole example network with VRF devices, under a kernel that has them."""

from __future__ import annotations

import re
import sys

import pytest

from tests.uml.boot import run_in_uml

SECONDS = 600
INSIDE = "tests/uml/lab_inside.py"
INNER = ("-m", "pytest", INSIDE, "-v", "-rA", "--color=no", "--durations=0", "-o", "cache_dir=/run/pytest")
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}
OUTCOME = re.compile(rf"^(PASSED|FAILED|ERROR|SKIPPED) {re.escape(INSIDE)}::(\w+)", re.MULTILINE)
PARTS = (
    "test_traffic_and_isolation",
    "test_auto_chose_vrf_devices",
    "test_a_miss_in_a_vrf_stays_in_it",
    "test_forwarding_goes_on_while_nesrv_is_killed_and_comes_back",
    "test_sessions_within_vrfs_open_both_ways",
    "test_down_leaves_nothing",
)


@pytest.fixture(scope="module")
def inner_run() -> tuple[int, str]:
    return run_in_uml(sys.executable, SECONDS, arguments=INNER, environment=ENVIRONMENT)


@pytest.mark.parametrize("part", PARTS)
def test_lab_with_vrf_devices(inner_run: tuple[int, str], part: str) -> None:
    _status, output = inner_run
    assert [outcome for outcome, name in OUTCOME.findall(output) if name == part] == ["PASSED"], output


def test_nothing_else_went_wrong(inner_run: tuple[int, str]) -> None:
    status, output = inner_run
    assert (status, {name for _outcome, name in OUTCOME.findall(output)}) == (0, set(PARTS)), output
