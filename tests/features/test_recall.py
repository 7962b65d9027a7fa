"""What is remembered of a large instance never shows: facts, refusals and inputs are those of a first derivation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from nesrv import errors
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs
from nesrv.features.bgp.feature import Bgp
from nesrv.features.feature import InputKey, InputValue, Lookup
from nesrv.features.recall import MANY, Part, Recall
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load
from tests.server.configurations import V4, Configuration, Neighbor, Underlay, document

SHARDS = Shards(load(module_set([], True)))
EDITOR = Editor(SHARDS)
PATH = "/openconfig-network-instance:network-instances/network-instance[name='default']"
KIND = inputs.interface_kind("lo")
Given = Mapping[InputKey, InputValue]
LOOPBACK: Given = {KIND: "loopback"}
NEIGHBORS = tuple(Neighbor(f"192.0.2.{number}", 64600, (V4,), source="lo") for number in range(1, MANY + 9))
FIRST = Underlay(neighbors=NEIGHBORS)


def entry(underlay: Underlay) -> Node:
    return SHARDS.fixed_entry(EDITOR.edit(EMPTY, document(Configuration(underlay)))[PATH])


def of(feature: Bgp, underlay: Underlay, given: Given) -> tuple[list[tuple[Fact, str]], set[InputKey]]:
    used: set[InputKey] = set()

    def lookup(key: InputKey) -> InputValue | None:
        used.add(key)
        return given.get(key)

    return [(fact, fact.path) for fact in feature.facts(entry(underlay), lookup)], used


def with_one(**changed: object) -> Underlay:
    return Underlay(neighbors=(*NEIGHBORS[:3], replace(NEIGHBORS[3], **changed), *NEIGHBORS[4:]))  # type: ignore[arg-type]


AFTER = {
    "nothing": FIRST,
    "a description": with_one(description="new"),
    "an address": with_one(address="192.0.2.250"),
    "one less": Underlay(neighbors=NEIGHBORS[1:]),
    "another order": Underlay(neighbors=NEIGHBORS[::-1]),
    "the speaker's AS": Underlay(neighbors=NEIGHBORS, asn=64600),
    "the speaker's families": Underlay(neighbors=NEIGHBORS, families=()),
}


@pytest.mark.parametrize("after", AFTER.values(), ids=AFTER)
def test_after_a_change_facts_are_those_of_a_first_derivation(after: Underlay) -> None:
    feature, given = Bgp(), LOOPBACK
    of(feature, FIRST, given)
    assert of(feature, after, given) == of(Bgp(), after, given)


def test_an_input_that_changes_changes_the_facts() -> None:
    feature = Bgp()
    before, _ = of(feature, FIRST, LOOPBACK)
    bound: Given = {KIND: "leg", inputs.binding("lo", "0"): "default"}
    after = of(feature, FIRST, bound)
    assert after == of(Bgp(), FIRST, bound)
    assert after[0] != before


def test_a_refusal_is_said_each_time_and_not_remembered() -> None:
    feature, given = Bgp(), LOOPBACK
    good = of(feature, FIRST, given)
    for _ in range(2):
        with pytest.raises(errors.InvalidValue, match="nobody's"):
            of(feature, with_one(asn=0), given)
    with pytest.raises(errors.InvalidValue, match="neither an address"):
        of(feature, FIRST, {})
    assert of(feature, FIRST, given) == good


def test_only_what_changed_is_made_anew() -> None:
    recall, made = Recall(), list[str]()

    def facts(underlay: Underlay) -> list[Fact]:
        node = entry(underlay)
        found = list(node.all("protocols/protocol/bgp/neighbors/neighbor"))
        parts = [Part((one.text("neighbor-address"),), one, note(one)) for one in found]
        return list(recall.facts(node, found[0].parent, parts, lambda key: None))

    def note(node: Node) -> Callable[[Lookup], Iterator[Fact]]:
        def make(_: Lookup) -> Iterator[Fact]:
            made.append(node.text("neighbor-address"))
            yield from ()

        return make

    facts(FIRST)
    assert len(made) == len(NEIGHBORS)
    made.clear()
    facts(with_one(description="new"))
    assert made == [NEIGHBORS[3].address]
