"""Shards: the small immutable pieces that a datastore is a map of (see docs/design.md).

A shard is one entry of an outermost keyed list, or what a container above such lists
holds besides them, or a whole top-level node without such lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

from nesrv import errors
from nesrv.datastore.incoming import Element, Reader, parse
from nesrv.datastore.tree import FixedNode, Node
from nesrv.schema.engine import DataNode
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.paths import predicate
from nesrv.schema.schema import Schema

T = TypeVar("T")

FIXED_BYTES = 1 << 19
"""Of shards whose trees are kept for the next one who reads them: a commit looks at the same entry several times."""


@dataclass(slots=True, eq=False)
class Shard:
    """``xml``: canonical ASCII bytes, a forest of siblings below ``point``'s parent (an entry) or
    inside ``point`` (the rest of a skeleton container); the namespace of that place is undeclared."""

    path: str
    point: SchemaNode
    xml: bytes
    _memo: dict[str, object] | None = field(default=None, repr=False)

    def remember(self, what: str, find: Callable[[Shard], T]) -> T:
        """``find(self)``, found once: a shard never changes, so neither does what is derived from it alone."""
        if self._memo is None:
            self._memo = {}
        if what not in self._memo:
            self._memo[what] = find(self)
        return cast("T", self._memo[what])


class Shards:
    """Cutting documents into shards and joining shards into documents, under one schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.reader = Reader(schema)
        self._fixed: dict[Shard, list[FixedNode]] = {}
        self._fixed_bytes = 0

    def place(self, point: SchemaNode) -> SchemaNode | None:
        """The skeleton container whose content a shard of ``point`` is part of."""
        return point if point in self.schema.skeleton else point.parent

    def nodes(self, shard: Shard) -> list[Node]:
        """The shard's top nodes; parsed anew at each call, the caller owns them."""
        return [self.reader.read(element, schema, None) for element, schema in self._tops(shard)]

    def bare(self, shard: Shard) -> list[Node]:
        """The shard's top nodes without the checks of what comes from outside, and without parents; the caller owns
        them."""
        return [self.reader.bare(element, schema) for element, schema in self._tops(shard)]

    def bare_entry(self, shard: Shard) -> Node:
        """``entry`` of such nodes, of which nobody asks the path."""
        tops = self.bare(shard)
        if shard.point not in self.schema.skeleton:
            return tops[0]
        rest = Node(shard.point)
        rest.children = tops
        return rest

    def fixed(self, shard: Shard) -> list[FixedNode]:
        """The shard's top nodes for reading only: whoever reads them next may be given the same ones."""
        found = self._fixed.get(shard)
        if found is None:
            found = [self.reader.fixed(element, schema, None) for element, schema in self._tops(shard)]
            self._keep(shard, found)
        return found

    def fixed_entry(self, shard: Shard) -> FixedNode:
        """``entry`` of nodes for reading only."""
        tops = self.fixed(shard)
        if shard.point not in self.schema.skeleton:
            return tops[0]
        rest = FixedNode(shard.point)
        rest.children = list(tops)
        return rest

    def _keep(self, shard: Shard, nodes: list[FixedNode]) -> None:
        self._fixed[shard] = nodes
        self._fixed_bytes += len(shard.xml)
        while self._fixed_bytes > FIXED_BYTES:
            oldest = next(iter(self._fixed))
            del self._fixed[oldest]
            self._fixed_bytes -= len(oldest.xml)

    def _tops(self, shard: Shard) -> Iterator[tuple[Element, SchemaNode]]:
        place = self.place(shard.point)
        for element in self.elements(shard):
            yield element, self.reader.top(element) if place is None else self.reader.child(place, element, place.path)

    def elements(self, shard: Shard) -> list[Element]:
        place = self.place(shard.point)
        return parse(shard.xml, place.namespace if place else "")

    def entry(self, shard: Shard) -> Node:
        """The one node of an entry shard; of a rest shard, the container with what the shard holds of it."""
        if shard.point not in self.schema.skeleton:
            return self.nodes(shard)[0]
        rest = Node(shard.point)
        for node in self.nodes(shard):
            rest.add(node)
        return rest

    def document(self, shards: Iterable[Shard]) -> bytes:
        """One document (a forest of top-level nodes) of all ``shards``; see ``fragments``."""
        return b"".join(self.fragments(shards))

    def fragments(self, shards: Iterable[Shard]) -> Iterator[bytes]:
        """The pieces of that document: nodes in the schema's order, entries in the shards' order."""
        by_point: dict[SchemaNode, list[bytes]] = {}
        for shard in shards:
            found = by_point.get(shard.point)
            if found is None:
                found = by_point[shard.point] = []
            found.append(shard.xml)
        return self.wrapped(by_point)

    def wrapped(self, by_point: Mapping[SchemaNode, list[bytes]], marks: str = "") -> Iterator[bytes]:
        """``by_point`` (shard point → pieces) with the skeleton containers around them; ``marks`` are attributes of
        those at the top."""
        inside: dict[SchemaNode | None, list[SchemaNode]] = {}
        for point in by_point:
            node: SchemaNode | None = point
            while node is not None:
                siblings = inside.setdefault(node.parent, [])
                if node in siblings:
                    break
                siblings.append(node)
                node = node.parent

        def content(place: SchemaNode | None) -> Iterator[bytes]:
            for child in sorted(inside.get(place, ()), key=_order):
                if child in self.schema.skeleton:
                    declared = place is None or place.namespace != child.namespace
                    yield _open(child, declared, marks if place is None else "")
                    yield from by_point.get(child, ())
                    yield from content(child)
                    yield b"</" + child.name.encode() + b">"
                else:
                    yield from by_point[child]

        return content(None)

    # Cutting

    def cut(self, document: bytes) -> dict[str, Shard]:
        """The shards of ``document``, types checked by libyang; constraints are not checked."""
        if not document:
            return {}
        with self.schema.engine.parsed(document) as top:
            return self._cut_all(self._known(top))

    def completed(self, shards: Iterable[Shard], mode: str) -> dict[str, Shard]:
        """The shards of a document of ``shards``, with what is there by default; see ``Engine.completed``."""
        with self.schema.engine.completed(self.document(shards), mode) as top:
            return self._cut_all(node for node in top if node.schema_address in self.schema.by_address)

    def _known(self, top: Iterable[DataNode]) -> Iterator[DataNode]:
        for node in top:
            if node.schema_address not in self.schema.by_address:
                raise errors.UnknownElement("The document holds state, not only configuration.")
            yield node

    def _cut_all(self, top: Iterable[DataNode]) -> dict[str, Shard]:
        found: dict[str, Shard] = {}
        rest: dict[SchemaNode, list[bytes]] = {}
        for node in top:
            self._cut(node, self.schema.by_address[node.schema_address], found, rest)
        for point, pieces in rest.items():
            found[point.path] = Shard(point.path, point, b"".join(pieces))
        return found

    def _cut(
        self, node: DataNode, schema: SchemaNode, found: dict[str, Shard], rest: dict[SchemaNode, list[bytes]]
    ) -> None:
        if schema in self.schema.points:
            path = self.entry_path(schema, node.first_values(len(schema.keys)))
            if path in found:
                raise errors.BadElement(f"{path} is given twice.", path, info=(("bad-element", schema.name),))
            found[path] = Shard(path, schema, _undeclare(node.xml(), schema.parent))
        elif schema in self.schema.skeleton:
            by_address = self.schema.by_address
            for child in node.children():
                self._cut(child, by_address[child.schema_address], found, rest)
        else:
            home = schema.parent if schema.parent is not None else schema
            xml = _undeclare(node.xml(), schema.parent)
            if xml:
                rest.setdefault(home, []).append(xml)

    def entry_path(self, point: SchemaNode, keys: Iterable[str]) -> str:
        """The path of the shard of ``point`` with these key values."""
        return point.path + "".join(map(predicate, point.keys, keys))


def _order(node: SchemaNode) -> int:
    return node.order


def _open(node: SchemaNode, declared: bool, marks: str) -> bytes:
    namespace = b' xmlns="' + node.namespace.encode() + b'"' if declared else b""
    return b"<" + node.name.encode() + namespace + marks.encode() + b">"


def _undeclare(xml: bytes, parent: SchemaNode | None) -> bytes:
    """Drop the default namespace declaration that the parent makes anyway."""
    if parent is None:
        return xml
    declared = b' xmlns="' + parent.namespace.encode() + b'"'
    start = xml.find(declared, 0, xml.find(b">") + 1)
    return xml if start < 0 else xml[:start] + xml[start + len(declared) :]
