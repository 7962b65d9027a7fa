"""What one user sees of datastores and of state (RFC 8341, section 3.2.3).

A node that may not be read is left out with everything below it; so is a list entry with a key that may not be
read, and a container that would stand empty only because of what is left out of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nesrv.access.rights import Live, Rights, keys_of
from nesrv.access.rules import READ
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node, to_xml


class Reader:
    """Sees with the rights of one user; remembers the last view of each datastore, as most changes are small."""

    def __init__(self, rights: Rights, shards: Shards) -> None:
        self._rights = rights
        self._shards = shards
        self._views: dict[str, tuple[Snapshot, Snapshot]] = {}

    def visible(self, datastore: str, snapshot: Snapshot) -> Snapshot:
        """``snapshot`` without what may not be read; costs what changed since the last view of ``datastore``."""
        seen, view = self._views.get(datastore, (None, snapshot))
        if seen is None:
            view = self._changed(snapshot, {shard.path: shard for shard in snapshot.shards()}, snapshot)
        elif seen is not snapshot:
            changes = seen.changes_to(snapshot)
            whole = {path: after for path, (_, after) in changes.items()}
            # A view in which nothing is left out is the snapshot itself.
            view = self._changed(snapshot, whole, snapshot if view is seen else view.with_changes(whole))
        self._views[datastore] = (snapshot, view)
        return view

    def _changed(self, snapshot: Snapshot, whole: Mapping[str, Shard | None], view: Snapshot) -> Snapshot:
        """``view`` after what must not be seen of the shards in ``whole`` is taken out."""
        hidden: dict[str, Shard | None] = {}
        for path, shard in whole.items():
            if shard is not None and (seen := self.shard(shard)) is not shard:
                hidden[path] = seen
        return view.with_changes(hidden) if hidden else view

    def shard(self, shard: Shard) -> Shard | None:
        """The shard itself when all of it may be read, None when nothing."""
        answer = self._rights.of_shard(READ, shard)
        if answer is not None:
            return shard if answer else None
        place = self._shards.place(shard.point)
        nodes = self._shards.nodes(shard)
        kept = self.nodes(nodes, self._rights.at_place(READ, shard.point))
        if not kept:
            return None
        namespaces = self._shards.schema.namespaces
        xml = b"".join(to_xml(node, namespaces, place.namespace if place else "") for node in kept)
        return Shard(shard.path, shard.point, xml)

    def state(self, state: Mapping[str, list[Node]]) -> dict[str, list[Node]]:
        """Nodes by shard path; they are used up."""
        found = {}
        for path, nodes in state.items():
            point = self._shards.schema.node(path)
            kept = self.nodes(nodes, self._rights.at_place(READ, point))
            if kept:
                found[path] = kept
        return found

    def nodes(self, nodes: Iterable[Node], live: Live | None) -> list[Node]:
        """Of siblings, with the rules that are live at their parent."""
        if live is None:
            return []
        return [kept for node in nodes if (kept := self._node(node, live)) is not None]

    def _node(self, node: Node, above: Live) -> Node | None:
        schema = node.schema
        live = self._rights.below(above, schema, keys_of(node))
        answer = self._rights.of_all(READ, live, schema)
        if answer is not None:
            return node if answer else None
        if not self._rights.permits(READ, live, schema):
            return None
        children = self.nodes(node.children, live)
        lost = len(node.children) - len(children)
        if lost and sum(child.schema.is_key for child in children) < len(schema.keys):
            return None
        if lost and not children and schema.kind == "container" and not schema.presence:
            return None
        node.children = children
        return node
