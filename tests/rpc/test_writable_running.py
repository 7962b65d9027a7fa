"""Edits of running, each a commit of its own (RFC 6241 §8.2), and the options of edit-config (§7.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from nesrv import errors
from nesrv.datastore.snapshot import Snapshot
from nesrv.rpc.element import SessionState
from nesrv.rpc.guards import Guard
from tests.commit.test_pipeline import Items, Table
from tests.rpc.client import Client, session
from tests.rpc.conftest import MODULES
from tests.rpc.inside import KINDS, STATE, Inside, edit, note, schema
from tests.serving import NONE, Serving

WRITABLE, PLAIN = schema("writable-running"), schema()
COPY = "<copy-config><target><running/></target><source>{}</source></copy-config>"
Play = Callable[[Inside], Awaitable[None]]


def items(*names: str) -> str:
    return f'<top xmlns="{KINDS}">{"".join(f"<item><name>{name}</name></item>" for name in names)}</top>'


BAD = f'<top xmlns="{KINDS}"><item><name>x</name><size>9999</size></item></top>'
MIXED = (
    f'<top xmlns="{KINDS}"><item><name>a</name></item><item><name>x</name><size>9999</size></item>'
    f'<zz/><item><name>b</name></item></top><gone xmlns="urn:gone"/><solo xmlns="{KINDS}"><a>s</a></solo>'
)
GOOD_OF_MIXED = items("a", "b").replace("</top>", f'</top><solo xmlns="{KINDS}"><a>s</a></solo>')


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Play], None]:
    def played(scene: Play) -> None:
        async def run() -> None:
            await scene(Inside(tmp_path, WRITABLE, (), {"kernel": Table()}, (Items(),)))

        asyncio.run(run())

    return played


async def refused(inside: Inside, number: int, text: str) -> list[str]:
    """The tags of the errors; running is what it was."""
    before = inside.pipeline.running
    with pytest.raises((errors.RpcError, errors.RpcErrors)) as found:
        await inside.call(number, text)
    assert inside.pipeline.running is before
    several = found.value.errors if isinstance(found.value, errors.RpcErrors) else (found.value,)
    return [error.tag for error in several if isinstance(error, errors.RpcError)]


def test_an_edit_of_running_is_a_commit(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, edit(items("a"), "running"))
        assert inside.config() == inside.config("candidate") == items("a")
        assert inside.changes() == [("running", "eve", 1)]
        assert [(number, record.user) for number, record in inside.journal.commits(9)] == [(1, "eve")]
        await inside.call(2, edit(items("b"), "running"))
        assert inside.config() == items("a", "b")

    play(scene)


def test_a_copy_to_running_is_a_commit(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, edit(items("a"), "running"))
        await inside.call(1, COPY.format(f"<config>{items('b')}</config>"))
        assert inside.config() == inside.config("candidate") == items("b")
        await inside.call(1, edit(items("c")))
        await inside.call(2, COPY.format("<candidate/>"))
        assert inside.config() == items("b", "c")
        assert inside.journal.last() == 3
        assert await refused(inside, 1, COPY.format("<running/>")) == ["invalid-value"]

    play(scene)


def test_an_edited_candidate_does_not_follow(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(2, edit(note("mine")))
        await inside.call(1, edit(items("a"), "running"))
        assert (inside.config(), inside.config("candidate")) == (items("a"), note("mine"))

    play(scene)


def test_what_is_wrong_changes_nothing(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        for wrong in (BAD, f'<top xmlns="{KINDS}"><item><name>a</name></item><chosen>nobody</chosen></top>'):
            for option in ("stop-on-error", "continue-on-error", "rollback-on-error"):
                more = f"<error-option>{option}</error-option>"
                assert await refused(inside, 1, edit(wrong, "running", more))
            assert await refused(inside, 1, COPY.format(f"<config>{wrong}</config>"))
        assert inside.journal.last() == 0

    play(scene)


def test_what_the_kernel_refuses_changes_nothing(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        table = inside.pipeline._engines["kernel"]
        assert isinstance(table, Table)
        table.refused = {"create b"}
        assert await refused(inside, 1, edit(items("a", "b"), "running")) == ["operation-failed"]
        assert table.names() == set()

    play(scene)


def test_every_error_is_told_where_the_client_wants_to_go_on(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        more = "<error-option>continue-on-error</error-option>"
        wanted = ["invalid-value", "unknown-element", "unknown-namespace"]
        assert await refused(inside, 1, edit(MIXED, "running", more)) == wanted
        assert inside.config() == inside.config("candidate") == ""

    play(scene)


@pytest.mark.parametrize("target", ["running", "candidate"])
@pytest.mark.parametrize("option", ["stop-on-error", "rollback-on-error", None])
def test_all_or_nothing(play: Callable[[Play], None], target: str, option: str | None) -> None:
    async def scene(inside: Inside) -> None:
        more = f"<error-option>{option}</error-option>" if option else ""
        assert len(await refused(inside, 1, edit(MIXED, target, more))) == 1
        assert inside.config(target) == ""

    play(scene)


def test_going_on_keeps_in_the_candidate_what_is_right(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        more = "<error-option>continue-on-error</error-option>"
        assert len(await refused(inside, 1, edit(MIXED, "candidate", more))) == 3
        assert inside.config("candidate") == GOOD_OF_MIXED
        await inside.call(1, "<discard-changes/>")
        twice = items("a").replace("</top>", '<item xmlns:n="urn:ietf:params:xml:ns:netconf:base:1.0" '
                                             'n:operation="merge"><name>a</name></item></top>')  # fmt: skip
        assert await refused(inside, 1, edit(twice, "candidate", more)) == ["bad-element"]
        replaced = "<default-operation>replace</default-operation>" + more
        assert len(await refused(inside, 1, edit(MIXED, "candidate", replaced))) == 1
        assert inside.config("candidate") == ""

    play(scene)


def test_identities_keep_their_prefix_in_a_part(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        more = "<error-option>continue-on-error</error-option>"
        inner = f'<top xmlns="{KINDS}" xmlns:q="{KINDS}"><zz/><item><name>a</name><kind>q:round</kind></item></top>'
        assert await refused(inside, 1, edit(inner, "candidate", more)) == ["unknown-element"]
        assert "round</kind>" in inside.config("candidate")

    play(scene)


def test_only_testing_running(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        more = "<test-option>test-only</test-option>"
        await inside.call(1, edit(items("a"), "running", more))
        assert inside.config() == ""
        wrong = f'<top xmlns="{KINDS}"><chosen>nobody</chosen></top>'
        assert await refused(inside, 1, edit(wrong, "running", more)) == ["data-missing"]
        for option in ("set", "test-then-set"):
            more = f"<test-option>{option}</test-option>"
            assert await refused(inside, 1, edit(wrong, "running", more)) == ["data-missing"]
            await inside.call(1, edit(items(option), "running", more))
        assert inside.config() == items("set", "test-then-set")

    play(scene)


def test_locks_and_guards_are_asked(play: Callable[[Play], None]) -> None:
    class Nobody(Guard):
        def changes(self, session: SessionState, datastore: str, before: Snapshot, after: Snapshot) -> None:
            raise errors.AccessDenied(datastore)

    async def scene(inside: Inside) -> None:
        await inside.call(2, "<lock><target><running/></target></lock>")
        for text in (edit(items("a"), "running"), COPY.format("<candidate/>")):
            assert await refused(inside, 1, text) == ["in-use"]
        testing = edit(items("a"), "running", "<test-option>test-only</test-option>")
        assert await refused(inside, 1, testing) == ["in-use"]
        await inside.call(2, edit(items("b"), "running"))
        inside.element.guards.add(Nobody())
        for text in (edit(items("a"), "running"), COPY.format(f"<config>{items('a')}</config>")):
            assert await refused(inside, 2, text) == ["access-denied"]
        assert inside.config() == items("b")

    play(scene)


def test_not_while_a_confirmed_commit_is_pending(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, edit(items("a")))
        await inside.call(1, "<commit><confirmed/></commit>")
        for number in (1, 2):
            for text in (edit(items("b"), "running"), COPY.format(f"<config>{items('b')}</config>")):
                assert await refused(inside, number, text) == ["in-use"]
        assert inside.journal.unconfirmed() is not None

    play(scene)


def test_edits_at_the_same_moment_are_all_kept(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        names = [f"n{number}" for number in range(20)]
        edits = (inside.call(1 + number % 2, edit(items(name), "running")) for number, name in enumerate(names))
        await asyncio.gather(*edits)
        assert inside.config() == items(*names)

    play(scene)


def test_without_the_setting_running_is_written_by_commits_alone(tmp_path: Path) -> None:
    async def run() -> None:
        inside = Inside(tmp_path, PLAIN)
        for text in (edit(items("a"), "running"), COPY.format("<candidate/>")):
            assert await refused(inside, 1, text) == ["operation-not-supported"]
        delete = "<delete-config><target><running/></target></delete-config>"
        assert await refused(inside, 1, delete) == ["operation-not-supported"]

    asyncio.run(run())


def test_the_setting(tmp_path: Path) -> None:
    with Serving(options=(*NONE, "--writable-running"), yang=[MODULES], state_dir=tmp_path) as server:

        async def body(client: Client) -> str:
            await client.ok(edit(note("a"), "running"))
            server.kill()
            server.start()
            async with session(server) as after:
                state = await after.text(STATE)
                assert "urn:ietf:params:netconf:capability:writable-running:1.0" in state
                return await after.config()

        async def run() -> str:
            async with session(server) as client:
                return await body(client)

        assert asyncio.run(run()) == note("a")
