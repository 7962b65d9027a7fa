"""Keys and values of edit-config in any form, and what does not belong there: RFC 7950, sections 8.3 and 9."""

from __future__ import annotations

import pytest

from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from tests.datastore.bench import Bench, top

# Keys

SAME_ENTRY = [
    "<a>7</a><b>round</b>",
    "<a>007</a><b>k:round</b>",
    "<a> +7 </a><b> k:round </b>",
    "<b>k:round</b><a>7</a>",
]


@pytest.mark.parametrize("keys", SAME_ENTRY)
@pytest.mark.parametrize("again", SAME_ENTRY)
def test_keys_in_any_form_name_one_entry(bench: Bench, keys: str, again: str) -> None:
    start = bench.of(top(f"<deeper><item>{keys}<v>x</v></item></deeper>"))
    assert list(start) == ["/kinds:top/deeper/item[a='7'][b='kinds:round']"]
    assert bench.edit(start, top(f'<deeper><item nc:operation="delete">{again}</item></deeper>')) == EMPTY
    merged = bench.edit(start, top(f"<deeper><item>{again}<v>y</v></item></deeper>"))
    assert list(merged) == list(start)


def test_a_decimal_key_in_any_form(bench: Bench) -> None:
    thing = '<box xmlns="urn:nesrv:test:values"><thing><id>{}</id></thing></box>'
    start = bench.of(thing.format("1.50"))
    assert list(start) == ["/values:box/thing[id='1.5']"]
    assert bench.edit(start, thing.format("+01.5")) is start


@pytest.mark.parametrize("name", ["it's", 'say "it"', "a b", "a]b", "a/b", "é€😀", "<&>", "a[b='c']"])
def test_keys_with_any_character(bench: Bench, shards: Shards, name: str) -> None:
    written = name.replace("&", "&amp;").replace("<", "&lt;")
    start = bench.of(top(f"<item><name>{written}</name></item>"))
    assert shards.entry(next(iter(start.shards()))).text("name") == name
    assert bench.edit(start, top(f'<item nc:operation="delete"><name>{written}</name></item>')) == EMPTY


# Values

THING = '<box xmlns="urn:nesrv:test:values" xmlns:k="urn:nesrv:test:kinds" xmlns:v="urn:nesrv:test:values" ' + (
    'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><thing OP><id>1</id>{}</thing></box>'
)


@pytest.mark.parametrize("operation", ["", 'nc:operation="merge"', 'nc:operation="replace"'])
@pytest.mark.parametrize(
    ("node", "value"),
    [
        ("kind", "v:colour"),
        ("kind", "k:round"),
        ("any-kind", "k:round"),
        ("any-kind", "300"),
        ("any-kind", "x:round"),
        ("where", "/k:top/k:item[k:name='x:y']/k:size"),
        ("raw", "AAECAw=="),
        ("set", "three one"),
        ("big", "-9223372036854775808"),
        ("flag", "true"),
        ("bare", ""),
        ("text", ""),
        ("text", "  two  words\n"),
    ],
)
def test_values_mean_the_same_whatever_way_they_come_in(
    bench: Bench, shards: Shards, node: str, value: str, operation: str
) -> None:
    inner = f"<{node}>{value}</{node}>"
    by_libyang = bench.of(THING.format(inner).replace("OP", ""))
    by_walk = bench.edit(EMPTY, THING.format(inner).replace("OP", operation))
    assert nodes(shards, by_libyang) == nodes(shards, by_walk)
    merged = bench.edit(
        by_walk, THING.format("<word>first</word>").replace("OP", operation.replace("replace", "merge"))
    )
    assert {**nodes(shards, by_walk), "word": "first"} == nodes(shards, merged)


def nodes(shards: Shards, snapshot: Snapshot) -> dict[str, str | None]:
    (shard,) = snapshot.shards()
    return {child.name: child.value for child in shards.entry(shard).children}


