"""What differs between two configurations, node by node; the cost is that of the shards that differ."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.tree import Node
from nesrv.datastore.validate import Changes
from nesrv.schema.nodes import SchemaNode

Kind = Literal["create", "delete", "replace", "insert", "move"]
"""The change-type of RFC 8641: ``insert`` is a create where the user orders the entries."""

Ident = tuple[SchemaNode, tuple[str | None, ...]]


@dataclass(frozen=True, slots=True)
class Difference:
    """``node`` is the new one, of a delete the old one; ``after`` is the entry it stands behind (insert and move;
    None: it is the first), ``old`` what a replace replaces."""

    kind: Kind
    node: Node
    after: Node | None = None
    old: Node | None = None


def of_shards(shards: Shards, changes: Changes) -> Iterator[Difference]:
    """Between all shards of ``changes``."""
    for before, after in changes.values():
        yield from between(_tops(shards, before), _tops(shards, after))


def _tops(shards: Shards, shard: Shard | None) -> Sequence[Node]:
    return shards.fixed(shard) if shard is not None else ()


def between(before: Sequence[Node], after: Sequence[Node]) -> Iterator[Difference]:
    """Between two lists of siblings: what is gone first, then what is new or other, in the order of ``after``."""
    old, new = _index(before), _index(after)
    for ident, node in old.items():
        if ident not in new:
            yield Difference("delete", node)
    moved = _moved(old, after)
    previous: dict[SchemaNode, Node] = {}
    for ident, node in new.items():
        known = old.get(ident)
        ahead = previous.get(node.schema)
        if known is None:
            yield Difference("insert", node, ahead) if node.schema.user_ordered else Difference("create", node)
        else:
            if ident in moved:
                yield Difference("move", node, ahead)
            if known.value != node.value:
                yield Difference("replace", node, old=known)
            elif known.children or node.children:
                yield from between(known.children, node.children)
        previous[node.schema] = node


def _index(nodes: Iterable[Node]) -> dict[Ident, Node]:
    return {node.ident: node for node in nodes}


def _moved(old: Mapping[Ident, Node], after: Sequence[Node]) -> set[Ident]:
    """Entries that the user ordered otherwise: all beside the longest run that kept its order."""
    moved: set[Ident] = set()
    for schema in {node.schema for node in after if node.schema.user_ordered}:
        places = {ident: place for place, ident in enumerate(old) if ident[0] is schema}
        kept = [node.ident for node in after if node.schema is schema and node.ident in places]
        order = [places[ident] for ident in kept]
        if order != sorted(order):
            stays = _longest_rise(order)
            moved.update(ident for at, ident in enumerate(kept) if at not in stays)
    return moved


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """Indexes of a longest increasing subsequence of different numbers."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, number in enumerate(numbers):
        place = bisect_left(tails, number)
        before.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [number]
        ends[place : place + 1] = [at]
    found: set[int] = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        found.add(at)
        at = before[at]
    return found
