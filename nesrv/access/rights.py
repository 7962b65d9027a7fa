"""What one user may do with data: the rules that apply, followed down the tree (RFC 8341, section 3.4.5).

On the way down, a rule is *live* as long as its path may still lead here; once its whole path lies above, it speaks
for everything below. Most subtrees are decided at their top: the rules and defaults give every node in it one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from nesrv.access.rules import ANY, CREATE, DELETE, READ, UPDATE, Configuration, Rule
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.tree import Node
from nesrv.schema import paths
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.sensitive import Sensitive

DATA_OPERATIONS = (READ, CREATE, UPDATE, DELETE)

Live = tuple[tuple[Rule, int], ...]
"""Rules in their order, with the number of steps of their paths that lie above."""
Keys = Callable[[], Mapping[str, str | None]]
Place = tuple[SchemaNode, Keys]
"""A node on the way to another: its schema and its keys."""


def no_keys() -> Mapping[str, str | None]:
    return {}


def keys_of(node: Node) -> Keys:
    """Of a list entry; of a leaf-list entry the value, as "."."""
    if node.schema.kind == "leaf-list":
        return lambda: {".": node.value}
    return lambda: dict(zip(node.schema.keys, node.keys, strict=True))


@dataclass(frozen=True, slots=True)
class _AtPoint:
    """What holds for the entries at one shard point. ``usual`` is the answer for all but the ``named`` ones, where
    ``by_key`` does not say that each must be looked at."""

    above: Live
    blocked: bool
    usual: bool | None
    named: frozenset[str]
    by_key: bool


class Rights:
    """The data rules and defaults of one user."""

    def __init__(
        self, configuration: Configuration, groups: frozenset[str], sensitive: Sensitive, shards: Shards
    ) -> None:
        self._sensitive = sensitive
        self._shards = shards
        self._modules: dict[SchemaNode, frozenset[str]] = {}
        self._points: dict[tuple[str, SchemaNode], _AtPoint] = {}
        self._defaults = {op: configuration.reads if op == READ else configuration.writes for op in DATA_OPERATIONS}
        rules = [rule for one in configuration.lists_of(groups) for rule in one.rules if rule.kind in ("any", "data")]
        self._start: dict[str, Live] = {
            op: tuple((rule, 0) for rule in rules if op in rule.operations) for op in DATA_OPERATIONS
        }

    # One node

    def start(self, operation: str) -> Live:
        """The rules at the root."""
        return self._start[operation]

    def below(self, live: Live, schema: SchemaNode, keys: Keys) -> Live:
        """The rules of ``live``, those of the parent, that may speak for a node or for something below it."""
        found = []
        for rule, depth in live:
            if depth == len(rule.path):
                found.append((rule, depth))
            elif rule.path[depth].schema is schema and _holds(rule.path[depth].predicates, keys):
                found.append((rule, depth + 1))
        return tuple(found)

    def permits(self, operation: str, live: Live, schema: SchemaNode) -> bool:
        """Whether the node itself may be read, created, ..., by the rules that are live at it."""
        for rule, depth in live:
            if depth == len(rule.path) and rule.module in (ANY, schema.module):
                return rule.permits
        if schema in self._sensitive.everything or (operation != READ and schema in self._sensitive.writing):
            return False
        return self._defaults[operation]

    def of_all(self, operation: str, live: Live, schema: SchemaNode) -> bool | None:
        """The one answer for the node and whatever may be below it; None when there may be two."""
        modules = self._modules_in(schema)
        for rule, depth in live:
            if depth < len(rule.path):
                return None
            if rule.module == ANY or modules == {rule.module}:
                return rule.permits
            if rule.module in modules:
                return None
        if not self._defaults[operation]:
            return False
        if schema in self._sensitive.above:
            return None
        return self.permits(operation, (), schema)

    def _modules_in(self, schema: SchemaNode) -> frozenset[str]:
        found = self._modules.get(schema)
        if found is None:
            found = self._modules[schema] = frozenset(node.module for node in schema.walk())
        return found

    # Shards

    def of_shard(self, operation: str, shard: Shard) -> bool | None:
        """The one answer for all of the shard; None when it has to be looked into."""
        at = self._at(operation, shard.point)
        if at.blocked:
            return False
        if not at.by_key and shard.path not in at.named:
            return at.usual
        keys = dict(paths.split(shard.path)[-1].predicates)
        return self.of_all(operation, self.below(at.above, shard.point, lambda: keys), shard.point)

    def at_place(self, operation: str, point: SchemaNode) -> Live | None:
        """The rules at the parent of a shard's top nodes; None when that must not be read."""
        at = self._at(operation, point)
        return None if at.blocked else at.above

    def _at(self, operation: str, point: SchemaNode) -> _AtPoint:
        found = self._points.get((operation, point))
        if found is None:
            found = self._points[operation, point] = self._find_at(operation, point)
        return found

    def _find_at(self, operation: str, point: SchemaNode) -> _AtPoint:
        is_rest = point in self._shards.schema.skeleton
        live, blocked = self.start(operation), False
        for schema in _chain(point if is_rest else point.parent):
            live = self.below(live, schema, no_keys)
            blocked |= operation == READ and not self.permits(READ, live, schema)
        if is_rest:
            return _AtPoint(live, blocked, self.of_all(operation, live, point), frozenset(), False)
        here = [rule.path[depth] for rule, depth in live if depth < len(rule.path) and rule.path[depth].schema is point]
        chosen = [dict(step.predicates) for step in here if step.predicates]
        whole = [keys for keys in chosen if keys.keys() == set(point.keys)]
        named = frozenset(self._shards.entry_path(point, [keys[key] for key in point.keys]) for keys in whole)
        # Rules that choose entries speak for no other: without them, what is left goes for the others.
        others = self.below(live, point, no_keys)
        return _AtPoint(live, blocked, self.of_all(operation, others, point), named, len(whole) < len(chosen))

    # Paths

    def readable(self, places: Sequence[Place]) -> int:
        """How many of the nodes on the way, from the top, may be read."""
        live = self.start(READ)
        for count, (schema, keys) in enumerate(places):
            live = self.below(live, schema, keys)
            if not self.permits(READ, live, schema):
                return count
        return len(places)

    def may_read(self, path: str) -> bool:
        """Whether the node at an instance path may be read; what is no such path tells nothing."""
        try:
            places = self._places(path)
        except (KeyError, ValueError):
            return True
        return self.readable(places) == len(places)

    def readable_part(self, path: str) -> str | None:
        """The path of the deepest node at or above ``path`` that may be read; None when there is none."""
        try:
            places = self._places(path)
        except (KeyError, ValueError):
            return path
        steps = paths.split(path)
        shown, module = "", ""
        for (schema, _), step in list(zip(places, steps, strict=True))[: self.readable(places)]:
            name = step.name if schema.module == module else f"{schema.module}:{step.name}"
            shown += f"/{name}" + "".join(paths.predicate(key, value) for key, value in step.predicates)
            module = schema.module
        return shown or None

    def _places(self, path: str) -> list[Place]:
        schema, found = self._shards.schema, list[Place]()
        for step in paths.split(path):
            known = found[-1][0].children if found else schema.data
            node = known[f"{{{schema.modules[step.module].namespace}}}{step.name}"]
            keys = dict(step.predicates)
            found.append((node, lambda keys=keys: keys))  # type: ignore[misc]
        return found


def _holds(predicates: Iterable[tuple[str, str]], keys: Keys) -> bool:
    if not predicates:
        return True
    found = keys()
    return all(found.get(key) == value for key, value in predicates)


def _chain(node: SchemaNode | None) -> list[SchemaNode]:
    """From the top-level node down to ``node``."""
    return [] if node is None else [*_chain(node.parent), node]
