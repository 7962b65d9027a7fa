"""Routes passed between L3VRFs by route targets, under a kernel with VRF devices."""

from __future__ import annotations

import sys

from tests.uml.boot import run_in_uml

SECONDS = 600
INNER = ("-m", "pytest", "tests/uml/leaking_inside.py", "-q", "--color=no", "-o", "cache_dir=/run/pytest")
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}


def test_leaking_with_vrf_devices() -> None:
    status, output = run_in_uml(sys.executable, SECONDS, arguments=INNER, environment=ENVIRONMENT)
    assert (status, "1 passed" in output) == (0, True), output
