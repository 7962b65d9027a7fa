"""What happens between the beginning and the end of a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from lxml import etree

from nesrv import errors
from nesrv.commit.pipeline import Outcome, Pipeline
from nesrv.datastore.incoming import NETCONF
from nesrv.datastore.journal import CommitRecord, Journal
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.rpc import committing, configure, copying
from nesrv.rpc.element import Element
from nesrv.rpc.operation import Call
from nesrv.rpc.params import Params
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load

OPERATIONS = {**configure.OPERATIONS, **committing.OPERATIONS, **copying.OPERATIONS}
MODULES = Path(__file__).parents[1] / "data" / "yang"


@pytest.mark.parametrize("edited_again", [False, True])
def test_a_candidate_discarded_during_a_commit_is_not_left_behind(tmp_path: Path, edited_again: bool) -> None:
    shards = Shards(load(module_set([MODULES], with_model=False)))
    pipeline = Pipeline(shards, (), Journal(tmp_path / "j.db"), {})
    element = Element(shards, pipeline)

    def edited(text: str) -> Snapshot:
        config = etree.fromstring(f'<config><top xmlns="urn:nesrv:test:kinds"><note>{text}</note></top></config>')
        return element.editor.edit(element.candidate.snapshot, config)

    change = pipeline.change

    async def disturbed(choose: Callable[[], Snapshot], record: CommitRecord) -> Outcome:
        def then_disturbed() -> Snapshot:
            candidate = choose()
            element.candidate.reset(pipeline.running)
            if edited_again:
                element.candidate.change(edited("later"), 2)
            return candidate

        return await change(then_disturbed, record)

    cast("Any", pipeline).change = disturbed
    element.candidate.change(edited("first"), 1)
    session = SimpleNamespace(number=1, peer=SimpleNamespace(user="eve"))
    params = Params(etree.fromstring("<commit/>"), element.schema.rpcs[f"{{{NETCONF}}}commit"])
    asyncio.run(_answered(committing.commit(Call(element, cast("Any", session), params))))
    wanted = edited("later") if edited_again else pipeline.running
    assert len(pipeline.running) == 1
    assert element.candidate.snapshot.changes_to(wanted) == {}


async def _answered(answer: Any) -> None:
    await answer


class Bench:
    """An element whose derivation stands still at a gate, and calls as sessions make them."""

    def __init__(self, place: Path) -> None:
        self.shards = Shards(load(module_set([MODULES], with_model=False)))
        self.pipeline = Pipeline(self.shards, (), Journal(place / "j.db"), {})
        self.element = Element(self.shards, self.pipeline)
        self.gate = asyncio.Event()
        self.at_gate = asyncio.Event()
        self._preview = self.pipeline.derivation.preview
        cast("Any", self.pipeline.derivation).preview = self._gated

    async def _gated(self, after: Snapshot, changes: Any) -> Any:
        self.at_gate.set()
        await self.gate.wait()
        return await self._preview(after, changes)

    def call(self, session: int, operation: str, content: str = "") -> asyncio.Task[Any]:
        xml = etree.fromstring(f'<{operation} xmlns="{NETCONF}">{content}</{operation}>')
        rpc = self.element.schema.rpcs[f"{{{NETCONF}}}{operation}"]
        caller = SimpleNamespace(number=session, peer=SimpleNamespace(user="eve"))
        call = Call(self.element, cast("Any", caller), Params(xml, rpc))
        return asyncio.ensure_future(OPERATIONS[f"{{{NETCONF}}}{operation}"](call))

    def edit(self, session: int, inner: str, more: str = "") -> asyncio.Task[Any]:
        config = f'<config><top xmlns="urn:nesrv:test:kinds">{inner}</top></config>'
        return self.call(session, "edit-config", f"<target><candidate/></target>{more}{config}")

    def running(self) -> bytes:
        return self.shards.document(self.pipeline.running.shards())

    async def turns(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


async def _committing(bench: Bench) -> asyncio.Task[Any]:
    await bench.edit(1, "<note>first</note>")
    commit = bench.call(1, "commit")
    await bench.at_gate.wait()
    return commit


@pytest.mark.parametrize("how", ["discard-changes", "copy-config", "leave"])
def test_a_candidate_that_starts_afresh_during_a_commit_starts_from_what_it_makes(tmp_path: Path, how: str) -> None:
    async def played() -> None:
        bench = Bench(tmp_path)
        commit = await _committing(bench)
        afresh: asyncio.Future[Any]
        if how == "leave":
            afresh = asyncio.ensure_future(bench.element.leave(1))
        else:
            both = "<target><candidate/></target><source><running/></source>"
            afresh = bench.call(2, how, both if how == "copy-config" else "")
        await bench.turns()
        assert not afresh.done()
        bench.gate.set()
        await asyncio.gather(commit, afresh)
        await bench.edit(2, "<item><name>a</name></item>")
        await bench.call(2, "commit")
        assert b"first" in bench.running()
        assert b"<item>" in bench.running()

    asyncio.run(played())


def test_a_lock_is_not_granted_during_a_commit(tmp_path: Path) -> None:
    async def played() -> None:
        bench = Bench(tmp_path)
        commit = await _committing(bench)
        lock = bench.call(2, "lock", "<target><running/></target>")
        await bench.turns()
        assert not lock.done()
        bench.gate.set()
        await asyncio.gather(commit, lock)
        assert bench.element.locks.holder("running") == 2

    asyncio.run(played())


def test_an_edit_that_is_tested_first_loses_no_other_edit(tmp_path: Path) -> None:
    async def played() -> None:
        bench = Bench(tmp_path)
        tested = bench.edit(1, "<note>tested</note>", "<test-option>test-then-set</test-option>")
        await bench.at_gate.wait()
        await bench.edit(2, "<item><name>b</name></item>")
        bench.gate.set()
        await tested
        candidate = bench.shards.document(bench.element.candidate.snapshot.shards())
        assert b"tested" in candidate
        assert b"<item>" in candidate

    asyncio.run(played())


def test_an_edit_that_is_tested_first_respects_a_lock_taken_meanwhile(tmp_path: Path) -> None:
    async def played() -> None:
        bench = Bench(tmp_path)
        tested = bench.edit(1, "<note>tested</note>", "<test-option>test-then-set</test-option>")
        await bench.at_gate.wait()
        bench.element.locks.lock("candidate", 2, 0.0)
        bench.gate.set()
        with pytest.raises(errors.InUse):
            await tested

    asyncio.run(played())
