"""Trees for reading only say what trees for changing say, entries and rests of containers alike."""

from __future__ import annotations

import gc
from weakref import ref

import pytest
from lxml import etree

from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import EMPTY
from nesrv.datastore.tree import to_xml
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load
from tests.server.configurations import Configuration, Neighbor, Underlay, document

SHARDS = Shards(load(module_set([], True)))
SYSTEM = '<system xmlns="http://openconfig.net/yang/system"><config><hostname>pe1</hostname></config></system>'


def test_entries_and_rests() -> None:
    made = document(Configuration(Underlay(neighbors=(Neighbor("192.0.2.1", 64600),))))
    made.append(etree.fromstring(SYSTEM))
    snapshot = Editor(SHARDS).edit(EMPTY, made)
    points = {shard.point in SHARDS.schema.skeleton for shard in snapshot.shards()}
    assert points == {True, False}
    for shard in snapshot.shards():
        fixed, free = SHARDS.fixed_entry(shard), SHARDS.entry(shard)
        assert to_xml(fixed, SHARDS.schema.namespaces) == to_xml(free, SHARDS.schema.namespaces)
        assert (fixed.schema, fixed.path) == (free.schema, free.path)
        assert [child.path for child in fixed.children] == [child.path for child in free.children]


def _large() -> Shard:
    made = document(Configuration(Underlay(neighbors=(Neighbor("192.0.2.1", 64600),))))
    return max(Editor(SHARDS).edit(EMPTY, made).shards(), key=lambda shard: len(shard.xml))


def test_a_tree_for_reading_is_freed_with_its_top() -> None:
    shards = Shards(SHARDS.schema)
    top = shards.fixed_entry(_large())
    inner = next(child for child in top.children if child.children)
    leaf, there = inner.children[0], ref(top)
    gc.disable()
    try:
        del shards, top, inner
        assert there() is None
    finally:
        gc.enable()
    with pytest.raises(ReferenceError):
        assert leaf.path


def test_a_tree_for_printing_says_the_same_and_holds_no_cycle() -> None:
    shard = _large()
    (free,), (bare,) = SHARDS.nodes(shard), SHARDS.bare(shard)
    assert to_xml(bare, SHARDS.schema.namespaces) == to_xml(free, SHARDS.schema.namespaces)
    assert all(child.parent is None for child in bare.children)


def test_a_leaf_takes_no_children() -> None:
    (top,) = SHARDS.bare(_large())
    leaf = next(child for child in top.children if child.value is not None)
    with pytest.raises(AttributeError):
        leaf.add(top)
