"""What goes in comes out, and a plain merge is libyang's own merge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from _libyang import ffi, lib
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.tree import to_xml
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load

MODULES = Path(__file__).parents[1] / "data" / "yang"
SHARDS = Shards(load(module_set([MODULES], with_model=False)))
EDITOR = Editor(SHARDS)
VALUES, KINDS = "urn:nesrv:test:values", "urn:nesrv:test:kinds"

# YANG's strings are without Unicode's non-characters (RFC 7950, section 14); libyang refuses their likes too (U+5FFE).
letters = st.characters(codec="utf-8", exclude_categories=["C"], include_characters="\t\n")
texts = st.text(letters.filter(lambda letter: ord(letter) & 0xFFE != 0xFFE), max_size=8)
escaped = texts.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def leaf(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), values.map(lambda value: f"<{name}>{value}</{name}>"))


kinds = st.sampled_from(["k:round", "k:square", "v:colour"])
leaves = st.tuples(
    leaf("flag", st.sampled_from(["true", "false"])),
    leaf("raw", st.sampled_from(["", "AA==", "AAEC", "/+8="])),
    leaf("set", st.sampled_from(["", "one", "three two", "one two three"])),
    leaf("big", st.integers(-(2**63), 2**63 - 1)),
    leaf("word", st.sampled_from(["first", "second"])),
    leaf("bare", st.just("")),
    leaf("kind", kinds),
    leaf("any-kind", st.one_of(kinds, st.integers(0, 999), escaped)),
    leaf("where", st.sampled_from(["/k:top", "/k:top/k:item[k:name='a:b']", "/v:box/v:thing[v:id='1.0']/v:flag"])),
    leaf(
        "free",
        st.sampled_from(
            ["", "<x xmlns='urn:q' a='1'>t<y/></x>", "<top xmlns='urn:nesrv:test:kinds'><note>n</note></top>"]
        ),
    ),
    leaf("old", st.sampled_from(["", "<x xmlns='urn:q'>t<y/></x>"])),
    leaf("inner", st.sampled_from(["", "<x>1</x>"])),
).map("".join)
things = st.dictionaries(
    st.integers(-300, 300).map(lambda number: f"{number / 100:.2f}"),
    st.tuples(leaves, st.lists(escaped, max_size=3, unique=True)),
    max_size=4,
).map(
    lambda found: "".join(
        f"<thing><id>{key}</id>{inner}{''.join(f'<text>{text}</text>' for text in texts)}</thing>"
        for key, (inner, texts) in found.items()
    )
)
boxes = st.tuples(leaf("note", st.sampled_from(["", "<x xmlns='urn:q'/>"])), things).map(
    lambda pair: f'<box xmlns="{VALUES}" xmlns:v="{VALUES}" xmlns:k="{KINDS}">{pair[0]}{pair[1]}</box>'
)


def parsed(inner: str) -> Snapshot:
    return EDITOR.edit(EMPTY, etree.fromstring(f"<config>{inner}</config>"))


def bytes_of(snapshot: Snapshot) -> dict[str, bytes]:
    return {path: shard.xml for path, shard in snapshot.items()}


@settings(max_examples=150, deadline=None)
@given(boxes)
def test_a_document_cut_and_joined_is_the_same(box: str) -> None:
    first = parsed(box)
    document = SHARDS.document(first.shards())
    again = SHARDS.cut(document)
    assert {path: shard.xml for path, shard in again.items()} == bytes_of(first)
    assert SHARDS.document(again.values()) == document
    assert document.isascii()


@settings(max_examples=150, deadline=None)
@given(boxes)
def test_nodes_printed_and_read_again_are_the_same(box: str) -> None:
    for shard in parsed(box).shards():
        pieces = [to_xml(node, SHARDS.schema.namespaces) for node in SHARDS.nodes(shard)]
        (again,) = SHARDS.cut(b"".join(SHARDS.wrapped({shard.point: pieces}))).values()
        assert values(again) == values(shard)


def values(shard: Any) -> list[tuple[str, str | None]]:
    """Prefixes may differ, values may not; free-form nodes are compared without their white space."""

    def visit(node: Any) -> list[tuple[str, str | None]]:
        own = node.value
        if node.schema.kind in ("anyxml", "anydata"):
            own = etree.tostring(etree.fromstring(own), method="c14n2").decode()
        return [(node.path, own), *(pair for child in node.children for pair in visit(child))]

    return [pair for node in SHARDS.nodes(shard) for pair in visit(node)]


@settings(max_examples=150, deadline=None)
@given(boxes, boxes)
def test_a_plain_merge_is_what_libyang_makes_of_it(below: str, above: str) -> None:
    merged = EDITOR.edit(parsed(below), etree.fromstring(f"<config>{above}</config>"))
    oracle = SHARDS.cut(libyang_merge(below.encode(), above.encode()))
    assert set(merged) == set(oracle)
    for path, shard in merged.items():
        assert sorted(values(shard), key=str) == sorted(values(oracle[path]), key=str)


def libyang_merge(below: bytes, above: bytes) -> bytes:
    context = SHARDS.schema.engine.context.cdata
    flags = lib.LYD_PARSE_STRICT | lib.LYD_PARSE_ONLY
    trees = [ffi.new("struct lyd_node **") for _ in range(2)]
    for tree, text in zip(trees, (below, above), strict=True):
        assert lib.lyd_parse_data_mem(context, text, lib.LYD_XML, flags, 0, tree) == lib.LY_SUCCESS
    assert lib.lyd_merge_siblings(trees[0], trees[1][0], 0) == lib.LY_SUCCESS
    out = ffi.new("char **")
    assert lib.lyd_print_mem(out, trees[0][0], lib.LYD_XML, lib.LYD_PRINT_SHRINK | lib.LYD_PRINT_WITHSIBLINGS) == 0
    merged: bytes = ffi.string(out[0]) if out[0] != ffi.NULL else b""
    lib.free(out[0])
    for tree in trees:
        lib.lyd_free_all(tree[0])
    return merged
