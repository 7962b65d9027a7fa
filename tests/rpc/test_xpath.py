"""XPath filters (RFC 6241, section 8.9): the whole of XPath 1.0, YANG's functions (RFC 7950, section 10), bounds."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nesrv import errors
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.tree import Node
from nesrv.datastore.xpath.evaluate import Evaluator, TooComplex
from nesrv.datastore.xpath.syntax import MAX_DEPTH, MAX_LENGTH, XPathError, read
from nesrv.datastore.xpath.values import Value
from nesrv.rpc.filters import Selection
from nesrv.rpc.views import Configuration
from nesrv.rpc.wanted import Wanted
from nesrv.rpc.xpath import reached
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load
from tests.rpc.client import session
from tests.serving import Serving

SHARDS = Shards(load(module_set([Path(__file__).parents[1] / "data" / "yang"], with_model=False)))
EDITOR = Editor(SHARDS)
KINDS, VALUES, HOUSE = "urn:nesrv:test:kinds", "urn:nesrv:test:values", "urn:nesrv:test:defaults"
PREFIXES = {"k": KINDS, "v": VALUES, "d": HOUSE, "other": KINDS}


def snapshot(text: str) -> Snapshot:
    return EDITOR.edit(EMPTY, etree.fromstring(f"<config>{text}</config>"))


def item(name: str, size: int, inner: str = "") -> str:
    return f"<item><name>{name}</name><size>{size}</size>{inner}</item>"


def part(name: str, weight: int) -> str:
    return f"<part><id>{name}</id><weight>{weight}</weight></part>"


DATA = snapshot(
    f'<top xmlns="{KINDS}" xmlns:k="{KINDS}"><note>hello world</note><chosen>b</chosen><tag>3</tag><tag>5</tag>'
    "<deeper><text>deep</text><item><a>7</a><b>k:round</b><v>x</v></item></deeper>"
    + item("a", 1, part("p", 10) + part("q", 20))
    + item("b", 2, "<kind>k:round</kind>" + part("p", 30))
    + item("c", 3, "<friend>a</friend><flag/>")
    + "<user><id>u</id><item>b</item></user></top>"
    f'<box xmlns="{VALUES}" xmlns:v="{VALUES}" xmlns:k="{KINDS}"><thing><id>1.5</id><flag>true</flag>'
    "<set>one three</set><word>second</word><kind>v:colour</kind><twin>v:colour</twin>"
    "<where>/k:top/k:item[k:name='c']</where></thing></box>"
)


def value(expression: str, data: Snapshot = DATA, work: int = 100_000) -> Value:
    evaluator = Evaluator(SHARDS, Configuration(SHARDS, data), PREFIXES, work)
    return evaluator.at_root(read(expression, PREFIXES))


def texts(expression: str) -> list[str]:
    """Name and value of what is selected; the key for an entry."""
    found = value(expression)
    assert isinstance(found, list)
    return [str(node.keys[0]) if node.schema.kind == "list" else str(node.value or node.name) for node in found
            if isinstance(node, Node)]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        # Operators (section 3) and numbers (4.4)
        ("1 + 2 * 3 - 4 div 2", 5.0),
        ("7 mod 3", 1.0),
        ("-7 mod 3", -1.0),
        ("--3", 3.0),
        ("1 div 0", math.inf),
        ("string(0 div 0)", "NaN"),
        ("string(1.50)", "1.5"),
        ("string(-0.25)", "-0.25"),
        ("string(100)", "100"),
        ("2 > 1 and not(2 >= 3) or false()", True),
        ("1 = '1'", True),
        ("true() = 'x'", True),
        ("'a' != 'b'", True),
        ("'a' < 'b'", False),
        ("//k:size > 2", True),
        ("//k:size > 3", False),
        ("2 < //k:size", True),
        ("//k:size = 2", True),
        ("//k:size != 2", True),
        ("//k:name = //k:friend", True),
        ("//k:size < //k:weight", True),
        ("//k:size > //k:weight", False),
        ("//k:nothing = ''", False),
        ("//k:nothing = false()", True),
        ("floor(2.6) + ceiling(2.1) + round(2.5) + round(-2.5)", 6.0),
        ("sum(//k:size)", 6.0),
        ("count(//k:part)", 3.0),
        ("number('x') = number('x')", False),
        ("number(' 12 ')", 12.0),
        ("number('1e3') = 1000", False),
        # Texts (4.2)
        ("concat('a', 1, true())", "a1true"),
        ("starts-with('abc', 'ab')", True),
        ("contains('abc', 'd')", False),
        ("substring-before('1999/04', '/')", "1999"),
        ("substring-after('1999/04', '/')", "04"),
        ("substring('12345', 2, 3)", "234"),
        ("substring('12345', 1.5, 2.6)", "234"),
        ("substring('12345', 0, 3)", "12"),
        ("substring('12345', 0 div 0, 3)", ""),
        ("substring('12345', -42, 1 div 0)", "12345"),
        ("string-length('abc')", 3.0),
        ("normalize-space('  a   b ')", "a b"),
        ("translate('bar', 'abc', 'AB')", "BAr"),
        ("string(/k:top/k:note)", "hello world"),
        ("string(//k:part)", "p10"),
        ("boolean('') or boolean(0)", False),
        ("boolean('x') and boolean(//k:item)", True),
        ("lang('en')", False),
        # Nodes (4.1)
        ("name(//k:item)", "kinds:item"),
        ("local-name(/*)", "top"),
        ("namespace-uri(//v:thing)", VALUES),
        ("name(/)", ""),
        ("count(//k:item[last()]/k:part)", 0.0),
        ("string(//k:item[2]/k:name)", "b"),
        ("count(id('a'))", 0.0),
    ],
)
def test_values(expression: str, wanted: Value) -> None:
    assert value(expression) == wanted


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("/k:top/k:item", ["a", "b", "c"]),
        ("/k:top/k:item[2]", ["b"]),
        ("/k:top/k:item[position() > 1][1]", ["b"]),
        ("/k:top/k:item[last()]", ["c"]),
        ("(/k:top/k:item)[last()]", ["c"]),
        ("(//k:part)[2]", ["q"]),
        ("//k:part[2]", ["q"]),
        ("//k:part[k:id='p']/../k:name", ["a", "b"]),
        ("//k:part[k:id='q']/preceding-sibling::k:part", ["p"]),
        ("//k:item[k:name='a']/following-sibling::k:item", ["b", "c"]),
        ("//k:item[k:name='c']/preceding-sibling::k:item[1]", ["b"]),
        ("//k:weight[.=30]/ancestor::k:item", ["b"]),
        ("//k:weight[.=30]/ancestor-or-self::*[2]", ["p"]),
        ("//k:part[k:weight=30]/preceding::k:weight", ["20", "10"]),
        ("//k:part[k:weight=20]/following::k:weight", ["30"]),
        ("/k:top/k:item[k:name='b']/descendant::k:weight", ["30"]),
        ("/k:top/k:item[k:name='b']/self::k:item/k:size", ["2"]),
        ("/k:top/k:tag | /k:top/k:note | /k:top/k:tag", ["3", "5", "hello world"]),
        ("//k:item[k:name='a' or k:size=3]", ["a", "c"]),
        ("/k:top/k:item[not(k:part)]", ["c"]),
        ("//k:item[count(k:part) > 1]", ["a"]),
        ("//k:item[k:flag]", ["c"]),
        ("//k:item['b' = k:name]", ["b"]),
        ("/k:top/k:deeper/k:item[k:a='7'][k:b='k:round']", ["7"]),
        ("//k:item[k:a=7 and k:b='round']", ["7"]),
        ("//k:item[k:kind='other:round']", ["b"]),
        ("//k:item[k:kind='kinds:round']", ["b"]),
        ("//k:item[k:name/text()='b']", ["b"]),
        ("/k:top/*[starts-with(local-name(), 'no')]", ["hello world"]),
        ("//v:*[.='second']", ["second"]),
        # Without a prefix
        ("/top/item[name='b']", ["b"]),
        ("//thing[word='second']/id", ["1.5"]),
        ("top/note", ["hello world"]),
    ],
)
def test_nodes(expression: str, wanted: list[str]) -> None:
    assert texts(expression) == wanted


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("//k:item[k:name = current()/k:top/k:chosen]", ["b"]),
        ("//k:item[re-match(k:name, '[ab]')]", ["a", "b"]),
        ("//k:item[re-match(k:name, 'a|x{2,}')]", ["a"]),
        ("/k:top[re-match(k:note, 'hello')]/k:note", []),
        ("/k:top[re-match(k:note, 'h.*\\s\\c+')]/k:note", ["hello world"]),
        ("deref(/k:top/k:chosen)", ["b"]),
        ("deref(//k:item[k:name='c']/k:friend)/../k:size", ["1"]),
        ("deref(//v:thing/v:where)/k:size", ["3"]),
        ("deref(//v:thing/v:twin)", ["values:colour"]),
        ("deref(/k:top/k:note)", []),
        ("//v:thing[derived-from(v:kind, 'k:shape')]", ["1.5"]),
        ("//v:thing[derived-from(v:kind, 'v:colour')]", []),
        ("//v:thing[derived-from-or-self(v:kind, 'v:colour')]", ["1.5"]),
        ("//v:thing[derived-from-or-self(v:kind, 'colour')]", ["1.5"]),
        ("//k:item[derived-from(k:kind, 'shape')]", ["b"]),
        ("//k:item[derived-from(k:kind, 'k:none')]", []),
        ("//v:thing[enum-value(v:word) = 1]", ["1.5"]),
        ("//v:thing[string(enum-value(v:id)) = 'NaN']", ["1.5"]),
        ("//v:thing[bit-is-set(v:set, 'three')]", ["1.5"]),
        ("//v:thing[bit-is-set(v:set, 'two')]", []),
    ],
)
def test_functions_of_yang(expression: str, wanted: list[str]) -> None:
    assert texts(expression) == wanted


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "/k:top[",
        "/k:top]",
        "k:top k:note",
        "//",
        "/k:top/",
        "1 +",
        "zz:top",
        "$x",
        "nothing()",
        "count()",
        "count(1)",
        "concat('a')",
        "sum('a')",
        "/k:top/@name",
        "/k:top/attribute::*",
        "/k:top/namespace::*",
        "/k:top/nowhere::k:note",
        "'a'/k:top",
        "('a')[1]",
        "1 | 2",
        "re-match('a', '(')",
        "# ",
        "(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1),
        "1" + " + 1" * MAX_LENGTH,
        "re-match('a', '" + "a" * 1000 + "')",
    ],
)
def test_what_is_no_expression(expression: str) -> None:
    with pytest.raises(XPathError):
        value(expression)


# Cost

MANY = snapshot(f'<top xmlns="{KINDS}">{"".join(item(f"n{n}", n % 7) for n in range(2_000))}</top>')


@pytest.mark.parametrize(
    "expression", ["/k:top/k:item[k:name='n1234']", "//k:item[k:name='n1234']", "/top/item[name='n1234']/size"]
)
def test_an_entry_named_by_its_key_is_one_look_up(expression: str) -> None:
    assert len(value(expression, MANY, work=30)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "expression",
    [
        "//k:item[count(//k:item) > 1]",
        "//*[//*[//*]]",
        "//k:item[k:name = //k:name[//k:size]]",
        "//k:item[preceding-sibling::k:item/k:size = 9]",
    ],
)
def test_work_is_bounded(expression: str) -> None:
    with pytest.raises(TooComplex):
        value(expression, MANY)


@pytest.mark.parametrize(
    "expression",
    [
        " + ".join("1" * 4000),
        " | ".join(["/k:top/k:note"] * 1000),
        " and ".join(["k:top"] * 2000),
        "/" + "/".join(["k:top"] * 3000),
        "//k:item" + "[1]" * 3000,
        "-" * 5000 + "1",
    ],
)
def test_long_expressions_are_answered(expression: str) -> None:
    """Selected, or refused with a sentence, never by the interpreter's own limits."""
    wanted = reached(expression, PREFIXES)
    assert wanted is None or wanted
    try:
        selected(expression)
    except errors.InvalidValue as refusal:
        assert "XPath" in str(refusal)


