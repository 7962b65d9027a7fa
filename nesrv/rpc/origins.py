"""The operational datastore: configuration as far as it is in use, where it comes from, and state (RFC 8342 §5.3)."""

from __future__ import annotations

from collections.abc import Iterator

from nesrv.datastore import defaults
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import MarkedNode, Node
from nesrv.rpc.views import Configuration, State, joined, merge_state, printed
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.paths import split

ORIGIN = "urn:ietf:params:xml:ns:yang:ietf-origin"
INTENDED, SYSTEM, DEFAULT = "ietf-origin:intended", "ietf-origin:system", "ietf-origin:default"


def mark(origin: str) -> str:
    """The annotation as it is printed."""
    return f' xmlns:or="{ORIGIN}" or:origin="or:{origin.partition(":")[2]}"'


class Operational:
    """Running as applied, with state.

    Of the models that the element translates, a leaf of ``config`` is in use with the value that ``state`` beside it
    has; what ``state`` does not tell is not claimed. A leaf that ``state`` has no room for counts as applied where
    its object is there. Other models have nothing behind them: what is configured is what is in use.
    """

    def __init__(
        self, shards: Shards, running: Snapshot, state: State, mode: str = "report-all", with_origin: bool = False
    ) -> None:
        self._shards = shards
        self._own = shards.schema.own
        self._running = running
        self._configuration = Configuration(shards, running, "report-all-tagged")
        self._state = state
        self._mode = mode
        self._with_origin = with_origin
        self._origins: dict[Node, str] = {}

    def paths(self) -> Iterator[tuple[str, SchemaNode]]:
        known = set()
        for path, point in self._configuration.paths():
            known.add(path)
            if not self._is_own(path) or path in self._state:
                yield path, point
        yield from ((path, self._shards.schema.node(path)) for path in self._state if path not in known)

    def _is_own(self, path: str) -> bool:
        return split(path)[0].module in self._own

    def nodes(self, path: str) -> list[Node]:
        own = self._is_own(path)
        if own and path not in self._state:
            return []
        outer = INTENDED if path in self._running else SYSTEM
        merged = merge_state(self._configuration.nodes(path), self._state.get(path, []))
        found = [made for node in merged if (made := self._made(node, own, outer, None)) is not None]
        return defaults.trimmed(found) if self._mode == "trim" else found

    def whole(self, path: str) -> bytes:
        return printed(self._shards, self.nodes(path), self._shards.place(self._shards.schema.node(path)))

    def fragments(self) -> Iterator[bytes]:
        return joined(self._shards, self)

    def origin(self, node: Node) -> str:
        """Of a configuration node of this view, an identity with its module."""
        above: Node | None = node
        while above is not None:
            if above in self._origins:
                return self._origins[above]
            above = above.parent
        return INTENDED

    def _made(self, node: Node, own: bool, outer: str, parent: Node | None) -> Node | None:
        """``node`` as it is in use; ``outer`` is the origin of what it stands in."""
        schema = node.schema
        if schema.kind not in ("container", "list"):
            if isinstance(node, MarkedNode):
                return self._leaf(node, DEFAULT, outer, parent)
            return self._leaf(node, outer, outer, parent)
        made = self._new(node, outer, outer, parent)
        config, state = (schema.by_name.get(name) for name in ("config", "state"))
        in_use = own and config is not None and state is not None and config.config and not state.config
        for child in node.children:
            if not (in_use and child.schema is config):
                self._add(made, self._made(child, own, outer, made))
        if in_use and config is not None:
            applied = self._config(node, config, outer, made)
            if applied.children:
                keys = sum(child.schema.is_key for child in made.children)
                made.children.insert(keys, applied)
        if schema.config and not schema.presence and (own or schema.kind == "container"):
            return made if any(not child.schema.is_key for child in made.children) else None
        return made

    def _add(self, above: Node, child: Node | None) -> None:
        if child is not None:
            above.children.append(child)

    def _config(self, node: Node, schema: SchemaNode, outer: str, parent: Node) -> Node:
        """The container ``config`` of ``node`` with what ``state`` beside it says of its leaves."""
        config, state = node.at("config"), node.at("state")
        made = self._new(Node(schema), outer, outer, parent)
        room = node.schema.by_name["state"].by_name
        there = state.children if state is not None else []
        for leaf in schema.children.values():
            asked = [child for child in config.children if child.schema is leaf] if config is not None else []
            if leaf.name not in room:
                for child in asked if there else ():
                    self._add(made, self._made(child, True, outer, made))
                continue
            known = {child.value: child for child in asked}
            for told in (child for child in there if child.schema.name == leaf.name):
                found = Node(leaf, told.value)
                self._add(made, self._leaf(found, _origin(leaf, told.value, known, outer), outer, made))
        return made

    def _leaf(self, node: Node, origin: str, outer: str, parent: Node | None) -> Node | None:
        is_default = origin == DEFAULT
        if is_default and self._mode == "explicit":
            return None
        return self._new(node, origin if node.schema.config else outer, outer, parent)

    def _new(self, node: Node, origin: str, outer: str, parent: Node | None) -> Node:
        """``node`` without children, annotated where its origin is not its parent's."""
        marks = ""
        # Containers above shards say intended; a node at the very top has nothing to inherit from.
        above = outer if parent is not None else INTENDED if node.schema.parent is not None else ""
        if self._with_origin and node.schema.config and origin != above:
            marks = mark(origin)
        if self._mode == "report-all-tagged" and origin == DEFAULT:
            marks += defaults.TAG
        bare = Node(node.schema, node.value, parent)
        made = MarkedNode(bare, marks) if marks else bare
        if origin != outer or parent is None:
            self._origins[made] = origin
        return made


def _origin(leaf: SchemaNode, value: str | None, configured: dict[str | None, Node], outer: str) -> str:
    """Where the value in use comes from: it was asked for, is the model's default, or the system chose it."""
    asked = configured.get(value)
    if asked is not None:
        return DEFAULT if isinstance(asked, MarkedNode) else outer
    return DEFAULT if value in leaf.defaults else SYSTEM
