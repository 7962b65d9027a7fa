"""The operations of RFC 6241 on a real server, as one client or several see them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from lxml import etree

from tests.rpc.client import BASE, Client, edit, session
from tests.serving import Serving

KINDS = "urn:nesrv:test:kinds"
LOCK, UNLOCK = "<lock><target><{}/></target></lock>", "<unlock><target><{}/></target></unlock>"
DISCARD = "<discard-changes/>"


def note(text: str) -> str:
    return f'<top xmlns="{KINDS}"><note>{text}</note></top>'


def item(name: str) -> str:
    return f'<top xmlns="{KINDS}"><item><name>{name}</name></item></top>'


def with_sessions(server: Serving, count: int, body: Callable[..., Awaitable[None]]) -> None:
    async def opened(clients: tuple[Client, ...]) -> None:
        if len(clients) == count:
            await body(*clients)
            return
        async with session(server) as client:
            await opened((*clients, client))

    asyncio.run(opened(()))


def test_a_commit_makes_the_candidate_running(server: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        await one.edit(note("a"))
        assert (await other.config("candidate"), await other.config()) == (note("a"), "")
        await one.commit()
        assert await other.config() == note("a")

    with_sessions(server, 2, body)


def test_discard_changes(server: Serving) -> None:
    async def body(one: Client) -> None:
        await one.edit(note("a"))
        await one.commit()
        await one.edit(note("b"))
        await one.ok(DISCARD)
        assert await one.config("candidate") == note("a")

    with_sessions(server, 1, body)


def test_validate_looks_at_what_it_is_given(server: Serving) -> None:
    wrong = f'<top xmlns="{KINDS}"><chosen>a</chosen></top>'

    async def body(one: Client) -> None:
        await one.edit(wrong)
        await one.ok("<validate><source><running/></source></validate>")
        assert (await one.refused("<validate><source><candidate/></source></validate>")).tag == "data-missing"
        right = wrong.replace("<chosen>", "<item><name>a</name></item><chosen>")
        await one.ok(f"<validate><source><config>{right}</config></source></validate>")
        assert (await one.refused(f"<validate><source><config>{wrong}</config></source></validate>")).path
        await one.ok(DISCARD)

    with_sessions(server, 1, body)


def test_test_only_changes_nothing(server: Serving) -> None:
    async def body(one: Client) -> None:
        await one.edit(note("a"), "<test-option>test-only</test-option>")
        assert await one.config("candidate") == ""
        await one.edit(note("a"), "<test-option>test-then-set</test-option>")
        assert await one.config("candidate") == note("a")

    with_sessions(server, 1, body)


def test_copy_config(server: Serving) -> None:
    copy = "<copy-config><target><candidate/></target><source>{}</source></copy-config>"

    async def body(one: Client) -> None:
        await one.edit(item("a"))
        await one.commit()
        await one.ok(copy.format(f"<config>{item('b')}</config>"))
        assert await one.config("candidate") == item("b")
        await one.ok(copy.format("<running/>"))
        assert await one.config("candidate") == item("a")

    with_sessions(server, 1, body)


def test_delete_config_empties_the_candidate(server: Serving) -> None:
    async def body(one: Client) -> None:
        await one.edit(item("a"))
        await one.commit()
        await one.ok("<delete-config><target><candidate/></target></delete-config>")
        assert (await one.config("candidate"), await one.config()) == ("", item("a"))
        await one.commit()
        assert await one.config() == ""

    with_sessions(server, 1, body)


def test_a_config_without_namespace_of_its_own(server: Serving) -> None:
    """Some clients write <config xmlns=''>."""

    async def body(one: Client) -> None:
        await one.ok(edit(note("a")).replace("<config>", '<config xmlns="">'))
        assert await one.config("candidate") == note("a")

    with_sessions(server, 1, body)


# Locks


@pytest.mark.parametrize("datastore", ["running", "candidate"])
def test_a_lock_shuts_others_out(server: Serving, datastore: str) -> None:
    async def body(one: Client, other: Client) -> None:
        await one.ok(LOCK.format(datastore))
        for client in (one, other):
            refusal = await client.refused(LOCK.format(datastore))
            assert (refusal.tag, refusal.info) == ("lock-denied", (("session-id", str(one.number)),))
        assert (await other.refused(UNLOCK.format(datastore))).tag == "operation-failed"
        assert (await other.refused("<commit/>")).tag == "in-use"
        if datastore == "candidate":
            for request in (edit(note("x")), DISCARD, "<delete-config><target><candidate/></target></delete-config>"):
                assert (await other.refused(request)).tag == "in-use"
        await one.edit(note("a"))
        await one.commit()
        await one.ok(UNLOCK.format(datastore))
        await other.ok(LOCK.format(datastore))
        await other.ok(UNLOCK.format(datastore))

    with_sessions(server, 2, body)


def test_a_changed_candidate_cannot_be_locked(server: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        await one.edit(note("a"))
        refusal = await other.refused(LOCK.format("candidate"))
        assert (refusal.tag, refusal.info) == ("lock-denied", (("session-id", str(one.number)),))
        await other.ok(LOCK.format("running"))
        await other.ok(UNLOCK.format("running"))
        await one.ok(DISCARD)
        await other.ok(LOCK.format("candidate"))

    with_sessions(server, 2, body)


def test_unlock_discards_what_was_not_committed(server: Serving) -> None:
    async def body(one: Client) -> None:
        await one.ok(LOCK.format("candidate"))
        await one.edit(note("a"))
        await one.ok(UNLOCK.format("candidate"))
        assert await one.config("candidate") == ""

    with_sessions(server, 1, body)


@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.parametrize("way", ["close", "drop", "kill"])
def test_changes_and_locks_die_with_the_session(server: Serving, way: str, locked: bool) -> None:
    async def run() -> None:
        async with session(server) as other:
            async with session(server) as one:
                if locked:
                    await one.ok(LOCK.format("running"))
                    await one.ok(LOCK.format("candidate"))
                await one.edit(note("lost"))
                if way == "close":
                    await one.ok("<close-session/>")
                    assert await one.ended()
                elif way == "kill":
                    await other.ok(f"<kill-session><session-id>{one.number}</session-id></kill-session>")
            await gone(other, one.number)
            assert await other.config("candidate") == ""
            for datastore in ("candidate", "running"):
                await other.ok(LOCK.format(datastore))

    asyncio.run(run())


async def sessions(client: Client) -> dict[str, etree._Element]:
    """Session number → its entry in netconf-state."""
    found = await client.data(
        '<get><filter><netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><sessions/>'
        "</netconf-state></filter></get>"
    )
    return {entry.findtext("{*}session-id") or "": entry for entry in found.iterfind(".//{*}session")}


async def gone(client: Client, number: int) -> None:
    async def poll() -> None:
        while str(number) in await sessions(client):
            await asyncio.sleep(0.005)

    await asyncio.wait_for(poll(), 30)


# Sessions


def test_kill_session_answers_when_the_victim_is_dead(server: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        await one.ok(f"<kill-session><session-id>{other.number}</session-id></kill-session>")
        assert str(other.number) not in await sessions(one)
        assert str(one.number) in await sessions(one)
        assert await other.ended()

    with_sessions(server, 2, body)


@pytest.mark.parametrize("number", ["self", "0", "999999", "-1", "x", "", "9" * 5000])
def test_what_kill_session_does_not_kill(server: Serving, number: str) -> None:
    async def body(one: Client) -> None:
        text = str(one.number) if number == "self" else number
        refusal = await one.refused(f"<kill-session><session-id>{text}</session-id></kill-session>")
        assert (refusal.tag, refusal.info) == ("invalid-value", (("bad-element", "session-id"),))
        assert str(one.number) in await sessions(one)

    with_sessions(server, 1, body)


def test_fifty_requests_at_once_are_answered_in_order(server: Serving) -> None:
    async def body(one: Client) -> None:
        for number in range(50):
            one.ask(
                edit(note(str(number))) if number % 2 == 0 else "<get-config><source><candidate/></source></get-config>"
            )
        for number in range(50):
            reply = await one.receive()
            assert reply.get("message-id") == str(number + 1)
            if number % 2:
                assert reply.findtext(".//{*}note") == str(number - 1)
        await one.ok(DISCARD)

    with_sessions(server, 1, body)


def test_two_sessions_commit_at_once(server: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        for number in range(20):
            await one.edit(item(f"a{number}"))
            await other.edit(item(f"b{number}"))
            one.ask("<commit/>")
            other.ask("<commit/>")
            for client in (one, other):
                assert (await client.receive()).find(f"{{{BASE}}}ok") is not None
        names = etree.fromstring(await one.config()).findall(".//{*}name")
        wanted = {f"{letter}{number}" for letter in "ab" for number in range(20)}
        assert {name.text for name in names} == wanted
        assert await one.config("candidate") == await one.config()

    with_sessions(server, 2, body)


def test_commits_and_discards_at_once_never_leave_an_old_candidate(server: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        for number in range(30):
            await one.edit(item(f"n{number}"))
            one.ask("<commit/>")
            other.ask(DISCARD)
            await one.receive()
            await other.receive()
            assert await one.config("candidate") == await one.config()

    with_sessions(server, 2, body)


# What the server says of itself


def test_statistics_of_a_session(server: Serving) -> None:
    async def body(one: Client) -> None:
        await one.refused("<fly/>")
        one.send("<rpc")
        await one.receive()
        entry = (await sessions(one))[str(one.number)]
        counted = {name: entry.findtext(f"{{*}}{name}") for name in ("in-rpcs", "in-bad-rpcs", "out-rpc-errors")}
        assert counted == {"in-rpcs": "2", "in-bad-rpcs": "1", "out-rpc-errors": "2"}
        assert entry.findtext("{*}username") == "admin"
        assert (entry.findtext("{*}transport") or "").endswith("netconf-ssh")

    with_sessions(server, 1, body)


def test_locks_are_shown(server: Serving) -> None:
    async def body(one: Client) -> None:
        await one.ok(LOCK.format("running"))
        state = await one.data(
            '<get><filter><netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><datastores/>'
            "</netconf-state></filter></get>"
        )
        holders = {
            entry.findtext("{*}name"): entry.findtext(".//{*}locked-by-session")
            for entry in state.iterfind(".//{*}datastore")
        }
        assert holders == {"running": str(one.number), "candidate": None}

    with_sessions(server, 1, body)


def test_every_schema_that_is_listed_can_be_fetched(server: Serving) -> None:
    monitoring = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"

    async def body(one: Client) -> None:
        state = await one.data(
            f'<get><filter><netconf-state xmlns="{monitoring}"><schemas/></netconf-state></filter></get>'
        )
        listed = state.findall(".//{*}schema")
        assert {"kinds", "strict", "ietf-netconf", "ietf-netconf-monitoring", "ietf-yang-library"} <= {
            entry.findtext("{*}identifier") for entry in listed
        }
        for entry in listed:
            name, version = entry.findtext("{*}identifier"), entry.findtext("{*}version")
            data = await one.data(
                f'<get-schema xmlns="{monitoring}"><identifier>{name}</identifier><version>{version or ""}</version>'
                "<format>yang</format></get-schema>"
            )
            assert data.tag == f"{{{monitoring}}}data"
            assert f"module {name} " in " ".join((data.text or "").replace("{", " {").split())

    with_sessions(server, 1, body)


def test_get_holds_configuration_and_state(server: Serving) -> None:
    async def body(one: Client) -> None:
        await one.edit(note("a"))
        await one.commit()
        tops = {etree.QName(child).localname for child in await one.data("<get/>")}
        assert {"top", "netconf-state", "yang-library", "modules-state"} <= tops
        await one.edit(note("b"))
        assert (await one.data("<get/>")).findtext(f"{{{KINDS}}}top/{{{KINDS}}}note") == "a"
        await one.ok(DISCARD)

    with_sessions(server, 1, body)


def test_the_yang_library_names_what_the_hello_names(server: Serving) -> None:
    async def body(one: Client) -> None:
        data = await one.data(
            '<get><filter><yang-library xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"/></filter></get>'
        )
        modules = {entry.findtext("{*}name") for entry in data.iterfind(".//{*}module-set/{*}module")}
        assert {"kinds", "strict", "users", "values"} <= modules
        capabilities = await one.data(
            '<get><filter><netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><capabilities/>'
            "</netconf-state></filter></get>"
        )
        listed = [entry.text or "" for entry in capabilities.iterfind(".//{*}capability")]
        assert any(f"content-id={data.findtext('.//{*}content-id')}" in text for text in listed)

    with_sessions(server, 1, body)
