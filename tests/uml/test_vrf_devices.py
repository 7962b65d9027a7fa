"""The whole of tests/kernel again with VRF devices, under a kernel that has them."""

from __future__ import annotations

import pytest

from tests.uml.again import Again, assert_passed, run_again

SECONDS = 1500
ENVIRONMENT = {"NESRV_TEST_VRF": "device"}


@pytest.fixture(scope="session")
def again() -> Again:
    return run_again("tests/kernel", seconds=SECONDS, environment=ENVIRONMENT)


def test_kernel_room_with_vrf_devices(again: Again, subtests: pytest.Subtests) -> None:
    assert_passed(again, subtests, least=20)