def test_a_pattern_cannot_hang_the_server() -> None:
    text = "a" * 40
    assert value(f"re-match('{text}', '(a+)+b')") is False
    assert value(f"re-match('{text}', '(a|a)*b')") is False


ENTRY = {"/kinds:top/item[name='a']"}
names = st.sampled_from(["a", "b", "c", "zz"])
predicates = st.one_of(
    names.map(lambda name: f"[k:name='{name}']"),
    names.map(lambda name: f"['{name}' = k:name]"),
    st.tuples(names, st.integers(0, 4)).map(lambda pair: f"[k:name='{pair[0]}' and k:size={pair[1]}]"),
    st.integers(1, 4).map(lambda number: f"[{number}]"),
    st.integers(0, 4).map(lambda number: f"[k:size > {number}]"),
    st.sampled_from(["[last()]", "[k:part]", "[not(k:part)]", "[position() != 2]"]),
)
expressions = st.tuples(
    st.sampled_from(["/k:top/k:item", "//k:item", "/k:top//k:item", "/*/k:item", "/k:top/*"]),
    st.lists(predicates, max_size=3).map("".join),
    st.sampled_from(["", "/k:part", "/k:part/k:weight", "/k:size", "//k:id", "/..", "/following-sibling::k:user"]),
).map("".join)


