"""A large commit works beside the event loop: with the same outcome, and libyang's objection before all others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from lxml import etree

from nesrv import aside, errors
from nesrv.commit import pipeline as pipelines
from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.edit import Editor
from nesrv.datastore.journal import Journal
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features.feature import Lookup
from tests.commit.test_pipeline import RECORD, SHARDS, Items, Made, Table

HEAVY = "<part><id>1</id><weight>250</weight></part>"


class Strict(Items):
    """Refuses what is called ``bad``."""

    def facts(self, entry: Node, lookup: Lookup) -> Iterable[Fact]:
        if entry.text("name") == "bad":
            raise errors.InvalidValue("no name for an item", entry.path)
        yield Made(("item", entry.text("name")), entry.path)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Everything counts as large."""
    monkeypatch.setattr(pipelines, "LARGE_BYTES", 0)
    monkeypatch.setattr(aside, "MANY", 0)
    found = Pipeline(SHARDS, (Strict(),), Journal(tmp_path / "j.db"), {"kernel": Table()})
    found.load()
    return found


def items(**inner: str) -> Snapshot:
    """An item for each name, with what is in it."""
    every = "".join(f"<item><name>{name}</name>{xml}</item>" for name, xml in inner.items())
    return Editor(SHARDS).edit(
        EMPTY, etree.fromstring(f'<config><top xmlns="urn:nesrv:test:kinds">{every}</top></config>')
    )


def refused(made: Pipeline, candidate: Snapshot) -> errors.RpcError:
    with pytest.raises(errors.RpcError) as found:
        asyncio.run(made.commit(candidate, RECORD))
    assert made.running is EMPTY or not made.running
    return found.value


def test_it_is_committed(made: Pipeline) -> None:
    outcome = asyncio.run(made.commit(items(a="", b=""), RECORD))
    assert [step.fact.key for step in outcome.steps] == [("item", "a"), ("item", "b")]


def test_what_yang_refuses_is_told_before_what_a_feature_does(made: Pipeline) -> None:
    assert refused(made, items(bad="", c=HEAVY)).app_tag == "too-heavy"


def test_what_a_feature_refuses_is_told(made: Pipeline) -> None:
    assert refused(made, items(bad="", c="")).message == "no name for an item"


def test_what_yang_refuses_is_told_alone(made: Pipeline) -> None:
    assert refused(made, items(c=HEAVY)).app_tag == "too-heavy"
