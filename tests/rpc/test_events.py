"""RFC 6470: what NETCONF itself tells of sessions, configuration and capabilities."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from nesrv.datastore.build import Plain
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY
from nesrv.rpc.element import SessionState
from nesrv.rpc.events import Changed, Notice
from nesrv.rpc.guards import Guard
from nesrv.rpc.notify.base import MAX_EDITS, Edit, edits
from nesrv.wire.handler import SessionEnd
from tests.rpc.client import session
from tests.rpc.world import START, World, item, run, schema, top
from tests.serving import Serving

KINDS = "urn:nesrv:test:kinds"
BASE_NOTIFICATIONS = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
SUBSCRIBE = '<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"/>'
REPLAY = SUBSCRIBE.replace("/>", "><startTime>2000-01-01T00:00:00Z</startTime></create-subscription>")


def said(element: Any) -> dict[str, str]:
    """Name → text of what a notification holds, ``changed-by`` taken apart."""
    leaves = [*element, *element.iterfind("{*}changed-by/*")]
    return {etree.QName(one).localname: one.text or "" for one in leaves if len(one) == 0}


# Changes of configuration


def compared(before: str, after: str) -> list[Edit]:
    shards = Shards(schema())
    editor = Editor(shards)
    old = editor.edit(EMPTY, etree.fromstring(f"<config>{before}</config>"))
    new = editor.edit(EMPTY, etree.fromstring(f"<config>{after}</config>"))
    return edits(shards, old.changes_to(new))


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (top("<note>a</note>"), top("<note>b</note>"), [("/note", "replace")]),
        (top("<note>a</note>"), "", [("/note", "delete")]),
        (top(item("a")), top(item("a", "<size>1</size>")), [("/item[name='a']/size", "create")]),
        (top(item("a", "<size>1</size>")), top(item("a")), [("/item[name='a']/size", "delete")]),
        (top(item("a")), top(item("b")), [("/item[name='a']", "delete"), ("/item[name='b']", "create")]),
        (
            top(item("a", "<port><id>1</id><label>x</label></port>")),
            top(item("a", "<port><id>1</id><label>y</label></port><port><id>2</id></port>")),
            [("/item[name='a']/port[id='1']/label", "replace"), ("/item[name='a']/port[id='2']", "create")],
        ),
        (
            top(item("a", "<part><id>1</id><weight>1</weight></part><part><id>2</id><weight>1</weight></part>")),
            top(item("a", "<part><id>2</id><weight>1</weight></part><part><id>1</id><weight>1</weight></part>")),
            [("/item[name='a']/part[id='2']", "merge")],
        ),
        (top("<switch/>"), top("<switch><inside>x</inside></switch>"), [("/switch/inside", "create")]),
    ],
)
def test_edits_name_what_differs(before: str, after: str, found: list[tuple[str, str]]) -> None:
    assert compared(before, after) == [Edit("/kinds:top" + path, operation) for path, operation in found]


def test_a_commit_tells_who_changed_what(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        listener, editor = place.client(), place.client("ann")
        await listener.ok(SUBSCRIBE)
        await editor.edit(top(item("it's") + "<note>é</note>"))
        (found,) = await listener.take()
        assert found.tag == f"{{{BASE_NOTIFICATIONS}}}netconf-config-change"
        assert said(found) == {
            "datastore": "running",
            "username": "ann",
            "session-id": str(editor.number),
            "source-host": "192.0.2.1",
        }
        targets = [one.find("{*}target") for one in found.iterfind("{*}edit")]
        named = {'/kinds:top/kinds:item[kinds:name="it\'s"]', "/kinds:top/kinds:note"}
        assert {one.text for one in targets} == named
        assert all(one.nsmap["kinds"] == KINDS for one in targets)
        assert [one.findtext("{*}operation") for one in found.iterfind("{*}edit")] == ["create", "create"]

    run(tmp_path, body)


def test_edits_of_what_a_session_may_not_read_are_left_out(tmp_path: Path) -> None:
    class Rights(Guard):
        def shows(self, session: SessionState, path: str) -> bool:
            assert schema().node(path).name in ("note", "item")
            return session.peer.user != "ann" or schema().node(path).name == "note"

    async def body(place: World) -> None:
        place.element.guards.add(Rights())
        ann, bob = place.client("ann"), place.client("bob")
        for client in (ann, bob):
            await client.ok(SUBSCRIBE)
        await bob.edit(top(item("secret") + "<note>é</note>"))
        (hers,), (his,) = await ann.take(), await bob.take()
        assert [one.text for one in hers.iterfind(".//{*}target")] == ["/kinds:top/kinds:note"]
        assert len(his.findall(".//{*}target")) == 2
        assert said(hers) == said(his)

    run(tmp_path, body)


def test_the_candidate_is_not_reported(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.ok(SUBSCRIBE)
        await client.edit(top("<note>a</note>"), commit=False)
        assert await client.take() == []
        await client.ok("<discard-changes/>")
        await client.ok("<commit/>")
        assert await client.take() == [], "a commit that changes nothing is no change"

    run(tmp_path, body)


@pytest.mark.parametrize("datastore", ["running", "startup"])
def test_what_the_server_changes_by_itself_is_told_as_such(tmp_path: Path, datastore: str) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.ok(SUBSCRIBE)
        after = place.element.editor.edit(EMPTY, etree.fromstring(f"<config>{top('<note>a</note>')}</config>"))
        place.element.events.publish(Changed(START, datastore, EMPTY, after, "", 0))
        (found,) = await client.take()
        assert said(found) == {"datastore": datastore, "server": ""}

    run(tmp_path, body)


def test_a_large_change_is_told_shortly() -> None:
    entries = "".join(item(f"n{number}", "<size>1</size>") for number in range(10_000))
    shards = Shards(schema())
    changes = EMPTY.changes_to(Editor(shards).edit(EMPTY, etree.fromstring(f"<config>{top(entries)}</config>")))
    assert edits(shards, changes) == [Edit("/kinds:top", "merge")]
    assert edits(shards, dict(list(changes.items())[: MAX_EDITS + 1])) == [Edit("/kinds:top", "merge")]
    fewer = edits(shards, dict(list(changes.items())[:MAX_EDITS]))
    assert fewer == [Edit(f"/kinds:top/item[name='n{number}']", "create") for number in range(MAX_EDITS)]


def test_an_entry_with_many_changes_is_named_as_a_whole() -> None:
    ports = "".join(f"<port><id>{number}</id></port>" for number in range(MAX_EDITS + 1))
    assert compared(top(item("a")), top(item("a", ports))) == [Edit("/kinds:top/item[name='a']", "merge")]


# Sessions


@pytest.mark.parametrize("end", list(SessionEnd))
def test_sessions_start_and_end_for_a_reason(tmp_path: Path, end: SessionEnd) -> None:
    async def body(place: World) -> None:
        listener = place.client()
        await listener.ok(SUBSCRIBE)
        other = place.client("bob")
        await place.leave(other, end)
        who = {"username": "bob", "session-id": str(other.number), "source-host": "192.0.2.1"}
        start, over = await listener.take()
        assert said(start) == who
        assert said(over) == who | {"termination-reason": end.value}

    run(tmp_path, body)


def test_who_killed_a_session_is_told(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        listener, victim, killer = place.client(), place.client("bob"), place.client("eve")
        await listener.ok(SUBSCRIBE)
        await killer.ok(f"<kill-session><session-id>{victim.number}</session-id></kill-session>")
        (over,) = await listener.take()
        assert (said(over)["killed-by"], said(over)["termination-reason"]) == (str(killer.number), "killed")

    run(tmp_path, body)


def test_a_source_that_is_no_address_is_left_out(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        listener, local = place.client(), place.client("bob")
        await listener.ok(SUBSCRIBE)
        local.source_host = "control.sock"
        await place.leave(local)
        (over,) = await listener.take()
        assert "source-host" not in said(over)

    run(tmp_path, body)


def test_sessions_of_a_real_server(server: Serving) -> None:
    async def body() -> None:
        async with session(server) as listener:
            await listener.ok(SUBSCRIBE)
            async with session(server) as other:
                await other.ok("<close-session/>")
                assert await other.ended()
            start, over = (await listener.receive())[1], (await listener.receive())[1]
            assert said(start)["session-id"] == said(over)["session-id"] == str(other.number)
            assert (said(over)["termination-reason"], said(over)["source-host"]) == ("closed", "127.0.0.1")

    asyncio.run(body())


# Confirmed commits, capabilities


def test_a_confirmed_commit_is_told_as_it_is_published(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.ok(SUBSCRIBE)
        value: Mapping[str, Plain] = {"username": "ann", "session-id": 7, "confirm-event": "start", "timeout": 600}
        place.element.events.publish(Notice(START, f"{{{BASE_NOTIFICATIONS}}}netconf-confirmed-commit", value))
        (found,) = await client.take()
        assert said(found) == {name: str(one) for name, one in value.items()}

    run(tmp_path, body)


def test_what_the_server_can_since_its_last_start_is_in_the_log(tmp_path: Path) -> None:
    async def first(place: World) -> None:
        place.started(["urn:a", "urn:b?x=1", "urn:c"], "one")
        assert place.log.last == 0, "a first start has nothing to compare with"
        place.started(["urn:a", "urn:b?x=1", "urn:c"], "one")
        assert place.log.last == 0

    async def second(place: World) -> None:
        place.started(["urn:a", "urn:b?x=2", "urn:d"], "two")
        client = place.client()
        await client.ok(REPLAY)
        capability, library, legacy = (await client.take())[:3]
        assert said(capability) == {
            "server": "",
            "added-capability": "urn:d",
            "deleted-capability": "urn:c",
            "modified-capability": "urn:b?x=2",
        }
        assert etree.QName(library).localname == "yang-library-update"
        assert said(library) == {"content-id": "two"}
        assert said(legacy) == {"module-set-id": "two"}

    run(tmp_path, first)
    run(tmp_path, second)
