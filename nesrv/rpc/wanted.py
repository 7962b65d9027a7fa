"""What the filter of a request can reach, so that nothing else is read."""

from __future__ import annotations

from collections.abc import Sequence

from nesrv.datastore.shards import Shards
from nesrv.rpc.filters import named_shard
from nesrv.rpc.patterns import Pattern
from nesrv.schema.nodes import SchemaNode


class Wanted:
    """``patterns`` of a subtree filter; None where everything may be selected (no filter, XPath)."""

    def __init__(self, shards: Shards, patterns: Sequence[Pattern] | None) -> None:
        self._shards = shards
        self._patterns = patterns

    def reaches(self, path: str) -> bool:
        """Whether the filter can select, or depends on, anything at or below the node at schema ``path``."""
        return self._patterns is None or _reach(self._patterns, _chain(self._shards.schema.node(path)))

    def entries(self, path: str) -> frozenset[str] | None:
        """The shards that the filter names by key at the shard point ``path``; None where it may select any."""
        if self._patterns is None:
            return None
        return self._named(self._patterns, _chain(self._shards.schema.node(path)))

    def _named(self, patterns: Sequence[Pattern], chain: Sequence[SchemaNode]) -> frozenset[str] | None:
        node, below = chain[0], chain[1:]
        found: set[str] = set()
        for pattern in patterns:
            if not pattern.fits(node):
                continue
            inner = pattern.children if below else ()
            named = self._named(inner, below) if inner else self._named_by(pattern, node) if not below else None
            if named is None:
                return None
            found |= named
        return frozenset(found)

    def _named_by(self, pattern: Pattern, point: SchemaNode) -> frozenset[str] | None:
        path = named_shard(self._shards, point, pattern)
        return None if path is None else frozenset((path,))


def _chain(node: SchemaNode) -> list[SchemaNode]:
    """From the top-level node down to ``node``."""
    above = _chain(node.parent) if node.parent is not None else []
    return [*above, node]


def _reach(patterns: Sequence[Pattern], chain: Sequence[SchemaNode]) -> bool:
    for pattern in patterns:
        if pattern.fits(chain[0]):
            only_matches = all(inner.text is not None for inner in pattern.children)
            if len(chain) == 1 or only_matches or _reach(pattern.children, chain[1:]):
                return True
    return False
