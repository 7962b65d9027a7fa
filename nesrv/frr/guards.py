"""Guards of route-maps under change: while more than one command changes one in use, it rejects every route; pure.

bgpd judges the routes it has again seconds after a change (``bgp route-map delay-timer``), but
a route that arrives between two commands is judged by a policy that nobody wrote.  With entry
1 of the map rejecting it, nothing comes through that neither the old nor the new policy
allows; it is judged again with all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from nesrv.frr.lines import Key, Lines, top_of
from nesrv.frr.order import LAST_ENTRY, ROUTE_MAP
from nesrv.frr.text import FrrLine, line

FIRST_ENTRY = 1
"""No map of ours has an entry of this number."""


def to_guard(owners: Sequence[FrrLine], removed: Sequence[FrrLine], actual: Lines) -> Mapping[str, tuple[int, int]]:
    """Route-map → where the first and the last of its commands stand; ``owners``: the line of each command.

    A map without its last entry is not in use yet, and one that loses it is not any more.
    """
    found: dict[str, list[int]] = {}
    for place, owner in enumerate(owners):
        if (entry := ROUTE_MAP.match(top_of(owner))) is not None:
            found.setdefault(entry["name"], []).append(place)
    leaving: set[Key] = {fact.key for fact in removed}
    return {
        name: (where[0], where[-1]) for name, where in found.items() if len(where) > 1 and _stays(name, leaving, actual)
    }


def guard(name: str, path: str) -> FrrLine:
    return line((), f"route-map {name} deny {FIRST_ENTRY}", path)


def _stays(name: str, leaving: Set[Key], actual: Lines) -> bool:
    lasts = [("frr", (), f"route-map {name} {action} {LAST_ENTRY}") for action in ("permit", "deny")]
    return any(key in actual and key not in leaving for key in lasts)
