"""Which of the nodes that a change creates, updates or deletes its user may not (RFC 8341, sections 3.2.4 to 3.2.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from nesrv.access.rights import Live, Rights, keys_of
from nesrv.access.rules import CREATE, DELETE, UPDATE
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node

T = TypeVar("T")

Lives = Mapping[str, Live]
"""By operation, the rules that are live at the parent."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The first node that may not be changed so; ``operation``: create, update or delete."""

    operation: str
    path: str


def denied(rights: Rights, shards: Shards, before: Snapshot, after: Snapshot) -> Denied | None:
    """Looks at what differs, and into a shard only where one answer does not go for all of it."""
    for path, (old, new) in before.changes_to(after).items():
        found = _Comparison(rights).shard(shards, path, old, new)
        if found is not None:
            return found
    return None


class _Comparison:
    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    def shard(self, shards: Shards, path: str, old: Shard | None, new: Shard | None) -> Denied | None:
        some = old or new
        assert some is not None
        needed = [CREATE] if old is None else [DELETE] if new is None else [CREATE, UPDATE, DELETE]
        answers = [self._rights.of_shard(operation, some) for operation in needed]
        if all(answers):
            return None
        lives = {operation: self._rights.at_place(operation, some.point) or () for operation in needed}
        return self._siblings(_nodes(shards, old), _nodes(shards, new), lives)

    def _siblings(self, old: Iterable[Node], new: Iterable[Node], lives: Lives) -> Denied | None:
        before, after = {node.ident: node for node in old}, {node.ident: node for node in new}
        created = [node for ident, node in after.items() if ident not in before]
        kept = [ident for ident in before if ident in after]
        moved = _moved(kept, [ident for ident in after if ident in before], before)
        for node in created:
            if (found := self._whole(CREATE, node, lives)) is not None:
                return found
        for ident, node in before.items():
            if ident in after or _yields(node, created):
                continue
            if (found := self._whole(DELETE, node, lives)) is not None:
                return found
        for ident in kept:
            if (found := self._pair(before[ident], after[ident], lives, ident in moved)) is not None:
                return found
        return None

    def _whole(self, operation: str, node: Node, lives: Lives) -> Denied | None:
        """A node that comes or goes with everything below it. A container without presence is nothing by itself."""
        live = self._rights.below(lives[operation], node.schema, keys_of(node))
        if self._rights.of_all(operation, live, node.schema):
            return None
        is_frame = node.schema.kind == "container" and not node.schema.presence
        if not is_frame and not self._rights.permits(operation, live, node.schema):
            return Denied(operation, node.path)
        found = (self._whole(operation, child, {operation: live}) for child in node.children)
        return next((one for one in found if one is not None), None)

    def _pair(self, old: Node, new: Node, lives: Lives, moved: bool) -> Denied | None:
        schema = new.schema
        below = {operation: self._rights.below(live, schema, keys_of(new)) for operation, live in lives.items()}
        if (old.value != new.value or moved) and not self._rights.permits(UPDATE, below[UPDATE], schema):
            return Denied(UPDATE, new.path)
        return self._siblings(old.children, new.children, below)


def _nodes(shards: Shards, shard: Shard | None) -> list[Node]:
    return shards.nodes(shard) if shard is not None else []


def _yields(node: Node, created: Iterable[Node]) -> bool:
    """Whether ``node`` goes because another case of its choice came: that takes no right (section 3.2.4)."""
    chosen = dict(node.schema.cases)
    return any(choice in chosen and chosen[choice] != case for one in created for choice, case in one.schema.cases)


def _moved(old: list[T], new: list[T], nodes: Mapping[T, Node]) -> set[T]:
    """Of entries that users put in order, those that stand after another one than before."""
    ordered_old = [ident for ident in old if nodes[ident].schema.user_ordered]
    ordered_new = [ident for ident in new if nodes[ident].schema.user_ordered]
    return {there for here, there in zip(ordered_old, ordered_new, strict=True) if here != there}
