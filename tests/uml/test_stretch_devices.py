"""An Ethernet over two PEs with VRF devices, under a kernel that has them: tests/server/test_stretch.py again."""

from __future__ import annotations

from tests.uml.again import run_again

SECONDS = 900


def test_an_ethernet_with_vrf_devices() -> None:
    again = run_again("tests/server/test_stretch.py", seconds=SECONDS)
    assert again.status == 0, again.output
