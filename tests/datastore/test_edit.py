"""edit-config on snapshots: RFC 6241, section 7.2, and RFC 7950, sections 7.5 to 7.9 and 8.3."""

from __future__ import annotations

import pytest
from lxml import etree

from nesrv import errors
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot

NAMESPACES = (
    'xmlns="urn:nesrv:test:kinds" xmlns:k="urn:nesrv:test:kinds" xmlns:v="urn:nesrv:test:values" '
    'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:y="urn:ietf:params:xml:ns:yang:1"'
)
OPERATIONS = ("merge", "replace", "create", "delete", "remove")


def top(inner: str, attributes: str = "") -> str:
    return f"<top {NAMESPACES} {attributes}>{inner}</top>"


class Bench:
    """An editor whose datastores are written and read as XML."""

    def __init__(self, editor: Editor, shards: Shards) -> None:
        self._editor = editor
        self._shards = shards

    def edit(self, before: Snapshot, inner: str, default: str = "merge") -> Snapshot:
        config = etree.fromstring(f"<config>{inner}</config>", etree.XMLParser(remove_comments=True))
        return self._editor.edit(before, config, default)

    def of(self, inner: str) -> Snapshot:
        return self.edit(EMPTY, inner)

    def shown(self, snapshot: Snapshot) -> str:
        """What is inside <top>."""
        text = self._shards.document(snapshot.shards()).decode()
        return text.removeprefix('<top xmlns="urn:nesrv:test:kinds">').removesuffix("</top>")

    def refused(self, before: Snapshot, inner: str, default: str = "merge") -> errors.RpcError:
        with pytest.raises(errors.RpcError) as refusal:
            self.edit(before, inner, default)
        return refusal.value


@pytest.fixture
def bench(editor: Editor, shards: Shards) -> Bench:
    return Bench(editor, shards)


# Every kind of node: (what is there, the edit without its operation, its path, after merging, after replacing);
# OP is where the operation stands
KINDS = {
    "leaf": ("<note>old</note>", "<note OP>new</note>", "/note", "<note>new</note>", "<note>new</note>"),
    "leaf-list entry": (
        "<tag>7</tag><tag>8</tag>",
        "<tag OP>007</tag>",
        "/tag[.='7']",
        "<tag>7</tag><tag>8</tag>",
        "<tag>7</tag><tag>8</tag>",
    ),
    "presence container": (
        "<switch><inside>x</inside></switch>",
        "<switch OP/>",
        "/switch",
        "<switch><inside>x</inside></switch>",
        "<switch/>",
    ),
    "container": (
        "<deeper><text>x</text></deeper>",
        "<deeper OP><text>y</text></deeper>",
        "/deeper",
        "<deeper><text>y</text></deeper>",
        "<deeper><text>y</text></deeper>",
    ),
    "list entry": (
        "<item><name>a</name><size>1</size></item>",
        "<item OP><name>a</name><flag/></item>",
        "/item[name='a']",
        "<item><name>a</name><size>1</size><flag/></item>",
        "<item><name>a</name><flag/></item>",
    ),
    "entry of a nested list": (
        "<item><name>a</name><port><id>7</id><label>l</label></port></item>",
        "<item><name>a</name><port OP><id>+7</id></port></item>",
        "/item[name='a']/port[id='7']",
        "<item><name>a</name><port><id>7</id><label>l</label></port></item>",
        "<item><name>a</name><port><id>7</id></port></item>",
    ),
    "leaf in an entry": (
        "<item><name>a</name><size>1</size></item>",
        "<item><name>a</name><size OP>2</size></item>",
        "/item[name='a']/size",
        "<item><name>a</name><size>2</size></item>",
        "<item><name>a</name><size>2</size></item>",
    ),
    "entry with two keys, one an identity": (
        "<deeper><item><a>7</a><b>round</b><v>x</v></item></deeper>",
        "<deeper><item OP><a>07</a><b>k:round</b></item></deeper>",
        "/deeper/item[a='7'][b='kinds:round']",
        "<deeper><item><a>7</a><b>B</b><v>x</v></item></deeper>",
        "<deeper><item><a>7</a><b>B</b></item></deeper>",
    ),
}
ABSENT = {
    "leaf": "<note>new</note>",
    "leaf-list entry": "<tag>7</tag>",
    "presence container": "<switch/>",
    "container": "<deeper><text>y</text></deeper>",
    "list entry": "<item><name>a</name><flag/></item>",
    "entry of a nested list": "<item><name>a</name><port><id>7</id></port></item>",
    "leaf in an entry": "<item><name>a</name><size>2</size></item>",
    "entry with two keys, one an identity": "<deeper><item><a>7</a><b>B</b></item></deeper>",
}
GONE = {
    "leaf-list entry": "<tag>8</tag>",
    "entry of a nested list": "<item><name>a</name></item>",
    "leaf in an entry": "<item><name>a</name></item>",
}
NESTED = {"entry of a nested list", "leaf in an entry"}


