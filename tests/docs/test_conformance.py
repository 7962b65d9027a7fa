"""docs/conformance.md says what is held by which test; NESRV_DOCS=write writes it."""

from __future__ import annotations

import os

import pytest

from tests.docs.conformance import LEVELS, ROOT, Rfc, exists, page, rfcs

FILE = ROOT / "docs" / "conformance.md"


def test_the_page_is_what_the_rows_say() -> None:
    made = page()
    if os.environ.get("NESRV_DOCS") == "write":
        FILE.write_text(made)
    assert FILE.read_text() == made


@pytest.mark.parametrize("rfc", rfcs(), ids=lambda rfc: str(rfc.number))
def test_each_row_names_tests_that_are_there_or_says_why_not(rfc: Rfc) -> None:
    for clause in rfc.clauses:
        assert clause.level in LEVELS, clause
        assert bool(clause.tests) != bool(clause.unmet), clause
        assert [name for name in clause.tests if not exists(name)] == [], clause
