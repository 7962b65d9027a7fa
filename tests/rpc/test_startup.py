"""The startup datastore (RFC 6241 §8.7), where it is asked for: what the next start begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from nesrv import errors
from nesrv.datastore.snapshot import Snapshot
from nesrv.rpc import startup
from nesrv.rpc.element import SessionState
from nesrv.rpc.guards import Guard
from tests.rpc.client import Client, edit, session
from tests.rpc.conftest import MODULES
from tests.rpc.inside import KINDS, STATE, Inside, note, schema
from tests.serving import NONE, Serving

T = TypeVar("T")
SERVED = schema("startup")
ON = (*NONE, "--startup-datastore")
SAVE = "<copy-config><target><startup/></target><source><running/></source></copy-config>"
LOAD = "<copy-config><target><candidate/></target><source><startup/></source></copy-config>"
DELETE = "<delete-config><target><startup/></target></delete-config>"


def serving(place: Path, options: Sequence[str] = ON) -> Serving:
    return Serving(options=options, yang=[MODULES], state_dir=place)


def on(server: Serving, body: Callable[[Client], Awaitable[T]]) -> T:
    async def run() -> T:
        async with session(server) as client:
            return await body(client)

    return asyncio.run(run())


async def both(client: Client) -> tuple[str, str]:
    return await client.config(), await client.config("startup")


def commit(text: str, *more: str) -> Callable[[Client], Awaitable[None]]:
    async def committed(client: Client) -> None:
        await client.edit(note(text))
        await client.commit()
        for request in more:
            await client.ok(request)

    return committed


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_start_begins_with_startup(tmp_path: Path, end: str) -> None:
    with serving(tmp_path) as server:
        on(server, commit("saved", SAVE))
        on(server, commit("not saved"))
        assert on(server, both) == (note("not saved"), note("saved"))
        (server.kill if end == "kill" else server.stop)()
        server.start()
        assert on(server, both) == (note("saved"), note("saved"))
        on(server, commit("kept", SAVE))
        server.kill()
        server.start()
        assert on(server, both) == (note("kept"), note("kept"))


def test_a_deleted_startup_is_an_empty_one(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        on(server, commit("saved", SAVE, DELETE))
        assert on(server, both) == (note("saved"), "")
        server.stop()
        server.start()
        assert on(server, both) == ("", "")


def test_the_setting_comes_and_goes(tmp_path: Path) -> None:
    with serving(tmp_path, NONE) as server:
        on(server, commit("before"))
        refusal = on(server, lambda client: client.refused("<get-config><source><startup/></source></get-config>"))
        assert refusal.tag == "invalid-value"
    with serving(tmp_path) as server:
        assert on(server, both) == (note("before"), note("before")), "what runs is what was started with"
        on(server, commit("after"))
    with serving(tmp_path, NONE) as server:
        assert on(server, lambda client: client.config()) == note("after")


def test_the_file_of_the_first_boot_is_startup(tmp_path: Path) -> None:
    file = tmp_path / "first.xml"
    file.write_text(note("first"))
    with serving(tmp_path / "state", (*ON, "--startup", str(file))) as server:
        assert on(server, both) == (note("first"), note("first"))
        on(server, commit("second"))
        server.kill()
        server.start()
        assert on(server, both) == (note("first"), note("first"))


def test_a_confirmed_commit_ends_with_the_start(tmp_path: Path) -> None:
    with serving(tmp_path) as server:

        async def body(client: Client) -> None:
            await commit("old")(client)
            await client.edit(note("new"))
            await client.ok("<commit><confirmed/><persist>t</persist></commit>")
            await client.ok(SAVE)
            server.kill()

        on(server, body)
        server.start()
        assert on(server, both) == (note("new"), note("new")), "it was saved by hand"
        refusal = on(server, lambda client: client.refused("<cancel-commit><persist-id>t</persist-id></cancel-commit>"))
        assert refusal.tag == "invalid-value"


def test_a_candidate_made_from_startup(tmp_path: Path) -> None:
    with serving(tmp_path) as server:

        async def body(client: Client) -> None:
            await commit("saved", SAVE)(client)
            await commit("later")(client)
            await client.ok(LOAD)
            await client.commit()
            assert await client.config() == note("saved")
            capabilities = await client.text(STATE)
            assert "urn:ietf:params:netconf:capability:startup:1.0" in capabilities
            assert "<name>startup</name>" in capabilities

        on(server, body)


# In the test's own process


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Callable[[Inside], Awaitable[None]]], None]:
    def played(scene: Callable[[Inside], Awaitable[None]]) -> None:
        async def run() -> None:
            inside = Inside(tmp_path, SERVED)
            inside.element.startup = await startup.begin(inside.pipeline, 1.0)
            await scene(inside)

        asyncio.run(run())

    return played


async def refused(inside: Inside, number: int, text: str) -> errors.RpcError:
    before = inside.config("startup")
    with pytest.raises(errors.RpcError) as found:
        await inside.call(number, text)
    assert inside.config("startup") == before
    return found.value


def copy(inner: str) -> str:
    return f"<copy-config><target><startup/></target><source>{inner}</source></copy-config>"


Played = Callable[[Callable[[Inside], Awaitable[None]]], None]


def test_every_source(play: Played) -> None:
    async def scene(inside: Inside) -> None:
        await inside.note(1, "edited")
        await inside.call(1, copy("<candidate/>"))
        assert inside.config("startup") == note("edited")
        await inside.call(2, copy(f"<config>{note('given')}</config>"))
        assert inside.config("startup") == note("given")
        await inside.call(2, "<validate><source><startup/></source></validate>")
        assert inside.changes() == [("candidate", "eve", 1), ("startup", "eve", 1), ("startup", "bob", 2)]
        assert (await refused(inside, 1, copy("<startup/>"))).tag == "invalid-value"

    play(scene)


def test_what_would_not_start_is_no_startup(play: Played) -> None:
    async def scene(inside: Inside) -> None:
        wrong = f'<top xmlns="{KINDS}"><chosen>nobody</chosen></top>'
        assert (await refused(inside, 1, copy(f"<config>{wrong}</config>"))).tag == "data-missing"
        await inside.call(1, edit(wrong))
        assert (await refused(inside, 1, copy("<candidate/>"))).tag == "data-missing"

    play(scene)


def test_startup_is_locked_by_itself(play: Played) -> None:
    lock, unlock = (f"<{word}><target><startup/></target></{word}>" for word in ("lock", "unlock"))

    async def scene(inside: Inside) -> None:
        await inside.call(1, lock)
        assert (await refused(inside, 2, lock)).info == (("session-id", "1"),)
        for text in (SAVE, DELETE):
            assert (await refused(inside, 2, text)).tag == "in-use"
        await inside.note(2, "x")
        await inside.call(2, "<commit/>")
        await inside.call(1, SAVE)
        await inside.call(1, unlock)
        await inside.call(2, DELETE)
        await inside.call(1, lock)
        await inside.end(1)
        await inside.call(2, lock)

    play(scene)


def test_guards_are_asked(play: Played) -> None:
    class Nobody(Guard):
        def changes(self, session: SessionState, datastore: str, before: Snapshot, after: Snapshot) -> None:
            if datastore == "startup":
                raise errors.AccessDenied(datastore)

    async def scene(inside: Inside) -> None:
        await inside.note(1, "x")
        await inside.call(1, "<commit/>")
        inside.element.guards.add(Nobody())
        for text in (SAVE, DELETE):
            assert (await refused(inside, 1, text)).tag == "access-denied"

    play(scene)


def test_startup_is_not_edited(play: Played) -> None:
    async def scene(inside: Inside) -> None:
        assert (await refused(inside, 1, edit(note("x")).replace("candidate", "startup"))).tag == (
            "operation-not-supported"
        )

    play(scene)


def test_a_disk_that_takes_no_write(play: Played) -> None:
    async def scene(inside: Inside) -> None:
        await inside.note(1, "x")
        await inside.call(1, "<commit/>")
        trigger = "CREATE TEMP TRIGGER t BEFORE INSERT ON startup BEGIN SELECT RAISE(FAIL, 'full'); END"
        inside.journal._db.execute(trigger)
        assert (await refused(inside, 1, SAVE)).message == (
            "startup could not be written to disk: full. Nothing was changed."
        )
        inside.journal._db.execute("DROP TRIGGER t")
        await inside.call(1, SAVE)
        assert inside.config("startup") == note("x")

    play(scene)
