"""A change stays where it was made: a step stands in the entry of what changed, or where ``REACHES`` says why not."""

from __future__ import annotations

from functools import cache

import pytest

from tests.features.cases import Case, all_cases
from tests.features.changes import changed_leaves
from tests.features.element import Element
from tests.features.reach import REACHES, Reach, entry_of, is_within, schema_path


@cache
def in_place() -> dict[Case, dict[str, str]]:
    """The cases in which leaves change and no entry comes or goes, with those leaves."""
    found: dict[Case, dict[str, str]] = {}
    for case in all_cases():
        try:
            found[case] = changed_leaves(case.before, case.config) if case.before else {}
        except ValueError:
            continue
    return {case: leaves for case, leaves in found.items() if leaves}


@cache
def elsewhere(case: Case) -> frozenset[tuple[frozenset[str], str]]:
    """(leaves that changed, path of a step that stands in the entry of none of them), as schema paths."""
    leaves = in_place()[case]
    entries = {entry_of(path) for path in leaves}
    element = Element()
    element.commit(case.before)
    facts = [fact for step in element.commit(case.config) for fact in (step.before, step.after) if fact is not None]
    far = {fact.path for fact in facts if not any(is_within(fact.path, entry) for entry in entries)}
    return frozenset((frozenset(leaves.values()), schema_path(path)) for path in far)


@pytest.mark.parametrize("case", in_place(), ids=str)
def test_a_change_stays_where_it_was_made(case: Case) -> None:
    """Where this fails the plan is too large, or what changed reaches further: that is said in reach.py, with a why."""
    strays = [
        path
        for leaves, path in elsewhere(case)
        if not any(reach.leaf in leaves and is_within(path, reach.steps) for reach in REACHES)
    ]
    assert strays == []


@pytest.mark.parametrize("reach", REACHES, ids=lambda reach: f"{reach.leaf} {reach.steps}")
def test_every_reach_is_seen_in_a_case(reach: Reach) -> None:
    found = {(leaf, path) for case in in_place() for leaves, path in elsewhere(case) for leaf in leaves}
    assert any(leaf == reach.leaf and is_within(path, reach.steps) for leaf, path in found)