@pytest.mark.parametrize("operation", ["", 'nc:operation="merge"'])
@pytest.mark.parametrize(
    ("edit", "path", "app_tag"),
    [
        ("<size>1001</size>", "size", None),
        ("<size>many</size>", "size", None),
        ("<kind>oval</kind>", "kind", None),
        ("<kind>x:round</kind>", "kind", None),
        ("<flag>yes</flag>", "flag", None),
        ("<many>toolong</many>", "many", None),
        ("<port><id>256</id></port>", "port/id", None),
    ],
)
def test_a_value_that_its_type_refuses(bench: Bench, edit: str, path: str, app_tag: str | None, operation: str) -> None:
    refusal = bench.refused(EMPTY, top(f"<item {operation}><name>a</name>{edit}</item>"))
    assert (refusal.tag, refusal.path) == ("invalid-value", f"/kinds:top/item[name='a']/{path}")
    assert refusal.message


@pytest.mark.parametrize("operation", ["", 'nc:operation="merge"'])
def test_a_refused_value_with_words_of_the_module(bench: Bench, operation: str) -> None:
    refusal = bench.refused(EMPTY, THING.format("<only-a>b</only-a>").replace("OP", operation))
    assert (refusal.tag, refusal.app_tag, refusal.message) == ("invalid-value", "only-a", "Only a.")
    assert bench.refused(EMPTY, top(f"<limit {operation}>0</limit>")).app_tag == "limit-range"


# What does not belong there: the same answer with and without operations


@pytest.mark.parametrize("operation", ["", 'nc:operation="merge"'])
@pytest.mark.parametrize(
    ("edit", "tag", "path", "info"),
    [
        ("<zz/>", "unknown-element", "/kinds:top/item[name='a']", (("bad-element", "zz"),)),
        (
            '<zz xmlns="urn:no"/>',
            "unknown-namespace",
            "/kinds:top/item[name='a']",
            (("bad-element", "zz"), ("bad-namespace", "urn:no")),
        ),
        ("<size><x/></size>", "unknown-element", "/kinds:top/item[name='a']/size", (("bad-element", "x"),)),
        (
            '<size unit="m">1</size>',
            "unknown-attribute",
            "/kinds:top/item[name='a']/size",
            (("bad-attribute", "unit"), ("bad-element", "size")),
        ),
        (
            '<size operation="delete">1</size>',
            "unknown-attribute",
            "/kinds:top/item[name='a']/size",
            (("bad-attribute", "operation"), ("bad-element", "size")),
        ),
        ("<port>words</port>", "bad-element", "/kinds:top/item[name='a']/port", (("bad-element", "port"),)),
        ("<port/>", "missing-element", "/kinds:top/item[name='a']/port/id", (("bad-element", "id"),)),
    ],
)
def test_what_does_not_belong(
    bench: Bench, edit: str, tag: str, path: str, info: tuple[tuple[str, str], ...], operation: str
) -> None:
    for start in (EMPTY, bench.of(top("<item><name>a</name></item>"))):
        refusal = bench.refused(start, top(f"<item {operation}><name>a</name>{edit}</item>"))
        assert (refusal.tag, refusal.path, refusal.info) == (tag, path, info)


@pytest.mark.parametrize("name", ["destroy", "", "none", "Merge"])
@pytest.mark.parametrize("edit", ["<item OP><name>a</name></item>", "<note OP>x</note>", "<switch OP/>"])
def test_an_operation_that_there_is_not(bench: Bench, edit: str, name: str) -> None:
    refusal = bench.refused(EMPTY, top(edit.replace("OP", f'nc:operation="{name}"')))
    assert refusal.tag == "bad-attribute"
    assert refusal.info[0] == ("bad-attribute", "operation")
    assert refusal.path


def test_an_operation_that_there_is_not_on_a_container_above_entries(bench: Bench) -> None:
    refusal = bench.refused(EMPTY, top("", 'nc:operation="destroy"'))
    assert (refusal.tag, refusal.path) == ("bad-attribute", "/kinds:top")


@pytest.mark.parametrize(
    ("edit", "tag"),
    [
        ('<nothing xmlns="urn:nesrv:test:kinds"/>', "unknown-element"),
        ('<top xmlns="urn:no"/>', "unknown-namespace"),
        ("<top/>", "unknown-namespace"),
        (
            '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><sessions/></netconf-state>',
            "unknown-element",
        ),
    ],
)
def test_a_top_level_element_that_is_no_configuration(bench: Bench, edit: str, tag: str) -> None:
    assert bench.refused(EMPTY, edit).tag == tag