def plain(text: str) -> str:
    """Identities may come with any prefix."""
    return text.replace('<b xmlns:k="urn:nesrv:test:kinds">k:round</b>', "<b>B</b>").replace(
        '<b xmlns:kinds="urn:nesrv:test:kinds">kinds:round</b>', "<b>B</b>"
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operations_on_what_exists(bench: Bench, kind: str, operation: str) -> None:
    before, edit, path, merged, replaced = KINDS[kind]
    start = bench.of(top(before))
    wanted = {"merge": merged, "replace": replaced}.get(operation, GONE.get(kind, ""))
    if operation == "create":
        refusal = bench.refused(start, top(edit.replace("OP", 'nc:operation="create"')))
        assert (refusal.tag, refusal.path) == ("data-exists", "/kinds:top" + path)
        return
    after = bench.edit(start, top(edit.replace("OP", f'nc:operation="{operation}"')))
    assert plain(bench.shown(after)) == wanted


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operations_on_what_is_absent(bench: Bench, kind: str, operation: str) -> None:
    _, edit, path, _, _ = KINDS[kind]
    start = bench.of(top("<item><name>a</name></item>")) if kind in NESTED else EMPTY
    written = top(edit.replace("OP", f'nc:operation="{operation}"'))
    if operation == "delete":
        refusal = bench.refused(start, written)
        assert (refusal.tag, refusal.path) == ("data-missing", "/kinds:top" + path)
    elif operation == "remove":
        assert bench.shown(bench.edit(start, written)) == bench.shown(start)
    else:
        assert plain(bench.shown(bench.edit(start, written))) == ABSENT[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_default_operation_replace_puts_the_config_in_place_of_the_datastore(bench: Bench, kind: str) -> None:
    before, edit, _, _, _ = KINDS[kind]
    start = bench.of(top("<limit>3</limit>" + before) + f"<solo {NAMESPACES}><a>yes</a></solo>")
    after = bench.edit(start, top(edit.replace("OP", "")), "replace")
    assert plain(bench.shown(after)) == ABSENT[kind]


def test_default_operation_replace_with_nothing_empties_the_datastore(bench: Bench) -> None:
    assert bench.edit(bench.of(top("<note>x</note>")), "", "replace") == EMPTY


@pytest.mark.parametrize("kind", KINDS)
def test_default_operation_none_changes_nothing_that_is_there(bench: Bench, kind: str) -> None:
    before, edit, _, _, _ = KINDS[kind]
    start = bench.of(top(before))
    inside = {"list entry": "<item><name>a</name></item>"}.get(kind, edit.replace("OP", ""))
    assert bench.shown(bench.edit(start, top(inside), "none")) == bench.shown(start)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "container"])
def test_default_operation_none_on_what_is_absent_is_refused(bench: Bench, kind: str) -> None:
    _, edit, path, _, _ = KINDS[kind]
    start = bench.of(top("<item><name>a</name></item>")) if kind in NESTED else EMPTY
    refusal = bench.refused(start, top(edit.replace("OP", "")), "none")
    assert (refusal.tag, refusal.path) == ("data-missing", "/kinds:top" + path)


def test_default_operation_none_with_an_operation_inside(bench: Bench) -> None:
    start = bench.of(top("<note>x</note><item><name>a</name><size>1</size></item>"))
    inside = '<item><name>a</name><size nc:operation="replace">5</size></item>'
    shown = bench.shown(bench.edit(start, top(inside), "none"))
    assert shown == "<note>x</note><item><name>a</name><size>5</size></item>"


# Nested operations


def test_a_delete_inside_a_merge(bench: Bench) -> None:
    start = bench.of(top("<item><name>a</name><size>1</size><flag/></item>"))
    inside = '<item><name>a</name><size nc:operation="delete"/><kind>round</kind></item>'
    assert "<size>" not in bench.shown(bench.edit(start, top(inside)))
    assert "<flag/>" in bench.shown(bench.edit(start, top(inside)))


def test_a_create_inside_a_replace_stands_in_an_empty_entry(bench: Bench) -> None:
    start = bench.of(top("<item><name>a</name><size>1</size></item>"))
    inside = '<item nc:operation="replace"><name>a</name><size nc:operation="create">2</size></item>'
    assert bench.shown(bench.edit(start, top(inside))) == "<item><name>a</name><size>2</size></item>"


def test_a_delete_inside_a_replace_finds_nothing(bench: Bench) -> None:
    start = bench.of(top("<item><name>a</name><size>1</size></item>"))
    inside = '<item nc:operation="replace"><name>a</name><size nc:operation="delete"/></item>'
    assert bench.refused(start, top(inside)).tag == "data-missing"


