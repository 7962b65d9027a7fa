"""compare (RFC 9144): what differs between two datastores, as the patch that makes the one the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lxml import etree

from tests.rpc.client import Client, session
from tests.serving import Serving

COMPARE = "urn:ietf:params:xml:ns:yang:ietf-nmda-compare"
ORIGIN = "urn:ietf:params:xml:ns:yang:ietf-origin"
KINDS, HOUSE = "urn:nesrv:test:kinds", "urn:nesrv:test:defaults"
ITEMS = (
    f'<top xmlns="{KINDS}"><note>n</note><item><name>a</name><size>1</size></item>'
    "<item><name>b</name><size>2</size></item></top>"
)
CHANGES = (
    f'<top xmlns="{KINDS}" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><note>m</note>'
    '<item nc:operation="delete"><name>a</name></item><item><name>c</name><size>3</size></item></top>'
)
Edit = tuple[str, str, str, str]


def compare(source: str, target: str, inner: str = "") -> str:
    return (
        f'<compare xmlns="{COMPARE}" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">'
        f"<source>ds:{source}</source><target>ds:{target}</target>{inner}</compare>"
    )


def of(name: str, namespace: str) -> str:
    return f'<subtree-filter><{name} xmlns="{namespace}"/></subtree-filter>'


async def edits(client: Client, request: str) -> list[Edit]:
    """(operation, target, value, source-value); a value as the texts in it."""
    reply = await client.rpc(request)
    found = reply.findall(f"{{{COMPARE}}}differences/{{{COMPARE}}}yang-patch/{{{COMPARE}}}edit")
    assert found or reply.find(f"{{{COMPARE}}}no-matches") is not None, etree.tostring(reply)
    return [_edit(one) for one in found]


def _edit(edit: Any) -> Edit:
    operation, target = (edit.findtext(f"{{{COMPARE}}}{name}") or "" for name in ("operation", "target"))
    value, source = (
        " ".join(text for value in edit.iterfind(f"{{{COMPARE}}}{name}/*") for text in value.itertext())
        for name in ("value", "source-value")
    )
    return operation, target, value, source


async def fill(client: Client, config: str) -> None:
    await client.edit(config)
    await client.commit()


def test_what_is_alike_has_no_matches(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, ITEMS)
            for source, target in (("running", "candidate"), ("running", "intended"), ("candidate", "candidate")):
                assert await edits(client, compare(source, target)) == []

    asyncio.run(check())


def test_the_patch_makes_the_source_the_target(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, ITEMS)
            await client.edit(CHANGES)
            there = await edits(client, compare("running", "candidate", of("top", KINDS)))
            assert sorted(there) == [
                ("create", "/kinds:top/item=c", "c 3", ""),
                ("delete", "/kinds:top/item=a", "", "a 1"),
                ("replace", "/kinds:top/note", "m", "n"),
            ]
            back = await edits(client, compare("candidate", "running"))
            assert sorted(back) == [
                ("create", "/kinds:top/item=a", "a 1", ""),
                ("delete", "/kinds:top/item=c", "", "c 3"),
                ("replace", "/kinds:top/note", "n", "m"),
            ]

    asyncio.run(check())


@pytest.mark.parametrize(
    "chosen",
    [
        f'<subtree-filter><top xmlns="{KINDS}"><note/></top></subtree-filter>',
        f'<xpath-filter xmlns:k="{KINDS}">/k:top/k:note</xpath-filter>',
    ],
)
def test_only_what_is_chosen_is_compared(server: Serving, chosen: str) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, ITEMS)
            await client.edit(CHANGES)
            found = await edits(client, compare("running", "candidate", chosen))
            assert found == [("replace", "/kinds:top/note", "m", "n")]

    asyncio.run(check())


def test_what_only_operational_can_have_is_left_out_unless_all_is_asked_for(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, f'<house xmlns="{HOUSE}"><room><name>a</name><size>12</size></room></house>')
            house = of("house", HOUSE)
            # What is there by default is there in both.
            assert await edits(client, compare("intended", "operational", house)) == []
            state = of("netconf-state", "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring")
            assert await edits(client, compare("intended", "operational", state)) == []
            found = await edits(client, compare("intended", "operational", state + "<all/>"))
            assert {operation for operation, *_ in found} == {"create"}

    asyncio.run(check())


def test_origins_are_reported_where_asked_for(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, f'<house xmlns="{HOUSE}"><room><name>a</name><size>12</size></room></house>')
            await client.edit(f'<house xmlns="{HOUSE}"><room><name>a</name><size>13</size></room></house>')
            request = compare("candidate", "operational", of("house", HOUSE) + "{}")
            for asked, marked in (("", 0), ("<report-origin/>", 1)):
                reply = await client.rpc(compare("running", "operational", of("house", HOUSE) + asked))
                assert reply.find(f"{{{COMPARE}}}no-matches") is not None
                reply = await client.rpc(request.format(asked))
                values = reply.findall(f".//{{{COMPARE}}}value//*[@{{{ORIGIN}}}origin]")
                assert len(values) == marked, etree.tostring(reply)

    asyncio.run(check())


@pytest.mark.parametrize(
    ("request_", "element"),
    [
        (compare("running", "factory-default"), "target"),
        (compare("startup", "running"), "source"),
        (compare("running", "running").replace("ds:running", "running", 1), "source"),
        (compare("running", "candidate", of("top", KINDS) + "<xpath-filter>/x</xpath-filter>"), "xpath-filter"),
    ],
)
def test_what_cannot_be_compared(server: Serving, request_: str, element: str) -> None:
    async def check() -> None:
        async with session(server) as client:
            refusal = await client.refused(request_)
            assert (refusal.tag, refusal.info) == ("invalid-value", (("bad-element", element),))

    asyncio.run(check())
