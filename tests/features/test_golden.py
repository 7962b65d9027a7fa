"""Configuration in, facts and plans out: tests/golden.  NESRV_GOLDEN=write writes what is expected anew."""

from __future__ import annotations

import os

import pytest

from tests.features.cases import Case, all_cases, outcome
from tests.features.element import Element

CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_golden(case: Case) -> None:
    found = outcome(case)
    if os.environ.get("NESRV_GOLDEN") == "write":
        case.expected.write_text(found, encoding="utf-8")
    assert found == case.expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", [case for case in CASES if case.before], ids=str)
def test_a_change_ends_where_a_fresh_start_does(case: Case) -> None:
    """Inputs looked up reach every shard that depends on them, in both directions."""
    element = Element()
    for configuration in (case.before, case.config, case.before):
        element.commit(configuration)
        fresh = Element()
        fresh.commit(configuration)
        assert element.facts() == fresh.facts()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_same_again_changes_nothing(case: Case) -> None:
    element = Element()
    element.commit(case.config)
    assert element.commit(case.config) == []
    wanted = element.facts().values()
    gone = element.commit("")
    assert {step.before for step in gone} == set(wanted)
    assert element.facts() == {}


def test_there_are_cases() -> None:
    assert {case.folder.parent.name for case in CASES} >= {"interfaces", "instances", "bgp", "evpn", "users"}
