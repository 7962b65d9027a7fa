"""edit-config on snapshots: RFC 6241, section 7.2, and RFC 7950, sections 7.5 to 7.9 and 8.3."""

from __future__ import annotations

import pytest

from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY
from tests.datastore.bench import NAMESPACES, Bench, parts, top

OPERATIONS = ("merge", "replace", "create", "delete", "remove")


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
