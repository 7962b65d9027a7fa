"""Subtree filters (RFC 6241, section 6) and XPath filters (section 8.9) on snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nesrv import errors
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.rpc.filters import Selection
from nesrv.rpc.patterns import compile_subtree
from nesrv.rpc.views import Configuration
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load

SHARDS = Shards(load(module_set([Path(__file__).parents[1] / "data" / "yang"], with_model=False)))
EDITOR = Editor(SHARDS)
USERS, KINDS = "http://example.com/schema/1.2/config", "urn:nesrv:test:kinds"
PREFIXES = {"u": USERS, "k": KINDS, "s": "urn:nesrv:test:strict", "v": "urn:nesrv:test:values"}


def snapshot(text: str) -> Snapshot:
    return EDITOR.edit(EMPTY, etree.fromstring(f"<config>{text}</config>"))


def user(name: str, kind: str, full: str, dept: int, number: int) -> str:
    return (
        f"<user><name>{name}</name><type>{kind}</type><full-name>{full}</full-name>"
        f"<company-info><dept>{dept}</dept><id>{number}</id></company-info></user>"
    )


ROOT = user("root", "superuser", "Charlie Root", 1, 1)
FRED = user("fred", "admin", "Fred Flintstone", 2, 2)
BARNEY = user("barney", "admin", "Barney Rubble", 2, 3)
GROUPS = "<groups><group><name>wheel</name><gid>0</gid></group></groups>"
TOP = f'<top xmlns="{USERS}">'
EXAMPLE = snapshot(f"{TOP}<users>{ROOT}{FRED}{BARNEY}</users>{GROUPS}</top>")


def subtree(data: Snapshot, inner: str) -> str:
    holder = etree.fromstring(f'<filter xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{inner}</filter>')
    return b"".join(Selection(SHARDS, Configuration(SHARDS, data)).subtree(compile_subtree(holder))).decode()


def xpath(data: Snapshot, expression: str) -> str:
    return b"".join(Selection(SHARDS, Configuration(SHARDS, data)).xpath(expression, PREFIXES)).decode()


def users(*entries: str) -> str:
    return f"{TOP}<users>{''.join(entries)}</users></top>"


def names(*found: str) -> str:
    return users(*(f"<user><name>{name}</name></user>" for name in found))


# RFC 6241, section 6.4, example by example


@pytest.mark.parametrize(
    ("inner", "wanted"),
    [
        pytest.param("", "", id="6.4.2 empty filter"),
        pytest.param(f"{TOP}<users/></top>", users(ROOT, FRED, BARNEY), id="6.4.3 entire users subtree"),
        pytest.param(f"{TOP}<users><user/></users></top>", users(ROOT, FRED, BARNEY), id="6.4.3 entries"),
        pytest.param(users("<user><name/></user>"), names("root", "fred", "barney"), id="6.4.4 names only"),
        pytest.param(users("<user><name>fred</name></user>"), users(FRED), id="6.4.5 one entry"),
        pytest.param(
            users("<user><name>fred</name><type/><full-name/></user>"),
            users("<user><name>fred</name><type>admin</type><full-name>Fred Flintstone</full-name></user>"),
            id="6.4.6 some leaves of one entry",
        ),
        pytest.param(
            users(
                "<user><name>root</name><company-info/></user>",
                "<user><name>fred</name><company-info><id/></company-info></user>",
                "<user><name>barney</name><type>superuser</type><company-info><dept/></company-info></user>",
            ),
            users(
                "<user><name>root</name><company-info><dept>1</dept><id>1</id></company-info></user>",
                "<user><name>fred</name><company-info><id>2</id></company-info></user>",
            ),
            id="6.4.7 several subtrees",
        ),
    ],
)
def test_the_examples_of_the_standard(inner: str, wanted: str) -> None:
    assert subtree(EXAMPLE, inner) == wanted


def test_attribute_matches_select_nothing_that_has_no_attributes() -> None:
    assert subtree(EXAMPLE, f'{TOP}<users unit="1"/></top>') == ""


# Namespaces


@pytest.mark.parametrize("namespace", [f'xmlns="{USERS}"', 'xmlns=""', ""])
def test_a_filter_without_namespace_fits_any(namespace: str) -> None:
    assert subtree(EXAMPLE, f"<top {namespace}><groups/></top>") == f"{TOP}{GROUPS}</top>"


@pytest.mark.parametrize("namespace", ["urn:no", KINDS])
def test_a_filter_of_another_namespace_selects_nothing(namespace: str) -> None:
    assert subtree(EXAMPLE, f'<top xmlns="{namespace}"><groups/></top>') == ""


def test_a_wildcard_reaches_every_module() -> None:
    both = EDITOR.edit(EXAMPLE, etree.fromstring(f'<config><top xmlns="{KINDS}"><note>n</note></top></config>'))
    assert subtree(both, "<top/>") == subtree(both, "<top/><top/>")
    assert subtree(both, "<top/>").count("<top ") == 2


# Content matches


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ("<type>admin</type>", ("fred", "barney")),
        ("<type> admin\n</type>", ("fred", "barney")),
        ("<type>admin</type><full-name>Barney Rubble</full-name>", ("barney",)),
        ("<type>superuser</type><full-name>Barney Rubble</full-name>", ()),
        ("<type>nobody</type>", ()),
    ],
)
def test_content_matches(match: str, found: tuple[str, ...]) -> None:
    entries = {"fred": FRED, "barney": BARNEY, "root": ROOT}
    wanted = users(*(entries[name] for name in found)) if found else ""
    assert subtree(EXAMPLE, users(f"<user>{match}</user>")) == wanted


@pytest.mark.parametrize("name", ["fred", "\n  fred\n  "])
def test_white_space_around_a_key_does_not_count(name: str) -> None:
    assert subtree(EXAMPLE, users(f"<user><name>{name}</name></user>")) == users(FRED)
    assert subtree(EXAMPLE, users(f"<user><name>{name}</name><company-info/></user>")) == users(
        "<user><name>fred</name><company-info><dept>2</dept><id>2</id></company-info></user>"
    )


def test_a_match_beside_a_selection_is_part_of_the_result() -> None:
    found = subtree(EXAMPLE, users("<user><type>admin</type><company-info><dept/></company-info></user>"))
    assert found == users(
        *(
            f"<user><name>{name}</name><type>admin</type><company-info><dept>2</dept></company-info></user>"
            for name in ("fred", "barney")
        )
    )


def test_two_siblings_are_united() -> None:
    found = subtree(EXAMPLE, f"{TOP}<users><user><name>fred</name></user></users><groups/></top>")
    assert found == f"{TOP}<users>{FRED}</users>{GROUPS}</top>"
    twice = users("<user><name>fred</name><type/></user><user><name>fred</name><full-name/></user>")
    assert subtree(EXAMPLE, twice) == users(
        "<user><name>fred</name><type>admin</type><full-name>Fred Flintstone</full-name></user>"
    )


def test_a_match_on_a_leaf_outside_of_entries() -> None:
    data = snapshot(f'<top xmlns="{KINDS}"><note>n</note><limit>3</limit><item><name>a</name></item></top>')
    everything = b"".join(Selection(SHARDS, Configuration(SHARDS, data)).everything()).decode()
    assert subtree(data, f'<top xmlns="{KINDS}"><note>n</note></top>') == everything
    assert subtree(data, f'<top xmlns="{KINDS}"><note>m</note></top>') == ""
    only = subtree(data, f'<top xmlns="{KINDS}"><note>n</note><item/></top>')
    assert only == f'<top xmlns="{KINDS}"><note>n</note><item><name>a</name></item></top>'


@pytest.mark.parametrize("key", ["7", "007", "+7"])
@pytest.mark.parametrize("shape", ["k:round", "round"])
def test_keys_are_matched_by_value(key: str, shape: str) -> None:
    data = snapshot(f'<top xmlns="{KINDS}"><deeper><item><a>7</a><b>round</b><v>x</v></item></deeper></top>')
    inner = f"<deeper><item><a>{key}</a><b>{shape}</b></item></deeper>"
    found = subtree(data, f'<top xmlns="{KINDS}" xmlns:k="{KINDS}">{inner}</top>')
    assert "<v>x</v>" in found


def test_an_absent_filter_is_everything_and_nothing_of_nothing() -> None:
    assert b"".join(Selection(SHARDS, Configuration(SHARDS, EMPTY)).everything()) == b""
    assert subtree(EMPTY, TOP + "</top>") == ""


# The way by key is the way by looking at all

MANY = snapshot(
    f'<top xmlns="{KINDS}">'
    + "".join(f"<item><name>n{number}</name><size>{number % 7}</size></item>" for number in range(10_000))
    + "</top>"
)


def test_one_of_ten_thousand() -> None:
    wanted = "<item><name>n7777</name><size>0</size></item>"
    assert subtree(MANY, f'<top xmlns="{KINDS}"><item><name>n7777</name></item></top>') == (
        f'<top xmlns="{KINDS}">{wanted}</top>'
    )
    assert subtree(MANY, f'<top xmlns="{KINDS}"><item><name>none</name></item></top>') == ""


FEW = snapshot(
    f'<top xmlns="{KINDS}">'
    + "".join(
        f"<item><name>{name}</name><size>{size}</size><port><id>{size}</id><label>{name}</label></port></item>"
        for size, name in enumerate("abcd")
    )
    + "</top>"
)
inside = st.sampled_from(
    ["", "<size/>", "<size>1</size>", "<port/>", "<port><id>2</id></port>", "<port><label/></port>", "<kind/>"]
)
patterns = st.lists(
    st.tuples(st.sampled_from("abcz"), st.lists(inside, max_size=2, unique=True)), min_size=1, max_size=3
)


@settings(max_examples=200, deadline=None)
@given(patterns)
def test_by_key_and_by_scan_agree(chosen: list[tuple[str, list[str]]]) -> None:
    """The same filter once more with a pattern beside it that fits no entry and gives no key."""
    inner = "".join(f"<item><name>{name}</name>{''.join(more)}</item>" for name, more in chosen)
    by_key = subtree(FEW, f'<top xmlns="{KINDS}">{inner}</top>')
    by_scan = subtree(FEW, f'<top xmlns="{KINDS}">{inner}<item><size>99</size></item></top>')
    assert sorted_entries(by_key) == sorted_entries(by_scan)


def sorted_entries(text: str) -> list[bytes]:
    if not text:
        return []
    return sorted(etree.tostring(entry) for entry in etree.fromstring(text))


@settings(max_examples=200, deadline=None)
@given(patterns)
def test_what_a_filter_selects_is_part_of_the_data(chosen: list[tuple[str, list[str]]]) -> None:
    inner = "".join(f"<item><name>{name}</name>{''.join(more)}</item>" for name, more in chosen)
    everything = etree.fromstring(b"".join(Selection(SHARDS, Configuration(SHARDS, FEW)).everything()))
    known = {leaf_path(leaf) for leaf in everything.iter() if not len(leaf)}
    for text in (subtree(FEW, f'<top xmlns="{KINDS}">{inner}</top>'), xpath(FEW, f"//k:item[k:name='{chosen[0][0]}']")):
        found = {leaf_path(leaf) for leaf in etree.fromstring(text).iter() if not len(leaf)} if text else set()
        assert found <= known


def leaf_path(leaf: etree._Element) -> tuple[str, ...]:
    above = [leaf, *leaf.iterancestors()]
    return (leaf.text or "", *(str(node.tag) + (node.findtext("{*}name") or "") for node in above))


# XPath


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("/u:top/u:users/u:user[u:name='fred']", users(FRED)),
        ("u:top/u:users/u:user[u:name='fred']", users(FRED)),
        ("//u:user[u:type='admin'][2]", users(BARNEY)),
        ("/u:top/u:users/u:user[u:name='fred']/u:type", users("<user><name>fred</name><type>admin</type></user>")),
        ("/u:top/u:users/u:user/u:name", names("root", "fred", "barney")),
        ("//u:name[text()='fred']", names("fred")),
        ("/u:top/u:groups | /u:top/u:users/u:user[u:name='root']", f"{TOP}<users>{ROOT}</users>{GROUPS}</top>"),
        ("//u:user[u:company-info/u:id > 2]", users(BARNEY)),
        ("//u:user[starts-with(u:full-name, 'Fred')]", users(FRED)),
        ("//u:user[count(/u:top/u:groups/u:group) = 1][position() = last()]", users(BARNEY)),
        ("/u:top/u:users/u:user[not(/k:top)][1]", users(ROOT)),
        ("/u:nothing", ""),
        ("/top/groups", f"{TOP}{GROUPS}</top>"),
    ],
)
def test_xpath(expression: str, wanted: str) -> None:
    assert xpath(EXAMPLE, expression) == wanted


def test_xpath_over_the_top_level_nodes_of_several_modules() -> None:
    data = snapshot(
        f'<top xmlns="{KINDS}"><item><name>a</name><size>3</size></item></top>'
        '<outer xmlns="urn:nesrv:test:strict"><job><id>3</id></job></outer>'
    )
    wanted = f'<top xmlns="{KINDS}"><item><name>a</name><size>3</size></item></top>'
    assert xpath(data, "/k:top/k:item[k:size = /s:outer/s:job/s:id]") == wanted
    assert xpath(data, "/k:top/k:item[k:size = /s:outer/s:budget]") == ""
    for all_of_it in ("/", "/*", "/k:top | /s:outer", "//*", "."):
        assert xpath(data, all_of_it) == b"".join(Selection(SHARDS, Configuration(SHARDS, data)).everything()).decode()


@pytest.mark.parametrize("data", [EXAMPLE, EMPTY])
@pytest.mark.parametrize(
    "expression",
    ["/zz:top", "/u:top[", "//", "count(//u:user)", "'text'", "nothing()", "$x", "//u:name/text()", "/u:top/@*"],
)
def test_xpath_that_cannot_be(expression: str, data: Snapshot) -> None:
    with pytest.raises(errors.InvalidValue) as refusal:
        xpath(data, expression)
    assert refusal.value.info == (("bad-element", "filter"),)