@pytest.mark.parametrize("operation", ["delete", "remove"])
def test_deleting_the_container_above_entries(bench: Bench, operation: str) -> None:
    start = bench.of(top("<note>x</note><item><name>a</name></item><item><name>b</name></item>"))
    assert bench.edit(start, top("", f'nc:operation="{operation}"')) == EMPTY


def test_replacing_the_container_above_entries(bench: Bench) -> None:
    start = bench.of(top("<note>x</note><item><name>a</name></item><deeper><text>t</text></deeper>"))
    inside = "<item><name>b</name></item>"
    assert bench.shown(bench.edit(start, top(inside, 'nc:operation="replace"'))) == inside


def test_creating_the_container_above_entries_again(bench: Bench) -> None:
    start = bench.of(top("<item><name>a</name></item>"))
    refusal = bench.refused(start, top("<item><name>b</name></item>", 'nc:operation="create"'))
    assert (refusal.tag, refusal.path) == ("data-exists", "/kinds:top")
    assert bench.shown(bench.edit(EMPTY, top("<note>n</note>", 'nc:operation="create"'))) == "<note>n</note>"


def test_deleting_a_container_above_entries_that_is_empty(bench: Bench) -> None:
    refusal = bench.refused(EMPTY, top("", 'nc:operation="delete"'))
    assert (refusal.tag, refusal.path) == ("data-missing", "/kinds:top")
    assert bench.edit(EMPTY, top("", 'nc:operation="remove"')) == EMPTY


def test_a_nested_container_above_entries(bench: Bench) -> None:
    start = bench.of(top("<note>n</note><deeper><text>t</text><item><a>1</a><b>round</b></item></deeper>"))
    assert bench.shown(bench.edit(start, top('<deeper nc:operation="delete"/>'))) == "<note>n</note>"
    after = bench.edit(start, top('<deeper nc:operation="replace"><text>u</text></deeper>'))
    assert bench.shown(after) == "<note>n</note><deeper><text>u</text></deeper>"


# Lists and leaf-lists that users order

ORDER = "<order>a</order><order>b</order><order>c</order>"


@pytest.mark.parametrize(
    ("attributes", "wanted"),
    [
        ('y:insert="first"', "nabc"),
        ('y:insert="last"', "abcn"),
        ('y:insert="before" y:value="b"', "anbc"),
        ('y:insert="after" y:value="b"', "abnc"),
        ("", "abcn"),
    ],
)
def test_inserting_into_a_leaf_list(bench: Bench, attributes: str, wanted: str) -> None:
    after = bench.edit(bench.of(top(ORDER)), top(f"<order {attributes}>n</order>"))
    assert bench.shown(after) == "".join(f"<order>{letter}</order>" for letter in wanted)


def test_moving_an_entry_of_a_leaf_list(bench: Bench) -> None:
    after = bench.edit(bench.of(top(ORDER)), top('<order y:insert="first">c</order>'))
    assert bench.shown(after) == "<order>c</order><order>a</order><order>b</order>"


def parts(letters: str) -> str:
    inner = "".join(f"<part><id>{letter}</id><weight>1</weight></part>" for letter in letters)
    return f"<item><name>i</name>{inner}</item>"


@pytest.mark.parametrize(
    ("attributes", "wanted"),
    [
        ('y:insert="first"', "nabc"),
        ('y:insert="last"', "abcn"),
        ('y:insert="before" y:key="[id=\'b\']"', "anbc"),
        ("y:insert='after' y:key='[k:id=\"b\"]'", "abnc"),
        ("", "abcn"),
    ],
)
def test_inserting_into_a_list(bench: Bench, attributes: str, wanted: str) -> None:
    edit = f"<item><name>i</name><part {attributes}><id>n</id><weight>1</weight></part></item>"
    assert bench.shown(bench.edit(bench.of(top(parts("abc"))), top(edit))) == parts(wanted)


@pytest.mark.parametrize(
    ("edit", "attribute"),
    [
        ('<order y:insert="after" y:value="zz">n</order>', "value"),
        (
            "<item><name>i</name><part y:insert='before' y:key='[id=\"zz\"]'><id>n</id></part></item>",
            "key",
        ),
    ],
)
def test_an_anchor_that_is_not_there(bench: Bench, edit: str, attribute: str) -> None:
    refusal = bench.refused(bench.of(top(ORDER + parts("abc"))), top(edit))
    assert (refusal.tag, refusal.app_tag) == ("bad-attribute", "missing-instance")
    assert ("bad-attribute", attribute) in refusal.info


