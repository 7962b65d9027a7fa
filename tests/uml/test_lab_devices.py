"""The whole example network with VRF devices, under a kernel that has them."""

from __future__ import annotations

import pytest

from tests.uml.again import Again, run_again

SECONDS = 600
INSIDE = "tests/uml/lab_inside.py"
PARTS = (
    "test_traffic_and_isolation",
    "test_auto_chose_vrf_devices",
    "test_a_miss_in_a_vrf_stays_in_it",
    "test_forwarding_goes_on_while_nesrv_is_killed_and_comes_back",
    "test_sessions_within_vrfs_open_both_ways",
    "test_down_leaves_nothing",
)


@pytest.fixture(scope="module")
def again() -> Again:
    return run_again(INSIDE, seconds=SECONDS, more=("-v", "--durations=0"))


@pytest.mark.parametrize("part", PARTS)
def test_lab_with_vrf_devices(again: Again, part: str) -> None:
    assert [outcome for outcome, name in again.outcomes if name == f"{INSIDE}::{part}"] == ["PASSED"], again.output


def test_nothing_else_went_wrong(again: Again) -> None:
    names = {name for _outcome, name in again.outcomes}
    assert (again.status, names) == (0, {f"{INSIDE}::{part}" for part in PARTS}), again.output
