"""What a server remembers, what it refuses to start on, and how it says so."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.rpc.client import Client, session
from tests.rpc.conftest import MODULES
from tests.serving import NONE, Serving

TOP = '<top xmlns="urn:nesrv:test:kinds">{}</top>'


def ask(server: Serving, *requests: str) -> str:
    """Running, after ``requests``."""

    async def run() -> str:
        async with session(server) as client:
            for request in requests:
                await client.ok(request)
            return await client.config()

    return asyncio.run(run())


def edit(inner: str) -> str:
    return f"<edit-config><target><candidate/></target><config>{TOP.format(inner)}</config></edit-config>"


def ends(server: Serving) -> int:
    """The exit status of a server that does not get ready."""
    with pytest.raises(AssertionError, match="nesrv ended with status") as ended:
        server.start()
    return int(str(ended.value).split("status ")[1].split(":")[0])


@pytest.mark.parametrize("entries", [1, 3_000])
def test_a_commit_outlives_a_crash_right_after_its_ok(entries: int) -> None:
    inner = "".join(f"<item><name>n{number}</name></item>" for number in range(entries))
    with Serving(yang=[MODULES]) as server:

        async def commit_and_crash() -> None:
            async with session(server) as client:
                await client.ok(edit(inner))
                await client.commit()
                server.kill()

        asyncio.run(commit_and_crash())
        server.start()
        assert ask(server) == TOP.format(inner)


def test_what_was_not_committed_does_not(tmp_path: Path) -> None:
    with Serving(yang=[MODULES]) as server:
        ask(server, edit("<note>kept</note>"), "<commit/>")

        async def edit_and_crash() -> None:
            async with session(server) as client:
                await client.ok(edit("<note>lost</note>"))
                server.kill()

        asyncio.run(edit_and_crash())
        server.start()
        assert ask(server, "<commit/>") == TOP.format("<note>kept</note>")


def test_commit_after_commit_with_crashes_between() -> None:
    with Serving(yang=[MODULES]) as server:
        names: list[str] = []
        for number in range(4):
            names.append(f"<item><name>n{number}</name></item>")

            async def step(one: str = names[-1]) -> None:
                async with session(server) as client:
                    await client.ok(edit(one))
                    await client.commit()
                    server.kill()

            asyncio.run(step())
            server.start()
        assert ask(server) == TOP.format("".join(names))


def test_a_second_server_on_one_state_directory(tmp_path: Path) -> None:
    with Serving(yang=[MODULES], state_dir=tmp_path) as first:
        ask(first, edit("<note>a</note>"), "<commit/>")
        second = Serving(yang=[MODULES], state_dir=tmp_path)
        try:
            assert ends(second) == 1
            assert "another nesrv runs on this state directory" in second.log()
            assert "Traceback" not in second.log()
        finally:
            second.close()
        assert ask(first) == TOP.format("<note>a</note>")


def spoil_start(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)


def spoil_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)


def spoil_version(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(spoil_start, "is damaged"), (spoil_middle, "is damaged"), (spoil_version, "another version")],
)
def test_a_database_that_cannot_be_used(tmp_path: Path, spoil: object, words: str) -> None:
    with Serving(yang=[MODULES], state_dir=tmp_path) as server:
        ask(server, edit("".join(f"<item><name>n{number}</name></item>" for number in range(500))), "<commit/>")
        server.stop()
        assert callable(spoil)
        spoil(tmp_path / "nesrv.db")
        assert ends(server) == 1
        assert f"{tmp_path / 'nesrv.db'}" in server.log()
        assert words in server.log()
        assert "Traceback" not in server.log()


def test_a_state_directory_that_is_a_file(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.touch()
    server = Serving(yang=[MODULES], state_dir=place)
    try:
        assert ends(server) in (1, 64)
        assert str(place) in server.log()
        assert "Traceback" not in server.log()
    finally:
        server.close()


def test_running_that_the_modules_no_longer_accept(tmp_path: Path) -> None:
    with Serving(yang=[MODULES], state_dir=tmp_path) as server:
        ask(server, edit("<note>a</note>"), "<commit/>")
    other = tmp_path / "yang"
    other.mkdir()
    (other / "bare.yang").write_text('module bare { namespace "urn:bare"; prefix b; container c; }')
    server = Serving(yang=[other], state_dir=tmp_path)
    try:
        assert ends(server) == 1
        assert "kinds:top" in server.log()
        assert "Traceback" not in server.log()
    finally:
        server.close()


@pytest.mark.parametrize(
    "text",
    [
        TOP.format("<note>s</note>"),
        f'<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{TOP.format("<note>s</note>")}</config>',
        f"<!-- first --><data>{TOP.format('<note>s</note>')}</data>",
        f'<?xml version="1.0" encoding="UTF-8"?>\n{TOP.format("<note>s</note>")}\n',
        TOP.format("<note>s</note>") + '<solo xmlns="urn:nesrv:test:kinds"/>',
    ],
)
def test_a_startup_file_counts_on_the_first_boot_only(tmp_path: Path, text: str) -> None:
    startup = tmp_path / "startup.xml"
    startup.write_text(text)
    with Serving(yang=[MODULES], options=(*NONE, "--startup", str(startup))) as server:
        assert ask(server) == TOP.format("<note>s</note>")
        assert ask(server, edit("<note>changed</note>"), "<commit/>") == TOP.format("<note>changed</note>")
        server.stop()
        server.start()
        assert ask(server) == TOP.format("<note>changed</note>")
        assert ask(server, "<delete-config><target><candidate/></target></delete-config>", "<commit/>") == ""
        server.stop()
        server.start()
        assert ask(server) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no XML", "startup.xml"),
        (TOP.format("<zz/>"), "unknown-element"),
        (TOP.format("<limit>0</limit>"), "limit"),
        (TOP.format("<chosen>z</chosen>"), "leafref"),
        (None, "startup.xml"),
    ],
)
def test_a_startup_file_that_cannot_be_used(tmp_path: Path, text: str | None, words: str) -> None:
    startup = tmp_path / "startup.xml"
    if text is not None:
        startup.write_text(text)
    server = Serving(yang=[MODULES], options=(*NONE, "--startup", str(startup)))
    try:
        assert ends(server) != 0
        assert words in server.log()
        assert "Traceback" not in server.log()
    finally:
        server.close()


def test_the_order_of_entries_outlives_a_restart() -> None:
    async def change(client: Client) -> str:
        await client.ok(edit("".join(f"<item><name>{name}</name></item>" for name in "cab")))
        await client.commit()
        await client.ok(edit("<item><name>a</name><size>1</size></item><item><name>d</name></item>"))
        await client.commit()
        return await client.config()

    async def run() -> str:
        async with session(server) as client:
            return await change(client)

    with Serving(yang=[MODULES]) as server:
        before = asyncio.run(run())
        server.stop()
        server.start()
        assert ask(server) == before
