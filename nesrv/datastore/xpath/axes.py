"""The axes and node tests of XPath over a forest (XPath 1.0, sections 2.2 and 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from nesrv.datastore.tree import Node
from nesrv.datastore.xpath.forest import Forest, Test, fits
from nesrv.datastore.xpath.syntax import NameTest, TypeTest
from nesrv.datastore.xpath.values import Item, Text

Order = tuple[tuple[int, int, int], ...]


def order(forest: Forest, item: Item) -> Order:
    if isinstance(item, Text):
        return (*forest.order(item.leaf), (0, 0, 0))
    return forest.order(item)


def accepts(item: Item, test: Test) -> bool:
    if isinstance(item, Text):
        return isinstance(test, TypeTest) and test.kind in ("node", "text")
    if item.schema.parent is None and not item.schema.name:
        # The root is no element: only node() accepts it.
        return isinstance(test, TypeTest) and test.kind == "node"
    return fits(item.schema, test)


def along(forest: Forest, axis: str, item: Item) -> Iterable[Item]:
    """Nearest first, so that positions count from ``item``."""
    return _AXES[axis](forest, item)


def above_name(forest: Forest, items: Iterable[Item], test: NameTest) -> list[Item]:
    """What is at or below ``items`` and can have something that ``test`` accepts below it; nothing else is read."""
    found: dict[Item, None] = {}
    todo = [item for item in items if isinstance(item, Node)][::-1]
    while todo:
        node = todo.pop()
        if node not in found:
            found[node] = None
            below = forest.holding(node, test) if forest.is_holder(node) else node.children
            forest.charge(len(below))
            todo.extend(child for child in reversed(below) if forest.leads(child.schema, test))
    return list(found)


def _children(forest: Forest, item: Item) -> Iterable[Item]:
    if isinstance(item, Text):
        return ()
    if item.value is not None and item.schema.kind in ("leaf", "leaf-list"):
        return (forest.text(item),) if item.value else ()
    return forest.children(item)


def _descendants(forest: Forest, item: Item) -> Iterator[Item]:
    for child in _children(forest, item):
        yield child
        yield from _descendants(forest, child)


def _parent(forest: Forest, item: Item) -> Iterator[Item]:
    above = item.leaf if isinstance(item, Text) else forest.parent(item)
    if above is not None:
        yield above


def _ancestors(forest: Forest, item: Item) -> Iterator[Item]:
    for above in _parent(forest, item):
        yield above
        yield from _ancestors(forest, above)


def _siblings(forest: Forest, item: Item) -> tuple[list[Item], list[Item]]:
    """Those before and those after, in document order."""
    if isinstance(item, Text) or (above := forest.parent(item)) is None:
        return [], []
    around: list[Item] = list(forest.children(above))
    at = next(place for place, one in enumerate(around) if one is item)
    return around[:at], around[at + 1 :]


def _following(forest: Forest, item: Item) -> Iterator[Item]:
    for one in (item, *_ancestors(forest, item)):
        for after in _siblings(forest, one)[1]:
            yield after
            yield from _descendants(forest, after)


def _preceding(forest: Forest, item: Item) -> Iterator[Item]:
    for one in (item, *_ancestors(forest, item)):
        for before in reversed(_siblings(forest, one)[0]):
            yield from reversed([before, *_descendants(forest, before)])


_AXES: Mapping[str, Callable[[Forest, Item], Iterable[Item]]] = {
    "ancestor": _ancestors,
    "ancestor-or-self": lambda forest, item: (item, *_ancestors(forest, item)),
    "child": _children,
    "descendant": _descendants,
    "descendant-or-self": lambda forest, item: (item, *_descendants(forest, item)),
    "following": _following,
    "following-sibling": lambda forest, item: _siblings(forest, item)[1],
    "parent": _parent,
    "preceding": _preceding,
    "preceding-sibling": lambda forest, item: _siblings(forest, item)[0][::-1],
    "self": lambda forest, item: (item,),
}
