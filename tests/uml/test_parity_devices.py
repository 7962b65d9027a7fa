"""What of tests/parity needs VRF and VLAN devices, under a kernel that has them."""

from __future__ import annotations

import pytest

from tests.uml.again import Again, assert_passed, run_again

SECONDS = 900
FILES = ("test_operator.py", "test_unnumbered.py")
HERE_ONLY = "this kernel has VLAN devices"
"""What a test that is for kernels without them says."""


@pytest.fixture(scope="session")
def again() -> Again:
    return run_again(*(f"tests/parity/{file}" for file in FILES), seconds=SECONDS, more=("--durations=20",))


def test_parity_with_vrf_devices(again: Again, subtests: pytest.Subtests) -> None:
    assert_passed(again, subtests, least=4, skipped=HERE_ONLY)
