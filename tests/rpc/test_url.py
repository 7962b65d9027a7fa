"""Configurations in files (RFC 6241 §8.8): one directory, and nothing outside of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from nesrv import errors
from nesrv.rpc import startup
from nesrv.rpc.files import Files
from tests.rpc.client import Client, session
from tests.rpc.conftest import MODULES
from tests.rpc.inside import KINDS, STATE, Inside, note, schema
from tests.serving import NONE, Serving

SERVED = schema("url", "startup", "writable-running")
NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
Scene = Callable[[Inside, Path], Awaitable[None]]


def copy(target: str, source: str) -> str:
    return f"<copy-config><target>{target}</target><source>{source}</source></copy-config>"


def url(text: str) -> str:
    return f"<url>{text}</url>"


def config(inner: str) -> str:
    return f'<config xmlns="{NC}">{inner}</config>'


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scene], None]:
    def played(scene: Scene) -> None:
        async def run() -> None:
            inside = Inside(tmp_path, SERVED)
            inside.element.files = Files(tmp_path / "files")
            inside.element.startup = await startup.begin(inside.pipeline, 1.0)
            await scene(inside, tmp_path / "files")

        asyncio.run(run())

    return played


async def refused(inside: Inside, text: str) -> errors.RpcError:
    before = inside.config("candidate"), inside.config()
    with pytest.raises(errors.RpcError) as found:
        await inside.call(1, text)
    assert (inside.config("candidate"), inside.config()) == before
    return found.value


def test_from_every_datastore_to_a_file_and_back(play: Callable[[Scene], None]) -> None:
    async def scene(inside: Inside, place: Path) -> None:
        await inside.note(1, "run")
        await inside.call(1, "<commit/>")
        await inside.call(1, copy("<startup/>", "<running/>"))
        await inside.note(1, "edit")
        texts = {"running": note("run"), "candidate": note("edit"), "startup": note("run")}
        for name, text in texts.items():
            await inside.call(1, copy(url(f"file:{name}.xml"), f"<{name}/>"))
            assert (place / f"{name}.xml").read_text() == config(text) + "\n"
        await inside.call(1, copy(url("file:given"), f"<config>{note('given')}</config>"))
        for name in texts:
            await inside.call(1, copy(f"<{name}/>", url("file:given")))
            assert inside.config(name) == note("given")
        await inside.call(1, copy(url("file:again"), url("file:given")))
        assert (place / "again").read_text() == (place / "given").read_text()

    play(scene)


def test_an_edit_from_a_file(play: Callable[[Scene], None]) -> None:
    async def scene(inside: Inside, place: Path) -> None:
        (place / "a.xml").write_text(f"<?xml version='1.0'?>\n<!-- first -->{config(note('a'))}")
        for target in ("candidate", "running"):
            await inside.call(1, f"<edit-config><target><{target}/></target>{url('file://a.xml')}</edit-config>")
            assert inside.config(target) == note("a")
        both = f"<edit-config><target><candidate/></target>{url('file://a.xml')}<config/></edit-config>"
        assert (await refused(inside, both)).tag == "bad-element"
        neither = "<edit-config><target><candidate/></target></edit-config>"
        assert (await refused(inside, neither)).tag == "missing-element"

    play(scene)


def test_validating_and_deleting_a_file(play: Callable[[Scene], None]) -> None:
    async def scene(inside: Inside, place: Path) -> None:
        wrong = f'<top xmlns="{KINDS}"><chosen>nobody</chosen></top>'
        (place / "good").write_text(config(note("a")))
        (place / "bad").write_text(config(wrong))
        await inside.call(1, f"<validate><source>{url('file:good')}</source></validate>")
        assert (await refused(inside, f"<validate><source>{url('file:bad')}</source></validate>")).tag == "data-missing"
        assert (await refused(inside, copy("<running/>", url("file:bad")))).tag == "data-missing"
        delete = f"<delete-config><target>{url('file:good')}</target></delete-config>"
        await inside.call(1, delete)
        assert not (place / "good").exists()
        assert (await refused(inside, delete)).tag == "data-missing"

    play(scene)


def test_a_file_is_not_its_own_source(play: Callable[[Scene], None]) -> None:
    async def scene(inside: Inside, place: Path) -> None:
        (place / "a").write_text(config(note("a")))
        for other in ("file:a", "file://a", f"file://{place}/a", "FILE:%61"):
            assert (await refused(inside, copy(url("file:a"), url(other)))).tag == "invalid-value"

    play(scene)


OUTSIDE = [
    "file:///etc/passwd",
    "file:../j.db",
    "file://../j.db",
    "file:..%2fj.db",
    "file:%2e%2e/j.db",
    "file:a/../../j.db",
    "file:.",
    "file:..",
    "file:",
    "file:///",
    "file:.hidden",
    "file:sub/a",
    "file:a%00b",
    "file:a?b",
    "file:a#b",
    "file:" + "a" * 201,
    "file://user@host/a",
    "file:é",
    "http://example.com/a",
    "https://example.com/a",
    "ftp:a",
    "a",
    "",
    "http://[",
]


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_is_outside_stays_there(play: Callable[[Scene], None], text: str) -> None:
    async def scene(inside: Inside, place: Path) -> None:
        before = sorted(os.listdir(place.parent))
        for request in (
            copy("<candidate/>", url(text)),
            copy(url(text), "<running/>"),
            f"<delete-config><target>{url(text)}</target></delete-config>",
            f"<validate><source>{url(text)}</source></validate>",
            f"<edit-config><target><candidate/></target>{url(text)}</edit-config>",
        ):
            error = await refused(inside, request)
            assert (error.tag, error.info) == ("invalid-value", (("bad-element", "url"),))
        assert sorted(os.listdir(place.parent)) == before

    play(scene)


@pytest.mark.parametrize("what", ["link out", "link in", "dangling", "directory", "fifo"])
def test_what_is_no_plain_file(play: Callable[[Scene], None], what: str) -> None:
    async def scene(inside: Inside, place: Path) -> None:
        outside = place.parent / "outside"
        outside.write_text(config(note("secret")))
        (place / "real").write_text(config(note("real")))
        made = place / "a"
        if what == "directory":
            made.mkdir()
        elif what == "fifo":
            os.mkfifo(made)
        else:
            made.symlink_to({"link out": outside, "link in": place / "real", "dangling": place / "none"}[what])
        for request in (
            copy("<candidate/>", url("file:a")),
            copy(url("file:a"), "<running/>"),
            f"<delete-config><target>{url('file:a')}</target></delete-config>",
        ):
            assert (await refused(inside, request)).tag == "invalid-value"
        assert outside.read_text() == config(note("secret"))
        assert made.is_symlink() or made.exists()

    play(scene)


@pytest.mark.parametrize(
    ("content", "tag"),
    [
        (b"no xml", "operation-failed"),
        (b"", "operation-failed"),
        (b"<top xmlns='urn:nesrv:test:kinds'/>", "operation-failed"),
        (b"<!DOCTYPE config [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><config>&e;</config>", "operation-failed"),
        (config("<top xmlns='urn:nesrv:test:kinds'><zz/></top>").encode(), "unknown-element"),
        (b"\xff\xfe", "operation-failed"),
    ],
)
def test_files_that_hold_no_configuration(play: Callable[[Scene], None], content: bytes, tag: str) -> None:
    async def scene(inside: Inside, place: Path) -> None:
        (place / "a").write_bytes(content)
        error = await refused(inside, copy("<candidate/>", url("file:a")))
        assert error.tag == tag
        assert "root:" not in error.message

    play(scene)


def test_a_file_that_is_too_large(play: Callable[[Scene], None], monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(inside: Inside, place: Path) -> None:
        monkeypatch.setattr("nesrv.rpc.files.MAX_MESSAGE_BYTES", 10)
        (place / "a").write_text(config(note("a")))
        assert (await refused(inside, copy("<candidate/>", url("file:a")))).tag == "too-big"

    play(scene)


def test_files_are_their_owners_alone_and_whole_or_not_there(
    play: Callable[[Scene], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(inside: Inside, place: Path) -> None:
        assert place.stat().st_mode & 0o777 == 0o700
        await inside.note(1, "first")
        await inside.call(1, copy(url("file:a"), "<candidate/>"))
        assert (place / "a").stat().st_mode & 0o777 == 0o600
        await inside.note(1, "second")

        def full(_: int) -> Any:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("nesrv.rpc.files.os.fsync", full)
        error = await refused(inside, copy(url("file:a"), "<candidate/>"))
        assert error.message == "The file a: No space left on device. Nothing was changed."
        assert (place / "a").read_text() == config(note("first")) + "\n"
        assert os.listdir(place) == ["a"]
        monkeypatch.undo()
        (place / ".a.new").write_text("left by a crash")
        await inside.call(1, copy(url("file:a"), "<candidate/>"))
        assert (place / "a").read_text() == config(note("second")) + "\n"
        assert os.listdir(place) == ["a"]

    play(scene)


def test_without_the_setting_there_are_no_urls(tmp_path: Path) -> None:
    async def run() -> None:
        inside = Inside(tmp_path, schema())
        for request in (
            copy("<candidate/>", url("file:a")),
            copy(url("file:a"), "<running/>"),
            f"<delete-config><target>{url('file:a')}</target></delete-config>",
        ):
            assert (await refused(inside, request)).tag == "invalid-value"
        request = f"<edit-config><target><candidate/></target>{url('file:a')}</edit-config>"
        assert (await refused(inside, request)).tag == "unknown-element"

    asyncio.run(run())


def test_the_setting(tmp_path: Path) -> None:
    with Serving(options=(*NONE, "--url"), yang=[MODULES], state_dir=tmp_path) as server:

        async def body(client: Client) -> None:
            await client.edit(note("a"))
            await client.ok(copy(url("file:a"), "<candidate/>"))
            await client.ok("<discard-changes/>")
            await client.ok(copy("<candidate/>", url(f"file://{tmp_path}/files/a")))
            assert await client.config("candidate") == note("a")
            state = await client.text(STATE)
            assert "urn:ietf:params:netconf:capability:url:1.0?scheme=file<" in state

        async def run() -> None:
            async with session(server) as client:
                await body(client)

        asyncio.run(run())
