"""RFC 6022: every node of netconf-state, and each counter with what makes it count."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

import pytest
from lxml import etree

from nesrv.rpc.element import Counters
from nesrv.rpc.monitoring import COUNTERS, counted
from nesrv.schema.modules import module_set
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.schema import Schema, load
from tests.rpc.client import Client, session
from tests.rpc.conftest import MODULES
from tests.rpc.raw import connect, raw
from tests.rpc.test_operations import gone, with_sessions
from tests.serving import USER, Serving
from tests.transport.element import channel

MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
PARTIAL = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
NOTIFICATION = "urn:ietf:params:xml:ns:netconf:notification:1.0"
ITEM = '<top xmlns="urn:nesrv:test:kinds"><item><name>a</name></item></top>'
SELECT = "/k:top/k:item[k:name='a']"
PARTIAL_LOCK = (
    f'<partial-lock xmlns="{PARTIAL}" xmlns:k="urn:nesrv:test:kinds"><select>{SELECT}</select></partial-lock>'
)
BGP = tuple(
    f"openconfig-bgp-{part}"
    for part in ("common", "common-multiprotocol", "common-structure", "global", "neighbor", "peer-group")
)
"""Submodules."""
LOCK = "<lock><target><{}/></target></lock>"


async def state(client: Client, inner: str = "") -> etree._Element:
    """``<netconf-state>``, or what ``inner`` selects of it."""
    found = await client.data(
        f'<get><filter><netconf-state xmlns="{MONITORING}">{inner}</netconf-state></filter></get>'
    )
    return found[0]


async def statistics(client: Client) -> dict[str, int]:
    found = (await state(client, "<statistics/>"))[0]
    return {etree.QName(node).localname: int(node.text or "") for node in found if (node.text or "").isdigit()}


@pytest.fixture(scope="module")
def schema() -> Schema:
    return load(module_set([MODULES], with_model=False))


def leaves(node: SchemaNode, above: str = "") -> Iterator[str]:
    for child in node.children.values():
        path = f"{above}/{child.name}"
        yield from leaves(child, path) if child.children else (path,)


def test_every_node_is_there_when_there_is_something_to_say(server: Serving, schema: Schema) -> None:
    """With a lock on the candidate and a partial one on running."""

    async def body(one: Client) -> None:
        await one.edit(ITEM)
        await one.commit()
        await one.ok(LOCK.format("candidate"))
        await one.rpc(PARTIAL_LOCK)
        found = await state(one)
        told = set()
        for node in found.iter():
            if not len(node):
                steps = [etree.QName(step).localname for step in (*reversed(list(node.iterancestors())), node)]
                told.add("/".join(["", *steps[steps.index("netconf-state") + 1 :]]))
        assert told == set(leaves(schema.data[f"{{{MONITORING}}}netconf-state"]))

    with_sessions(server, 1, body)


def test_what_get_answers_is_valid_under_the_modules_that_are_served(server: Serving, schema: Schema) -> None:
    """By libyang: types, mandatory nodes, keys, and references within what the server says of itself."""

    async def body(one: Client) -> None:
        await one.edit(ITEM)
        await one.commit()
        await one.rpc(PARTIAL_LOCK)
        text = b"".join(etree.tostring(node) for node in await one.data("<get/>"))
        schema.engine.context.parse_data_mem(text.decode(), "xml", strict=True).free()

    with_sessions(server, 1, body)


# Capabilities, schemas


def test_the_capabilities_are_those_of_the_hello(server: Serving) -> None:
    async def run() -> None:
        async with connect(server) as connection, channel(connection) as opened:
            client = Client(opened.process)
            hello = [node.text for node in (await client.greet()).iterfind(".//{*}capability")]
            assert hello == [
                node.text for node in (await state(client, "<capabilities/>")).iterfind(".//{*}capability")
            ]

    asyncio.run(run())


def test_modules_and_submodules_are_listed_and_can_be_fetched() -> None:
    """Of nesrv's own modules, some of which have submodules: all in the format yang, with the module's namespace."""

    async def run(server: Serving) -> None:
        async with session(server) as client:
            entries = (await state(client, "<schemas/>")).findall(".//{*}schema")
            namespaces = {entry.findtext("{*}identifier"): entry.findtext("{*}namespace") for entry in entries}
            assert len(namespaces) == len(entries)
            assert (
                namespaces["openconfig-bgp-neighbor"]
                == namespaces["openconfig-bgp"]
                == "http://openconfig.net/yang/bgp"
            )
            for entry in entries:
                assert (entry.findtext("{*}format") or "").endswith(":yang")
                assert [node.text for node in entry.iterfind("{*}location")] == ["NETCONF"]
                name, version = entry.findtext("{*}identifier"), entry.findtext("{*}version")
                data = await client.data(
                    f'<get-schema xmlns="{MONITORING}"><identifier>{name}</identifier><version>{version}</version>'
                    f'<format xmlns:m="{MONITORING}">m:yang</format></get-schema>'
                )
                first, second = (data.text or "").replace("{", " { ").replace('"', "").split("module ", 1)
                assert second.split()[0] == name
                assert first.endswith("sub") == (name in BGP)
                assert version in (data.text or "")

    with Serving() as server:
        asyncio.run(run(server))


# Datastores, sessions


def test_a_lock_is_told_with_its_session_and_its_time(server: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        before = int(time.time())
        await one.ok(LOCK.format("running"))
        entries = {
            node.findtext("{*}name"): node.find("{*}locks")
            for node in (await state(other, "<datastores/>")).iterfind(".//{*}datastore")
        }
        assert set(entries) == {"running", "candidate"} and entries["candidate"] is None
        lock = entries["running"]
        assert lock is not None and lock.findtext("{*}global-lock/{*}locked-by-session") == str(one.number)
        taken = datetime.fromisoformat(lock.findtext("{*}global-lock/{*}locked-time") or "")
        assert before <= taken.timestamp() <= time.time()
        await one.ok("<unlock><target><running/></target></unlock>")
        assert (await state(other, "<datastores/>")).find(".//{*}locks") is None

    with_sessions(server, 2, body)


def test_partial_locks_are_told_with_what_they_lock(server: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        await one.edit(ITEM)
        await one.commit()
        number = (await one.rpc(PARTIAL_LOCK)).findtext(f"{{{PARTIAL}}}lock-id")
        (lock,) = (await state(other, "<datastores/>")).findall(".//{*}partial-lock")
        told = {name: lock.findtext(f"{{*}}{name}") for name in ("lock-id", "locked-by-session", "select")}
        assert told == {
            "lock-id": number,
            "locked-by-session": str(one.number),
            "select": SELECT.replace("k:", "kinds:"),
        }
        assert (lock.findtext("{*}locked-node") or "").endswith("item[kinds:name='a']")

    with_sessions(server, 2, body)


def test_all_sessions_are_told_whatever_they_came_by(server: Serving) -> None:
    before = int(time.time())

    async def body(one: Client, other: Client) -> None:
        with closing(socket.socket(socket.AF_UNIX)) as local:
            local.connect(str(server.state_dir / "control.sock"))
            while b"session-id" not in local.recv(1 << 16):
                continue
            entries = (await state(one, "<sessions/>")).findall(".//{*}session")
        numbers = [int(entry.findtext("{*}session-id") or "") for entry in entries]
        assert numbers[-3:] == [one.number, other.number, other.number + 1]
        told = [
            [entry.findtext(f"{{*}}{name}") for name in ("transport", "username", "source-host")] for entry in entries
        ]
        assert [row[1:] for row in told[:2]] == [[USER, "127.0.0.1"]] * 2
        assert [(row[0] or "").partition(":")[2] for row in told[-3:]] == [
            "netconf-ssh",
            "netconf-ssh",
            "netconf-local",
        ]
        login = datetime.fromisoformat(entries[-1].findtext("{*}login-time") or "").timestamp()
        assert before <= login <= time.time()

    with_sessions(server, 2, body)


# Statistics


def test_requests_good_and_bad_are_counted_for_the_session_and_for_all(server: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        before = await statistics(other)
        await one.ok("<discard-changes/>")
        await one.refused("<fly/>")
        one.send("<rpc")
        await one.receive()
        after = await statistics(other)
        counted = {name: after[name] - before[name] for name in ("in-rpcs", "in-bad-rpcs", "out-rpc-errors")}
        # The question after them is a request, too.
        assert counted == {"in-rpcs": 3, "in-bad-rpcs": 1, "out-rpc-errors": 2}
        entry = (await state(one, f"<sessions><session><session-id>{one.number}</session-id></session></sessions>"))[0][
            0
        ]
        assert [entry.findtext(f"{{*}}{name}") for name in counted] == ["3", "1", "2"]

    with_sessions(server, 2, body)


def test_notifications_are_counted(server: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        before = (await statistics(other))["out-notifications"]
        await one.ok(f'<create-subscription xmlns="{NOTIFICATION}"/>')
        await other.edit(ITEM)
        await other.commit()
        assert (await one.receive()).tag == f"{{{NOTIFICATION}}}notification"
        assert (await statistics(other))["out-notifications"] == before + 1
        sessions = await state(other, "<sessions/>")
        sent = {node.findtext("{*}session-id"): node.findtext("{*}out-notifications") for node in sessions[0]}
        assert (sent[str(one.number)], sent[str(other.number)]) == ("1", "0")

    with_sessions(server, 2, body)


@pytest.mark.parametrize(
    "hello",
    [
        "<hello/>",
        f'<hello xmlns="{MONITORING}"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability>'
        "</capabilities></hello>",
        '<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>urn:no</capability>'
        "</capabilities></hello>",
        '<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>'
        "urn:ietf:params:netconf:base:1.0</capability></capabilities><session-id>4</session-id></hello>",
    ],
    ids=["empty", "namespace", "no base", "session-id"],
)
def test_bad_hellos_are_counted(server: Serving, hello: str) -> None:
    async def body(one: Client) -> None:
        before = await statistics(one)
        async with connect(server) as connection, channel(connection) as client:
            client.write(hello.encode() + b"]]>]]>")
            await client.rest()
        after = await statistics(one)
        counted = {name: after[name] - before[name] for name in ("in-bad-hellos", "in-sessions", "dropped-sessions")}
        assert counted == {"in-bad-hellos": 1, "in-sessions": 1, "dropped-sessions": 0}

    with_sessions(server, 1, body)


@pytest.mark.parametrize(("way", "dropped"), [("close", 0), ("kill", 0), ("drop", 1)])
def test_dropped_sessions_are_neither_closed_nor_killed(server: Serving, way: str, dropped: int) -> None:
    async def body(one: Client) -> None:
        before = await statistics(one)
        async with raw(server) as client, session(server) as ending:
            if way == "close":
                await ending.ok("<close-session/>")
            elif way == "kill":
                await one.ok(f"<kill-session><session-id>{ending.number}</session-id></kill-session>")
            number = ending.number
            await client.request("<close-session/>")
        await gone(one, number)
        after = await statistics(one)
        assert after["dropped-sessions"] - before["dropped-sessions"] == dropped
        assert after["in-sessions"] - before["in-sessions"] == 2

    with_sessions(server, 1, body)


def test_the_start_is_that_of_the_server() -> None:
    before = int(time.time())

    async def run(server: Serving) -> None:
        async with session(server) as client:
            text = (await state(client, "<statistics><netconf-start-time/></statistics>")).findtext(
                ".//{*}netconf-start-time"
            )
            assert before <= datetime.fromisoformat(text or "").timestamp() <= time.time()
            assert (await statistics(client))["in-sessions"] == 1, "counters begin at zero with the server"

    with Serving(yang=[MODULES]) as server:
        asyncio.run(run(server))


def test_counters_begin_again_at_zero() -> None:
    assert counted(Counters(in_rpcs=COUNTERS - 1, in_bad_rpcs=COUNTERS, out_rpc_errors=COUNTERS + 5)) == {
        "in-rpcs": COUNTERS - 1,
        "in-bad-rpcs": 0,
        "out-rpc-errors": 5,
        "out-notifications": 0,
    }
