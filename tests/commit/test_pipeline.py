"""What a commit leaves behind when an engine or the disk says no: nothing, or a word that something is left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lxml import etree

from nesrv import errors
from nesrv.commit.pipeline import Outcome, Pipeline
from nesrv.commit.plan import FactKey
from nesrv.datastore.edit import Editor
from nesrv.datastore.journal import CommitRecord, Journal
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node
from nesrv.facts import AfterStep, Fact, Step, StepRefused
from nesrv.features.feature import Export, Lookup
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load

SHARDS = Shards(load(module_set([Path(__file__).parents[1] / "data" / "yang"], with_model=False)))
RECORD = CommitRecord(1.5, "eve", 7)


@dataclass(frozen=True)
class Made:
    key: tuple[str, ...]
    path: str = field(default="", compare=False)
    domain: str = "kernel"
    rank: tuple[int, ...] = (0,)


class Items:
    name, point, claims = "items", "/kinds:top/item", frozenset[str]()

    def exports(self, entry: Node) -> Iterable[Export]:
        return ()

    def facts(self, entry: Node, lookup: Lookup) -> Iterable[Fact]:
        yield Made(("item", entry.text("name")), entry.path)


class Table:
    """An engine whose facts are just remembered; it marks nothing as its own, as FRR does that is attached to.

    ``refused``: keys of which no step is taken; ``skips``: whether the steps behind such a one are taken all the
    same; ``broken``: keys at which it fails without a word, what it did before standing.
    """

    volatile = False

    def __init__(self) -> None:
        self.actual: dict[FactKey, Fact] = {}
        self.refused: set[str] = set()
        self.broken: set[str] = set()
        self.skips = False
        self.gate: asyncio.Event | None = None

    def owned(self) -> Iterable[FactKey]:
        return ()

    def satisfies(self, wanted: Fact, actual: Fact) -> bool:
        return wanted == actual

    def explain(self, steps: Sequence[Step]) -> list[list[str]]:
        return [[f"{step.verb} {step.fact.key[1]}"] for step in steps]

    async def refresh(self) -> None:
        return

    async def apply(self, steps: Sequence[Step], after_step: AfterStep | None = None) -> None:
        if self.gate is not None:
            await self.gate.wait()
        done: list[Step] = []
        refused: Step | None = None
        for step in steps:
            name = str(step.fact.key[1])
            if name in self.broken:
                self.broken.discard(name)
                raise RuntimeError("the engine has a defect")
            if f"{step.verb} {name}" in self.refused:
                refused = refused or step
                if not self.skips:
                    break
                continue
            if step.after is None:
                del self.actual[step.fact.key]
            else:
                self.actual[step.fact.key] = step.after
            done.append(step)
        if refused is not None:
            raise StepRefused(refused, "no", done)

    def names(self) -> set[object]:
        return {key[1] for key in self.actual}


class Bench:
    def __init__(self, place: Path) -> None:
        self.place = place
        self.table = Table()
        self.start()

    def start(self) -> None:
        self.journal = Journal(self.place)
        self.pipeline = Pipeline(SHARDS, (Items(),), self.journal, {"kernel": self.table})
        self.pipeline.load()

    def candidate(self, *names: str) -> Snapshot:
        inner = "".join(f"<item><name>{name}</name></item>" for name in names)
        config = etree.fromstring(f'<config><top xmlns="urn:nesrv:test:kinds">{inner}</top></config>')
        return Editor(SHARDS).edit(self.pipeline.running, config)

    def commit(self, *names: str) -> Outcome:
        return asyncio.run(self.pipeline.commit(self.candidate(*names), RECORD))

    def refused(self, *names: str) -> errors.RpcError:
        before = self.pipeline.running
        with pytest.raises(errors.RpcError) as found:
            self.commit(*names)
        assert self.pipeline.running is before
        return found.value

    def execute(self, sql: str) -> None:
        self.journal._db.execute(sql)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path / "j.db")
    made.commit("old")
    return made


def test_what_was_done_before_a_refusal_is_undone(bench: Bench) -> None:
    bench.table.refused = {"create b"}
    error = bench.refused("a", "b", "c")
    assert (error.tag, error.app_tag) == ("operation-failed", "kernel-refused")
    assert error.path == "/kinds:top/item[name='b']"
    assert error.message == "no (at: create b). Nothing was changed."
    assert bench.table.names() == {"old"}
    assert bench.journal.intent() is None


def test_what_was_done_behind_a_refusal_is_undone(bench: Bench) -> None:
    bench.table.refused, bench.table.skips = {"create b"}, True
    bench.refused("a", "b", "c")
    assert bench.table.names() == {"old"}


def test_an_engine_that_fails_without_a_word_is_set_right(bench: Bench) -> None:
    bench.table.broken = {"b"}
    error = bench.refused("a", "b", "c")
    assert (error.tag, error.app_tag) == ("operation-failed", "kernel-failed")
    assert "defect" not in error.message
    assert bench.table.names() == {"old"}
    assert bench.journal.intent() is None


@pytest.mark.parametrize("at", ["a", "b"])
def test_an_engine_that_fails_in_an_undo_is_set_right(bench: Bench, at: str) -> None:
    bench.table.refused = {"create c"}
    apply = bench.table.apply

    async def later_broken(steps: Sequence[Step], after_step: AfterStep | None = None) -> None:
        if steps[0].after is None and at not in seen:
            seen.append(at)
            bench.table.broken = {at}
        await apply(steps, after_step)

    seen: list[str] = []
    bench.table.apply = later_broken  # type: ignore[method-assign]
    assert bench.refused("a", "b", "c").app_tag == "kernel-refused"
    assert seen
    assert bench.table.names() == {"old"}


def test_what_cannot_be_undone_is_told_and_remembered(bench: Bench) -> None:
    bench.table.refused = {"create b", "delete a"}
    error = bench.refused("a", "b")
    assert error.tag == "rollback-failed"
    assert error.message == "no; 1 steps could not be undone, first: delete a."
    assert bench.table.names() == {"old", "a"}
    bench.journal.close()
    bench.start()
    asyncio.run(bench.pipeline.reconcile())
    assert bench.table.names() == {"old", "a"}
    assert bench.journal.intent() is not None
    bench.table.refused.clear()
    asyncio.run(bench.pipeline.reconcile())
    assert bench.table.names() == {"old"}
    assert bench.journal.intent() is None


TRIGGERS: Mapping[str, str] = {
    "before the first step": "CREATE TEMP TRIGGER t BEFORE INSERT ON intent BEGIN SELECT RAISE(FAIL, 'full'); END",
    "after the last": "CREATE TEMP TRIGGER t BEFORE INSERT ON history BEGIN SELECT RAISE(ROLLBACK, 'full'); END",
}


@pytest.mark.parametrize("when", TRIGGERS)
def test_a_disk_that_takes_no_write(bench: Bench, when: str) -> None:
    bench.execute(TRIGGERS[when])
    error = bench.refused("a")
    assert error.tag == "operation-failed"
    assert error.message == "The commit could not be written to disk: full. Nothing was changed."
    assert bench.table.names() == {"old"}
    assert bench.journal.intent() is None
    bench.execute("DROP TRIGGER t")
    assert bench.commit("a").commit == 2
    assert bench.table.names() == {"old", "a"}


def test_a_refusal_is_told_when_the_disk_cannot_forget(bench: Bench) -> None:
    bench.execute("CREATE TEMP TRIGGER t BEFORE DELETE ON intent BEGIN SELECT RAISE(FAIL, 'full'); END")
    bench.table.refused = {"create b"}
    assert bench.refused("a", "b").app_tag == "kernel-refused"
    assert bench.table.names() == {"old"}


def test_an_interrupted_commit_of_modules_that_are_gone(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.execute('INSERT INTO intent VALUES (1, \'{"/gone:top/item": [null, "<item/>"]}\')')
    with caplog.at_level(logging.ERROR):
        asyncio.run(bench.pipeline.reconcile())
    assert "is not known under these modules" in caplog.text
    assert bench.journal.intent() is None


def test_finishing_waits_for_the_commit_in_hand_and_refuses_the_next(bench: Bench) -> None:
    async def two_and_the_end() -> list[object]:
        bench.table.gate = asyncio.Event()
        first, second = (
            asyncio.create_task(bench.pipeline.commit(bench.candidate(name), RECORD)) for name in ("a", "b")
        )
        while not bench.pipeline._busy.locked():
            await asyncio.sleep(0)
        ending = asyncio.create_task(bench.pipeline.finish())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not ending.done()
        bench.table.gate.set()
        await ending
        return [first.result().commit, *await asyncio.gather(second, return_exceptions=True)]

    number, error = asyncio.run(two_and_the_end())
    assert number == 2
    assert isinstance(error, errors.ResourceDenied)
    assert bench.table.names() == {"old", "a"}


def test_what_a_start_takes_back_is_undone_where_nothing_is_marked(bench: Bench) -> None:
    """Nothing of the table is known to be ours but by what was taken back."""
    asyncio.run(bench.pipeline.commit(bench.candidate("trial"), CommitRecord(2.0, "eve", 7, confirmed=True)))
    bench.journal.begin(bench.pipeline.changes(bench.candidate("interrupted")))
    bench.table.actual[("item", "interrupted")] = Made(("item", "interrupted"))
    bench.journal.replace(bench.journal.back_to(1), RECORD)
    bench.journal.close()
    bench.start()
    asyncio.run(bench.pipeline.reconcile())
    assert bench.table.names() == {"old"}
    assert bench.journal.left() is None


def test_who_waits_for_a_commit_is_asked_what_he_wants_after_it(bench: Bench) -> None:
    async def both() -> None:
        bench.table.gate = asyncio.Event()
        first = asyncio.create_task(bench.pipeline.commit(bench.candidate("a"), RECORD))
        second = asyncio.create_task(bench.pipeline.change(lambda: bench.candidate("b"), RECORD))
        while not bench.pipeline._busy.locked():
            await asyncio.sleep(0)
        bench.table.gate.set()
        await asyncio.gather(first, second)

    asyncio.run(both())
    assert bench.table.names() == {"old", "a", "b"}
