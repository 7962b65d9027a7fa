"""get-data and edit-data (RFC 8526) on the datastores of RFC 8342, over the protocol and no back end."""

from __future__ import annotations

import asyncio

import pytest
from lxml import etree

from nesrv.datastore.build import build
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY
from nesrv.rpc.filters import Selection
from nesrv.rpc.origins import Operational
from nesrv.rpc.patterns import compile_subtree
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load
from tests.rpc.client import BASE, Client, session
from tests.serving import Serving

NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
ORIGIN = "urn:ietf:params:xml:ns:yang:ietf-origin"
WD = "urn:ietf:params:xml:ns:netconf:default:1.0"
KINDS, HOUSE = "urn:nesrv:test:kinds", "urn:nesrv:test:defaults"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
PREFIXES = (
    f'xmlns="{NMDA}" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores" xmlns:or="{ORIGIN}" xmlns:k="{KINDS}" '
    f'xmlns:d="{HOUSE}" xmlns:m="{MONITORING}"'
)
ITEMS = (
    f'<top xmlns="{KINDS}"><note>n</note><item><name>a</name><size>1</size>'
    f"<port><id>1</id><label>x</label></port></item>"
    "<item><name>b</name><size>2</size></item></top>"
)
ROOM = f'<house xmlns="{HOUSE}"><room><name>a</name><size>12</size><colour>white</colour></room></house>'
OF_HOUSE = f'<subtree-filter><house xmlns="{HOUSE}"/></subtree-filter>'
OF_TOP = f'<subtree-filter><top xmlns="{KINDS}"/></subtree-filter>'


def get_data(datastore: str, inner: str = "") -> str:
    return f"<get-data {PREFIXES}><datastore>{datastore}</datastore>{inner}</get-data>"


def edit_data(datastore: str, config: str, more: str = "") -> str:
    return f"<edit-data {PREFIXES}><datastore>{datastore}</datastore>{more}<config>{config}</config></edit-data>"


async def read(client: Client, datastore: str, inner: str = "") -> str:
    """What is inside <data>, without the declarations that it has from around it."""
    return "".join(
        etree.tostring(child, method="c14n2").decode() for child in await client.data(get_data(datastore, inner))
    )


def plain(text: str) -> str:
    return etree.tostring(etree.fromstring(text), method="c14n2").decode()


async def fill(client: Client, *configs: str) -> None:
    for config in configs:
        await client.edit(config)
    await client.commit()


# Datastores


def test_every_datastore_is_read(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, ITEMS)
            await client.edit(f'<top xmlns="{KINDS}"><note>m</note></top>')
            running, candidate = plain(ITEMS), plain(ITEMS.replace("<note>n", "<note>m"))
            assert await read(client, "ds:running") == running
            assert await read(client, "ds:intended") == running
            assert await read(client, "ds:candidate") == candidate
            assert await read(client, "ds:running", OF_TOP) == running
            found = await client.data(get_data("ds:operational"))
            assert {f"{{{KINDS}}}top", f"{{{MONITORING}}}netconf-state"} <= {str(child.tag) for child in found}
            assert found.tag == f"{{{NMDA}}}data"

    asyncio.run(check())


