"""edit-config on what users order, and on choices: RFC 7950, sections 7.7.9, 7.8.6 and 7.9."""

from __future__ import annotations

import pytest

from nesrv.datastore.snapshot import EMPTY
from tests.datastore.bench import Bench, parts, top

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
