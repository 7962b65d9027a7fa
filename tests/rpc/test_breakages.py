"""What other servers were seen to get wrong, live, and what clients lost by it: none of it here."""

from __future__ import annotations

import asyncio

import pytest
from lxml import etree

from tests.rpc.client import NC, Client, Refusal, edit, session
from tests.rpc.raw import raw
from tests.rpc.test_operations import gone, sessions
from tests.serving import Serving

KINDS = "urn:nesrv:test:kinds"
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
LOCK, UNLOCK = "<lock><target><candidate/></target></lock>", "<unlock><target><candidate/></target></unlock>"
WRONG = f'<top xmlns="{KINDS}"><chosen>nobody</chosen></top>'
"""A leafref to nothing: what only a commit finds."""


def note(text: str) -> str:
    return f'<top xmlns="{KINDS}"><note>{text}</note></top>'


def item(name: str, inner: str = "") -> str:
    return f'<top xmlns="{KINDS}"><item><name>{name}</name>{inner}</item></top>'


def test_edits_of_the_candidate_do_not_survive_unlock(server: Serving) -> None:
    async def run() -> None:
        async with session(server) as one, session(server) as other:
            await one.ok(LOCK)
            await one.edit(note("left"))
            await one.ok(UNLOCK)
            assert await other.config("candidate") == ""
            await other.commit()
            assert await other.config() == ""

    asyncio.run(run())


def test_edits_of_the_candidate_do_not_survive_a_dropped_session(server: Serving) -> None:
    async def run() -> None:
        async with session(server) as other:
            async with session(server) as one:
                await one.edit(note("left"))
                number = one.number
            await gone(other, number)
            assert await other.config("candidate") == ""
            await other.commit()
            assert await other.config() == ""

    asyncio.run(run())


def test_a_killed_session_is_dead_when_kill_session_is_answered(server: Serving) -> None:
    async def run() -> None:
        async with session(server) as killer, session(server) as victim:
            await victim.ok(LOCK)
            await victim.edit(note("left"))
            await killer.ok(f"<kill-session><session-id>{victim.number}</session-id></kill-session>")
            # Its lock and its changes went with it, and it has no further word.
            await killer.ok(LOCK)
            assert await killer.config("candidate") == ""
            assert str(victim.number) not in await sessions(killer)
            assert await victim.ended()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("inner", "path"),
    [
        (note("x"), "/k:top/k:note"),
        (item("a", "<size>1</size>"), "/k:top/k:item[k:name='a']"),
        (f'<top xmlns="{KINDS}"><deeper><text>x</text></deeper></top>', "/k:top/k:deeper/k:text"),
    ],
)
def test_default_operation_none_on_a_missing_node_is_an_error(server: Serving, inner: str, path: str) -> None:
    async def run() -> None:
        async with session(server) as client:
            refusal = await client.refused(edit(inner, "<default-operation>none</default-operation>"))
            assert (refusal.tag, refusal.path) == ("data-missing", path)
            assert await client.config("candidate") == ""

    asyncio.run(run())


@pytest.mark.parametrize("operation", ["<commit>{}</commit>", "<cancel-commit>{}</cancel-commit>"])
def test_a_wrong_persist_id_is_refused(server: Serving, operation: str) -> None:
    confirmed = "<commit><confirmed/><confirm-timeout>600</confirm-timeout><persist>right</persist></commit>"

    async def run() -> None:
        async with session(server) as client:
            await client.edit(note("a"))
            await client.ok(confirmed)
            refusal = await client.refused(operation.format("<persist-id>wrong</persist-id>"))
            assert refusal.tag == "invalid-value"
            # It neither confirmed nor took back.
            await client.ok("<cancel-commit><persist-id>right</persist-id></cancel-commit>")
            assert await client.config() == ""

    asyncio.run(run())


def test_an_unknown_operation_is_not_supported(server: Serving) -> None:
    async def run() -> None:
        async with session(server) as client:
            refusal = await client.refused("<fly/>")
            assert (refusal.type, refusal.tag) == ("protocol", "operation-not-supported")
            refusal = await client.refused('<fly xmlns="urn:no"/>')
            assert (refusal.type, refusal.tag) == ("protocol", "unknown-namespace")

    asyncio.run(run())


@pytest.mark.parametrize(
    "config",
    [
        item("a", "<size>big</size>"),
        item("a", "<zz/>"),
        item("a", "<size>9999</size>"),
        item("a", f'<flag xmlns:nc="{BASE}" nc:operation="delete"/>'),
        WRONG,
        item("a", "<part><id>p</id></part>"),
        item("a", "<part><id>p</id><weight>250</weight></part>"),
        f'<solo xmlns="{KINDS}"><b>x</b></solo>',
    ],
    ids=["type", "unknown", "range", "missing", "leafref", "mandatory", "must", "when"],
)
def test_errors_about_data_have_a_path(server: Serving, config: str) -> None:
    """To the node itself, or to the one that it should have stood in."""

    async def refused(client: Client) -> Refusal:
        reply = await client.rpc(edit(config))
        return await client.refused("<commit/>" if reply.find(f"{NC}ok") is not None else edit(config))

    async def run() -> None:
        async with session(server) as client:
            refusal = await refused(client)
            assert refusal.type == "application"
            assert refusal.path.startswith(("/k:top/k:", "/k:solo/k:"))

    asyncio.run(run())


