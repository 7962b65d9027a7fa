"""What a reader is shown: configuration in one of the modes of RFC 6243, with operational state over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from nesrv.datastore import defaults
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node, to_xml
from nesrv.schema.nodes import SchemaNode

State = dict[str, list[Node]]
"""Shard path → top nodes with operational state (an entry's node, or nodes of a rest shard)."""


class View(Protocol):
    """Data to choose from, shard by shard; a shard that is not there has neither nodes nor bytes."""

    def paths(self) -> Iterable[tuple[str, SchemaNode]]:
        """Every shard that may be there, with its shard point."""

    def nodes(self, path: str) -> list[Node]:
        """The top nodes of a shard, the caller's own."""

    def whole(self, path: str) -> bytes:
        """A shard as it is printed."""

    def fragments(self) -> Iterable[bytes]:
        """Everything."""


class Configuration:
    """A snapshot as a mode of RFC 6243 shows it."""

    def __init__(self, shards: Shards, snapshot: Snapshot, mode: str = "explicit") -> None:
        self._shards = shards
        self._shown = defaults.view(shards, snapshot, mode)

    def paths(self) -> Iterator[tuple[str, SchemaNode]]:
        return self._shown.paths()

    def nodes(self, path: str) -> list[Node]:
        return self._shown.nodes(path)

    def get(self, path: str) -> Shard | None:
        return self._shown.get(path)

    def whole(self, path: str) -> bytes:
        shard = self._shown.get(path)
        return shard.xml if shard is not None else b""

    def fragments(self) -> Iterator[bytes]:
        return self._shards.fragments(self._shown.shards())


class Overlaid:
    """Configuration with state laid over it; ``state`` is used up. What is by default in use of state is not
    known unless it is told (RFC 8342, section 5.3), so no mode adds to it; trim takes away."""

    def __init__(self, shards: Shards, snapshot: Snapshot, state: State, mode: str = "explicit") -> None:
        self._shards = shards
        self._configuration = Configuration(shards, snapshot, mode)
        self._snapshot = snapshot
        self._state = state
        self._trims = mode == "trim"

    def paths(self) -> Iterator[tuple[str, SchemaNode]]:
        known = set()
        for path, point in self._configuration.paths():
            known.add(path)
            yield path, point
        for path in tuple(self._state):
            if path not in known:
                yield path, self._shards.schema.node(path)

    def nodes(self, path: str) -> list[Node]:
        if path not in self._state:
            return self._configuration.nodes(path)
        state = self._state[path]
        return merge_state(self._configuration.nodes(path), defaults.trimmed(state) if self._trims else state)

    def whole(self, path: str) -> bytes:
        """Once: what state is printed is not kept until all of it is."""
        if path not in self._state:
            return self._configuration.whole(path)
        whole = printed(self._shards, self.nodes(path), self._shards.place(self._shards.schema.node(path)))
        del self._state[path]
        return whole

    def fragments(self) -> Iterator[bytes]:
        return joined(self._shards, self)


def joined(shards: Shards, view: View) -> Iterator[bytes]:
    """Everything of ``view``, shard by shard."""
    by_point: dict[SchemaNode, list[bytes]] = {}
    for path, point in view.paths():
        by_point.setdefault(point, []).append(view.whole(path))
    return shards.wrapped({point: pieces for point, pieces in by_point.items() if any(pieces)})


def printed(shards: Shards, nodes: Iterable[Node], place: SchemaNode | None) -> bytes:
    """``nodes`` for the inside of ``place``."""
    names, outer = shards.schema.namespaces, place.namespace if place is not None else ""
    return b"".join(to_xml(node, names, outer) for node in nodes)


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
