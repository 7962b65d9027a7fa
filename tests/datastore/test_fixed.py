"""Trees for reading only say what trees for changing say, entries and rests of containers alike."""

from __future__ import annotations

from lxml import etree

from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
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