@pytest.mark.parametrize(
    "message", ["<rpc", f'<rpc xmlns="{BASE}" message-id="1"><get></rpc>', "no XML at all", "\x00"]
)
@pytest.mark.parametrize("chunked", [True, False])
def test_malformed_xml_is_answered_and_the_session_goes_on(server: Serving, message: str, chunked: bool) -> None:
    capabilities = ("urn:ietf:params:netconf:base:1.1",) if chunked else ("urn:ietf:params:netconf:base:1.0",)

    async def run() -> None:
        async with raw(server, *capabilities) as client:
            client.write(
                b"\n#%d\n%b\n##\n" % (len(message), message.encode()) if chunked else message.encode() + b"]]>]]>"
            )
            reply = await client.reply()
            # RFC 6241, appendix A: malformed-message is for base:1.1 only.
            assert reply.findtext(f".//{NC}error-tag") == ("malformed-message" if chunked else "operation-failed")
            assert reply.findtext(f".//{NC}error-type") == "rpc"
            assert (await client.request("<get-config><source><running/></source></get-config>", 2)).get(
                "message-id"
            ) == "2"

    asyncio.run(run())


def test_a_failed_confirmed_commit_arms_no_rollback(server: Serving) -> None:
    confirmed = "<commit><confirmed/><confirm-timeout>1</confirm-timeout></commit>"

    async def run() -> None:
        async with session(server) as client, session(server) as other:
            await client.edit(WRONG)
            assert (await client.refused(confirmed)).tag == "data-missing"
            assert (await other.refused("<cancel-commit/>")).tag == "operation-failed"
            await client.ok("<discard-changes/>")
            await client.edit(note("later"))
            await client.commit()
            # Not armed: another may lock running, which a pending rollback forbids, and nothing goes back.
            await other.ok("<lock><target><running/></target></lock>")
            assert await other.config() == note("later")

    asyncio.run(run())


def test_a_failed_commit_does_not_poison_the_candidate(server: Serving) -> None:
    right = f'<top xmlns="{KINDS}"><item><name>nobody</name></item><chosen>nobody</chosen></top>'

    async def run() -> None:
        async with session(server) as client, session(server) as other:
            await client.edit(note("mine"))
            await client.edit(WRONG)
            edited = await client.config("candidate")
            for _ in range(2):
                assert (await client.refused("<commit/>")).tag == "data-missing"
            assert (await client.config("candidate"), await client.config()) == (edited, "")
            # Nobody else is hindered for good: what was wrong can be put right, or be discarded.
            await client.edit(item("nobody"))
            await client.commit()
            found = etree.fromstring(await other.config())
            assert {node.text for node in found.iter() if not len(node)} == {"mine", "nobody"}
            await other.edit(WRONG.replace("nobody", "no one"))
            await other.refused("<commit/>")
            await other.ok("<discard-changes/>")
            await other.edit(right)
            await other.commit()

    asyncio.run(run())


def test_a_partial_lock_locks(server: Serving) -> None:
    namespace = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
    select = f"<select xmlns:k='{KINDS}'>/k:top/k:item[k:name=\"a\"]</select>"
    lock = f'<partial-lock xmlns="{namespace}">{select}</partial-lock>'
    unlock = f'<partial-unlock xmlns="{namespace}"><lock-id>{{}}</lock-id></partial-unlock>'

    async def run() -> None:
        async with session(server) as one, session(server) as other:
            await one.edit(item("a"))
            await one.edit(item("b"))
            await one.commit()
            reply = await one.rpc(lock)
            number = reply.findtext(f"{{{namespace}}}lock-id")
            assert reply.findtext(f"{{{namespace}}}locked-node")
            await other.edit(item("b", "<size>1</size>"))
            await other.commit()
            await other.edit(item("a", "<size>1</size>"))
            refusal = await other.refused("<commit/>")
            assert (refusal.tag, refusal.path) == ("in-use", "/k:top/k:item[k:name='a']")
            assert (await other.refused(unlock.format(number))).tag == "invalid-value"
            await other.ok("<discard-changes/>")
            await one.edit(item("a", "<size>2</size>"))
            await one.commit()
            await one.ok(unlock.format(number))
            await other.edit(item("a", "<size>3</size>"))
            await other.commit()

    asyncio.run(run())
