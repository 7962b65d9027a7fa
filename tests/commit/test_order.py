"""Entries come in the order in which they were made, before and after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lxml import etree

from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.edit import Editor
from nesrv.datastore.journal import CommitRecord, Journal
from nesrv.datastore.shards import Shards
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load

MODULES = Path(__file__).parents[1] / "data" / "yang"
NC = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'


def test_what_is_removed_and_made_again_comes_last(tmp_path: Path) -> None:
    shards = Shards(load(module_set([MODULES], with_model=False)))
    editor, journal = Editor(shards), Journal(tmp_path / "nesrv.db")
    pipeline = Pipeline(shards, (), journal, {})

    def commit(inner: str) -> None:
        config = etree.fromstring(f'<config><top xmlns="urn:nesrv:test:kinds" {NC}>{inner}</top></config>')
        candidate = editor.edit(pipeline.running, config)
        asyncio.run(pipeline.commit(candidate, CommitRecord(0.0, "test", 1)))

    for name in "abc":
        commit(f"<item><name>{name}</name></item>")
    commit('<item nc:operation="delete"><name>a</name></item>')
    commit("<item><name>a</name></item>")
    commit("<item><name>b</name><size>1</size></item>")
    shown = [shard.path for shard in pipeline.running.shards()]
    assert [path.split("'")[1] for path in shown] == ["b", "c", "a"]
    assert [path for path, _ in journal.running()] == shown
    journal.close()
