"""docs/model.md is what the YANG modules say; NESRV_DOCS=write writes it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.docs.model import page

MODEL = Path(__file__).resolve().parents[2] / "docs" / "model.md"


def test_the_page_is_the_model() -> None:
    made = page()
    if os.environ.get("NESRV_DOCS") == "write":
        MODEL.write_text(made)
    assert MODEL.read_text() == made
