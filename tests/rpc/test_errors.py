"""Every error-tag of RFC 6241, appendix A, that a request can bring about here."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rpc.client import Refusal, edit, session
from tests.rpc.conftest import MODULES
from tests.rpc.failing import failing
from tests.serving import Serving

KINDS = "urn:nesrv:test:kinds"
NC = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'
MONITORING = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"'
GET = "<get-config><source>{}</source></get-config>"
READ = "<get-config><source><running/></source>{}</get-config>"


def top(inner: str, attributes: str = "") -> str:
    return f'<top xmlns="{KINDS}" {NC} {attributes}>{inner}</top>'


def box(inner: str) -> str:
    return f'<box xmlns="urn:nesrv:test:values"><thing><id>1</id>{inner}</thing></box>'


@dataclass(frozen=True)
class Case:
    """What a request is answered with; ``path`` and ``app_tag`` empty: the reply has none."""

    request: str
    tag: str
    type: str = "protocol"
    path: str = ""
    app_tag: str = ""
    info: tuple[tuple[str, str], ...] = ()


def bad(element: str) -> tuple[tuple[str, str], ...]:
    return (("bad-element", element),)


CASES = {
    # Operations and their parameters
    "unknown operation": Case("<fly/>", "operation-not-supported"),
    "operation of another namespace": Case(
        '<get xmlns="urn:no"/>', "unknown-namespace", info=(("bad-element", "get"), ("bad-namespace", "urn:no"))
    ),
    "get-config without source": Case("<get-config/>", "missing-element", info=bad("source")),
    "get-config with an empty source": Case(GET.format(""), "missing-element", info=bad("source")),
    "get-config of two": Case(GET.format("<running/><candidate/>"), "missing-element", info=bad("source")),
    "get-config of startup": Case(GET.format("<startup/>"), "invalid-value", info=bad("startup")),
    "get-config of another namespace": Case(
        GET.format('<running xmlns="urn:no"/>'),
        "unknown-namespace",
        info=(("bad-element", "running"), ("bad-namespace", "urn:no")),
    ),
    "unknown parameter": Case(READ.format("<speed/>"), "unknown-element", info=bad("speed")),
    "parameter twice": Case(READ.format("<filter/><filter/>"), "unknown-element", info=bad("filter")),
    "parameter of another namespace": Case(
        READ.format('<filter xmlns="urn:no"/>'),
        "unknown-namespace",
        info=(("bad-element", "filter"), ("bad-namespace", "urn:no")),
    ),
    "edit-config without target": Case("<edit-config><config/></edit-config>", "missing-element", info=bad("target")),
    "edit-config without config": Case(
        "<edit-config><target><candidate/></target></edit-config>", "missing-element", info=bad("config")
    ),
    "edit-config of running": Case(
        "<edit-config><target><running/></target><config/></edit-config>", "operation-not-supported"
    ),
    "edit-config with a URL": Case(
        "<edit-config><target><candidate/></target><url>ftp://h/f</url></edit-config>",
        "unknown-element",
        info=bad("url"),
    ),
    "default-operation": Case(
        edit("", "<default-operation>delete</default-operation>"), "invalid-value", info=bad("default-operation")
    ),
    "test-option": Case(edit("", "<test-option>maybe</test-option>"), "invalid-value", info=bad("test-option")),
    "error-option": Case(edit("", "<error-option>ignore</error-option>"), "invalid-value", info=bad("error-option")),
    "copy-config to running": Case(
        "<copy-config><target><running/></target><source><candidate/></source></copy-config>",
        "operation-not-supported",
    ),
    "copy-config onto itself": Case(
        "<copy-config><target><candidate/></target><source><candidate/></source></copy-config>", "invalid-value"
    ),
    "copy-config without source": Case(
        "<copy-config><target><candidate/></target></copy-config>", "missing-element", info=bad("source")
    ),
    "delete-config of running": Case(
        "<delete-config><target><running/></target></delete-config>", "operation-not-supported"
    ),
    "validate without source": Case("<validate/>", "missing-element", info=bad("source")),
    "lock without target": Case("<lock/>", "missing-element", info=bad("target")),
    "unlock of what is not locked": Case("<unlock><target><running/></target></unlock>", "operation-failed"),
    "kill-session without number": Case("<kill-session/>", "missing-element", info=bad("session-id")),
    "commit with more": Case("<commit><confirm/></commit>", "unknown-element", info=bad("confirm")),
    "commit with a token of nothing": Case(
        "<commit><persist-id>x</persist-id></commit>", "invalid-value", info=bad("persist-id")
    ),
    "cancel-commit of nothing": Case("<cancel-commit/>", "operation-failed"),
    # Filters
    "filter type": Case(
        READ.format('<filter type="regex"/>'),
        "bad-attribute",
        info=(("bad-attribute", "type"), ("bad-element", "filter")),
    ),
    "xpath without select": Case(
        READ.format('<filter type="xpath"/>'),
        "missing-attribute",
        info=(("bad-attribute", "select"), ("bad-element", "filter")),
    ),
    "xpath syntax": Case(READ.format('<filter type="xpath" select="/["/>'), "invalid-value", info=bad("filter")),
    "xpath prefix": Case(READ.format('<filter type="xpath" select="/zz:a"/>'), "invalid-value", info=bad("filter")),
    "xpath without nodes": Case(
        READ.format('<filter type="xpath" select="1"/>'), "invalid-value", app_tag="not-a-node-set", info=bad("filter")
    ),
    # Schemas
    "get-schema without identifier": Case(
        f"<get-schema {MONITORING}/>", "missing-element", info=bad("identifier")
    ),
    "get-schema of no module": Case(
        f"<get-schema {MONITORING}><identifier>zz</identifier></get-schema>",
        "invalid-value",
        "application",
        app_tag="data-missing",
        info=bad("identifier"),
    ),
    "get-schema of another revision": Case(
        f"<get-schema {MONITORING}><identifier>kinds</identifier><version>1999-01-01</version></get-schema>",
        "invalid-value",
        "application",
        app_tag="data-missing",
        info=bad("identifier"),
    ),
    "get-schema in another format": Case(
        f"<get-schema {MONITORING}><identifier>kinds</identifier><format>xsd</format></get-schema>",
        "invalid-value",
        "application",
        app_tag="data-missing",
        info=bad("identifier"),
    ),
    # Data
    "unknown node": Case(edit(top("<zz/>")), "unknown-element", "application", "/k:top", info=bad("zz")),
    "unknown namespace": Case(
        edit('<a xmlns="urn:no"/>'),
        "unknown-namespace",
        "application",
        info=(("bad-element", "a"), ("bad-namespace", "urn:no")),
    ),
    "unknown attribute": Case(
        edit(top('<note size="1">x</note>')),
        "unknown-attribute",
        "application",
        "/k:top/k:note",
        info=(("bad-attribute", "size"), ("bad-element", "note")),
    ),
    "unknown edit operation": Case(
        edit(top('<note nc:operation="burn">x</note>')),
        "bad-attribute",
        "application",
        "/k:top/k:note",
        info=(("bad-attribute", "operation"), ("bad-element", "note")),
    ),
    "insert without anchor": Case(
        edit(top('<order xmlns:y="urn:ietf:params:xml:ns:yang:1" y:insert="after">x</order>')),
        "missing-attribute",
        "application",
        "/k:top/k:order[.='x']",
        info=(("bad-attribute", "value"), ("bad-element", "order")),
    ),
    "insert at no anchor": Case(
        edit(top('<order xmlns:y="urn:ietf:params:xml:ns:yang:1" y:insert="after" y:value="q">x</order>')),
        "bad-attribute",
        "application",
        "/k:top/k:order[.='x']",
        "missing-instance",
        (("bad-attribute", "value"), ("bad-element", "order")),
    ),
    "missing key": Case(
        edit(top("<item/>")), "missing-element", "application", "/k:top/k:item/k:name", info=bad("name")
    ),
    "same entry twice": Case(
        edit(top("<item><name>a</name></item><item><name>a</name></item>")),
        "bad-element",
        "application",
        "/k:top/k:item[k:name='a']",
        info=bad("item"),
    ),
    "bad value": Case(
        edit(top("<item><name>a</name><size>big</size></item>")),
        "invalid-value",
        "application",
        "/k:top/k:item[k:name='a']/k:size",
    ),
    "value out of range": Case(
        edit(top("<limit>0</limit>")), "invalid-value", "application", "/k:top/k:limit", "limit-range"
    ),
    "delete of nothing": Case(
        edit(top('<item nc:operation="delete"><name>z</name></item>')),
        "data-missing",
        "application",
        "/k:top/k:item[k:name='z']",
    ),
    "none on nothing": Case(
        edit(top("<note>z</note>"), "<default-operation>none</default-operation>"),
        "data-missing",
        "application",
        "/k:top/k:note",
    ),
}  # fmt: skip


def hold(refusal: Refusal, case: Case) -> None:
    assert refusal.severity == "error"
    assert refusal.message.strip()
    got = Case(case.request, refusal.tag, refusal.type, refusal.path, refusal.app_tag, refusal.info)
    assert got == case


@pytest.mark.parametrize("name", CASES)
def test_a_request_is_refused(server: Serving, name: str) -> None:
    async def run() -> None:
        async with session(server) as client:
            hold(await client.refused(CASES[name].request), CASES[name])
            assert await client.config("candidate") == "", "a refused request changed the candidate"

    asyncio.run(run())


# What only validation of the whole can say: (edit, what validate and commit answer)
INVALID = {
    "leafref": Case(top("<chosen>z</chosen>"), "data-missing", "application", "/k:top/k:chosen", "instance-required"),
    "leafref in an entry": Case(
        top("<item><name>a</name><friend>z</friend></item>"),
        "data-missing",
        "application",
        "/k:top/k:item[k:name='a']/k:friend",
        "instance-required",
    ),
    "mandatory leaf": Case(
        box("<inner/>"), "data-missing", "application", "/v:box/v:thing[v:id='1.0']/v:inner/v:x"
    ),
    "mandatory choice": Case(
        box("<inner><x>1</x></inner>"),
        "data-missing",
        "application",
        "/v:box/v:thing[v:id='1.0']/v:inner",
        "missing-choice",
        (("missing-choice", "way"),),
    ),
    "instance-identifier": Case(
        box('<sure xmlns:k="urn:nesrv:test:kinds">/k:top/k:note</sure>'),
        "data-missing",
        "application",
        "/v:box/v:thing[v:id='1.0']/v:sure",
        "instance-required",
    ),
    "must": Case(
        top("<item><name>a</name><part><id>p</id><weight>250</weight></part></item>"),
        "operation-failed",
        "application",
        "/k:top/k:item[k:name='a']/k:part[k:id='p']",
        "too-heavy",
    ),
    "when": Case(
        f'<solo xmlns="{KINDS}"><b>x</b></solo>', "unknown-element", "application", "/k:solo/k:b", info=bad("b")
    ),
    "unique": Case(
        top("<item><name>a</name><port><id>1</id><label>l</label></port><port><id>2</id><label>l</label></port></item>"),
        "operation-failed",
        "application",
        "/k:top/k:item[k:name='a']/k:port[k:id='2']",
        "data-not-unique",
        (
            ("non-unique", "/k:top/k:item[k:name='a']/k:port[k:id='1']"),
            ("non-unique", "/k:top/k:item[k:name='a']/k:port[k:id='2']"),
        ),
    ),
    "too many": Case(
        '<outer xmlns="urn:nesrv:test:strict">' + "".join(f"<job><id>{n}</id></job>" for n in range(5)) + "</outer>",
        "operation-failed",
        "application",
        "/s:outer/s:job[s:id='4']",
        "too-many-elements",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INVALID)
def test_a_configuration_is_refused(server: Serving, name: str) -> None:
    case = INVALID[name]
    inline = f"<validate><source><config>{case.request}</config></source></validate>"

    async def run() -> None:
        async with session(server) as client:
            hold(await client.refused(inline), case)
            hold(await client.refused(edit(case.request, "<test-option>test-then-set</test-option>")), case)
            assert await client.config("candidate") == ""
            await client.edit(case.request)
            written = await client.config("candidate")
            hold(await client.refused("<validate><source><candidate/></source></validate>"), case)
            hold(await client.refused("<commit/>"), case)
            assert await client.config("candidate") == written, "a failed commit changed the candidate"
            assert await client.config() == ""
            await client.ok("<discard-changes/>")

    asyncio.run(run())


def test_too_many_messages_do_not_end_a_session(server: Serving) -> None:
    """A request after each refused one is still answered, in order."""

    async def run() -> None:
        async with session(server) as client:
            for case in CASES.values():
                client.ask(case.request)
            for case in CASES.values():
                reply = await client.receive()
                assert reply.findtext(".//{*}error-tag") == case.tag
            assert await client.config() == ""

    asyncio.run(run())


def test_a_failure_inside_the_server_shows_no_traceback(tmp_path: Path) -> None:
    """The text of a module is gone from the disk; a step of a commit ends in an exception: one sentence each."""
    modules = tmp_path / "yang"
    shutil.copytree(MODULES, modules)
    user = "<username>ann</username><config><username>ann</username><role>builders</role></config>"
    users = f"<aaa><authentication><users><user>{user}</user></users></authentication></aaa>"

    async def fails(server: Serving, request: str, before: str = "") -> Refusal:
        async with session(server) as client:
            if before:
                await client.edit(before)
            refusal = await client.refused(request)
            assert (refusal.type, refusal.tag) == ("application", "operation-failed")
            for trace in ("Traceback", "Error", ".py", "line ", "\n", str(tmp_path)):
                assert trace not in refusal.message
            assert "log" in refusal.message
            assert await client.config() == "", "the session goes on, and nothing has changed"
            return refusal

    async def run() -> None:
        with Serving(yang=[modules]) as server:
            (modules / "kinds.yang").unlink()
            await fails(server, f"<get-schema {MONITORING}><identifier>kinds</identifier></get-schema>")
            assert "FileNotFoundError" in server.log()
        with failing(1) as server:
            system = f'<system xmlns="http://openconfig.net/yang/system">{users}</system>'
            refusal = await fails(server, "<commit/>", system)
            assert refusal.app_tag == "users-failed"
            assert refusal.path.endswith("user[oc-sys:username='ann']")
            assert "RuntimeError: a defect" in server.log()

    asyncio.run(run())
