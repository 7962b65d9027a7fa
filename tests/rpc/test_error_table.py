"""Every error-tag of RFC 6241, appendix A: a request that brings it about, and what the reply says with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from lxml import etree

from nesrv import errors
from tests.docs.conformance import exists
from tests.rpc.client import NC, Refusal, edit, session
from tests.rpc.failing import failing
from tests.rpc.raw import raw
from tests.serving import Serving

KINDS = "urn:nesrv:test:kinds"
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
LOCK = "<lock><target><candidate/></target></lock>"

APPENDIX_A = {
    "in-use",
    "invalid-value",
    "too-big",
    "missing-attribute",
    "bad-attribute",
    "unknown-attribute",
    "missing-element",
    "bad-element",
    "unknown-element",
    "unknown-namespace",
    "access-denied",
    "lock-denied",
    "resource-denied",
    "rollback-failed",
    "data-exists",
    "data-missing",
    "operation-not-supported",
    "operation-failed",
    "malformed-message",
}
"""partial-operation is obsolete, and not to be sent."""

ELSEWHERE = {"access-denied": "tests/rpc/test_nacm.py::test_others_read_and_may_not_write"}
"""Tags held by a test that has more to say of them."""


@dataclass(frozen=True)
class Case:
    """``request`` comes after ``before`` of the same session and ``other`` of another one, whose number is
    ``{other}`` in ``info``."""

    request: str
    type: str = "application"
    path: str = ""
    app_tag: str = ""
    info: tuple[tuple[str, str], ...] = ()
    before: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


def top(inner: str) -> str:
    return f'<top xmlns="{KINDS}" xmlns:nc="{BASE}" xmlns:y="urn:ietf:params:xml:ns:yang:1">{inner}</top>'


def attribute(name: str, element: str) -> tuple[tuple[str, str], ...]:
    return (("bad-attribute", name), ("bad-element", element))


def element(name: str) -> tuple[tuple[str, str], ...]:
    return (("bad-element", name),)


ITEM = top("<item><name>a</name></item>")
MANY = top("".join(f"<item><name>n{number}</name><size>{number % 7}</size></item>" for number in range(1_200)))

CASES = {
    "in-use": Case(edit(ITEM), "protocol", other=(LOCK,)),
    "invalid-value": Case(
        edit(top("<item><name>a</name><size>big</size></item>")), path="/k:top/k:item[k:name='a']/k:size"
    ),
    "missing-attribute": Case(
        edit(top('<order y:insert="before">x</order>')),
        path="/k:top/k:order[.='x']",
        info=attribute("value", "order"),
    ),
    "bad-attribute": Case(
        edit(top('<note nc:operation="burn">x</note>')), path="/k:top/k:note", info=attribute("operation", "note")
    ),
    "unknown-attribute": Case(
        edit(top('<note size="1">x</note>')), path="/k:top/k:note", info=attribute("size", "note")
    ),
    "missing-element": Case(edit(top("<item/>")), path="/k:top/k:item/k:name", info=element("name")),
    "bad-element": Case(
        edit(top("<item><name>a</name></item>" * 2)), path="/k:top/k:item[k:name='a']", info=element("item")
    ),
    "unknown-element": Case(edit(top("<zz/>")), path="/k:top", info=element("zz")),
    "unknown-namespace": Case(edit('<a xmlns="urn:no"/>'), info=(*element("a"), ("bad-namespace", "urn:no"))),
    "lock-denied": Case(LOCK, "protocol", info=(("session-id", "{other}"),), other=(LOCK,)),
    "resource-denied": Case(
        '<get-config><source><candidate/></source><filter type="xpath" select="//*[//*[//*]]"/></get-config>',
        "protocol",
        app_tag="too-complex",
        before=(edit(MANY),),
    ),
    "data-exists": Case(
        edit(top('<item nc:operation="create"><name>a</name></item>')),
        path="/k:top/k:item[k:name='a']",
        before=(edit(ITEM),),
    ),
    "data-missing": Case(
        edit(top('<item nc:operation="delete"><name>a</name></item>')), path="/k:top/k:item[k:name='a']"
    ),
    "operation-not-supported": Case("<fly/>", "protocol"),
    "operation-failed": Case("<unlock><target><running/></target></unlock>", "protocol"),
}

FRAMED = {
    "malformed-message": (b"\n#5\n<rpc>\n##\n", "rpc"),
    "too-big": (b"\n#4294967295\n", "transport"),
}
"""Tags that are brought about by bytes in chunked framing, with the error-type."""


def test_every_tag_of_appendix_a() -> None:
    known = {kind.tag for kind in errors.RpcError.__subclasses__()}
    assert known == APPENDIX_A
    assert known - {*CASES, *FRAMED, *ELSEWHERE, "rollback-failed"} == set(), "tags that no request brings about"
    assert [name for name in ELSEWHERE.values() if not exists(name)] == []


@pytest.mark.parametrize("tag", CASES)
def test_a_request_brings_it_about(server: Serving, tag: str) -> None:
    case = CASES[tag]

    async def run() -> None:
        async with session(server) as client, session(server) as other:
            for operation in case.before:
                await client.ok(operation)
            for operation in case.other:
                await other.ok(operation)
            refusal = await client.refused(case.request)
            assert refusal.message.strip() and refusal.severity == "error"
            info = tuple((name, text.format(other=other.number)) for name, text in case.info)
            expected = Refusal(case.type, tag, "error", case.path, case.app_tag, refusal.message, info)
            assert refusal == expected

    asyncio.run(run())


@pytest.mark.parametrize("tag", FRAMED)
def test_bytes_bring_it_about(server: Serving, tag: str) -> None:
    sent, kind = FRAMED[tag]

    async def run() -> None:
        async with raw(server) as client:
            client.write(sent)
            reply = await client.reply()
            assert reply.tag == f"{NC}rpc-reply" and reply.get("message-id") is None
            found = {etree.QName(child).localname: child.text for child in reply[0]}
            assert (found["error-tag"], found["error-type"], found["error-severity"]) == (tag, kind, "error")
            assert found["error-message"]

    asyncio.run(run())


def test_rollback_failed() -> None:
    """A commit fails half-way, and so does every attempt to take it back."""
    user = "<username>ann</username><config><username>ann</username><role>builders</role></config>"
    system = f'<system xmlns="http://openconfig.net/yang/system"><aaa><authentication><users><user>{user}</user>'
    config = f"{system}</users></authentication></aaa></system>"

    async def run() -> None:
        with failing(1000) as server:
            async with session(server) as client:
                await client.edit(config)
                refusal = await client.refused("<commit/>")
                assert (refusal.type, refusal.tag, refusal.severity) == ("application", "rollback-failed", "error")
                assert refusal.path.endswith("user[oc-sys:username='ann']")
                assert "could not be undone" in refusal.message
                assert await client.config() == ""

    asyncio.run(run())