@pytest.mark.parametrize(
    ("edit", "tag", "attribute"),
    [
        ('<order y:insert="middle">n</order>', "bad-attribute", "insert"),
        ('<tag y:insert="first">1</tag>', "bad-attribute", "insert"),
        ('<note y:insert="first">1</note>', "bad-attribute", "insert"),
        ('<order y:insert="after">n</order>', "missing-attribute", "value"),
        ('<item><name>i</name><part y:insert="after"><id>n</id></part></item>', "missing-attribute", "key"),
    ],
)
def test_an_insert_that_makes_no_sense(bench: Bench, edit: str, tag: str, attribute: str) -> None:
    refusal = bench.refused(EMPTY, top(edit))
    assert refusal.tag == tag
    assert ("bad-attribute", attribute) in refusal.info


# Choices


def test_a_node_of_one_case_puts_out_the_other(bench: Bench) -> None:
    start = bench.of(top("<item><name>a</name><l1>1</l1><l2>2</l2></item>"))
    assert bench.shown(bench.edit(start, top("<item><name>a</name><r1>3</r1></item>"))) == (
        "<item><name>a</name><r1>3</r1></item>"
    )


def test_nodes_of_one_case_stand_together(bench: Bench) -> None:
    start = bench.of(top("<item><name>a</name><l1>1</l1></item>"))
    shown = bench.shown(bench.edit(start, top('<item><name>a</name><l2 nc:operation="create">2</l2></item>')))
    assert shown == "<item><name>a</name><l1>1</l1><l2>2</l2></item>"


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


# One edit, the same thing twice


@pytest.mark.parametrize("operation", ["", 'nc:operation="merge"', 'nc:operation="delete"'])
def test_one_entry_twice_in_one_message(bench: Bench, operation: str) -> None:
    start = bench.of(top("<item><name>a</name></item>"))
    for before in (EMPTY, start):
        edit = f"<item {operation}><name>a</name></item><item><name>a</name><size>1</size></item>"
        refusal = bench.refused(before, top(edit))
        assert (refusal.tag, refusal.path) == ("bad-element", "/kinds:top/item[name='a']")


@pytest.mark.parametrize("inside", ["<size>1</size><size>2</size>", "<l1>1</l1><r1>2</r1>"])
def test_a_leaf_or_a_choice_given_twice_in_one_message(bench: Bench, inside: str) -> None:
    refusal = bench.refused(EMPTY, top(f'<item nc:operation="merge"><name>a</name>{inside}</item>'))
    assert refusal.tag == "bad-element"
    known = bench.of(top("<item><name>a</name></item>"))
    assert bench.refused(known, top(f"<item><name>a</name>{inside}</item>")).tag == "bad-element"


def test_a_leaf_outside_of_entries_given_twice(bench: Bench) -> None:
    assert bench.refused(EMPTY, top("<note>1</note>") + top("<note>2</note>")).tag == "bad-element"


# The datastore before an edit, and after one that was refused


def test_an_edit_changes_nothing_but_its_result(bench: Bench, shards: Shards) -> None:
    start = bench.of(top("<note>x</note>" + parts("ab") + "<item><name>a</name><l1>1</l1></item>"))
    before = {path: shard.xml for path, shard in start.items()}
    bench.edit(start, top('<note nc:operation="delete"/><item nc:operation="replace"><name>a</name></item>'))
    bench.refused(start, top("<item><name>a</name><r1>2</r1><size>9999</size></item>"))
    bench.refused(start, top('<item><name>a</name><l1 nc:operation="delete"/><zz/></item>'))
    assert {path: shard.xml for path, shard in start.items()} == before


def test_entries_that_an_edit_does_not_name_are_shared(bench: Bench) -> None:
    start = bench.of(top("<item><name>a</name></item><item><name>b</name></item>"))
    after = bench.edit(start, top("<item><name>b</name><size>1</size></item>"))
    assert after["/kinds:top/item[name='a']"] is start["/kinds:top/item[name='a']"]


def test_an_edit_that_changes_nothing_is_no_change(bench: Bench) -> None:
    start = bench.of(top("<note>x</note><item><name>a</name></item>"))
    assert start.changes_to(bench.edit(start, top("<note>x</note><item><name>a</name></item>"))) == {}
    assert start.changes_to(bench.edit(start, top('<note nc:operation="merge">x</note>'))) == {}


def test_ten_thousand_entries_at_once_are_what_they_are_one_by_one(bench: Bench) -> None:
    entries = [f"<item><name>n{number}</name><size>{number % 900}</size></item>" for number in range(10_000)]
    at_once = bench.of(top("".join(entries)))
    one_by_one = EMPTY
    for entry in entries[::10]:
        one_by_one = bench.edit(one_by_one, top(entry))
    assert len(at_once) == 10_000
    assert all(at_once[path].xml == shard.xml for path, shard in one_by_one.items())
    assert len(one_by_one) == 1_000
    tenth = "".join(entry.replace("<item>", '<item nc:operation="delete">') for entry in entries[::10])
    assert len(bench.edit(at_once, top(tenth))) == 9_000
