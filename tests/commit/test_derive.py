"""Facts follow from shards and inputs, and only what a change reaches is derived again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lxml import etree

from nesrv import errors
from nesrv.commit.derive import Derivation, Preview
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features.feature import Export, Lookup
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load

SHARDS = Shards(load(module_set([Path(__file__).parents[1] / "data" / "yang"], with_model=False)))
EDITOR = Editor(SHARDS)


@dataclass(frozen=True)
class Made:
    key: tuple[str, ...]
    value: str | int | tuple[str, ...] | None
    path: str = field(default="", compare=False)
    domain: str = "kernel"
    rank: tuple[int, ...] = (0,)


class Items:
    """Each item exports its size; a number of items may not be used twice."""

    name, point, claims = "items", "/kinds:top/item", frozenset[str]()

    def __init__(self) -> None:
        self.seen: list[str] = []

    def exports(self, entry: Node) -> Iterable[Export]:
        yield Export(("size", entry.text("name")), entry.leaf("size") or "", "size", entry.path)
        for port in entry.all("port"):
            yield Export(("port", port.text("id")), entry.text("name"), f"port {port.text('id')}", port.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterable[Fact]:
        self.seen.append(entry.text("name"))
        yield Made(("item", entry.text("name")), lookup(("size", entry.leaf("friend") or "")), entry.path)
        label = entry.leaf("many")
        if label is not None:
            yield Made(("label", label), entry.text("name"), entry.path)


class Users:
    """Each user is a fact of the size of its item."""

    name, point, claims = "users", "/kinds:top/user", frozenset[str]()

    def __init__(self) -> None:
        self.seen: list[str] = []

    def exports(self, entry: Node) -> Iterable[Export]:
        return ()

    def facts(self, entry: Node, lookup: Lookup) -> Iterable[Fact]:
        self.seen.append(entry.text("id"))
        yield Made(("user", entry.text("id")), lookup(("size", entry.text("item"))), entry.path)


class Bench:
    def __init__(self) -> None:
        self.items, self.users = Items(), Users()
        self.derivation = Derivation([self.items, self.users], SHARDS)
        self.running: Snapshot = EMPTY

    def preview(self, inner: str) -> tuple[Snapshot, Preview]:
        self.items.seen.clear()
        self.users.seen.clear()
        nc = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'
        config = etree.fromstring(f'<config {nc}><top xmlns="urn:nesrv:test:kinds">{inner}</top></config>')
        after = EDITOR.edit(self.running, config)
        return after, asyncio.run(self.derivation.preview(after, self.running.changes_to(after)))

    def commit(self, inner: str) -> dict[tuple[object, ...], object]:
        """What is wanted, by key."""
        self.running, preview = self.preview(inner)
        self.derivation.adopt(preview)
        return {key: getattr(fact, "value", "gone") for key, fact in preview.wanted.items()}

    def facts(self) -> dict[tuple[object, ...], object]:
        return {fact.key: getattr(fact, "value", None) for fact in self.derivation.facts()}


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.commit(
        "<item><name>a</name><size>1</size></item><item><name>b</name><size>2</size></item>"
        "<user><id>u</id><item>a</item></user><user><id>v</id><item>b</item></user>"
    )
    return made


def test_facts_of_a_configuration(bench: Bench) -> None:
    assert bench.facts() == {("item", "a"): None, ("item", "b"): None, ("user", "u"): "1", ("user", "v"): "2"}


def test_a_changed_input_reaches_those_who_used_it(bench: Bench) -> None:
    assert bench.commit("<item><name>a</name><size>9</size></item>") == {("item", "a"): None, ("user", "u"): "9"}
    assert (bench.items.seen, bench.users.seen) == (["a"], ["u"])


def test_a_change_that_no_input_sees_reaches_nobody_else(bench: Bench) -> None:
    bench.commit("<item><name>a</name><flag/></item>")
    assert (bench.items.seen, bench.users.seen) == (["a"], [])


def test_an_input_that_appears_and_goes(bench: Bench) -> None:
    assert bench.commit("<user><id>w</id><item>c</item></user>")[("user", "w")] is None
    assert bench.commit("<item><name>c</name><size>5</size></item>")[("user", "w")] == "5"
    wanted = bench.commit('<item nc:operation="delete"><name>c</name></item>')
    assert (wanted[("user", "w")], wanted[("item", "c")]) == (None, "gone")


def test_a_shard_that_is_gone_takes_its_facts_along(bench: Bench) -> None:
    assert bench.commit('<user nc:operation="delete"><id>u</id></user>') == {("user", "u"): "gone"}
    assert ("user", "u") not in bench.facts()
    assert bench.derivation.facts_of("/kinds:top/user[id='u']") == ()


def test_a_preview_changes_nothing(bench: Bench) -> None:
    before = bench.facts()
    bench.preview("<item><name>a</name><size>9</size></item>")
    assert bench.facts() == before
    assert bench.derivation.input(("size", "a")) == "1"


def test_one_input_from_two_givers(bench: Bench) -> None:
    port = "<port><id>7</id></port>"
    bench.commit(f"<item><name>a</name>{port}</item>")
    with pytest.raises(errors.InvalidValue) as refusal:
        bench.preview(f"<item><name>b</name>{port}</item>")
    assert refusal.value.path == "/kinds:top/item[name='b']/port[id='7']"
    assert refusal.value.app_tag == "in-use-elsewhere"
    moved = f'<item><name>b</name>{port}</item><item><name>a</name><port nc:operation="delete"><id>7</id></port></item>'
    bench.commit(moved)
    assert bench.derivation.input(("port", "7")) == "b"


def test_one_fact_from_two_owners(bench: Bench) -> None:
    bench.commit("<item><name>a</name><many>same</many></item>")
    with pytest.raises(errors.InvalidValue) as refusal:
        bench.preview("<item><name>b</name><many>same</many></item>")
    assert refusal.value.path == "/kinds:top/item[name='b']"
    moved = '<item><name>a</name><many nc:operation="delete"/></item><item><name>b</name><many>same</many></item>'
    assert bench.commit(moved)[("label", "same")] == "b"
    bench.commit('<item nc:operation="delete"><name>b</name></item>')
    assert bench.commit("<item><name>a</name><many>same</many></item>")[("label", "same")] == "a"
