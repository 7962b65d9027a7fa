from __future__ import annotations

from tests.frr.conftest import home

__all__ = ["home"]
