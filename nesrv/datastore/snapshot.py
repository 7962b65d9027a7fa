"""Snapshot: an immutable, ordered map of shard path → shard, cheap to derive another from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nesrv.datastore.shards import Shard

MAX_OVERLAY = 512
"""Changes carried on top of a shared base before a new base is made."""


class Snapshot(Mapping[str, Shard]):
    """A shared base map and the changes on top of it (None: removed)."""

    __slots__ = ("_base", "_over", "_size")

    def __init__(self, base: dict[str, Shard] | None = None, over: dict[str, Shard | None] | None = None) -> None:
        self._base = base if base is not None else {}
        self._over = over if over is not None else {}
        self._size = len(self._base) + sum(
            (shard is not None) - (path in self._base) for path, shard in self._over.items()
        )

    def __getitem__(self, path: str) -> Shard:
        found = self.get(path)
        if found is None:
            raise KeyError(path)
        return found

    def get(self, path: str, default: Shard | None = None) -> Shard | None:  # type: ignore[override]
        if path in self._over:
            return self._over[path] or default
        return self._base.get(path, default)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self.get(path) is not None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[str]:
        return (shard.path for shard in self.shards())

    def shards(self) -> Iterator[Shard]:
        """Every shard: replaced ones stay in their place, new ones come last."""
        if not self._over:
            yield from self._base.values()
            return
        for path, shard in self._base.items():
            if path in self._over:
                shard = self._over[path]  # type: ignore[assignment]
                if shard is None:
                    continue
            yield shard
        for path, added in self._over.items():
            if added is not None and path not in self._base:
                yield added

    def with_changes(self, changes: Mapping[str, Shard | None]) -> Snapshot:
        """A snapshot in which ``changes`` hold."""
        over = {**self._over, **changes}
        if len(over) <= MAX_OVERLAY:
            return Snapshot(self._base, over)
        return Snapshot({shard.path: shard for shard in Snapshot(self._base, over).shards()})

    def settled(self) -> Snapshot:
        """The same, with nothing kept of where removed shards stood: what is made again comes last, as on disk."""
        if None not in self._over.values():
            return self
        return Snapshot({shard.path: shard for shard in self.shards()})

    def changes_to(self, other: Snapshot) -> dict[str, tuple[Shard | None, Shard | None]]:
        """Path → (here, there) wherever the two differ."""
        if self is other:
            return {}
        paths: Mapping[str, object]
        if self._base is other._base:
            paths = {**self._over, **other._over}
        else:
            paths = {**dict.fromkeys(self), **dict.fromkeys(other)}
        found = {}
        for path in paths:
            here, there = self.get(path), other.get(path)
            if here is not there and (here is None or there is None or here.xml != there.xml):
                found[path] = (here, there)
        return found


EMPTY = Snapshot()