@settings(max_examples=300, deadline=None)
@given(expressions)
def test_libxml2_selects_the_same(expression: str) -> None:
    """On the document as it is printed, with a root element around it that absolute paths start below."""
    found = value(expression)
    assert isinstance(found, list)
    everything = b"".join(Configuration(SHARDS, DATA).fragments())
    document = etree.fromstring(b"<data>" + everything + b"</data>")
    query = f"/data{expression}" if expression.startswith("/") else expression
    oracle = document.xpath(query, namespaces=PREFIXES)
    assert isinstance(oracle, list)
    here = sorted((node.schema.tag, _text(node)) for node in found if isinstance(node, Node))
    there = sorted((str(one.tag), _all_text(one)) for one in oracle if isinstance(one, etree._Element))
    assert here == there


def _text(node: Node) -> str:
    if node.value is not None:
        return node.value.split(":")[-1]
    if node.schema.kind == "container":
        return ""
    return "".join(_text(child) for child in node.children)


def _all_text(element: etree._Element) -> str:
    if element.tag in (f"{{{KINDS}}}top", f"{{{KINDS}}}deeper"):
        return ""
    return "".join((leaf.text or "").split(":")[-1] for leaf in element.iter() if not len(leaf))


# What is read for it


@pytest.mark.parametrize(
    ("expression", "named", "reaches", "leaves_out"),
    [
        ("/k:top/k:item[k:name='a']", ENTRY, "/kinds:top/item/size", "/kinds:top/user"),
        ("/k:top/k:item[k:name='a']/k:size", ENTRY, "/kinds:top/item/size", "/kinds:top/item/kind"),
        ("k:top/k:item[k:size=1]/k:kind", None, "/kinds:top/item/size", "/kinds:top/user"),
        ("/k:top/k:item[k:name='a']//k:id", ENTRY, "/kinds:top/item/part", "/values:box"),
        ("/k:top/k:item[k:name=/k:top/k:chosen]", None, "/values:box", ""),
        ("/k:top/k:item[../k:note]", None, "/values:box", ""),
        ("//k:item", None, "/values:box", ""),
        ("/k:top[", None, "/values:box", ""),
    ],
)  # fmt: skip
def test_what_an_expression_reaches(expression: str, named: set[str] | None, reaches: str, leaves_out: str) -> None:
    wanted = Wanted(SHARDS, reached(expression, PREFIXES))
    assert wanted.entries("/kinds:top/item") == named
    assert wanted.reaches(reaches)
    assert not leaves_out or not wanted.reaches(leaves_out)


