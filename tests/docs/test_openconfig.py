"""docs/openconfig.md says what is supported; NESRV_DOCS=write writes it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.docs.openconfig import page

FILE = Path(__file__).resolve().parents[2] / "docs" / "openconfig.md"


def test_the_page_is_what_is_served() -> None:
    made = page()
    if os.environ.get("NESRV_DOCS") == "write":
        FILE.write_text(made)
    assert FILE.read_text() == made