def test_what_the_library_lists_can_be_read(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            path = "/yang-library/datastore/name"
            listed = await client.data(f'<get><filter type="xpath" select="{path}"/></get>')
            names = [leaf.text.partition(":")[2] for leaf in listed.iter("{*}name") if leaf.text]
            assert {"running", "candidate", "intended", "operational"} <= set(names)
            for name in names:
                await client.data(get_data(f"ds:{name}", OF_TOP))

    asyncio.run(check())


@pytest.mark.parametrize(
    ("asked", "bad"),
    [
        (get_data("ds:conventional"), "datastore"),
        (get_data("ds:factory"), "datastore"),
        (get_data("running"), "datastore"),
        (get_data("or:intended"), "datastore"),
        (get_data("ds:running", "<with-origin/>"), "with-origin"),
        (get_data("ds:intended", "<origin-filter>or:intended</origin-filter>"), "origin-filter"),
        (get_data("ds:operational", "<origin-filter>or:nowhere</origin-filter>"), "origin-filter"),
        (get_data("ds:running", "<max-depth>0</max-depth>"), "max-depth"),
        (get_data("ds:running", "<max-depth>65536</max-depth>"), "max-depth"),
        (get_data("ds:running", "<config-filter>maybe</config-filter>"), "config-filter"),
        (get_data("ds:running", "<with-defaults>some</with-defaults>"), "with-defaults"),
        (get_data("ds:running", "<xpath-filter>count(/*)</xpath-filter>"), "xpath-filter"),
        (get_data("ds:running", f"{OF_TOP}<xpath-filter>/k:top</xpath-filter>"), "xpath-filter"),
        (
            get_data(
                "ds:operational",
                "<origin-filter>or:system</origin-filter><negated-origin-filter>or:system</negated-origin-filter>",
            ),
            "negated-origin-filter",
        ),
        (edit_data("ds:operational", ITEMS), "datastore"),
        (edit_data("ds:intended", ITEMS), "datastore"),
    ],
)
def test_what_cannot_be_asked(server: Serving, asked: str, bad: str) -> None:
    async def check() -> None:
        async with session(server) as client:
            refusal = await client.refused(asked)
            assert (refusal.type, refusal.tag) == ("protocol", "invalid-value")
            assert ("bad-element", bad) in refusal.info
            assert await client.config("candidate") == ""

    asyncio.run(check())


# Filters


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        pytest.param("<max-depth>1</max-depth>", "<top/>", id="only the top"),
        pytest.param(
            "<max-depth>2</max-depth>",
            "<top><note>n</note><item><name>a</name></item><item><name>b</name></item></top>",
            id="two levels",
        ),
        pytest.param(
            "<xpath-filter>/k:top/k:item[k:name='a']</xpath-filter><max-depth>1</max-depth>",
            "<top><item><name>a</name></item></top>",
            id="levels count from what is selected",
        ),
        pytest.param(
            "<xpath-filter>/k:top/k:item[k:name='a']</xpath-filter><max-depth>2</max-depth>",
            "<top><item><name>a</name><size>1</size><port><id>1</id></port></item></top>",
            id="one more",
        ),
        pytest.param(
            "<subtree-filter><k:top><k:item><k:name>a</k:name><k:port/></k:item></k:top></subtree-filter>"
            "<max-depth>1</max-depth>",
            "<top><item><name>a</name><port><id>1</id></port></item></top>",
            id="subtree",
        ),
        pytest.param("<max-depth>unbounded</max-depth>", ITEMS, id="unbounded"),
        pytest.param("<config-filter>true</config-filter>", ITEMS, id="configuration"),
        pytest.param("<config-filter>false</config-filter>", "", id="state"),
    ],
)
@pytest.mark.parametrize("datastore", ["ds:running", "ds:candidate"])
def test_what_is_left_of_configuration(server: Serving, datastore: str, asked: str, wanted: str) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, ITEMS)
            found = await read(client, datastore, asked)
            shaped = wanted.replace("<top>", f'<top xmlns="{KINDS}">').replace("<top/>", f'<top xmlns="{KINDS}"/>')
            assert found == (plain(shaped) if shaped else "")

    asyncio.run(check())


def test_state_and_configuration_are_told_apart(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, ITEMS)
            only = await client.data(get_data("ds:operational", "<config-filter>true</config-filter>"))
            assert f"{{{KINDS}}}top" in {child.tag for child in only}
            assert f"{{{MONITORING}}}netconf-state" not in {child.tag for child in only}
            state = await client.data(get_data("ds:operational", "<config-filter>false</config-filter>"))
            assert f"{{{MONITORING}}}netconf-state" in {child.tag for child in state}
            assert f"{{{KINDS}}}top" not in {child.tag for child in state}

    asyncio.run(check())


# Defaults and origins