# Replies


def selected(expression: str) -> str:
    return b"".join(Selection(SHARDS, Configuration(SHARDS, DATA)).xpath(expression, PREFIXES)).decode()


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("/k:top/k:item[k:name='a']/k:part[k:id='q']/k:weight",
         f"<item><name>a</name>{part('q', 20)}</item>"),
        ("/k:top/k:item[k:name='c']/k:name", "<item><name>c</name></item>"),
        ("//k:item[k:a='7']/k:v", "<deeper><item><a>7</a><b xmlns:kinds=\"urn:nesrv:test:kinds\">kinds:round</b>"
         "<v>x</v></item></deeper>"),
        ("/k:top/k:note | //k:item[k:name='b']/k:size",
         "<note>hello world</note><item><name>b</name><size>2</size></item>"),
    ],
)  # fmt: skip
def test_ancestors_and_their_keys_are_part_of_the_reply(expression: str, wanted: str) -> None:
    assert selected(expression) == f'<top xmlns="{KINDS}">{wanted}</top>'


@pytest.mark.parametrize("expression", ["count(//k:item)", "'a'", "1 = 1", "//k:name/text()"])
def test_a_filter_selects_nodes(expression: str) -> None:
    with pytest.raises(errors.InvalidValue) as refusal:
        selected(expression)
    assert refusal.value.info == (("bad-element", "filter"),)


def test_prefixes_are_those_in_scope_of_the_filter(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await client.edit(f'<top xmlns="{KINDS}">{item("a", 1)}{item("b", 2)}</top>')
            await client.commit()
            for operation, source in (("get", ""), ("get-config", "<source><running/></source>")):
                found = await client.text(
                    f"<{operation}>{source}"
                    f'<filter type="xpath" xmlns:x="{KINDS}" select="/x:top/x:item[x:name=\'b\']"/></{operation}>'
                )
                assert "<name>b</name><size>2</size>" in found and "<name>a" not in found
            refusal = await client.refused('<get><filter type="xpath" select="/any:top"/></get>')
            assert (refusal.type, refusal.tag) == ("protocol", "invalid-value")

    asyncio.run(check())


def test_work_beyond_the_bound_is_refused(server: Serving) -> None:
    async def check() -> None:
        async with session(server) as client:
            await client.edit(f'<top xmlns="{KINDS}">{"".join(item(f"n{n}", n % 7) for n in range(1_200))}</top>')
            refusal = await client.refused(
                '<get-config><source><candidate/></source><filter type="xpath" select="//*[//*[//*]]"/></get-config>'
            )
            assert (refusal.tag, refusal.app_tag) == ("resource-denied", "too-complex")
            await client.ok("<discard-changes/>")

    asyncio.run(check())
