"""Subtree filters (RFC 6241 §6) and XPath filters (§8.9) on snapshots with state laid over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from nesrv import errors
from nesrv.datastore.incoming import NETCONF, Element
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node, to_xml
from nesrv.rpc.xpath import below_wrapper
from nesrv.schema.nodes import SchemaNode

State = dict[str, list[Node]]
"""Shard path → top nodes with operational state (an entry's node, or nodes of a rest shard)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One element of a subtree filter. No children and no text: a selection node."""

    namespace: str | None
    name: str
    element: Element
    text: str | None
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Pattern, ...] = field(default=())

    def fits(self, schema: SchemaNode) -> bool:
        return self.name == schema.name and self.namespace in (None, "", schema.namespace) and not self.attributes

    @property
    def selects(self) -> bool:
        return not self.children and self.text is None


def compile_subtree(holder: Element) -> tuple[Pattern, ...]:
    """The patterns below ``<filter>``."""
    return tuple(_pattern(child) for child in holder if isinstance(child.tag, str))


def _pattern(element: Element) -> Pattern:
    qname = etree.QName(element)
    children = compile_subtree(element)
    text = (element.text or "").strip()
    namespace = qname.namespace
    return Pattern(
        None if namespace == NETCONF else namespace,
        qname.localname,
        element,
        text if text and not children else None,
        tuple((str(name), str(value)) for name, value in element.attrib.items()),
        children,
    )


def merge_state(config: list[Node], state: Iterable[Node]) -> list[Node]:
    """``config`` with ``state`` laid over it, matched by key; ``state`` is used up."""
    index = {node.ident: node for node in config}
    for node in state:
        known = index.get(node.ident)
        if known is None:
            config.append(node)
        elif node.schema.kind in ("leaf", "leaf-list"):
            known.value = node.value
        else:
            known.children = merge_state(known.children, node.children)
    return config


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
    """Answers one filter over one snapshot and the state over it, which is used up."""

    def __init__(self, shards: Shards, snapshot: Snapshot, state: State | None = None) -> None:
        self._shards = shards
        self._schema = shards.schema
        self._snapshot = snapshot
        self._state = state if state is not None else {}
        self._namespaces = self._schema.namespaces

    # Everything

    def everything(self) -> Iterable[bytes]:
        if not self._state:
            return self._shards.fragments(self._snapshot.shards())
        by_point: dict[SchemaNode, list[bytes]] = {}
        for path, point in self._paths():
            by_point.setdefault(point, []).append(self._whole(path, point))
        return self._shards.wrapped(by_point)

    def _paths(self) -> Iterator[tuple[str, SchemaNode]]:
        for shard in self._snapshot.shards():
            yield shard.path, shard.point
        for path in tuple(self._state):
            if path not in self._snapshot:
                yield path, self._schema.node(path)

    def _whole(self, path: str, point: SchemaNode) -> bytes:
        shard = self._snapshot.get(path)
        if path not in self._state:
            return shard.xml if shard is not None else b""
        return self._printed(self._nodes(path, shard), self._shards.place(point))

    def _printed(self, nodes: Iterable[Node], place: SchemaNode | None) -> bytes:
        outer = place.namespace if place is not None else ""
        return b"".join(to_xml(node, self._namespaces, outer) for node in nodes)

    def _nodes(self, path: str, shard: Shard | None) -> list[Node]:
        """Of one path once: what state is printed is not kept until all of it is."""
        config = self._shards.bare(shard) if shard is not None else []
        return merge_state(config, self._state.pop(path, ()))

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
            nodes = self._nodes(schema.path, self._snapshot.get(schema.path))
            by_point[schema] = [self._printed(self._cut_all(nodes, patterns), None)]

    def _container(self, schema: SchemaNode, patterns: list[Pattern], by_point: dict[SchemaNode, list[bytes]]) -> None:
        rest = self._nodes(schema.path, self._snapshot.get(schema.path))
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
            yield from (self._whole(path, point) for path, found in self._paths() if found is point)
            return
        chosen = [named_shard(self._shards, point, pattern) for pattern in patterns]
        if all(path is not None for path in chosen):
            paths = dict.fromkeys(path for path in chosen if path is not None)
            known = [path for path in paths if path in self._snapshot or path in self._state]
        else:
            known = [path for path, found in self._paths() if found is point]
        place = self._shards.place(point)
        for path in known:
            if any(
                p == path and len(pattern.children) == len(point.keys)
                for p, pattern in zip(chosen, patterns, strict=True)
            ):
                yield self._whole(path, point)
            else:
                yield self._printed(self._cut_all(self._nodes(path, self._snapshot.get(path)), patterns), place)

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

    # XPath

    def xpath(self, expression: str, namespaces: Mapping[str, str]) -> Iterable[bytes]:
        """The nodes that ``expression`` selects, with their ancestors and those ancestors' keys."""
        try:
            query = etree.XPath(below_wrapper(expression), namespaces=namespaces)
        except etree.XPathError as error:
            raise errors.InvalidValue(
                f'"{expression}" is no XPath: {error}.', info=(("bad-element", "filter"),), type="protocol"
            ) from error
        top = etree.fromstring(b"<data>" + b"".join(self.everything()) + b"</data>", _PARSER)
        kept = _evaluate(query, top, expression)
        above = {ancestor for item in kept for ancestor in item.iterancestors()}
        for element in top:
            if top in kept or element in kept or element in above:
                if top not in kept:
                    _prune(element, self._schema.data[element.tag], kept, above)
                yield etree.tostring(element, encoding="us-ascii", xml_declaration=False)


_ANY = Pattern(None, "*", None, None, ())
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


def _everything(schema: SchemaNode) -> Pattern:
    return Pattern(None, schema.name, None, None, ())


def _evaluate(query: etree.XPath, top: Any, expression: str) -> set[Any]:
    try:
        result = query(top)
    except etree.XPathError as error:
        raise errors.InvalidValue(
            f'"{expression}" cannot be evaluated: {error}.', info=(("bad-element", "filter"),), type="protocol"
        ) from error
    if not isinstance(result, list):
        raise errors.InvalidValue(
            f'"{expression}" selects no nodes but a {type(result).__name__}.',
            info=(("bad-element", "filter"),),
            type="protocol",
        )
    found = set()
    for item in result:
        element = item if isinstance(item, etree._Element) else getattr(item, "getparent", lambda: None)()
        if isinstance(element, etree._Element):
            found.add(element)
    return found


def _prune(element: Any, schema: SchemaNode, kept: set[Any], above: set[Any]) -> None:
    """Take from ``element`` what is neither kept, nor above or below something kept, nor a key on the way."""
    if element in kept:
        return
    for child in list(element):
        below = schema.children.get(child.tag)
        if child in kept or (below is not None and below.is_key):
            continue
        if child in above and below is not None:
            _prune(child, below, kept, above)
        else:
            element.remove(child)
