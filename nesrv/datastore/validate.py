"""Validation by libyang, on the slice of the configuration that a change can make invalid.

The slice: what changed, every rest shard (they are few), whatever those refer to, and
whoever refers to something that went away.  The verdict is the same as for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node
from nesrv.schema.nodes import SchemaNode

_NONE: frozenset[str] = frozenset()

Changes = Mapping[str, tuple[Shard | None, Shard | None]]


def _below(node: Node, schema: SchemaNode, top: SchemaNode) -> Iterator[Node]:
    """The instances of ``schema`` in the tree of ``node``, an instance of ``top``."""
    steps: list[SchemaNode] = []
    current: SchemaNode | None = schema
    while current is not None and current is not top:
        steps.append(current)
        current = current.parent
    found = [node]
    for step in reversed(steps):
        found = [child for parent in found for child in parent.children if child.schema is step]
    yield from found


def _chosen(leaf: Node, chooser: str) -> str | None:
    """The value of the leaf at ``../x/y`` seen from ``leaf``."""
    node: Node | None = leaf
    for step in chooser.split("/"):
        if node is None:
            return None
        node = node.parent if step == ".." else node.at(step)
    return node.value if node is not None else None


class Validator:
    """Knows who refers to whom in running; asks libyang about the slice."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        self._schema = shards.schema
        self._referrers: dict[str, set[str]] = {}

    def targets(self, shard: Shard) -> frozenset[str]:
        """Paths of the shards that ``shard`` refers to."""
        if shard.point not in self._schema.references.edges:
            return _NONE
        return shard.remember("targets", self._find_targets)

    def _find_targets(self, shard: Shard) -> frozenset[str]:
        found: set[str] = set()
        for node in self._shards.fixed(shard):
            for edge in self._schema.references.edges[shard.point]:
                for leaf in _below(node, edge.leaf, node.schema):
                    chosen = leaf.value if edge.chooser is None else _chosen(leaf, edge.chooser)
                    if chosen is not None:
                        found.add(self._shards.entry_path(edge.target, [chosen]))
        return frozenset(found)

    def _offered(self, shard: Shard) -> set[tuple[SchemaNode, str | None]]:
        """The values in ``shard`` that leafrefs elsewhere may ask for."""
        wanted = self._schema.references.wanted.get(shard.point, ())
        return {
            (leaf, found.value)
            for node in (self._shards.fixed(shard) if wanted else ())
            for leaf in wanted
            for found in _below(node, leaf, shard.point)
        }

    def _took_away(self, before: Shard | None, after: Shard | None) -> bool:
        if before is None or before.point not in self._schema.references.wanted:
            return False
        return after is None or bool(self._offered(before) - self._offered(after))

    def adopt(self, changes: Changes) -> None:
        """``changes`` have become part of running."""
        for path, (before, after) in changes.items():
            for target in self.targets(before) if before is not None else ():
                referrers = self._referrers.get(target, set())
                referrers.discard(path)
                if not referrers:
                    self._referrers.pop(target, None)
            for target in self.targets(after) if after is not None else ():
                self._referrers.setdefault(target, set()).add(path)

    def slice(self, snapshot: Snapshot, changes: Changes) -> list[Shard]:
        """The shards of ``snapshot`` that have to be looked at when ``changes`` (from running) were made."""
        if self._needs_all(snapshot, changes):
            return list(snapshot.shards())
        todo = [after.path for _, after in changes.values() if after is not None]
        todo += [point.path for point in self._rest_points() if point.path in snapshot]
        for path, (before, after) in changes.items():
            if self._took_away(before, after):
                todo += self._referrers.get(path, ())
        found: dict[str, Shard] = {}
        while todo:
            path = todo.pop()
            shard = snapshot.get(path)
            if shard is None or path in found:
                continue
            found[path] = shard
            todo += self.targets(shard)
        return list(found.values())

    def _needs_all(self, snapshot: Snapshot, changes: Changes) -> bool:
        known = self._schema.references
        changed = (shard for pair in changes.values() for shard in pair if shard is not None)
        return (
            known.always
            or any(shard.point in known.leaned_on for shard in changed)
            or (bool(known.escaping) and any(shard.point in known.escaping for shard in snapshot.shards()))
        )

    def _rest_points(self) -> Iterator[SchemaNode]:
        yield from self._schema.skeleton
        yield from (node for node in self._schema.data.values() if node.config and node not in self._schema.skeleton)

    def validate(self, snapshot: Snapshot, changes: Changes) -> None:
        """Raise the ``RpcError`` of the first thing wrong in ``snapshot``, given a valid running."""
        if changes:
            self.ask(self.question(snapshot, changes))

    def question(self, snapshot: Snapshot, changes: Changes) -> bytes:
        """The slice as the document that libyang is asked about."""
        return self._shards.document(self.slice(snapshot, changes))

    def ask(self, document: bytes) -> None:
        """libyang's verdict, the first error raised as ``RpcError``; may be called in a thread."""
        self._schema.engine.validate(document)

    def validate_whole(self, snapshot: Snapshot) -> None:
        """The oracle: the whole of ``snapshot`` in one go."""
        self._schema.engine.validate(self._shards.document(snapshot.shards()))
