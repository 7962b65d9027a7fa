"""From configuration to wanted facts, recomputed only where a change reaches.

Facts are kept per shard together with the inputs they looked up; a change recomputes the
changed shards and the shards that used an input whose value changed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nesrv import errors
from nesrv.commit.plan import FactKey
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node
from nesrv.datastore.validate import Changes
from nesrv.facts import Fact
from nesrv.features.feature import Export, Feature, InputKey, InputValue
from nesrv.frr.text import FrrLine, mask

BREATH_S = 0.005
"""Longest stretch of derivation before other sessions get their turn, in seconds."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What one shard comes to."""

    exports: tuple[Export, ...]
    facts: tuple[Fact, ...]
    used: frozenset[InputKey]


@dataclass(slots=True)
class Preview:
    """A change thought through: per shard what it comes to (None: gone), per fact key what is wanted."""

    shards: dict[str, Derived | None] = field(default_factory=dict)
    wanted: dict[FactKey, Fact | None] = field(default_factory=dict)


class Breather:
    """Gives the event loop a turn every ``BREATH_S`` of work."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    async def breathe(self) -> None:
        if time.monotonic() - self._since > BREATH_S:
            await asyncio.sleep(0)
            self._since = time.monotonic()


class Derivation:
    """The wanted facts of one configuration (running), and previews of changes to it."""

    def __init__(self, features: Iterable[Feature], shards: Shards) -> None:
        self._shards = shards
        self._features: dict[object, list[Feature]] = {}
        for feature in features:
            self._features.setdefault(shards.schema.node(feature.point), []).append(feature)
        self._derived: dict[str, Derived] = {}
        self._owner: dict[FactKey, str] = {}
        self._giver: dict[InputKey, tuple[str, InputValue]] = {}
        self._users: dict[InputKey, set[str]] = {}

    def keys(self) -> Iterable[FactKey]:
        return self._owner.keys()

    def facts(self) -> Iterable[Fact]:
        for derived in self._derived.values():
            yield from derived.facts

    def facts_of(self, shard_path: str) -> tuple[Fact, ...]:
        derived = self._derived.get(shard_path)
        return derived.facts if derived is not None else ()

    def input(self, key: InputKey) -> InputValue | None:
        found = self._giver.get(key)
        return found[1] if found is not None else None

    async def preview(self, after: Snapshot, changes: Changes) -> Preview:
        """What ``changes`` (leading to ``after``) mean; raises ``RpcError``, changing nothing."""
        breather = Breather()
        exports: dict[str, tuple[Export, ...]] = {}
        for path, (_, shard) in changes.items():
            if shard is not None and shard.point in self._features:
                exports[path] = self._exports(shard, self._shards.fixed_entry(shard))
                await breather.breathe()
        inputs = self._inputs(changes, exports)
        dirty = dict.fromkeys(path for path in changes if path in exports or path in self._derived)
        for key, value in inputs.items():
            if value != self.input(key):
                dirty.update(dict.fromkeys(sorted(self._users.get(key, ()))))
        preview = Preview()
        for path in dirty:
            shard = after.get(path)
            preview.shards[path] = await self._derive(shard, exports.get(path), inputs, breather) if shard else None
            await breather.breathe()
        self._collect(preview)
        return preview

    def _exports(self, shard: Shard, node: Node) -> tuple[Export, ...]:
        return tuple(export for feature in self._features[shard.point] for export in feature.exports(node))

    def _inputs(self, changes: Changes, exports: Mapping[str, tuple[Export, ...]]) -> dict[InputKey, InputValue | None]:
        """Input → new value, for every input that the changed shards gave or give."""
        inputs: dict[InputKey, InputValue | None] = {}
        for path in changes:
            for export in self._derived[path].exports if path in self._derived else ():
                inputs[export.key] = None
        given: dict[InputKey, str] = {}
        for path, found in exports.items():
            for export in found:
                giver = given.get(export.key) or self._giver.get(export.key, ("",))[0]
                if giver and giver != path and (giver not in changes or export.key in given):
                    raise _conflict(export.what, export.path, giver)
                given[export.key] = path
                inputs[export.key] = export.value
        return inputs

    async def _derive(
        self,
        shard: Shard,
        exports: tuple[Export, ...] | None,
        inputs: Mapping[InputKey, InputValue | None],
        breather: Breather,
    ) -> Derived:
        node = self._shards.fixed_entry(shard)
        if exports is None:
            exports = self._derived[shard.path].exports
        used: set[InputKey] = set()

        def lookup(key: InputKey) -> InputValue | None:
            used.add(key)
            return inputs[key] if key in inputs else self.input(key)

        facts: list[Fact] = []
        for feature in self._features[shard.point]:
            for fact in feature.facts(node, lookup):
                facts.append(fact)
                await breather.breathe()
        return Derived(exports, tuple(facts), frozenset(used))

    def _collect(self, preview: Preview) -> None:
        """Fill ``preview.wanted``; two shards that want one fact key are in conflict."""
        for path in preview.shards:
            for fact in self.facts_of(path):
                preview.wanted[fact.key] = None
        owners: dict[FactKey, str] = {}
        for path, derived in sorted(preview.shards.items(), key=_is_raw):
            for fact in derived.facts if derived is not None else ():
                key = fact.key
                owner = owners.get(key) or self._owner.get(key)
                if key in owners or (owner is not None and owner != path and owner not in preview.shards):
                    raise _conflict(_setting(fact), fact.path, owner or path)
                owners[key] = path
                preview.wanted[key] = fact

    def adopt(self, preview: Preview) -> None:
        """``preview`` has become true."""
        for path in preview.shards:
            old = self._derived.pop(path, None)
            if old is None:
                continue
            for key in [fact.key for fact in old.facts]:
                if self._owner.get(key) == path:
                    del self._owner[key]
            for export in old.exports:
                if self._giver.get(export.key, ("",))[0] == path:
                    del self._giver[export.key]
            for key in old.used:
                users = self._users[key]
                users.discard(path)
                if not users:
                    del self._users[key]
        for path, derived in preview.shards.items():
            if derived is None:
                continue
            self._derived[path] = derived
            self._owner.update((fact.key, path) for fact in derived.facts)
            self._giver.update((export.key, (path, export.value)) for export in derived.exports)
            for key in derived.used:
                self._users.setdefault(key, set()).add(path)


def _is_raw(shard: tuple[str, Derived | None]) -> bool:
    """Of a raw line and a line made from the model the former is the one too many."""
    return shard[1] is not None and any(isinstance(fact, FrrLine) and fact.raw for fact in shard[1].facts)


def _setting(fact: Fact) -> str:
    """The fact's key for people."""
    if isinstance(fact, FrrLine):
        return f"FRR's {mask(' / '.join((*fact.context, fact.slot)))}"
    return " ".join(str(part) for part in fact.key)


def _conflict(what: str, path: str, other: str) -> errors.RpcError:
    return errors.InvalidValue(f"{what} is in use already by {other}.", path, "in-use-elsewhere")
