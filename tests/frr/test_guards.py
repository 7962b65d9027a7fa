"""A route-map in use lets nothing through while more than one command changes it."""

from __future__ import annotations

from nesrv.frr.text import FrrLine
from tests.frr.engine import lines
from tests.frr.test_delta import sent

FIRST, SECOND, LAST = "route-map M permit 10", "route-map M permit 20", "route-map M deny 65535"


def entry(block: str, *texts: str) -> list[FrrLine]:
    return lines([((), block), *(((block,), text) for text in texts)])


BASE = [*entry(FIRST, "match metric 5", "set local-preference 5"), *entry(LAST)]


def test_a_new_map_needs_no_guard() -> None:
    assert sent([], BASE) == [LAST, FIRST, "match metric 5", "set local-preference 5"]


def test_a_map_that_goes_needs_no_guard() -> None:
    assert sent(BASE, []) == [f"no {FIRST}", f"no {LAST}"]


def test_one_line_needs_no_guard() -> None:
    after = [*entry(FIRST, "match metric 6", "set local-preference 5"), *entry(LAST)]
    assert sent(BASE, after) == ["match metric 6"]


def test_several_lines_are_guarded() -> None:
    after = [*entry(FIRST, "match origin igp", "set local-preference 5"), *entry(LAST)]
    plan = ["route-map M deny 1", "no match metric 5", "match origin igp", "no route-map M deny 1"]
    assert sent(BASE, after) == plan


def test_each_map_has_its_guard() -> None:
    other = lines([((), "route-map N permit 65535")])
    entries = lines([((), "route-map N deny 7"), (("route-map N deny 7",), "match metric 5")])
    found = sent([*BASE, *other], [*BASE, *entry(SECOND, "match metric 7"), *other, *entries])
    assert found == [
        *("route-map M deny 1", SECOND, "match metric 7", "no route-map M deny 1"),
        *("route-map N deny 1", "route-map N deny 7", "match metric 5", "no route-map N deny 1"),
    ]


def test_a_form_that_bgpd_drops_is_taken_away_first() -> None:
    for old, new in (
        ("metric +5", "metric 5"),
        ("as-path prepend last-as 2", "as-path prepend 7"),
        ("community 1:1", "community none"),
    ):
        before, after = ([*entry(FIRST, f"set {words}"), *entry(LAST)] for words in (old, new))
        gone = "as-path prepend" if old.startswith("as-path") else old
        assert sent(before, after)[1:-1] == [f"no set {gone}", f"set {new}"]
