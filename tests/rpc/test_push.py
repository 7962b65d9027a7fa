"""RFC 8641: what a datastore holds, at intervals and on change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.tree import Node
from nesrv.rpc.element import SessionState
from nesrv.rpc.guards import Guard
from nesrv.rpc.notify.differences import between
from nesrv.rpc.notify.patch import resource
from nesrv.rpc.notify.push import MAX_PATCH_EDITS, Periodic
from nesrv.rpc.notify.subscriptions import FIRST_ID
from nesrv.rpc.notify.times import to_text
from tests.rpc.client import session
from tests.rpc.world import START, Client, World, item, run, schema, settle, top
from tests.serving import Serving

SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
YP = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
DS = "urn:ietf:params:xml:ns:yang:ietf-datastores"
NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
KINDS = "urn:nesrv:test:kinds"
ID = f"<id>{FIRST_ID}</id>"
ON_CHANGE = "<yp:on-change/>"
QUIET = "<yp:on-change><yp:sync-on-start>false</yp:sync-on-start></yp:on-change>"


def rpc(name: str, inside: str, namespace: str = SN) -> str:
    return f'<{name} xmlns="{namespace}" xmlns:yp="{YP}" xmlns:ds="{DS}">{inside}</{name}>'


def establish(inside: str, datastore: str = "running") -> str:
    return rpc("establish-subscription", f"<yp:datastore>ds:{datastore}</yp:datastore>{inside}")


def periodic(period: int, anchor: str = "") -> str:
    return f"<yp:periodic><yp:period>{period}</yp:period>{anchor}</yp:periodic>"


def chosen(inside: str) -> str:
    return f"<yp:datastore-subtree-filter>{inside}</yp:datastore-subtree-filter>"


def text_of(update: Any) -> str:
    """What a push-update holds."""
    assert update.tag == f"{{{YP}}}push-update"
    return "".join(etree.tostring(one, method="c14n2").decode() for one in update.find("{*}datastore-contents"))


Edit = tuple[str, str, str, str]


def edits_of(update: Any) -> list[Edit]:
    """(operation, target, where, value) of a push-change-update."""
    assert update.tag == f"{{{YP}}}push-change-update"
    found = []
    for one in update.iterfind(f"{{{YP}}}datastore-changes/{{{YP}}}yang-patch/{{{YP}}}edit"):
        where = f"{one.findtext('{*}where') or ''} {one.findtext('{*}point') or ''}".strip()
        value = "".join(etree.tostring(node, method="c14n2").decode() for node in one.iterfind("{*}value/*"))
        found.append((one.findtext("{*}operation"), one.findtext("{*}target"), where, value))
    return found


async def changed(place: World, client: Client, seconds: float = 0.0) -> list[Any]:
    place.timers.turn(seconds)
    return await client.take()


# Asking for it


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (establish(""), ("missing-element", "", "periodic")),
        (establish(ON_CHANGE + periodic(100)), ("bad-element", "", "on-change")),
        (establish("<yp:periodic/>"), ("missing-element", "", "period")),
        (establish(periodic(99)), ("invalid-value", "period-unsupported", "")),
        (establish(periodic(-1)), ("invalid-value", "", "period")),
        (establish(periodic(100, "<yp:anchor-time>soon</yp:anchor-time>")), ("invalid-value", "", "anchor-time")),
        (establish(ON_CHANGE, "factory-default"), ("invalid-value", "datastore-not-subscribable", "")),
        (establish(ON_CHANGE, "operational"), ("operation-not-supported", "on-change-unsupported", "")),
        (establish(ON_CHANGE, "candidate"), ("operation-not-supported", "on-change-unsupported", "")),
        (establish(ON_CHANGE + "<stream>NETCONF</stream>"), ("bad-element", "", "datastore")),
        (establish("<yp:on-change><yp:excluded-change>x</yp:excluded-change></yp:on-change>"),
         ("invalid-value", "", "excluded-change")),
    ],
)  # fmt: skip
def test_what_cannot_be_established_says_why(tmp_path: Path, request_: str, refusal: tuple[str, str, str]) -> None:
    async def body(place: World) -> None:
        client = place.client()
        tag, app_tag, bad = await client.refused(request_)
        assert (tag, app_tag.removeprefix("ietf-yang-push:"), bad) == refusal
        place.timers.turn(1000)
        assert await client.take() == []

    run(tmp_path, body)


def test_an_xpath_is_for_periodic_subscriptions(tmp_path: Path) -> None:
    selected = f'<yp:datastore-xpath-filter xmlns:k="{KINDS}">/k:top/k:note</yp:datastore-xpath-filter>'

    async def body(place: World) -> None:
        client = place.client()
        tag, app_tag, _ = await client.refused(establish(selected + ON_CHANGE))
        assert (tag, app_tag) == ("invalid-value", "ietf-subscribed-notifications:filter-unsupported")
        await client.edit(top("<note>a</note>" + item("x")))
        await client.rpc(establish(selected + periodic(100)))
        (update,) = await client.take()
        assert text_of(update) == top("<note>a</note>").replace(f' xmlns:nc="{NC}"', "")

    run(tmp_path, body)


# At intervals


def test_periodic_updates_come_at_once_and_then_each_period(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.edit(top("<note>a</note>"))
        await client.rpc(establish(chosen(f'<top xmlns="{KINDS}"><note/></top>') + periodic(1000)))
        assert [text_of(one) for one in await client.take()] == [f'<top xmlns="{KINDS}"><note>a</note></top>']
        assert await changed(place, client, 9.9) == []
        await client.edit(top("<note>b</note>"))
        (update,) = await changed(place, client, 0.2)
        assert text_of(update) == f'<top xmlns="{KINDS}"><note>b</note></top>'
        assert update.findtext("{*}id") == str(FIRST_ID)
        await client.ok(rpc("modify-subscription", f"{ID}<yp:datastore>ds:running</yp:datastore>{periodic(2000)}"))
        assert await changed(place, client, 9.5) == []
        assert len(await changed(place, client, 1)) == 1
        await client.ok(rpc("delete-subscription", ID))
        assert await changed(place, client, 100) == []

    run(tmp_path, body)


def test_an_anchor_says_when(tmp_path: Path) -> None:
    assert Periodic(1000, START + 3).next(START, START) == START + 3
    assert Periodic(1000, START + 3).next(START + 3, START) == START + 13
    assert Periodic(1000, START - 25).next(START, START) == START + 5
    assert Periodic(1000).next(START, START) == START + 10

    async def body(place: World) -> None:
        client = place.client()
        anchor = f"<yp:anchor-time>{to_text(START - 7)}</yp:anchor-time>"
        await client.rpc(establish(periodic(1000, anchor)))
        assert await changed(place, client, 2) == []
        assert len(await changed(place, client, 2)) == 1

    run(tmp_path, body)


def test_operational_state_at_intervals(tmp_path: Path) -> None:
    selected = chosen(
        '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><sessions><session><session-id/>'
        "</session></sessions></netconf-state>"
    )

    async def body(place: World) -> None:
        client = place.client()
        await client.rpc(establish(selected + periodic(100), "operational"))
        (update,) = await client.take()
        assert [one.text for one in update.iterfind(".//{*}session-id")] == ["1"]
        place.client()
        (update,) = await changed(place, client, 1)
        assert [one.text for one in update.iterfind(".//{*}session-id")] == ["1", "2"]

    run(tmp_path, body)


# On change


def test_a_change_is_told_after_all_that_was_there(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client, editor = place.client(), place.client()
        await editor.edit(top("<note>a</note>" + item("x", "<size>1</size>")))
        await client.rpc(establish(ON_CHANGE))
        (update,) = await client.take()
        assert text_of(update) == top("<note>a</note>" + item("x", "<size>1</size>")).replace(f' xmlns:nc="{NC}"', "")
        await editor.edit(top("<note>b</note>" + item("x", "<size>2</size>") + item("y/z")))
        (update,) = await changed(place, client)
        assert update.findtext(".//{*}patch-id") == "1"
        assert sorted(edits_of(update)) == [
            ("create", "/kinds:top/item=y%2Fz", "", f'<item xmlns="{KINDS}"><name>y/z</name></item>'),
            ("replace", "/kinds:top/item=x/size", "", f'<size xmlns="{KINDS}">2</size>'),
            ("replace", "/kinds:top/note", "", f'<note xmlns="{KINDS}">b</note>'),
        ]
        await editor.edit(top('<note nc:operation="delete"/>'))
        (update,) = await changed(place, client)
        assert edits_of(update) == [("delete", "/kinds:top/note", "", "")]
        assert update.findtext(".//{*}patch-id") == "2"

    run(tmp_path, body)


def test_only_what_is_selected_is_told(tmp_path: Path) -> None:
    selected = chosen(f'<top xmlns="{KINDS}"><item><name>x</name><size/></item></top>')

    async def body(place: World) -> None:
        client, editor = place.client(), place.client()
        await client.rpc(establish(selected + QUIET))
        assert await client.take() == [], "it asked for no synchronisation"
        await editor.edit(top("<note>b</note>" + item("y")))
        assert await changed(place, client) == []
        await editor.edit(top(item("x", "<size>3</size><l1>q</l1>") + item("y", "<size>4</size>")))
        (update,) = await changed(place, client)
        value = f'<item xmlns="{KINDS}"><name>x</name><size>3</size></item>'
        assert edits_of(update) == [("create", "/kinds:top/item=x", "", value)]
        await editor.edit(top(item("x", "<size>5</size>")))
        (update,) = await changed(place, client)
        assert edits_of(update) == [("replace", "/kinds:top/item=x/size", "", f'<size xmlns="{KINDS}">5</size>')]

    run(tmp_path, body)


def test_a_leaf_that_the_filter_matches_brings_and_takes_entries(tmp_path: Path) -> None:
    selected = chosen(f'<top xmlns="{KINDS}"><note>on</note><item/></top>')

    async def body(place: World) -> None:
        client, editor = place.client(), place.client()
        await editor.edit(top("<note>off</note>" + item("x")))
        await client.rpc(establish(selected + QUIET))
        await editor.edit(top("<note>on</note>"))
        (update,) = await changed(place, client)
        assert edits_of(update)[-1][:2] == ("create", "/kinds:top/item=x")
        await editor.edit(top(item("y")))
        (update,) = await changed(place, client)
        assert edits_of(update)[0][:2] == ("create", "/kinds:top/item=y")

    run(tmp_path, body)


def test_what_the_receiver_may_not_read_is_not_there(tmp_path: Path) -> None:
    class NoItems(Guard):
        def visible(self, session: SessionState, datastore: str, snapshot: Snapshot) -> Snapshot:
            hidden = [shard.path for shard in snapshot.shards() if "item" in shard.path]
            return snapshot.with_changes(dict.fromkeys(hidden))

    async def body(place: World) -> None:
        place.element.guards.add(NoItems())
        client, editor = place.client(), place.client()
        await client.rpc(establish(ON_CHANGE))
        await client.rpc(establish(periodic(100), "operational"))
        await client.take()
        await editor.edit(top(item("x")))
        assert await changed(place, client) == []
        await editor.edit(top(item("y") + "<note>b</note>"))
        (update,) = await changed(place, client)
        assert [one[1] for one in edits_of(update)] == ["/kinds:top/note"]
        (update,) = await changed(place, client, 1)
        assert update.find(".//{*}note") is not None
        assert update.find(f".//{{{KINDS}}}item") is None

    run(tmp_path, body)


def test_dampening_gathers_changes(tmp_path: Path) -> None:
    damped = "<yp:on-change><yp:dampening-period>1000</yp:dampening-period></yp:on-change>"

    async def body(place: World) -> None:
        client, editor = place.client(), place.client()
        await client.rpc(establish(damped))
        assert len(await client.take()) == 1
        for number in range(3):
            await editor.edit(top(f"<note>{number}</note>"))
            assert await changed(place, client, 1) == []
        (update,) = await changed(place, client, 7)
        assert [one[:2] for one in edits_of(update)] == [("create", "/kinds:top/note")]
        await editor.edit(top("<note>x</note>"))
        await editor.edit(top("<note>2</note>"))
        assert await changed(place, client, 20) == [], "it is what it was"
        await editor.edit(top("<note>9</note>"))
        assert len(await changed(place, client)) == 1, "the period is over: at once"

    run(tmp_path, body)


def test_excluded_changes_are_not_told(tmp_path: Path) -> None:
    quiet = QUIET.replace("</yp:on-change>", "<yp:excluded-change>replace</yp:excluded-change></yp:on-change>")

    async def body(place: World) -> None:
        client, editor = place.client(), place.client()
        await editor.edit(top("<note>a</note>"))
        await client.rpc(establish(quiet))
        await editor.edit(top("<note>b</note>"))
        assert await changed(place, client) == []
        await editor.edit(top("<note>c</note>" + item("x")))
        (update,) = await changed(place, client)
        assert [one[0] for one in edits_of(update)] == ["create"]

    run(tmp_path, body)


def test_a_very_large_change_is_told_as_what_there_is(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client, editor = place.client(), place.client()
        await client.rpc(establish(QUIET))
        await editor.edit(top("".join(item(f"n{number}") for number in range(MAX_PATCH_EDITS)) + "<note>a</note>"))
        (update,) = await changed(place, client)
        assert len(update.findall(".//{*}item")) == MAX_PATCH_EDITS
        assert update.tag == f"{{{YP}}}push-update"
        await editor.edit(top("<note>b</note>"))
        (update,) = await changed(place, client)
        assert edits_of(update) == [("replace", "/kinds:top/note", "", f'<note xmlns="{KINDS}">b</note>')]

    run(tmp_path, body)


def test_resynchronising(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client, other = place.client(), place.client()
        await client.edit(top("<note>a</note>"))
        await client.rpc(establish(QUIET))
        await client.ok(rpc("resync-subscription", ID, YP))
        (update,) = await client.take()
        assert "<note>a</note>" in text_of(update)
        assert (await other.refused(rpc("resync-subscription", ID, YP)))[1] == (
            "ietf-yang-push:no-such-subscription-resync"
        )
        await other.rpc(establish(periodic(100)))
        number = f"<id>{FIRST_ID + 1}</id>"
        assert (await other.refused(rpc("resync-subscription", number, YP)))[0] == "invalid-value"

    run(tmp_path, body)


def test_a_modified_selection_is_told_whole(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.edit(top("<note>a</note>" + item("x")))
        await client.rpc(establish(chosen(f'<top xmlns="{KINDS}"><note/></top>') + QUIET))
        changed_ = chosen(f'<top xmlns="{KINDS}"><item/></top>')
        await client.ok(rpc("modify-subscription", f"{ID}<yp:datastore>ds:running</yp:datastore>{changed_}"))
        (update,) = await client.take()
        assert text_of(update) == f'<top xmlns="{KINDS}"><item><name>x</name></item></top>'
        wrong = f"{ID}<yp:datastore>ds:candidate</yp:datastore>"
        assert (await client.refused(rpc("modify-subscription", wrong)))[0] == "invalid-value"
        turned = f"{ID}<yp:datastore>ds:running</yp:datastore>{periodic(100)}"
        assert (await client.refused(rpc("modify-subscription", turned)))[0] == "invalid-value"

    run(tmp_path, body)


def test_a_selection_by_name_and_the_end_of_its_filter(tmp_path: Path) -> None:
    def named(inside: str) -> str:
        return (
            f'<filters xmlns="{SN}" xmlns:yp="{YP}" xmlns:nc="{NC}"><yp:selection-filter nc:operation="replace">'
            f"<yp:filter-id>f</yp:filter-id>{chosen(inside)}</yp:selection-filter></filters>"
        )

    async def body(place: World) -> None:
        client, editor = place.client(), place.client()
        await editor.edit(named(f'<top xmlns="{KINDS}"><note/></top>') + top("<note>a</note>" + item("x")))
        await client.rpc(establish("<yp:selection-filter-ref>f</yp:selection-filter-ref>" + ON_CHANGE))
        (update,) = await client.take()
        assert text_of(update) == f'<top xmlns="{KINDS}"><note>a</note></top>'
        await editor.edit(named(f'<top xmlns="{KINDS}"><item/></top>'))
        modified, update = await client.take()
        assert modified.tag == f"{{{SN}}}subscription-modified"
        assert text_of(update) == f'<top xmlns="{KINDS}"><item><name>x</name></item></top>'
        await editor.edit(f'<filters xmlns="{SN}" xmlns:nc="{NC}" nc:operation="remove"/>')
        (over,) = await changed(place, client)
        assert over.findtext("{*}reason").endswith(":filter-unavailable")

    run(tmp_path, body)


def test_a_named_xpath_ends_an_on_change_subscription(tmp_path: Path) -> None:
    def named(inside: str) -> str:
        return (
            f'<filters xmlns="{SN}" xmlns:yp="{YP}" xmlns:nc="{NC}"><yp:selection-filter nc:operation="replace">'
            f"<yp:filter-id>f</yp:filter-id>{inside}</yp:selection-filter></filters>"
        )

    async def body(place: World) -> None:
        client, editor = place.client(), place.client()
        await editor.edit(named(chosen(f'<top xmlns="{KINDS}"/>')))
        await client.rpc(establish("<yp:selection-filter-ref>f</yp:selection-filter-ref>" + QUIET))
        await editor.edit(named("<yp:datastore-xpath-filter>/*</yp:datastore-xpath-filter>"))
        (over,) = await changed(place, client)
        assert over.findtext("{*}reason").endswith(":filter-unavailable")

    run(tmp_path, body)


def test_the_stop_time_terminates(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.rpc(establish(periodic(1000) + f"<stop-time>{to_text(START + 15)}</stop-time>"))
        found = await client.take()
        for _ in range(4):
            found += await changed(place, client, 10)
        names = [etree.QName(one).localname for one in found]
        assert names == ["push-update", "push-update", "subscription-terminated"]

    run(tmp_path, body)


def test_state_of_a_push_subscription(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.rpc(establish(chosen(f'<top xmlns="{KINDS}"/>') + ON_CHANGE))
        await client.rpc(establish(periodic(500)))
        await settle()
        found = await client.rpc(f'<get><filter><subscriptions xmlns="{SN}"/></filter></get>')
        one, other = found.iterfind(".//{*}subscription")
        assert one.findtext("{*}datastore").endswith(":running")
        assert one.findtext("{*}on-change/{*}dampening-period") == "0"
        assert other.findtext("{*}periodic/{*}period") == "500"
        assert other.findtext(".//{*}sent-event-records") == "1"

    run(tmp_path, body)


def test_the_reply_comes_before_the_first_update(server: Serving) -> None:
    async def body() -> None:
        async with session(server) as client:
            reply = await client.rpc(establish(ON_CHANGE))
            number = reply.findtext(f"{{{SN}}}id")
            assert number
            update = await client.receive()
            assert update[1].tag == f"{{{YP}}}push-update"
            client.ask(
                f"<edit-config><target><candidate/></target><config>{top('<note>é</note>')}</config></edit-config>"
            )
            client.ask("<commit/>")
            found = [await client.receive() for _ in range(3)]
            assert [etree.QName(one).localname for one in found] == ["rpc-reply", "rpc-reply", "notification"]
            assert found[2].findtext(".//{*}value//{*}note") == "é"

    asyncio.run(body())


# Differences and patches


def test_targets_are_those_of_restconf() -> None:
    path = """/m:a/b[k='x,y/z'][l="it's"]/n:c/d[.='é']"""
    assert resource(path) == "/m:a/b=x%2Cy%2Fz,it%27s/n:c/d=%C3%A9"


PARTS = st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(0, 2)), unique_by=lambda one: one[0], max_size=7)
ITEM = st.tuples(st.sampled_from("xyz"), st.none() | st.integers(0, 3), PARTS, st.booleans())
TOP = st.tuples(
    st.none() | st.sampled_from("pq"),
    st.lists(ITEM, unique_by=lambda one: one[0], max_size=3),
    st.lists(st.sampled_from("rstuv"), unique=True, max_size=5),
    st.lists(st.integers(0, 5), unique=True, max_size=4),
)
Top = tuple[str | None, Sequence[tuple[str, int | None, Sequence[tuple[str, int]], bool]], Sequence[str], Sequence[int]]


def written(value: Top) -> str:
    note, items, order, tags = value
    made = f"<note>{note}</note>" if note else ""
    made += "".join(f"<order>{one}</order>" for one in order) + "".join(f"<tag>{one}</tag>" for one in tags)
    for name, size, parts, left in items:
        inner = f"<size>{size}</size>" if size is not None else ""
        inner += "<l1>a</l1>" if left else "<r1>a</r1>"
        inner += "".join(f"<part><id>{one}</id><weight>{weight}</weight></part>" for one, weight in parts)
        made += item(name, inner)
    return top(made)


def tree(nodes: Sequence[Node]) -> Any:
    """What counts of a configuration: the order of what the user orders, and no other."""

    def shown(node: Node) -> Any:
        return (node.ident[0].path, node.ident[1], node.value, tree(node.children))

    ordered = [shown(node) for node in nodes if node.schema.user_ordered]
    return ordered, sorted((shown(node) for node in nodes if not node.schema.user_ordered), key=repr)


def applied(before: list[Node], after: Sequence[Node]) -> list[Node]:
    """``before`` with the differences to ``after`` applied one after the other."""
    root = list(before)
    for one in between(tuple(before), after):
        siblings = siblings_of(root, one.node)
        at = next((place for place, node in enumerate(siblings) if node.ident == one.node.ident), None)
        if one.kind in ("delete", "replace", "move"):
            assert at is not None
            del siblings[at]
        else:
            assert at is None
        if one.kind == "delete":
            continue
        place = len(siblings)
        if one.kind in ("insert", "move"):
            idents = [node.ident for node in siblings]
            first = next((n for n, node in enumerate(siblings) if node.schema is one.node.schema), len(siblings))
            place = first if one.after is None else idents.index(one.after.ident) + 1
        siblings.insert(place, one.node)
    return root


def siblings_of(root: list[Node], node: Node) -> list[Node]:
    path = []
    above = node.parent
    while above is not None:
        path.append(above.ident)
        above = above.parent
    siblings = root
    for ident in reversed(path):
        siblings = next(found for found in siblings if found.ident == ident).children
    return siblings


@settings(max_examples=200, deadline=None)
@given(TOP, TOP)
def test_the_differences_lead_from_one_to_the_other(one: Top, other: Top) -> None:
    shards = Shards(schema())

    def nodes(value: Top) -> list[Node]:
        snapshot = Editor(shards).edit(EMPTY, etree.fromstring(f"<config>{written(value)}</config>"))
        return [node for shard in snapshot.shards() for node in shards.nodes(shard)]

    before, after = nodes(one), nodes(other)
    assert tree(applied(nodes(one), after)) == tree(after)
    assert not list(between(before, nodes(one)))
