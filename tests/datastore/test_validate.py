"""The verdict on a slice is the verdict on the whole, whatever the edits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.validate import Validator
from nesrv.errors import RpcError
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load

MODULES = Path(__file__).parents[1] / "data" / "yang"
SHARDS = Shards(load(module_set([MODULES], with_model=False)))
EDITOR = Editor(SHARDS)
KINDS, STRICT = "urn:nesrv:test:kinds", "urn:nesrv:test:strict"
NC = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'

names = st.sampled_from(["a", "b", "c", "d"])
numbers = st.integers(1, 4)


def leaf(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), values.map(lambda value: f"<{name}>{value}</{name}>"))


items = st.tuples(
    names,
    leaf("friend", names),
    leaf("kind", st.sampled_from(["round", "square"])),
    st.lists(st.tuples(numbers, leaf("label", names)), max_size=2, unique_by=lambda port: port[0]),
    st.lists(st.tuples(names, leaf("weight", st.sampled_from([1, 201]))), max_size=2, unique_by=lambda part: part[0]),
).map(
    lambda t: (
        f"<item OP><name>{t[0]}</name>{t[1]}{t[2]}"
        + "".join(f"<port><id>{number}</id>{label}</port>" for number, label in t[3])
        + "".join(f"<part><id>{number}</id>{weight}</part>" for number, weight in t[4])
        + "</item>"
    )
)
users = st.tuples(names, leaf("item", names), leaf("port", numbers)).map(
    lambda t: f"<user OP><id>{t[0]}</id>{t[1]}{t[2]}</user>"
)
chosen = names.map(lambda name: f"<chosen OP>{name}</chosen>")
jobs = st.tuples(numbers, leaf("slot", numbers), leaf("after", numbers)).map(
    lambda t: f"<job OP><id>{t[0]}</id>{t[1]}{t[2]}</job>"
)
solo = st.tuples(leaf("a", st.sampled_from(["yes", "no"])), leaf("b", names)).map(
    lambda t: f'<solo xmlns="{KINDS}" {NC} OP>{t[0]}{t[1]}</solo>'
)
operations = st.sampled_from(["", 'nc:operation="replace"', 'nc:operation="remove"'])


def with_operations(fragments: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(fragments, operations).map(lambda pair: pair[0].replace("OP", pair[1], 1))


in_top = st.one_of(items, users, chosen)
edits = st.one_of(
    with_operations(in_top).map(lambda inner: f'<top xmlns="{KINDS}" {NC}>{inner}</top>'),
    with_operations(jobs).map(lambda inner: f'<outer xmlns="{STRICT}" {NC}>{inner}</outer>'),
    with_operations(solo),
)


def verdict(check: Any, *arguments: Any) -> str:
    """Accepted, or refused; which error comes first may differ."""
    try:
        check(*arguments)
    except RpcError:
        return "refused"
    return "accepted"


STOCK = EDITOR.edit(
    EMPTY,
    etree.fromstring(
        f'<config><top xmlns="{KINDS}"><chosen>a</chosen>'
        "<item><name>a</name><friend>b</friend><port><id>1</id></port></item><item><name>b</name></item>"
        "<item><name>c</name><friend>c</friend></item><item><name>d</name><port><id>2</id></port></item>"
        "<user><id>a</id><item>a</item><port>1</port></user><user><id>b</id><item>d</item><port>2</port></user>"
        "</top></config>"
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(edits, min_size=1, max_size=3), max_size=12))
def test_slice_and_whole_agree(commits: list[list[str]]) -> None:
    validator = Validator(SHARDS)
    validator.adopt(EMPTY.changes_to(STOCK))
    running = STOCK
    for commit in commits:
        candidate: Snapshot = running
        for edit in commit:
            candidate = EDITOR.edit(candidate, etree.fromstring(f"<config>{edit}</config>"))
        changes = running.changes_to(candidate)
        found = verdict(validator.validate, candidate, changes)
        assert found == verdict(validator.validate_whole, candidate), (commit, changes)
        if found == "accepted":
            validator.adopt(changes)
            running = candidate


def test_a_constraint_that_looks_outside_is_known() -> None:
    points = {point.path for point in SHARDS.schema.references.escaping}
    assert points == {"/strict:outer/job", "/values:box/thing"}


def test_the_slice_leaves_out_what_the_change_cannot_reach() -> None:
    validator = Validator(SHARDS)
    running = EDITOR.edit(
        EMPTY,
        etree.fromstring(
            f'<config><top xmlns="{KINDS}"><item><name>a</name></item><item><name>b</name></item>'
            "<user><id>u</id><item>b</item></user><user><id>v</id><item>a</item></user></top></config>"
        ),
    )
    validator.adopt(EMPTY.changes_to(running))
    candidate = EDITOR.edit(
        running,
        etree.fromstring(f'<config><top xmlns="{KINDS}"><user><id>v</id><item>b</item></user></top></config>'),
    )
    paths = {shard.path for shard in validator.slice(candidate, running.changes_to(candidate))}
    assert paths == {"/kinds:top/user[id='v']", "/kinds:top/item[name='b']"}


REMOVE = 'nc:operation="remove"'


@pytest.mark.parametrize(
    ("edit", "wanted"),
    [
        (f"<item {REMOVE}><name>d</name></item>", "refused"),
        (f"<item><name>d</name><port {REMOVE}><id>2</id></port></item>", "refused"),
        (f"<item {REMOVE}><name>b</name></item>", "refused"),
        (f"<item {REMOVE}><name>c</name></item>", "accepted"),
        (f"<item {REMOVE}><name>d</name></item><user {REMOVE}><id>b</id></user>", "accepted"),
        ("<user><id>n</id><item>d</item><port>2</port></user>", "accepted"),
        ("<user><id>n</id><item>d</item><port>1</port></user>", "refused"),
        ("<chosen>d</chosen>", "accepted"),
        ("<chosen>e</chosen>", "refused"),
    ],
)
def test_one_change_of_a_stock(edit: str, wanted: str) -> None:
    """What was taken away, what is referred to, and what stands beside the entries."""
    validator = Validator(SHARDS)
    validator.adopt(EMPTY.changes_to(STOCK))
    candidate = EDITOR.edit(STOCK, etree.fromstring(f'<config><top xmlns="{KINDS}" {NC}>{edit}</top></config>'))
    changes = STOCK.changes_to(candidate)
    assert verdict(validator.validate, candidate, changes) == wanted
    assert verdict(validator.validate_whole, candidate) == wanted


def test_a_rest_is_held_against_entries_that_go() -> None:
    """chosen refers to a; nobody else does once these are gone."""
    validator = Validator(SHARDS)
    validator.adopt(EMPTY.changes_to(STOCK))
    edit = f"<item {REMOVE}><name>a</name></item><user {REMOVE}><id>a</id></user>"
    candidate = EDITOR.edit(STOCK, etree.fromstring(f'<config><top xmlns="{KINDS}" {NC}>{edit}</top></config>'))
    assert verdict(validator.validate, candidate, STOCK.changes_to(candidate)) == "refused"


def test_a_rest_that_a_when_needs_is_looked_at() -> None:
    start = EDITOR.edit(EMPTY, etree.fromstring(f'<config><solo xmlns="{KINDS}"><a>yes</a></solo></config>'))
    validator = Validator(SHARDS)
    validator.adopt(EMPTY.changes_to(start))
    candidate = EDITOR.edit(start, etree.fromstring(f'<config><solo xmlns="{KINDS}"><b>x</b></solo></config>'))
    assert verdict(validator.validate, candidate, start.changes_to(candidate)) == "accepted"
