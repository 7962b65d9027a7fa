"""An Ethernet over two PEs with VRF devices, under a kernel that has them: tests/server/test_stretch.py again."""

from __future__ import annotations

import sys

from tests.uml.boot import run_in_uml

SECONDS = 900
INNER = ("-m", "pytest", "tests/server/test_stretch.py", "-q", "-rA", "--color=no", "-o", "cache_dir=/run/pytest")


def test_an_ethernet_with_vrf_devices() -> None:
    status, output = run_in_uml(sys.executable, SECONDS, arguments=INNER, environment={"PYTHONDONTWRITEBYTECODE": "1"})
    assert status == 0, output
