"""From chosen nodes to the reply: with their ancestors, those ancestors' keys, and whatever is below them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nesrv.datastore.shards import Shards
from nesrv.datastore.tree import MarkedNode, Node
from nesrv.datastore.xpath.forest import Forest
from nesrv.rpc.views import View, printed
from nesrv.schema.nodes import SchemaNode

UNBOUNDED = 1 << 16
"""More levels than any schema has."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What else a reply leaves out (RFC 8526 §3.1.1): levels below the chosen nodes, and values that ``accepts``
    refuses. ``accepts`` is asked for leaves, leaf-lists, anydata and presence containers."""

    levels: int = UNBOUNDED
    accepts: Callable[[Node], bool] | None = None
    marks: str = ""
    """Attributes of the containers above shards, at the top."""

    @property
    def are_none(self) -> bool:
        return self == Limits()


class Reply:
    """``chosen`` are nodes of ``forest``, which looks at ``view``."""

    def __init__(
        self, shards: Shards, view: View, forest: Forest, chosen: Iterable[Node], limits: Limits | None = None
    ):
        self._shards = shards
        self._view = view
        self._forest = forest
        self._limits = limits or Limits()
        self._chosen = frozenset(chosen)
        self._below: dict[Node, dict[Node, None]] = {}
        for node in self._chosen:
            self._connect(node)
        self._by_point: dict[SchemaNode, list[bytes]] = {}
        self._bare: set[SchemaNode] = set()

    def _connect(self, node: Node) -> None:
        above = self._forest.parent(node)
        while above is not None and node not in self._below.setdefault(above, {}):
            self._below[above][node] = None
            node, above = above, self._forest.parent(above)

    def fragments(self) -> Iterable[bytes]:
        root = self._forest.root
        if root in self._chosen and self._limits.are_none:
            return self._view.fragments()
        self._visit(root, self._limits.levels + 1 if root in self._chosen else 0)
        return self._shards.wrapped(
            {point: pieces for point, pieces in self._by_point.items() if any(pieces) or point in self._bare},
            self._limits.marks,
        )

    def _visit(self, holder: Node, levels: int) -> None:
        """``levels`` of what is below a chosen ancestor (or ``holder``) are part of the reply, itself counted in."""
        if holder in self._chosen:
            levels = max(levels, self._limits.levels + (holder is self._forest.root))
        if levels == 1 and self._limits.accepts is None:
            self._by_point.setdefault(holder.schema, [])
            self._bare.add(holder.schema)
        inner: Iterable[Node] = self._forest.children(holder) if levels > 1 else self._ordered(holder)
        for node in inner:
            if self._forest.is_holder(node):
                self._visit(node, levels - 1)
            else:
                self._print(holder, node, levels - 1)

    def _ordered(self, above: Node) -> list[Node]:
        return sorted(self._below.get(above, ()), key=self._forest.order)

    def _print(self, holder: Node, node: Node, levels: int) -> None:
        place = None if holder is self._forest.root else holder.schema
        point = node.schema if node.schema in self._shards.schema.points or place is None else place
        pieces = self._by_point.setdefault(point, [])
        path = self._forest.home(node)
        whole = levels > 0 or node in self._chosen
        if whole and self._limits.are_none and path is not None and node.schema in self._shards.schema.points:
            pieces.append(self._view.whole(path))
        elif (cut := self._cut(node, levels)) is not None:
            pieces.append(printed(self._shards, [cut], place))

    def _cut(self, node: Node, levels: int) -> Node | None:
        if node in self._chosen:
            levels = max(levels, self._limits.levels)
        if levels <= 0 and node not in self._below:
            return None
        if levels >= UNBOUNDED >> 1 and self._limits.accepts is None:
            return node
        accepts = self._limits.accepts
        if node.value is not None or node.schema.kind not in ("container", "list"):
            return node if accepts is None or accepts(node) else None
        keys, found = [], []
        for child in node.children:
            if child.schema.is_key:
                keys.append(child)
            elif (cut := self._cut(child, levels - 1)) is not None:
                found.append(cut)
        if not found and not self._stays(node, keys, levels):
            return None
        made = Node(node.schema, None, node.parent) if not node.marks else MarkedNode(node, node.marks)
        made.children = [*keys, *found]
        return made

    def _stays(self, node: Node, keys: list[Node], levels: int) -> bool:
        """Whether a node stands for itself when nothing below it does."""
        accepts = self._limits.accepts
        if accepts is None:
            return levels > 0 or any(key in self._below.get(node, ()) for key in keys)
        if node.schema.kind == "list":
            return any(accepts(key) for key in keys) and (
                levels > 0 or any(key in self._below.get(node, ()) for key in keys)
            )
        return node.schema.presence and levels > 0 and accepts(node)
