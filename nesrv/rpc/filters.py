"""Subtree filters (RFC 6241 §6) and XPath filters (§8.9) on what a view shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nesrv.datastore.shards import Shards
from nesrv.datastore.tree import Node
from nesrv.datastore.xpath.evaluate import Evaluator
from nesrv.datastore.xpath.forest import Forest
from nesrv.datastore.xpath.syntax import NameTest
from nesrv.rpc.patterns import Pattern
from nesrv.rpc.reply import Reply
from nesrv.rpc.views import View, printed
from nesrv.rpc.xpath import nodes_of
from nesrv.schema.nodes import SchemaNode


def named_shard(shards: Shards, point: SchemaNode, pattern: Pattern) -> str | None:
    """The one shard of ``point`` that ``pattern`` can select, when it gives every key."""
    values = []
    for key in point.keys:
        schema = point.by_name[key]
        found = [inner for inner in pattern.children if inner.text is not None and inner.fits(schema)]
        if len(found) != 1:
            return None
        values.append(shards.reader.value(found[0].element, schema))
    # White space around a match does not count (RFC 6241 §6.2.5), so such a key names no single entry.
    return shards.entry_path(point, values) if all(value == value.strip() for value in values) else None


class Selection:
    """Answers filters over one view."""

    def __init__(self, shards: Shards, view: View) -> None:
        self._shards = shards
        self._schema = shards.schema
        self._view = view

    def everything(self) -> Iterable[bytes]:
        return self._view.fragments()

    def _printed(self, nodes: Iterable[Node], place: SchemaNode | None) -> bytes:
        return printed(self._shards, nodes, place)

    # Subtree

    def subtree(self, patterns: Sequence[Pattern]) -> Iterable[bytes]:
        """The fragments that ``patterns`` select."""
        by_point: dict[SchemaNode, list[bytes]] = {}
        for schema in self._schema.data.values():
            fitting = [pattern for pattern in patterns if pattern.fits(schema)]
            if fitting:
                self._descend(schema, fitting, by_point)
        return self._shards.wrapped({point: pieces for point, pieces in by_point.items() if any(pieces)})

    def _descend(self, schema: SchemaNode, patterns: list[Pattern], by_point: dict[SchemaNode, list[bytes]]) -> None:
        if schema in self._schema.points:
            by_point[schema] = list(self._entries(schema, patterns))
        elif schema in self._schema.skeleton:
            self._container(schema, patterns, by_point)
        elif schema.parent is None:
            nodes = self._view.nodes(schema.path)
            by_point[schema] = [self._printed(self._cut_all(nodes, patterns), None)]

    def _container(self, schema: SchemaNode, patterns: list[Pattern], by_point: dict[SchemaNode, list[bytes]]) -> None:
        rest = self._view.nodes(schema.path)
        if any(pattern.selects for pattern in patterns):
            by_point[schema] = [self._printed(rest, schema)]
            below: list[Pattern] | None = None
        else:
            below = []
            for pattern in patterns:
                matching = [inner for inner in pattern.children if inner.text is not None]
                if all(self._some(rest, inner) for inner in matching):
                    chosen = [inner for inner in pattern.children if inner.text is None]
                    below += chosen or [_ANY]
                    below += matching
            by_point[schema] = [self._printed(self._cut_all(rest, below), schema)]
        for child in schema.children.values():
            if child in self._schema.points or child in self._schema.skeleton:
                fitting = [_everything(child)] if below is None else [p for p in below if p is _ANY or p.fits(child)]
                fitting = [_everything(child) if pattern is _ANY else pattern for pattern in fitting]
                if fitting:
                    self._descend(child, fitting, by_point)

    def _entries(self, point: SchemaNode, patterns: list[Pattern]) -> Iterator[bytes]:
        if any(pattern.selects for pattern in patterns):
            yield from (self._view.whole(path) for path, found in self._view.paths() if found is point)
            return
        chosen = [named_shard(self._shards, point, pattern) for pattern in patterns]
        if all(path is not None for path in chosen):
            paths = dict.fromkeys(path for path in chosen if path is not None)
            known = list(paths)
        else:
            known = [path for path, found in self._view.paths() if found is point]
        place = self._shards.place(point)
        for path in known:
            if any(
                p == path and len(pattern.children) == len(point.keys)
                for p, pattern in zip(chosen, patterns, strict=True)
            ):
                yield self._view.whole(path)
            else:
                yield self._printed(self._cut_all(self._view.nodes(path), patterns), place)

    def matches(self, nodes: Iterable[Node], patterns: Sequence[Pattern]) -> bool:
        """Whether ``patterns`` leave anything of ``nodes``."""
        return next(self._cut_all(nodes, patterns), None) is not None

    def _some(self, nodes: Iterable[Node], pattern: Pattern) -> bool:
        return any(pattern.fits(node.schema) and self._equal(node, pattern) for node in nodes)

    def _equal(self, node: Node, pattern: Pattern) -> bool:
        if node.value is None:
            return False
        wanted = self._shards.reader.value(pattern.element, node.schema)
        return node.value.strip() == wanted.strip() or (
            node.schema.holds_qname and node.value.split(":")[-1] == pattern.text
        )

    def _cut_all(self, nodes: Iterable[Node], patterns: Sequence[Pattern]) -> Iterator[Node]:
        for node in nodes:
            found = self._cut(node, [pattern for pattern in patterns if pattern is _ANY or pattern.fits(node.schema)])
            if found is not None:
                yield found

    def _cut(self, node: Node, patterns: list[Pattern]) -> Node | None:
        """What the union of ``patterns`` (all fitting ``node``) leaves of it."""
        if not patterns:
            return None
        if node.value is not None or node.schema.kind in ("leaf", "leaf-list"):
            fits = any(p is _ANY or p.selects or (p.text is not None and self._equal(node, p)) for p in patterns)
            return node if fits else None
        below: list[Pattern] = []
        for pattern in patterns:
            matching = [inner for inner in pattern.children if inner.text is not None]
            if pattern is _ANY or pattern.selects or (
                len(matching) == len(pattern.children) and all(self._some(node.children, inner) for inner in matching)
            ):  # fmt: skip
                return node
            if all(self._some(node.children, inner) for inner in matching):
                below += pattern.children
        found = list(self._cut_all(node.children, below))
        if not found:
            return None
        made = Node(node.schema, None, node.parent)
        keys = [child for child in node.children if child.schema.is_key and child not in found]
        made.children = [*keys, *found]
        return made

    # Subtree, as nodes of a forest

    def chosen(self, forest: Forest, patterns: Sequence[Pattern]) -> list[Node]:
        """The nodes that ``patterns`` select, each with all that is below it."""
        found: list[Node] = []
        self._pick_below(forest, forest.root, patterns, found)
        return found

    def _pick(self, forest: Forest, node: Node, patterns: Sequence[Pattern], found: list[Node]) -> None:
        if node.value is not None or node.schema.kind in ("leaf", "leaf-list"):
            if any(p.selects or (p.text is not None and self._equal(node, p)) for p in patterns):
                found.append(node)
            return
        below: list[Pattern] = []
        for pattern in patterns:
            matching = [inner for inner in pattern.children if inner.text is not None]
            if all(self._some(forest.children(node, NameTest(None, inner.name)), inner) for inner in matching):
                if pattern.selects or len(matching) == len(pattern.children):
                    found.append(node)
                    return
                below += pattern.children
        self._pick_below(forest, node, below, found)

    def _pick_below(self, forest: Forest, node: Node, patterns: Sequence[Pattern], found: list[Node]) -> None:
        if not forest.is_holder(node):
            inner: Iterable[Node] = node.children
        else:
            schemas = self._schema.data if node is forest.root else node.schema.children
            inner = [child for schema in schemas.values() for child in self._reached(forest, node, schema, patterns)]
        for child in inner:
            fitting = [pattern for pattern in patterns if pattern.fits(child.schema)]
            if fitting:
                self._pick(forest, child, fitting, found)

    def _reached(self, forest: Forest, holder: Node, schema: SchemaNode, patterns: Sequence[Pattern]) -> Iterator[Node]:
        """The instances of ``schema`` below ``holder`` that ``patterns`` may select."""
        fitting = [pattern for pattern in patterns if pattern.fits(schema)]
        if not fitting:
            return
        if schema in self._schema.points:
            named = [named_shard(self._shards, schema, pattern) for pattern in fitting]
            if None not in named:
                for path in dict.fromkeys(named):
                    yield from forest.shard(holder, path or "")
                return
        exact = NameTest(schema.namespace, schema.name)
        yield from (child for child in forest.children(holder, exact) if child.schema is schema)

    # XPath

    def xpath(self, expression: str, namespaces: Mapping[str, str]) -> Iterable[bytes]:
        """The nodes that ``expression`` selects, with their ancestors and those ancestors' keys."""
        evaluator = Evaluator(self._shards, self._view, namespaces)
        kept = nodes_of(evaluator, expression, namespaces)
        return Reply(self._shards, self._view, evaluator.forest, kept).fragments()


_ANY = Pattern(None, "*", None, None, ())


def _everything(schema: SchemaNode) -> Pattern:
    return Pattern(None, schema.name, None, None, ())
