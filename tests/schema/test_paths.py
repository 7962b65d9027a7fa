"""Instance paths of any key values: made, taken apart, turned into XPath that finds the node."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from nesrv.schema.paths import PathStep, predicate, split, to_xpath

VALUES = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn")), max_size=64) | st.text(
    "ab'\"[]/=:, ", max_size=12
)
PREFIXES = {"m": ("p", "urn:m"), "n": ("q", "urn:n")}


@given(VALUES, VALUES)
@example("a'b\"c", "concat('a', \"'\", 'b')")
@example("'", "\"']/m:x[name='")
@example("'\"", "\"'")
def test_a_path_is_taken_apart_as_it_was_made(one: str, other: str) -> None:
    path = f"/m:top/list{predicate('name', one)}{predicate('id', other)}/n:leaf{predicate('.', other)}"
    assert split(path) == [
        PathStep("m", "top"),
        PathStep("m", "list", (("name", one), ("id", other))),
        PathStep("n", "leaf", ((".", other),)),
    ]


@given(VALUES)
@example("a'b\"c")
def test_the_xpath_finds_the_entry(value: str) -> None:
    top = etree.Element("{urn:m}top")
    for text in (value, "another", value + "x"):
        etree.SubElement(etree.SubElement(top, "{urn:m}list"), "{urn:m}name").text = text
    text, namespaces = to_xpath(f"/m:top/list{predicate('name', value)}", PREFIXES)
    found: Any = etree.ElementTree(top).xpath(text, namespaces=namespaces)
    assert [entry[0].text or "" for entry in found] == [one for one in (value, "another", value + "x") if one == value]


def test_different_values_make_different_predicates() -> None:
    values = ("a", "'a'", '"a"', "'\"", "\"'", "concat('', \"'\", '\"')")
    assert len({predicate("name", value) for value in values}) == len(values)


def test_both_kinds_of_quotes_as_libyang_prints_them() -> None:
    assert split("""/m:list[name="a'b"c"]/leaf""")[0].predicates == (("name", "a'b\"c"),)


@pytest.mark.parametrize("path", ["", "m:top", "//", "/m:list[3]", "/m:list[name='a", "/m:list[name=a]", "/m:a]"])
def test_what_is_no_path_stays_as_it_is(path: str) -> None:
    with pytest.raises(ValueError, match=r"not an instance path|substring not found"):
        split(path)
    assert to_xpath(path, PREFIXES) == (path, {})
