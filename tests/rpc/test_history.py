"""Every commit is remembered, and running can be what it was after any of them (nesrv-history)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from nesrv import errors
from nesrv.datastore.journal import CommitRecord, Forgotten, Journal
from nesrv.datastore.snapshot import Snapshot
from nesrv.rpc import history
from nesrv.rpc.element import SessionState
from nesrv.rpc.guards import Guard
from nesrv.rpc.operation import Ok, Output
from tests.rpc.client import Client, edit, session
from tests.rpc.conftest import MODULES
from tests.rpc.inside import KINDS, Inside, note, schema
from tests.serving import NONE, Serving

SERVED = schema()
NS = "urn:nesrv:history"
Scene = Callable[[Inside], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scene], None]:
    def played(scene: Scene) -> None:
        async def run() -> None:
            await scene(Inside(tmp_path, SERVED, (history.OPERATIONS,)))

        asyncio.run(run())

    return played


def ask(name: str, inner: str = "") -> str:
    return f'<{name} xmlns="{NS}">{inner}</{name}>'


async def shown(inside: Inside, text: str) -> etree._Element:
    """The output within one element."""
    answer = await inside.call(1, text)
    assert isinstance(answer, Output)
    return etree.fromstring(b"<out>" + b"".join(answer.fragments) + b"</out>")


async def ids(inside: Inside, inner: str = "") -> list[str]:
    listed = await shown(inside, ask("list-commits", inner))
    return [entry.findtext(f"{{{NS}}}id") or "" for entry in listed]


async def committed(inside: Inside, text: str, comment: str = "") -> None:
    await inside.note(1, text)
    await inside.call(1, f'<commit>{comment and f"""<comment xmlns="{NS}">{comment}</comment>"""}</commit>')


def test_commits_are_listed_from_the_last_one(play: Callable[[Scene], None]) -> None:
    async def scene(inside: Inside) -> None:
        assert await ids(inside) == []
        for number in range(1, 26):
            await committed(inside, str(number))
        assert await ids(inside) == [str(number) for number in range(25, 5, -1)]
        assert await ids(inside, "<limit>2</limit>") == ["25", "24"]
        assert await ids(inside, "<limit>2</limit><before>3</before>") == ["2", "1"]
        for wrong in ("<limit>0</limit>", "<limit>x</limit>", "<before>-1</before>"):
            with pytest.raises(errors.InvalidValue):
                await ids(inside, wrong)

    play(scene)


def test_a_commit_with_its_comment(play: Callable[[Scene], None]) -> None:
    async def scene(inside: Inside) -> None:
        await committed(inside, "a", "ticket 7, <b>".replace("<b>", "&lt;b&gt;"))
        (entry,) = await shown(inside, ask("list-commits"))
        assert {etree.QName(leaf).localname: leaf.text for leaf in entry} == {
            "id": "1",
            "time": "1970-01-01T00:16:40Z",
            "user": "eve",
            "session-id": "1",
            "comment": "ticket 7, <b>",
        }
        await inside.note(1, "b")
        for wrong in ("<comment>x</comment>", f'<comment xmlns="{NS}">{"x" * 1025}</comment>'):
            with pytest.raises((errors.UnknownNamespace, errors.InvalidValue)):
                await inside.call(1, f"<commit>{wrong}</commit>")
        assert inside.journal.last() == 1

    play(scene)


def test_a_commit_and_what_it_changed(play: Callable[[Scene], None]) -> None:
    def item(name: str, size: int, more: str = "") -> str:
        return f'<top xmlns="{KINDS}"><item{more}><name>{name}</name><size>{size}</size></item></top>'

    async def scene(inside: Inside) -> None:
        for inner in (item("a", 1), item("b", 1)):
            await inside.call(1, edit(inner))
        await inside.call(1, "<commit/>")
        gone = ' xmlns:n="urn:ietf:params:xml:ns:netconf:base:1.0" n:operation="delete"'
        for inner in (item("a", 2), item("b", 1, gone), item("c", 3)):
            await inside.call(1, edit(inner))
        await inside.call(1, "<commit/>")
        found = await shown(inside, ask("get-commit", "<id>2</id>"))
        assert found.findtext(f"{{{NS}}}user") == "eve"
        changes = {}
        for change in found.iterfind(f"{{{NS}}}change"):
            path, operation = (change.findtext(f"{{{NS}}}{name}") for name in ("path", "operation"))
            sizes = [change.findtext(f"{{{NS}}}{name}/{{{KINDS}}}top//{{{KINDS}}}size") for name in ("before", "after")]
            changes[path] = (operation, *sizes)
        assert changes == {
            "/kinds:top/item[name='a']": ("change", "1", "2"),
            "/kinds:top/item[name='b']": ("delete", "1", None),
            "/kinds:top/item[name='c']": ("create", None, "3"),
        }
        for number in ("0", "3", "4294967295"):
            with pytest.raises(errors.DataMissing):
                await shown(inside, ask("get-commit", f"<id>{number}</id>"))
        with pytest.raises(errors.MissingElement):
            await shown(inside, ask("get-commit"))

    play(scene)


def test_what_was_changed_under_modules_that_are_gone(play: Callable[[Scene], None]) -> None:
    async def scene(inside: Inside) -> None:
        await committed(inside, "before")
        await committed(inside, "a")
        inside.journal._db.execute("UPDATE history SET changes = replace(changes, '/kinds:top', '/gone:top')")
        found = await shown(inside, ask("get-commit", "<id>2</id>"))
        (change,) = found.iterfind(f"{{{NS}}}change")
        assert [etree.QName(leaf).localname for leaf in change] == ["path", "operation"]
        with pytest.raises(errors.OperationFailed):
            await inside.call(1, ask("rollback", "<id>1</id>"))
        assert inside.config("candidate") == note("a")

    play(scene)


def test_back_and_forth(play: Callable[[Scene], None]) -> None:
    async def scene(inside: Inside) -> None:
        for text in ("one", "two", "three"):
            await committed(inside, text)
        assert isinstance(await inside.call(2, ask("rollback", "<id>1</id>")), Ok)
        assert (inside.config(), inside.config("candidate")) == (note("three"), note("one"))
        assert inside.changes()[-1] == ("candidate", "bob", 2)
        await inside.call(2, "<commit/>")
        await inside.call(1, ask("rollback", "<id>3</id>"))
        await inside.call(1, "<commit/>")
        assert inside.config() == note("three")
        await inside.call(1, ask("rollback", "<id>0</id>"))
        assert inside.config("candidate") == ""
        await inside.call(1, ask("rollback", "<id>5</id>"))
        assert inside.config("candidate") == note("three")
        with pytest.raises(errors.DataMissing):
            await inside.call(1, ask("rollback", "<id>6</id>"))

    play(scene)


def test_a_rollback_is_an_edit_like_any_other(play: Callable[[Scene], None]) -> None:
    class Nobody(Guard):
        def changes(self, session: SessionState, datastore: str, before: Snapshot, after: Snapshot) -> None:
            raise errors.AccessDenied(datastore)

    async def scene(inside: Inside) -> None:
        await committed(inside, "one")
        await inside.call(2, "<lock><target><candidate/></target></lock>")
        with pytest.raises(errors.InUse):
            await inside.call(1, ask("rollback", "<id>0</id>"))
        inside.element.guards.add(Nobody())
        with pytest.raises(errors.AccessDenied):
            await inside.call(2, ask("rollback", "<id>0</id>"))
        assert inside.config("candidate") == note("one")

    play(scene)


EDITS = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.one_of(st.none(), st.integers(0, 3)), max_size=4),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EDITS, st.data())
def test_any_commit_can_be_returned_to(edits: list[dict[str, int | None]], data: st.DataObject) -> None:
    """Each edit gives items a size, or takes them away (None)."""

    async def run(place: Path) -> None:
        inside = Inside(place, SERVED, (history.OPERATIONS,))
        states = [contents(inside)]
        for one in edits:
            for name, size in one.items():
                more = (
                    ""
                    if size is not None
                    else ' xmlns:n="urn:ietf:params:xml:ns:netconf:base:1.0" n:operation="remove"'
                )
                inner = f"<name>{name}</name>" + (f"<size>{size}</size>" if size is not None else "")
                await inside.call(1, edit(f'<top xmlns="{KINDS}"><item{more}>{inner}</item></top>'))
            await inside.call(1, "<commit/>")
            if inside.journal.last() == len(states):
                states.append(contents(inside))
        number = data.draw(st.integers(0, len(states) - 1))
        await inside.call(1, ask("rollback", f"<id>{number}</id>"))
        await inside.call(1, "<commit/>")
        assert contents(inside) == states[number]
        assert dict(inside.journal.running()) == states[number]

    with tempfile.TemporaryDirectory() as place:
        asyncio.run(run(Path(place)))


def contents(inside: Inside) -> dict[str, bytes]:
    return {path: shard.xml for path, shard in inside.pipeline.running.items()}


def test_what_is_forgotten_cannot_be_returned_to(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db", kept=2)
    for _ in range(5):
        journal.commit({}, CommitRecord(1.0, "eve", 1))
    assert [number for number, _ in journal.commits(9)] == [5, 4]
    assert journal.back_to(3) == {}
    for number in (2, 6):
        with pytest.raises(Forgotten):
            journal.back_to(number)
    journal.close()


def test_the_setting_and_the_way_over_ssh() -> None:
    with Serving(options=(*NONE, "--history", "2"), yang=[MODULES]) as server:

        async def body(client: Client) -> None:
            for text in ("one", "two", "three"):
                await client.edit(note(text))
                await client.ok(f'<commit><comment xmlns="{NS}">{text}</comment></commit>')
            reply = await client.rpc(ask("list-commits"))
            assert [entry.text for entry in reply.iter(f"{{{NS}}}comment")] == ["three", "two"]
            await client.ok(ask("rollback", "<id>1</id>"))
            assert await client.config("candidate") == note("one")
            refusal = await client.refused(ask("rollback", "<id>0</id>"))
            assert (refusal.tag, refusal.info) == ("data-missing", (("bad-element", "id"),))

        async def run() -> None:
            async with session(server) as client:
                await body(client)

        asyncio.run(run())


def test_a_history_of_nothing_is_no_setting() -> None:
    server = Serving(options=(*NONE, "--history", "0"), yang=[MODULES])
    try:
        with pytest.raises(AssertionError, match="status 64"):
            server.start()
    finally:
        server.close()
