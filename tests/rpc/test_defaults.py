"""With-defaults (RFC 6243): what is there by default, in each mode of reading it and of writing it back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nesrv.datastore.build import build
from nesrv.datastore.defaults import MODES, copied
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.rpc.filters import Selection
from nesrv.rpc.patterns import compile_subtree
from nesrv.rpc.views import Configuration, Overlaid
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load
from tests.rpc.client import BASE, edit, session
from tests.serving import Serving

DATA = Path(__file__).parents[1] / "data"
SHARDS = Shards(load(module_set([DATA / "yang", DATA / "defaults"], with_model=False)))
EDITOR = Editor(SHARDS)
ME, STRICT = "urn:nesrv:test:defaults", "urn:nesrv:test:strict"
WD = "urn:ietf:params:xml:ns:netconf:default:1.0"
ASK = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults"'
TAG = f' xmlns:wd="{WD}" wd:default="true"'


def snapshot(text: str) -> Snapshot:
    return EDITOR.edit(EMPTY, etree.fromstring(f"<config>{text}</config>"))


def box(inner: str) -> str:
    return f'<house xmlns="{ME}">{inner}</house>'


def shown(data: Snapshot, mode: str, filtering: str | None = f'<house xmlns="{ME}"/>') -> str:
    selection = Selection(SHARDS, Configuration(SHARDS, data, mode))
    if filtering is None:
        return b"".join(selection.everything()).decode()
    return b"".join(selection.subtree(compile_subtree(etree.fromstring(f"<filter>{filtering}</filter>")))).decode()


ROOM = "<room><name>a</name><size>10</size><colour>white</colour></room>"
SET = snapshot(box(ROOM))


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("explicit", box(ROOM)),
        (
            "report-all",
            box(
                "<floors>1</floors><sign>house</sign><sign>home</sign><heating><on>false</on></heating>"
                "<room><name>a</name><size>10</size><colour>white</colour><light><bulbs>2</bulbs></light></room>"
            ),
        ),
        (
            "report-all-tagged",
            box(
                f"<floors{TAG}>1</floors><sign{TAG}>house</sign><sign{TAG}>home</sign><heating><on{TAG}>false</on></heating>"
                f"<room><name>a</name><size>10</size><colour>white</colour><light><bulbs{TAG}>2</bulbs></light></room>"
            ),
        ),
        ("trim", box("<room><name>a</name></room>")),
    ],
)
def test_modes(mode: str, wanted: str) -> None:
    """``size`` and ``colour`` were set to their defaults, which makes them no less set."""
    assert shown(SET, mode) == wanted


@pytest.mark.parametrize(
    ("inner", "there", "absent"),
    [
        pytest.param("", ("<floors>1",), ("<tiles>", "<depth>"), id="presence"),
        pytest.param("<pool/>", ("<pool><depth>2</depth></pool>",), (), id="a presence container that is there"),
        pytest.param("", ("<on>false",), ("<gas>",), id="case by default"),
        pytest.param("<heating><fuel>oil</fuel></heating>", ("<stock>5",), ("<on>",), id="another case"),
        pytest.param("", (), ("<alarm>",), id="when is false"),
        pytest.param("<floors>3</floors>", ("<alarm>quiet",), (), id="when is true"),
        pytest.param("", ("<sign>house</sign><sign>home</sign>",), (), id="leaf-list"),
        pytest.param("<sign>hut</sign>", ("<sign>hut</sign>",), ("<sign>house",), id="a leaf-list that is set"),
    ],
)
def test_defaults_are_in_use_where_their_parent_is(inner: str, there: tuple[str, ...], absent: tuple[str, ...]) -> None:
    """RFC 7950, sections 7.6.1, 7.7.2, 7.9.3 and 7.21.5."""
    found = shown(snapshot(box(inner)) if inner else EMPTY, "report-all", None)
    assert all(text in found for text in there), found
    assert not any(text in found for text in absent), found


def test_when_may_look_at_other_entries() -> None:
    rooms = "<shed><name>one</name></shed><shed><name>two</name></shed>"
    assert shown(snapshot(box(rooms)), "report-all").count("<lock>open</lock>") == 1
    assert shown(snapshot(box("<shed><name>two</name></shed>")), "report-all").count("<lock>") == 0


def test_a_leaf_list_is_trimmed_as_a_whole() -> None:
    assert "<sign>house</sign>" in shown(snapshot(box("<sign>house</sign>")), "trim")
    assert shown(snapshot(box("<sign>house</sign><sign>home</sign>")), "trim") == ""


@pytest.mark.parametrize(
    ("mode", "found"), [("explicit", ""), ("trim", ""), ("report-all", "<bulbs>2</bulbs>"), ("report-all-tagged", TAG)]
)
def test_a_filter_chooses_among_what_the_mode_shows(mode: str, found: str) -> None:
    match = box("<room><name/><light><bulbs>2</bulbs></light></room>")
    assert (
        (found in shown(SET, mode, match)) if found else shown(SET, mode, match) == box("<room><name>a</name></room>")
    )
    by_path = b"".join(
        Selection(SHARDS, Configuration(SHARDS, SET, mode)).xpath("//d:room[d:light/d:bulbs = 2]/d:light", {"d": ME})
    ).decode()
    assert (found in by_path) if found else by_path == ""


values = st.fixed_dictionaries(
    {},
    optional={
        "size": st.integers(9, 11),
        "colour": st.sampled_from(["white", "red"]),
        "light": st.just("<bulbs>2</bulbs>"),
    },
)
houses = st.tuples(
    st.dictionaries(st.sampled_from("abc"), values, max_size=3),
    st.sampled_from(["", "<floors>1</floors>", "<floors>4</floors>", "<pool/>", "<sign>house</sign><sign>home</sign>"]),
)


def built(house: tuple[dict[str, dict[str, object]], str]) -> Snapshot:
    rooms, more = house
    inner = more + "".join(
        f"<room><name>{name}</name>{''.join(f'<{leaf}>{value}</{leaf}>' for leaf, value in leaves.items())}</room>"
        for name, leaves in rooms.items()
    )
    return snapshot(box(inner)) if inner else EMPTY


@settings(max_examples=100, deadline=None)
@given(houses)
def test_what_modes_have_to_do_with_each_other(house: tuple[dict[str, dict[str, object]], str]) -> None:
    data = built(house)
    everything, trimmed = shown(data, "report-all", None), shown(data, "trim", None)
    assert shown(copied(SHARDS, data, "report-all"), "trim", None) == trimmed
    assert shown(copied(SHARDS, data, "trim"), "report-all", None) == everything
    assert shown(data, "report-all-tagged", None).replace(TAG, "") == everything
    for one in MODES:
        by_key = shown(data, one, box("<room><name>a</name></room>"))
        scanned = shown(data, one, box("<room><name> a </name></room>"))
        assert by_key == scanned


@settings(max_examples=50, deadline=None)
@given(houses)
def test_tagged_data_can_be_written_back(house: tuple[dict[str, dict[str, object]], str]) -> None:
    """What carries a tag is not set by it (RFC 6243, section 4.5.2), so the round trip changes nothing."""
    data = built(house)
    tagged = shown(data, "report-all-tagged", None)
    again = EDITOR.edit(EMPTY, etree.fromstring(f"<config>{tagged}</config>"))
    assert shown(again, "explicit", None) == shown(data, "explicit", None)
    assert EDITOR.edit(data, etree.fromstring(f"<config>{tagged}</config>")).changes_to(data) == {}
    whole = EDITOR.replace_all(etree.fromstring(f"<config>{tagged}</config>"))
    assert shown(whole, "explicit", None) == shown(data, "explicit", None)


@pytest.mark.parametrize(("mode", "rain"), [(mode, "" if mode == "trim" else "<rain>false</rain>") for mode in MODES])
def test_state_is_trimmed_and_not_made_up(mode: str, rain: str) -> None:
    """What is not told of state is not known to be the default (RFC 8342, section 5.3)."""
    weather = build(SHARDS.schema.node("/defaults:house/weather"), {"rain": False})
    view = Overlaid(SHARDS, snapshot(box("<floors>2</floors>")), {"/defaults:house": [weather]}, mode)
    found = b"".join(Selection(SHARDS, view).everything()).decode()
    assert ("<weather>" in found) is bool(rain)
    assert rain in found
    assert "wind" not in found


# Over the protocol


def test_the_capability_names_the_modes(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            listed = await client.data('<get><filter type="xpath" select="//capability"/></get>')
            found = [item.text or "" for item in listed.iter() if "with-defaults:1.0" in (item.text or "")]
            query = "basic-mode=explicit&also-supported=report-all,report-all-tagged,trim"
            assert found == [f"urn:ietf:params:netconf:capability:with-defaults:1.0?{query}"]

    asyncio.run(check())


@pytest.mark.parametrize("operation", ["get", "get-config"])
def test_the_parameter_of_reading(server: Serving, operation: str) -> None:
    source = "<source><running/></source>" if operation == "get-config" else ""

    async def check() -> None:
        async with session(server) as client:
            await client.edit(box(ROOM))
            await client.commit()
            for mode in (None, *MODES):
                asked = f"<with-defaults {ASK}>{mode}</with-defaults>" if mode else ""
                found = await client.data(
                    f'<{operation}>{source}<filter><house xmlns="{ME}"/></filter>{asked}</{operation}>'
                )
                wanted = etree.fromstring(shown(SET, mode or "explicit"))
                assert etree.tostring(found[0], method="c14n2") == etree.tostring(wanted, method="c14n2")

    asyncio.run(check())


def test_a_mode_that_is_not_announced_is_refused(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            refusal = await client.refused(
                f"<get-config><source><running/></source><with-defaults {ASK}>report-some</with-defaults></get-config>"
            )
            assert (refusal.tag, refusal.info) == ("invalid-value", (("bad-element", "with-defaults"),))
            base = "<get><with-defaults>trim</with-defaults></get>"
            assert (await client.refused(base)).tag == "unknown-namespace"

    asyncio.run(check())


def test_copy_config_copies_what_the_mode_shows(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await client.edit(box(ROOM))
            await client.commit()
            for mode in MODES:
                await client.ok(
                    "<copy-config><target><candidate/></target><source><running/></source>"
                    f"<with-defaults {ASK}>{mode}</with-defaults></copy-config>"
                )
                held = await client.text(
                    f'<get-config><source><candidate/></source><filter><house xmlns="{ME}"/></filter></get-config>'
                )
                wanted = shown(SET, "explicit" if mode == "report-all-tagged" else mode)
                assert held == etree.tostring(etree.fromstring(wanted), method="c14n2").decode()

    asyncio.run(check())


# Editing


def tagged(value: str, operation: str = "") -> str:
    more = f' xmlns:nc="{BASE}" nc:operation="{operation}"' if operation else ""
    return box(f'<floors xmlns:wd="{WD}" wd:default="true"{more}>{value}</floors>')


@pytest.mark.parametrize(
    ("operation", "is_set", "is_left"),
    [("", True, False), ("merge", True, False), ("replace", True, False), ("remove", True, False), ("", False, False)],
)
def test_a_value_marked_as_default_is_not_set(server: Serving, operation: str, is_set: bool, is_left: bool) -> None:
    async def check() -> None:
        async with session(server) as client:
            if is_set:
                await client.edit(box("<floors>4</floors>"))
            await client.edit(tagged("1", operation))
            assert ("<floors>" in await client.config("candidate")) is is_left

    asyncio.run(check())


def test_create_and_delete_see_what_was_set(server: Serving) -> None:
    """A value that is there by default can be created, and cannot be deleted; one that was set to the default value
    the other way round (RFC 6243, section 2.3.3)."""

    def floors(operation: str) -> str:
        return box(f'<floors xmlns:nc="{BASE}" nc:operation="{operation}">1</floors>')

    async def check() -> None:
        async with session(server) as client:
            assert (await client.refused(edit(floors("delete")))).tag == "data-missing"
            await client.edit(floors("create"))
            assert (await client.refused(edit(floors("create")))).tag == "data-exists"
            assert (await client.refused(edit(tagged("1", "create")))).tag == "data-exists"
            await client.edit(floors("delete"))
            await client.edit(tagged("1", "create"))
            assert await client.config("candidate") == ""

    asyncio.run(check())


@pytest.mark.parametrize(
    ("config", "tag"),
    [
        (tagged("2"), "invalid-value"),
        (box(f'<room xmlns:wd="{WD}" wd:default="true"><name>a</name></room>'), "invalid-value"),
        (box(f'<floors xmlns:wd="{WD}" wd:default="yes">1</floors>'), "bad-attribute"),
        (box(f'<floors xmlns:wd="{WD}" wd:other="true">1</floors>'), "unknown-attribute"),
    ],
)
def test_the_attribute_has_to_be_true(server: Serving, config: str, tag: str) -> None:
    async def check() -> None:
        async with session(server) as client:
            refusal = await client.refused(edit(config))
            assert refusal.tag == tag
            assert refusal.path
            assert await client.config("candidate") == ""

    asyncio.run(check())
