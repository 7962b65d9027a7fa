"""RFC 5717 on a real server, as two clients see it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.rpc.acm import KINDS, item, nacm, path, rule, serving, top, with_users
from tests.rpc.client import NC, Client, session
from tests.serving import Serving

PL = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
LOCK = "<lock><target><running/></target></lock>"
UNLOCK = "<unlock><target><running/></target></unlock>"
STATE = (
    '<get><filter><netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><datastores/>'
    "</netconf-state></filter></get>"
)


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    with serving() as server:
        yield server


def partial_lock(*selects: str) -> str:
    inner = "".join(f"<select>{select}</select>" for select in selects)
    return f'<partial-lock xmlns="{PL}" xmlns:k="{KINDS}">{inner}</partial-lock>'


def partial_unlock(number: int) -> str:
    return f'<partial-unlock xmlns="{PL}"><lock-id>{number}</lock-id></partial-unlock>'


async def take(client: Client, *selects: str) -> tuple[int, list[str]]:
    """The lock's number, and its nodes with the module's name for a prefix."""
    reply = await client.rpc(partial_lock(*selects))
    number = reply.findtext(f"{{{PL}}}lock-id")
    assert number is not None, [error.findtext(f"{NC}error-message") for error in reply]
    nodes = reply.findall(f"{{{PL}}}locked-node")
    assert all(node.nsmap["kinds"] == KINDS for node in nodes)
    return int(number), [node.text or "" for node in nodes]


async def change(client: Client, inner: str) -> None:
    await client.edit(top(inner))
    await client.commit()


async def refused_commit(client: Client, inner: str) -> str:
    """The error-path of a commit that runs into a lock."""
    await client.edit(top(inner))
    refusal = await client.refused("<commit/>")
    assert (refusal.tag, refusal.app_tag) == ("in-use", "locked")
    await client.ok("<discard-changes/>")
    return refusal.path


def with_two(server: Serving, body: Callable[[Client, Client], Awaitable[None]]) -> None:
    """Two administrators; running has the items red and blue."""

    async def prepared(one: Client, other: Client) -> None:
        await change(one, item("red", "<size>1</size>") + item("blue", "<size>1</size>"))
        await body(one, other)

    with_users(server, "admin", prepared)


def delete(name: str) -> str:
    return f'<item xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="delete"><name>{name}</name></item>'


def test_it_is_announced(served: Serving) -> None:
    async def run() -> None:
        async with session(served) as client:
            state = await client.text(STATE.replace("datastores", "capabilities"))
            assert "urn:ietf:params:netconf:capability:partial-lock:1.0" in state

    asyncio.run(run())


def test_others_may_change_only_what_is_not_locked(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        number, nodes = await take(one, "/k:top/k:item[k:name='red']")
        assert nodes == ["/kinds:top/kinds:item[kinds:name='red']"]
        await change(other, item("blue", "<size>2</size>"))
        await change(other, item("green"))
        assert await refused_commit(other, item("red", "<size>2</size>")) == "/k:top/k:item[k:name='red']"
        # What comes below a locked node is locked with it.
        await refused_commit(other, item("red", "<flag/>"))
        await refused_commit(other, delete("red"))
        await change(one, item("red", "<size>3</size>"))
        await one.ok(partial_unlock(number))
        await change(other, item("red", "<size>4</size>"))

    with_two(served, body)


def test_a_leaf_may_be_locked_inside_an_entry(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        _, nodes = await take(one, "/k:top/k:item/k:size")
        assert nodes == [f"/kinds:top/kinds:item[kinds:name='{name}']/kinds:size" for name in ("red", "blue")]
        await change(other, item("red", "<flag/>"))
        assert await refused_commit(other, item("red", "<size>2</size>")) == "/k:top/k:item[k:name='red']/k:size"
        await refused_commit(other, delete("blue"))
        # It did not match when the lock was taken.
        await change(other, item("green", "<size>1</size>"))
        await change(other, item("green", "<size>2</size>"))

    with_two(served, body)


def test_a_container_is_locked_with_everything_in_it(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        await take(one, "/k:top")
        for inner in (
            item("green"),
            "<note>n</note>",
            item("red", "<size>2</size>"),
            "<deeper><text>t</text></deeper>",
        ):
            await refused_commit(other, inner)
        await other.edit(f'<solo xmlns="{KINDS}"><a>x</a></solo>')
        await other.commit()

    with_two(served, body)


def test_a_node_stays_locked_when_its_owner_deletes_it(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        await take(one, "/k:top/k:item[k:name='red']")
        await change(one, delete("red"))
        await refused_commit(other, item("red"))

    with_two(served, body)


def test_several_expressions_in_one_lock(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        red, blue = ("/k:top/k:item[k:name='red']", "/k:top/k:item[k:name='blue']")
        _, nodes = await take(one, red, blue, red, "/k:top/k:nothing")
        assert nodes == [f"/kinds:top/kinds:item[kinds:name='{name}']" for name in ("red", "blue")]
        # The same session may lock the same again; both locks must go before others may.
        await take(one, red)

    with_two(served, body)


def test_locks_of_others_stand_in_the_way(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        number, _ = await take(one, "/k:top/k:item[k:name='red']")
        for select in ("/k:top", "/k:top/k:item[k:name='red']", "/k:top/k:item", "//k:size"):
            refusal = await other.refused(partial_lock("/k:top/k:item[k:name='blue']", select))
            assert (refusal.tag, refusal.info) == ("lock-denied", (("session-id", str(one.number)),))
        # None of it was locked, then.
        await take(one, "/k:top/k:item[k:name='blue']/k:size")
        refusal = await other.refused(partial_unlock(number))
        assert (refusal.tag, refusal.info) == ("invalid-value", (("bad-element", "lock-id"),))

    with_two(served, body)


def test_the_lock_on_all_of_running_excludes_partial_ones(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        await one.ok(LOCK)
        for client in (one, other):
            refusal = await client.refused(partial_lock("/k:top"))
            assert (refusal.tag, refusal.info) == ("lock-denied", (("session-id", str(one.number)),))
        await one.ok(UNLOCK)
        number, _ = await take(one, "/k:top")
        for client in (one, other):
            refusal = await client.refused(LOCK)
            assert (refusal.tag, refusal.info) == ("lock-denied", (("session-id", str(one.number)),))
        await one.ok(partial_unlock(number))
        await other.ok(LOCK)

    with_two(served, body)


@pytest.mark.parametrize(
    ("select", "tag", "app_tag"),
    [
        ("count(/k:top)", "invalid-value", "not-a-node-set"),
        ("/k:top/k:note/text()", "invalid-value", "not-a-node-set"),
        ("/k:top/k:item/k:name/text()", "invalid-value", "not-a-node-set"),
        ("/k:top/k:note", "operation-failed", "no-matches"),
        ("/k:top[", "invalid-value", ""),
        ("/unknown:top", "invalid-value", ""),
    ],
)
def test_expressions_that_lock_nothing(served: Serving, select: str, tag: str, app_tag: str) -> None:
    async def body(one: Client, other: Client) -> None:
        refusal = await one.refused(partial_lock(select))
        assert (refusal.tag, refusal.app_tag) == (tag, app_tag)

    with_two(served, body)


def test_parameters(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        assert (await one.refused(partial_lock())).tag == "missing-element"
        assert (await one.refused(f'<partial-unlock xmlns="{PL}"/>')).tag == "missing-element"
        assert (await one.refused(partial_unlock(4_000_000_000))).tag == "invalid-value"

    with_two(served, body)


def test_locks_go_with_their_session(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        async with session(served) as third:
            await take(third, "/k:top")
            await refused_commit(other, "<note>n</note>")
            await other.ok(f"<kill-session><session-id>{third.number}</session-id></kill-session>")
            await change(other, "<note>n</note>")

    with_two(served, body)


def test_locks_are_seen_in_the_state(served: Serving) -> None:
    async def body(one: Client, other: Client) -> None:
        number, _ = await take(one, "/k:top/k:item[k:name='red']", "/k:top/k:item[1]")
        found = (await other.data(STATE)).find(".//{*}partial-lock")
        assert found is not None
        texts = {name: [leaf.text for leaf in found.findall(f"{{*}}{name}")] for name in ("select", "locked-node")}
        assert found.findtext("{*}lock-id") == str(number)
        assert found.findtext("{*}locked-by-session") == str(one.number)
        assert texts["select"] == ["/kinds:top/kinds:item[kinds:name='red']", "/kinds:top/kinds:item[1]"]
        assert [str(text).partition("[")[2] for text in texts["locked-node"]] == ["kinds:name='red']"]
        await one.ok(partial_unlock(number))
        assert (await other.data(STATE)).find(".//{*}partial-lock") is None

    with_two(served, body)


def test_what_may_not_be_read_cannot_be_locked(served: Serving) -> None:
    async def body(admin: Client, ted: Client) -> None:
        await admin.edit(nacm(rule("deny", path("/k:top/k:item[k:name='blue']"))))
        await change(admin, item("red") + item("blue"))
        assert (await take(ted, "/k:top/k:item"))[1] == ["/kinds:top/kinds:item[kinds:name='red']"]
        assert (await ted.refused(partial_lock("/k:top/k:item[k:name='blue']"))).app_tag == "no-matches"
        number, _ = await take(admin, "/k:top/k:item[k:name='blue']")
        assert (await ted.data(STATE)).findall(".//{*}partial-lock") != []
        assert "blue" not in await ted.text(STATE)
        await admin.ok(partial_unlock(number))
        await admin.edit(nacm(rule("deny", "<rpc-name>partial-lock</rpc-name>", name="r")))
        await admin.commit()
        assert (await ted.refused(partial_lock("/k:top/k:note"))).tag == "access-denied"

    with_users(served, "ted", body)
