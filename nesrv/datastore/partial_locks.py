"""Locks on parts of running (RFC 5717): which nodes, whose, and what they forbid; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from nesrv import errors
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node, to_xml
from nesrv.schema import paths
from nesrv.schema.paths import PathStep

Steps = tuple[PathStep, ...]


@dataclass(frozen=True, slots=True)
class PartialLock:
    """``selects`` as the client wrote them, with names of modules for prefixes; ``nodes`` the instance paths that
    they gave; ``since`` in seconds since the epoch."""

    number: int
    session: int
    since: float
    selects: tuple[str, ...]
    nodes: tuple[str, ...]
    _roots: frozenset[Steps] = field(repr=False)
    _above: frozenset[Steps] = field(repr=False)

    @staticmethod
    def on(number: int, session: int, since: float, selects: Iterable[str], nodes: Iterable[str]) -> PartialLock:
        kept = tuple(dict.fromkeys(nodes))
        roots = frozenset(tuple(paths.split(path)) for path in kept)
        above = frozenset(steps[:count] for steps in roots for count in range(1, len(steps)))
        return PartialLock(number, session, since, tuple(selects), kept, roots, above)

    def covers(self, steps: Steps) -> bool:
        """Whether the node is one of those that are locked, or below one."""
        return any(steps[:count] in self._roots for count in range(1, len(steps) + 1))

    def overlaps(self, other: PartialLock) -> bool:
        return any(self.covers(steps) or steps in self._above for steps in other._roots)

    def changed(self, shards: Shards, before: Snapshot, after: Snapshot) -> str | None:
        """The path of a locked node, or of a shard below one, that differs."""
        for path, (old, new) in before.changes_to(after).items():
            steps = tuple(paths.split(path))
            if self.covers(steps):
                return path
            if steps in self._above:
                inside = (root for root in self._roots if root[: len(steps)] == steps)
                if (found := _differing(shards, old, new, inside)) is not None:
                    return _path(found)
        return None


class PartialLocks:
    """All of them; sessions by number."""

    def __init__(self) -> None:
        self._held: dict[int, PartialLock] = {}
        self._last = 0

    def held(self) -> Sequence[PartialLock]:
        return tuple(self._held.values())

    def lock(self, session: int, now: float, selects: Iterable[str], nodes: Iterable[str]) -> PartialLock:
        """Raises lock-denied where another session has locked some of ``nodes``: all of them are locked, or none."""
        made = PartialLock.on(self._last + 1, session, now, selects, nodes)
        for other in self._held.values():
            if other.session != session and (other.overlaps(made) or made.overlaps(other)):
                raise denied(f"Session {other.session} holds a partial lock on some of these nodes.", other.session)
        self._last = made.number
        self._held[made.number] = made
        return made

    def unlock(self, session: int, number: int) -> None:
        """Raises invalid-value where ``session`` has no such lock."""
        found = self._held.get(number)
        if found is None or found.session != session:
            raise errors.InvalidValue(
                f"This session holds no partial lock {number}.", info=(("bad-element", "lock-id"),), type="protocol"
            )
        del self._held[number]

    def release(self, session: int) -> None:
        """The session is gone."""
        self._held = {number: held for number, held in self._held.items() if held.session != session}

    def check(self, shards: Shards, session: int, before: Snapshot, after: Snapshot) -> None:
        """Raise in-use where another session has locked what differs."""
        for held in self._held.values():
            if held.session != session and (path := held.changed(shards, before, after)) is not None:
                raise errors.InUse(f"Session {held.session} has locked this part of running.", path, "locked")


def denied(message: str, session: int) -> errors.LockDenied:
    return errors.LockDenied(message, info=(("session-id", str(session)),), type="protocol")


def _differing(shards: Shards, old: Shard | None, new: Shard | None, roots: Iterable[Steps]) -> Steps | None:
    """The first of the nodes at ``roots`` that is not the same in both."""
    before = shards.nodes(old) if old is not None else []
    after = shards.nodes(new) if new is not None else []
    namespaces = shards.schema.namespaces

    def printed(nodes: Sequence[Node], root: Steps) -> list[bytes]:
        return [to_xml(node, namespaces) for node in _at(nodes, root)]

    return next((root for root in roots if printed(before, root) != printed(after, root)), None)


def _at(nodes: Iterable[Node], root: Steps) -> Iterator[Node]:
    """The node at ``root``, at or below one of ``nodes``."""
    for node in nodes:
        steps = tuple(paths.split(node.path))
        if steps == root:
            yield node
        elif steps == root[: len(steps)]:
            yield from _at(node.children, root)


def _path(steps: Steps) -> str:
    path, module = "", ""
    for step in steps:
        path += f"/{step.name}" if step.module == module else f"/{step.module}:{step.name}"
        path += "".join(paths.predicate(key, value) for key, value in step.predicates)
        module = step.module
    return path
