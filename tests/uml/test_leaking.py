"""Routes passed between L3VRFs by route targets, under a kernel with VRF devices."""

from __future__ import annotations

from tests.uml.again import run_again

SECONDS = 600


def test_leaking_with_vrf_devices() -> None:
    again = run_again("tests/uml/leaking_inside.py", seconds=SECONDS)
    assert (again.status, "1 passed" in again.output) == (0, True), again.output
