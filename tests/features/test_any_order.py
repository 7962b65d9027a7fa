"""In which order a configuration is said, and in how many edits, shows neither in its facts nor in the plan."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from nesrv import errors
from nesrv.kernel.facts import Vxlan
from tests.features.cases import Case, all_cases, steps_written
from tests.features.changes import values
from tests.features.documents import document, evi, evpn, loopback, underlay, vrf
from tests.features.element import Element, written
from tests.features.orders import shuffled, split

CASES = all_cases()
ORDERS = 2
OTHERS = 2
"""Each case is tried in so many orders, and with so many others before and after it: there are many cases of a kind."""


def everything(element: Element) -> list[tuple[str, str]]:
    return sorted((written(fact), fact.path) for fact in element.facts().values())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_order_does_not_show(case: Case) -> None:
    plain = Element()
    if case.before:
        plain.commit(case.before)
    plan = list(steps_written(plain.commit(case.config)))
    for seed in range(ORDERS):
        chance = random.Random(f"{case} {seed}")
        other = Element()
        if case.before:
            other.commit(shuffled(case.before, chance))
        steps = other.commit_edits(split(shuffled(case.config, chance), chance))
        assert list(steps_written(steps)) == plan
        assert everything(other) == everything(plain)
        assert other.commit(case.config) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_any_configuration_may_follow_any_other(case: Case) -> None:
    """In one commit, both ways; sampled, but the same sample each time."""
    alone = Element()
    alone.commit(case.config)
    element = Element()
    for other in random.Random(str(case)).sample(CASES, OTHERS):
        element.commit(other.config)
        element.commit(case.config)
        assert element.facts() == alone.facts()


def contradict(one: str, two: str) -> bool:
    """Whether a leaf has another value in the other configuration, a default being a value too."""
    mine, theirs = dict(values(one)), dict(values(two))
    return any(mine[path] != theirs[path] for path in mine.keys() & theirs.keys())


def test_configurations_that_fit_together_do_so_in_any_order() -> None:
    """Two at a time merged into one candidate, whichever comes first; what the two make together may be refused."""
    chance, merged = random.Random(6241), 0
    for _ in range(80):
        one, two = chance.sample(CASES, 2)
        if contradict(one.config, two.config):
            continue
        first, second = Element(), Element()
        try:
            plan = list(steps_written(first.commit_edits([one.config, two.config])))
        except errors.RpcError as refused:
            with pytest.raises(type(refused)):
                second.commit_edits([two.config, one.config])
            continue
        assert list(steps_written(second.commit_edits([two.config, one.config]))) == plan, f"{one} {two}"
        assert first.facts() == second.facts(), f"{one} {two}"
        merged += 1
    assert merged > 20


def test_which_address_is_the_vteps_does_not_depend_on_their_order() -> None:
    addresses = ["192.0.2.0/24", "203.0.113.1/32", "198.51.100.1/32", "2001:db8::1/128"]
    found: set[str] = set()
    for order in permutations(addresses):
        element = Element()
        element.commit(document([loopback(*order)], [underlay(), vrf("red", evpn(evi(100)))]))
        found |= {fact.local for fact in element.facts().values() if isinstance(fact, Vxlan)}
    assert found == {"198.51.100.1"}
