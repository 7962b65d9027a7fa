"""One configuration said in other ways: its nodes in another order, or in many small edits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from itertools import chain

from lxml import etree

from nesrv.schema.nodes import SchemaNode
from tests.features.element import model

Element = etree._Element


def shuffled(document: str, chance: random.Random) -> str:
    """All siblings in another order, but for entries whose order YANG leaves to the user."""
    root = _parsed(document)
    for top in root:
        _shuffle(top, model().data[str(top.tag)], chance)
    found = list(root)
    chance.shuffle(found)
    return "".join(map(_text, found))


def split(document: str, chance: random.Random) -> list[str]:
    """An edit for each container of leaves, in any order; what stands in lists ordered by the user keeps its own."""
    loose: list[str] = []
    ordered: list[str] = []
    for top in _parsed(document):
        for piece, fixed in _pieces(top, model().data[str(top.tag)], (), False):
            (ordered if fixed else loose).append(_text(piece))
    chance.shuffle(loose)
    return [*ordered, *loose]


def _parsed(document: str) -> Element:
    return etree.fromstring(f"<config>{document}</config>")


def _text(element: Element) -> str:
    return etree.tostring(element, with_tail=False).decode()


def _shuffle(element: Element, schema: SchemaNode, chance: random.Random) -> None:
    groups: list[list[Element]] = []
    for child in element:
        known = schema.children[str(child.tag)]
        if known.kind in ("container", "list"):
            _shuffle(child, known, chance)
        same = next((group for group in groups if group[0].tag == child.tag), None) if known.user_ordered else None
        if same is None:
            groups.append([child])
        else:
            same.append(child)
    chance.shuffle(groups)
    element[:] = list(chain.from_iterable(groups))


def _pieces(
    element: Element, schema: SchemaNode, above: tuple[Element, ...], fixed: bool
) -> Iterator[tuple[Element, bool]]:
    """(document from the top, whether its place among the others matters)."""
    fixed = fixed or schema.user_ordered
    inner = [child for child in element if schema.children[str(child.tag)].kind in ("container", "list")]
    if not inner:
        yield _within(above, element), fixed
        return
    bare = deepcopy(element)
    bare[:] = [child for child in bare if schema.children[str(child.tag)].is_key]
    if fixed or any(not schema.children[str(child.tag)].is_key and child not in inner for child in element):
        own = deepcopy(bare)
        own.extend(
            deepcopy(child) for child in element if child not in inner and child.tag not in {k.tag for k in bare}
        )
        yield _within(above, own), fixed
    for child in inner:
        yield from _pieces(child, schema.children[str(child.tag)], (*above, bare), fixed)


def _within(above: tuple[Element, ...], element: Element) -> Element:
    made = deepcopy(element)
    for outer in reversed(above):
        holder = deepcopy(outer)
        holder.append(made)
        made = holder
    return made