@pytest.mark.parametrize(
    ("mode", "there", "absent"),
    [
        ("", ("<bulbs>2</bulbs>", "<floors>1</floors>", "<colour>white</colour>"), ("default=",)),
        ("report-all", ("<bulbs>2</bulbs>", "<floors>1</floors>"), ("default=",)),
        ("report-all-tagged", ('wd:default="true">2</bulbs>', "<colour>white</colour>"), ("<bulbs>",)),
        ("trim", ("<size>12</size>",), ("bulbs", "floors", "colour")),
        ("explicit", ("<size>12</size>", "<colour>white</colour>"), ("bulbs", "floors", "light", "heating")),
    ],
)
def test_defaults_in_use_are_part_of_operational(
    server: Serving, mode: str, there: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    """RFC 8342 §5.3, and the modes of :with-operational-defaults (RFC 8526 §2.2)."""

    async def check() -> None:
        async with session(server) as client:
            await fill(client, ROOM)
            asked = f"<with-defaults>{mode}</with-defaults>" if mode else ""
            found = await read(client, "ds:operational", OF_HOUSE + asked)
            assert all(text in found for text in there), found
            assert not any(text in found for text in absent), found
            configured = await read(client, "ds:running", OF_HOUSE + asked)
            assert ("bulbs" in configured) is mode.startswith("report-all")

    asyncio.run(check())


def test_operational_defaults_are_announced(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            listed = await client.data('<get><filter type="xpath" select="//capability"/></get>')
            found = [item.text for item in listed.iter("{*}capability") if "defaults:1.0" in (item.text or "")]
            assert found == [
                "urn:ietf:params:netconf:capability:with-defaults:1.0"
                "?basic-mode=explicit&also-supported=report-all,report-all-tagged,trim",
                "urn:ietf:params:netconf:capability:with-operational-defaults:1.0"
                "?basic-mode=report-all&also-supported=report-all-tagged,trim,explicit",
            ]

    asyncio.run(check())


def origins(data: etree._Element) -> dict[str, str]:
    """Local name → origin, inherited where it is not given."""
    found: dict[str, str] = {}
    for element in data.iterdescendants():
        above = [element, *element.iterancestors()]
        said = (one.get(f"{{{ORIGIN}}}origin") for one in above)
        found[etree.QName(element).localname] = next((one for one in said if one), "")
    return found


def test_origins(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, ROOM)
            data = await client.data(get_data("ds:operational", OF_HOUSE + "<with-origin/>"))
            assert data[0].get(f"{{{ORIGIN}}}origin") == "or:intended"
            found = origins(data)
            assert found["size"] == found["colour"] == found["room"] == "or:intended"
            assert found["bulbs"] == found["floors"] == "or:default"
            without = await client.data(get_data("ds:operational", OF_HOUSE))
            assert set(origins(without).values()) == {""}
            wanted = f'<subtree-filter><netconf-state xmlns="{MONITORING}"/></subtree-filter>'
            state = await client.data(get_data("ds:operational", wanted + "<with-origin/>"))
            assert set(origins(state).values()) == {""}

    asyncio.run(check())


@pytest.mark.parametrize(
    ("asked", "there", "absent"),
    [
        ("<origin-filter>or:default</origin-filter>", {"bulbs", "floors"}, {"size", "colour"}),
        ("<origin-filter>or:intended</origin-filter>", {"size", "colour", "netconf-state"}, {"bulbs", "floors"}),
        ("<negated-origin-filter>or:intended</negated-origin-filter>", {"bulbs", "netconf-state"}, {"size"}),
        ("<origin-filter>or:origin</origin-filter>", {"bulbs", "size"}, set()),
        (
            "<origin-filter>or:default</origin-filter><origin-filter>or:intended</origin-filter>",
            {"bulbs", "size"},
            set(),
        ),
        ("<origin-filter>or:learned</origin-filter>", {"netconf-state"}, {"bulbs", "size", "house"}),
    ],
)
def test_filters_by_origin(server: Serving, asked: str, there: set[str], absent: set[str]) -> None:
    async def check() -> None:
        async with session(server) as client:
            await fill(client, ROOM)
            data = await client.data(get_data("ds:operational", asked))
            found = {str(etree.QName(element).localname) for element in data.iterdescendants()}
            assert there <= found
            house = {str(etree.QName(element).localname) for element in data.iterfind(f"{{{HOUSE}}}house//*")} | {
                str(etree.QName(child).localname) for child in data
            }
            assert not absent & house

    asyncio.run(check())


# What is applied: the models that the element translates

MODEL = Shards(load(module_set([], with_model=True)))
OC = "http://openconfig.net/yang/interfaces"
INTERFACE = "/openconfig-interfaces:interfaces/interface"


def interface(config: str, state: dict[str, str] | None, mode: str = "report-all", with_origin: bool = True) -> str:
    running = Editor(MODEL).edit(
        EMPTY,
        etree.fromstring(
            f'<config><interfaces xmlns="{OC}"><interface><name>e</name><config><name>e</name>{config}</config>'
            "</interface></interfaces></config>"
        ),
    )
    point = MODEL.schema.node(INTERFACE)
    told = (
        {}
        if state is None
        else {f"{INTERFACE}[name='e']": [build(point, {"name": "e", "state": {"name": "e"} | state})]}
    )
    view = Operational(MODEL, running, told, mode, with_origin)
    wanted = etree.fromstring(f'<filter><interfaces xmlns="{OC}"/></filter>')
    return b"".join(Selection(MODEL, view).subtree(compile_subtree(wanted))).decode()


def test_what_is_not_applied_is_not_in_operational() -> None:
    assert interface("<mtu>1400</mtu>", None) == ""
    assert "mtu" not in interface("<mtu>1400</mtu>", {})


@pytest.mark.parametrize(
    ("config", "state", "wanted"),
    [
        ("<mtu>1400</mtu>", {"mtu": "1400"}, "<config><name>e</name><mtu>1400</mtu></config>"),
        ("<mtu>1400</mtu>", {"mtu": "1500"}, "<mtu{system}>1500</mtu>"),
        ("", {"mtu": "1500"}, "<mtu{system}>1500</mtu>"),
        ("", {"enabled": "true"}, "<enabled{default}>true</enabled>"),
        ("<enabled>true</enabled>", {"enabled": "true"}, "<enabled>true</enabled></config>"),
        ("<enabled>true</enabled>", {"enabled": "false"}, "<enabled{system}>false</enabled>"),
    ],
)
def test_configuration_in_use_is_what_state_tells(config: str, state: dict[str, str], wanted: str) -> None:
    found = interface(config, state)
    marks = {name: f' xmlns:or="{ORIGIN}" or:origin="or:{name}"' for name in ("system", "default")}
    assert wanted.format(**marks) in found
    assert "<state><name>e</name>" in found


# edit-data, and datastores as identities


def test_edit_data_edits(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await client.ok(edit_data("ds:candidate", ITEMS))
            assert await read(client, "ds:candidate") == plain(ITEMS)
            missing = f'<top xmlns="{KINDS}"><item><name>z</name><size>1</size></item></top>'
            none = "<default-operation>none</default-operation>"
            assert (await client.refused(edit_data("ds:candidate", missing, none))).tag == "data-missing"
            gone = f'<top xmlns="{KINDS}"><item xmlns:nc="{BASE}" nc:operation="delete"><name>a</name></item></top>'
            await client.ok(edit_data("ds:candidate", gone))
            assert "<name>a" not in await read(client, "ds:candidate")
            replaced = f'<top xmlns="{KINDS}"><note>only</note></top>'
            await client.ok(edit_data("ds:candidate", replaced, "<default-operation>replace</default-operation>"))
            assert await read(client, "ds:candidate") == plain(replaced)
            assert await read(client, "ds:running") == ""

    asyncio.run(check())


def test_prefixes_in_values_may_be_declared_around_the_operation(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            item = f'<top xmlns="{KINDS}"><item><name>a</name><kind>k:round</kind></item></top>'
            await client.ok(edit_data("ds:candidate", item))
            assert ":round</kind>" in await read(client, "ds:candidate")

    asyncio.run(check())


def test_edit_data_minds_locks(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as one, session(server) as other:
            await one.ok("<lock><target><candidate/></target></lock>")
            assert (await other.refused(edit_data("ds:candidate", ITEMS))).tag in ("in-use", "lock-denied")
            assert await other.config("candidate") == ""

    asyncio.run(check())


def test_an_edit_needs_its_content(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            bare = f"<edit-data {PREFIXES}><datastore>ds:candidate</datastore></edit-data>"
            assert (await client.refused(bare)).info == (("bad-element", "config"),)
            bare = f"<get-data {PREFIXES}/>"
            refusal = await client.refused(bare)
            assert (refusal.tag, refusal.info) == ("missing-element", (("bad-element", "datastore"),))

    asyncio.run(check())


def test_lock_unlock_and_validate_take_identities(server: Serving) -> None:
    def named(operation: str, holder: str, datastore: str) -> str:
        return f"<{operation}><{holder}><datastore {PREFIXES}>{datastore}</datastore></{holder}></{operation}>"

    async def check() -> None:
        async with session(server) as client, session(server) as other:
            await client.ok(named("lock", "target", "ds:candidate"))
            assert (await other.refused("<lock><target><candidate/></target></lock>")).tag == "lock-denied"
            await client.ok(named("unlock", "target", "ds:candidate"))
            await client.ok(named("validate", "source", "ds:candidate"))
            for operation, holder in (("lock", "target"), ("unlock", "target"), ("validate", "source")):
                refusal = await client.refused(named(operation, holder, "ds:operational"))
                assert (refusal.type, refusal.tag) == ("protocol", "invalid-value")
            wrong = f"<get-config><source><datastore {PREFIXES}>ds:running</datastore></source></get-config>"
            assert (await client.refused(wrong)).tag == "unknown-namespace"

    asyncio.run(check())
