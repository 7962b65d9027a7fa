"""edit-config on a snapshot: only the shards that the edit names are touched (RFC 6241 §7.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from nesrv import errors
from nesrv.datastore import merge
from nesrv.datastore.incoming import NETCONF, EditNode, Element, check_siblings, local_name, operation_of
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.tree import Node, to_xml
from nesrv.schema.engine import DEFAULTS
from nesrv.schema.nodes import SchemaNode

DEFAULT_OPERATIONS = ("merge", "replace", "none")

_HAS_ATTRIBUTES = etree.XPath("boolean(.//@nc:operation | .//@y:insert | .//@wd:default)", namespaces={
    "nc": NETCONF, "y": "urn:ietf:params:xml:ns:yang:1", "wd": DEFAULTS,
})  # fmt: skip


@dataclass(slots=True)
class _Touched:
    """What an edit does to shards: nodes to merge per shard, and shards that go away."""

    entries: dict[str, tuple[SchemaNode, Element, str]] = field(default_factory=dict)
    rest: dict[str, tuple[SchemaNode, list[tuple[Element, SchemaNode, str]]]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


class Editor:
    """Applies ``<config>`` elements to snapshots under one schema."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        self._schema = shards.schema
        self._namespaces = shards.schema.namespaces

    def edit(self, snapshot: Snapshot, config: Element, default_operation: str = "merge") -> Snapshot:
        """A new snapshot with the children of ``config`` applied; raises ``RpcError``, changing nothing."""
        children = [child for child in config if isinstance(child.tag, str)]
        if not children and default_operation != "replace":
            return snapshot
        if default_operation == "merge" and not _HAS_ATTRIBUTES(config):
            return self._merge(snapshot, children)
        return self._apply(snapshot, self._touched(snapshot, children, default_operation))

    def replace_all(self, config: Element) -> Snapshot:
        """The snapshot that holds just ``config`` (copy-config with an inline source)."""
        return self._merge(EMPTY, [child for child in config if isinstance(child.tag, str)])

    # The plain merge: libyang reads it all at once, only entries that exist are merged one by one

    def _document(self, children: Iterable[Element]) -> bytes:
        for child in children:
            self._shards.reader.top(child)
        return b"".join(etree.tostring(child, with_tail=False) for child in children)

    def _merge(self, snapshot: Snapshot, children: list[Element]) -> Snapshot:
        try:
            incoming = self._shards.cut(self._document(children))
        except errors.RpcError:
            # The walk accepts what libyang is strict about (keys in another order), and says more of what is wrong.
            return self._apply(snapshot, self._touched(snapshot, children, "merge"))
        changes: dict[str, Shard | None] = {}
        merged: list[tuple[Shard, list[Node]]] = []
        for path, shard in incoming.items():
            known = snapshot.get(path)
            if known is None:
                if shard.point not in self._schema.points:
                    _check_forest(self._shards.nodes(shard))
                changes[path] = shard
            elif known.xml != shard.xml:
                merged.append((shard, self._merged(known, shard)))
        changes.update(self._canonical(merged))
        return snapshot.with_changes(changes) if changes else snapshot

    def _merged(self, known: Shard, shard: Shard) -> list[Node]:
        holder = self._holder(known)
        edits: Any = self._shards.nodes(shard)
        _check_forest(edits)
        merge.apply_children(holder, edits, "merge")
        return holder.children

    def _holder(self, shard: Shard | None) -> Node:
        """A parent for the top nodes of a shard, so that they can be merged as children."""
        holder = Node(_HOLDER)
        for node in self._shards.nodes(shard) if shard is not None else ():
            holder.children.append(node)
        return holder

    def _canonical(self, results: list[tuple[Shard, list[Node]]]) -> dict[str, Shard | None]:
        """Print merged nodes, have libyang check and normalise them in one go, cut them again."""
        changes: dict[str, Shard | None] = {shard.path: None for shard, _ in results}
        by_point: dict[SchemaNode, list[bytes]] = {}
        for shard, nodes in results:
            by_point.setdefault(shard.point, []).extend(to_xml(node, self._namespaces) for node in nodes)
        changes.update(self._shards.cut(b"".join(self._shards.wrapped(by_point))))
        return changes

    # Edits with operations: walk the elements, splitting at shard points

    def _touched(self, snapshot: Snapshot, children: list[Element], default_operation: str) -> _Touched:
        touched = _Touched()
        if default_operation == "replace":
            touched.gone.update(snapshot)
        for child in children:
            schema = self._shards.reader.top(child)
            self._split(snapshot, child, schema, default_operation, touched)
        return touched

    def _split(
        self, snapshot: Snapshot, element: Element, schema: SchemaNode, inherited: str, touched: _Touched
    ) -> None:
        if not schema.config:
            raise errors.UnknownElement(
                f'Node "{schema.name}" is state, not configuration.', schema.path, info=(("bad-element", schema.name),)
            )
        if schema in self._schema.skeleton:
            self._split_container(snapshot, element, schema, inherited, touched)
        elif schema in self._schema.points:
            path = self._entry_path(element, schema)
            if path in touched.entries:
                raise errors.BadElement(f"{path} occurs twice in one edit.", path, info=(("bad-element", schema.name),))
            touched.entries[path] = (schema, element, inherited)
        else:
            home = schema.parent if schema.parent is not None else schema
            touched.rest.setdefault(home.path, (home, []))[1].append((element, schema, inherited))

    def _split_container(
        self, snapshot: Snapshot, element: Element, schema: SchemaNode, inherited: str, touched: _Touched
    ) -> None:
        own = operation_of(element, Node(schema))
        operation = own or inherited
        below: list[str] = []
        if own not in (None, "merge") or operation == "replace":
            below = [shard.path for shard in snapshot.shards() if _stands_in(shard, schema)]
        if operation == "create" and below:
            raise errors.DataExists(f'"{schema.name}" exists already; create needs it not to.', schema.path)
        if operation == "delete" and not below:
            raise errors.DataMissing(f'"{schema.name}" does not exist, so it cannot be deleted.', schema.path)
        if operation in ("delete", "remove", "replace"):
            touched.gone.update(below)
        if operation in ("delete", "remove"):
            return
        inner = "merge" if operation == "create" else operation
        for child in element:
            if isinstance(child.tag, str):
                found = self._shards.reader.child(schema, child, schema.path)
                self._split(snapshot, child, found, inner, touched)

    def _entry_path(self, element: Element, schema: SchemaNode) -> str:
        values = []
        for key in schema.keys:
            found = [child for child in element if isinstance(child.tag, str) and local_name(child) == key]
            if not found:
                raise errors.MissingElement(
                    f'An entry of "{schema.name}" lacks its key "{key}".',
                    f"{schema.path}/{key}",
                    info=(("bad-element", key),),
                )
            values.append(self._shards.reader.value(found[0], schema.by_name[key]))
        return self._shards.entry_path(schema, values)

    def _apply(self, snapshot: Snapshot, touched: _Touched) -> Snapshot:
        changes: dict[str, Shard | None] = dict.fromkeys(touched.gone)
        results: list[tuple[Shard, list[Node]]] = []
        todo = [(path, point, [(element, point, op)]) for path, (point, element, op) in touched.entries.items()]
        todo += [(path, point, list(elements)) for path, (point, elements) in touched.rest.items()]
        for path, point, elements in todo:
            known = None if path in touched.gone else snapshot.get(path)
            holder = self._holder(known)
            for edit, operation in self._edits(elements):
                merge.apply_children(holder, [edit], operation)
            results.append((known or Shard(path, point, b""), holder.children))
        changes.update(self._canonical(results))
        changes = {path: shard for path, shard in changes.items() if shard is not None or path in snapshot}
        return snapshot.with_changes(changes) if changes else snapshot

    def _edits(self, elements: Iterable[tuple[Element, SchemaNode, str]]) -> list[tuple[EditNode, str]]:
        edits = [
            (self._shards.reader.read(element, schema, None), operation) for element, schema, operation in elements
        ]
        _check_forest([edit for edit, _ in edits])
        return edits


def _check_forest(edits: Any) -> None:
    top = EditNode(_HOLDER)
    top.children = edits
    check_siblings(top)


def _stands_in(shard: Shard, container: SchemaNode) -> bool:
    node: SchemaNode | None = shard.point
    while node is not None:
        if node is container:
            return True
        node = node.parent
    return False


_HOLDER = SchemaNode("config", "", "", "container", True, None)
