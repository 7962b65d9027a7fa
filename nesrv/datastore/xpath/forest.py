"""The tree that an expression looks at: a root over the nodes of a datastore, read shard by shard when reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from nesrv.datastore.shards import Shards
from nesrv.datastore.tree import Node, adopt
from nesrv.datastore.xpath.syntax import NameTest, TypeTest
from nesrv.datastore.xpath.values import Text
from nesrv.schema.nodes import SchemaNode

Test = NameTest | TypeTest


class Source(Protocol):
    """Where the nodes come from."""

    def paths(self) -> Iterable[tuple[str, SchemaNode]]:
        """Every shard there is, with its shard point."""

    def nodes(self, path: str) -> list[Node]:
        """The top nodes of one shard, for this reader alone; none for a shard that is not there."""


class Forest:
    """``charge`` is told how many nodes are looked at; it may raise."""

    def __init__(self, shards: Shards, source: Source, charge: Callable[[int], None]) -> None:
        self.schema = shards.schema
        self.root = Node(SchemaNode("", "", "", "container", True, None))
        self._shards = shards
        self._source = source
        self.charge = charge
        self._holders: dict[SchemaNode, Node] = {}
        self._loaded: dict[str, list[Node]] = {}
        self._above: dict[Node, Node] = {}
        self._homes: dict[Node, str] = {}
        self._index: dict[SchemaNode, list[str]] | None = None
        self._places: dict[SchemaNode, dict[str, int]] = {}
        self._ranks: dict[Node, dict[Node, int]] = {}
        self._present: dict[SchemaNode, bool] = {}
        self._leads: dict[tuple[SchemaNode, NameTest], bool] = {}
        self._texts: dict[Node, Text] = {}

    # Where nodes stand

    def parent(self, node: Node) -> Node | None:
        return node.parent if node.parent is not None else self._above.get(node)

    def home(self, node: Node) -> str | None:
        """The shard whose top node ``node`` is."""
        return self._homes.get(node)

    def is_holder(self, node: Node) -> bool:
        """Whether ``node`` is the root or a container above shard points: its children are many shards'."""
        return node is self.root or node.schema in self._holders

    def order(self, node: Node) -> tuple[tuple[int, int, int], ...]:
        """Sorts nodes in document order."""
        above = self.parent(node)
        if above is None:
            return ()
        return (*self.order(above), self._rank(above, node))

    def _rank(self, above: Node, node: Node) -> tuple[int, int, int]:
        if not self.is_holder(above):
            if above not in self._ranks:
                self._ranks[above] = {child: at for at, child in enumerate(above.children)}
            return (0, 0, self._ranks[above][node])
        path = self._homes.get(node)
        if path is None:
            return (1, node.schema.order, 0)
        if node.schema in self.schema.points:
            if node.schema not in self._places:
                self._places[node.schema] = {path: at for at, path in enumerate(self._paths(node.schema))}
            return (1, node.schema.order, self._places[node.schema].get(path, 0))
        return (int(above is self.root), node.schema.order, self._loaded[path].index(node))

    # What is below

    def children(self, node: Node, test: Test | None = None) -> Sequence[Node]:
        """Of what a ``test`` by name does not fit, a part may be left out."""
        if not self.is_holder(node):
            self.charge(len(node.children))
            return node.children
        found: list[Node] = []
        top = node is self.root
        inner = self.schema.data if top else node.schema.children
        if not top and any(fits(child, test) for child in inner.values() if not self._has_shards(child)):
            found += self._load(node.schema.path, node)
        for child in inner.values():
            if not fits(child, test):
                continue
            if child in self.schema.points:
                found += [entry for path in self._paths(child) for entry in self._load(path, node)]
            elif child in self.schema.skeleton:
                found += self._holder(child, node)
            elif top:
                found += self._load(child.path, node)
        self.charge(len(found))
        return found

    def entry(self, above: Node, point: SchemaNode, keys: Sequence[str]) -> Sequence[Node]:
        """The entry of the list ``point`` with these keys, without a look at the others."""
        return self.shard(above, self._shards.entry_path(point, keys))

    def shard(self, above: Node, path: str) -> Sequence[Node]:
        """The top nodes of the shard ``path`` below ``above``."""
        return self._load(path, above)

    def holding(self, holder: Node, test: NameTest) -> Sequence[Node]:
        """The children of ``holder`` below which ``test`` may accept something."""
        inner = self.schema.data if holder is self.root else holder.schema.children
        found: list[Node] = []
        for schema in inner.values():
            if self.leads(schema, test):
                exact = NameTest(schema.namespace, schema.name)
                found += (child for child in self.children(holder, exact) if child.schema is schema)
        return found

    def leads(self, schema: SchemaNode, test: NameTest) -> bool:
        """Whether ``test`` accepts anything below ``schema``."""
        known = self._leads.get((schema, test))
        if known is None:
            below = schema.children.values()
            known = any(fits(child, test) or self.leads(child, test) for child in below)
            self._leads[schema, test] = known
        return known

    def text(self, leaf: Node) -> Text:
        return self._texts.setdefault(leaf, Text(leaf))

    def _has_shards(self, child: SchemaNode) -> bool:
        return child in self.schema.points or child in self.schema.skeleton

    def _holder(self, schema: SchemaNode, above: Node) -> list[Node]:
        if schema not in self._holders:
            made = Node(schema)
            self._holders[schema] = made
            self._above[made] = above
        return [self._holders[schema]] if self._is_present(schema) else []

    def _load(self, path: str, above: Node) -> list[Node]:
        found = self._loaded.get(path)
        if found is None:
            found = self._loaded[path] = self._source.nodes(path)
            for node in found:
                adopt(node)
                self._above[node] = above
                self._homes[node] = path
        return found

    def _paths(self, point: SchemaNode) -> Sequence[str]:
        if self._index is None:
            self._index = {}
            for path, found in self._source.paths():
                self._index.setdefault(found, []).append(path)
        return self._index.get(point, ())

    def _is_present(self, holder: SchemaNode) -> bool:
        """Whether any shard is part of the container; most often the first ones tell."""
        known = self._present.get(holder)
        if known is None:
            inside = {node for node in holder.walk() if node is holder or self._has_shards(node)}
            known = self._present[holder] = any(point in inside for _, point in self._source.paths())
        return known


class _Nothing:
    """No datastore at all."""

    def paths(self) -> Iterable[tuple[str, SchemaNode]]:
        return ()

    def nodes(self, path: str) -> list[Node]:
        return []


NOTHING: Source = _Nothing()


class Trees(Forest):
    """A root over trees that are in no datastore, such as a notification."""

    def __init__(self, shards: Shards, nodes: Sequence[Node], charge: Callable[[int], None]) -> None:
        super().__init__(shards, NOTHING, charge)
        self.root.children = list(nodes)
        self._above = dict.fromkeys(nodes, self.root)

    def is_holder(self, node: Node) -> bool:
        return False


def fits(schema: SchemaNode, test: Test | None) -> bool:
    """Whether ``test`` accepts elements of ``schema``."""
    if not isinstance(test, NameTest):
        return test is None or test.kind == "node"
    return test.name in ("*", schema.name) and test.namespace in (None, schema.namespace)
