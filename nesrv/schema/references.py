"""What a shard's validity depends on outside of it, found when the schema is compiled.

A leafref whose target is chosen by key becomes an ``Edge``; any other constraint that may
look outside its shard puts its shard point among the ``escaping`` ones, which are
validated with the whole configuration: slower, never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nesrv.schema.nodes import SchemaNode

_STEP = re.compile(r"(?:[^/\[\]]+|\[[^\]]*\])+")
_PREDICATE = re.compile(r"\[\s*([\w.:-]+)\s*=\s*current\(\)\s*/\s*((?:\.\./)+[\w.:/-]+)\s*\]")
_UPWARD = re.compile(r"(?:\.\.\s*/\s*)*\.\.")


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """``leaf`` (schema) names a shard of ``target``: by its own value, or by that of ``chooser``,
    a path from the leaf such as ``../interface``."""

    leaf: SchemaNode
    target: SchemaNode
    wanted: SchemaNode
    """The leaf that must exist in the target shard with the leaf's value."""
    chooser: str | None


@dataclass(frozen=True, slots=True)
class References:
    """``edges`` by shard point; ``wanted`` leaves by the point whose shards are referred to; ``leaned_on``
    are the rests with leaves that entries refer to; ``always``: something that is there by default,
    without any shard, looks outside."""

    edges: Mapping[SchemaNode, tuple[Edge, ...]]
    wanted: Mapping[SchemaNode, tuple[SchemaNode, ...]]
    escaping: frozenset[SchemaNode]
    leaned_on: frozenset[SchemaNode]
    always: bool


def local(name: str) -> str:
    return name.strip().split(":")[-1]


def point_of(node: SchemaNode, points: frozenset[SchemaNode]) -> SchemaNode | None:
    """The outermost keyed list (or other shard point) that ``node`` stands in, if any."""
    current: SchemaNode | None = node
    while current is not None:
        if current in points:
            return current
        current = current.parent
    return None


def _child(parent: SchemaNode | None, name: str, leaf: SchemaNode, top: Iterable[SchemaNode]) -> SchemaNode | None:
    """The node that a step of ``leaf``'s path names; modules may have top-level nodes of one name."""
    module, _, plain = name.strip().rpartition(":")
    if parent is None:
        return next((node for node in top if node.name == plain and node.module == (module or leaf.module)), None)
    fitting = (node for node in parent.children.values() if node.name == plain and module in ("", node.module))
    return next(fitting, None)


def _resolve(leaf: SchemaNode, top: Iterable[SchemaNode]) -> tuple[SchemaNode, list[tuple[SchemaNode, str]]] | None:
    """The leafref's target and its predicates (list, text), or None when the path is not understood."""
    text = (leaf.leafref or "").strip()
    steps = _STEP.findall(text)
    node: SchemaNode | None = None if text.startswith("/") else leaf
    predicates: list[tuple[SchemaNode, str]] = []
    for step in steps:
        name, bracket, rest = step.partition("[")
        name = name.strip()
        if name == "..":
            node = node.parent if node else None
            if node is None:
                return None
            continue
        if name.startswith("current"):
            continue
        found = _child(node, name, leaf, top)
        if found is None:
            return None
        node = found
        if bracket:
            predicates.append((node, bracket + rest))
    return (node, predicates) if node is not None else None


def _edge(
    leaf: SchemaNode, target: SchemaNode, point: SchemaNode, predicates: list[tuple[SchemaNode, str]]
) -> Edge | None:
    if len(point.keys) != 1:
        return None
    if _names_entry(target, point):
        return Edge(leaf, point, target, None)
    for node, text in predicates:
        match = _PREDICATE.search(text)
        if node is point and match and local(match.group(1)) == point.keys[0]:
            chooser = "/".join(local(part) if part != ".." else ".." for part in match.group(2).split("/"))
            return Edge(leaf, point, target, chooser)
    return None


def _names_entry(target: SchemaNode, point: SchemaNode) -> bool:
    """Whether ``target`` is the point's key, or the leaf of the same entry that the key has its value from."""
    key = point.by_name[point.keys[0]]
    if target is key:
        return True
    original = _resolve(key, ()) if (key.leafref or "").strip().startswith("..") else None
    return original is not None and original[0] is target and not original[1] and _relative_inside(key, point)


def _depth(node: SchemaNode, point: SchemaNode) -> int:
    depth = 0
    while node is not point and node.parent is not None:
        node, depth = node.parent, depth + 1
    return depth


def _leaves_entry(constraint: str, node: SchemaNode, point: SchemaNode) -> bool:
    """Whether an XPath on ``node`` may look outside the shard: an over-estimate."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "''", constraint)
    if (
        "deref(" in text
        or re.search(r"(?<![\w.\])*/])\s*/", text)
        or re.search(r"\b(ancestor|following|preceding)", text)
    ):
        return True
    room = _depth(node, point)
    return any(run.count("..") > room for run in _UPWARD.findall(text)) or text.count("..") > 2 * room + 2


def find(top: Iterable[SchemaNode], points: frozenset[SchemaNode], skeleton: frozenset[SchemaNode]) -> References:
    """``points`` are outermost keyed lists, ``skeleton`` the containers above them."""
    roots = tuple(top)
    edges: dict[SchemaNode, list[Edge]] = {}
    wanted: dict[SchemaNode, set[SchemaNode]] = {}
    escaping: set[SchemaNode] = set()
    leaned_on: set[SchemaNode] = set()
    always = False
    for root in roots:
        for node in root.walk():
            if not node.config:
                continue
            home = point_of(node, points) or _home(node, skeleton)
            entry = home in points
            if _constrained_outside(node, home, entry, home in skeleton):
                escaping.add(home)
                always |= not entry and _implicit(node) and any(_leaves_entry(t, node, home) for t in node.constraints)
            if node.refers_in_union:
                escaping.add(home)
            if node.leafref is None:
                continue
            resolved = _resolve(node, roots)
            target_point = point_of(resolved[0], points) if resolved else None
            if resolved is not None and target_point is None:
                if entry:
                    leaned_on.add(_home(resolved[0], skeleton))
                continue
            if resolved is not None and target_point is home and _relative_inside(node, home):
                continue
            edge = _edge(node, resolved[0], target_point, resolved[1]) if resolved and target_point else None
            if edge is None or not _chosen_inside(edge, home, entry):
                escaping.add(home)
                continue
            edges.setdefault(home, []).append(edge)
            wanted.setdefault(edge.target, set()).add(edge.wanted)
    return References(
        {home: tuple(found) for home, found in edges.items()},
        {home: tuple(found) for home, found in wanted.items()},
        frozenset(escaping | {point for point in points if _stands_in(point, escaping)}),
        frozenset(leaned_on),
        always,
    )


def _stands_in(point: SchemaNode, homes: set[SchemaNode]) -> bool:
    """Whether a container above ``point`` looks at more than one entry of it."""
    node = point.parent
    while node is not None and node not in homes:
        node = node.parent
    return node is not None


def _implicit(node: SchemaNode) -> bool:
    """Whether ``node`` is part of every configuration: a default, or a container without presence."""
    current: SchemaNode | None = node
    while current is not None:
        if (current.kind != "container" or current.presence) and (current is not node or not node.defaults):
            return False
        current = current.parent
    return True


def _home(node: SchemaNode, skeleton: frozenset[SchemaNode]) -> SchemaNode:
    """The container whose rest shard ``node`` belongs to (or the top-level node itself)."""
    current = node
    while current.parent is not None:
        if current in skeleton:
            return current
        current = current.parent
    return current


def _chosen_inside(edge: Edge, home: SchemaNode, entry: bool) -> bool:
    """Whether the chooser stays among the nodes of the leaf's own shard."""
    return edge.chooser is None or edge.chooser.count("..") <= _depth(edge.leaf, home) - (not entry)


def _relative_inside(leaf: SchemaNode, home: SchemaNode) -> bool:
    """Whether neither the path nor a predicate of it (both go up first, RFC 7950, section 9.9.2) leaves the shard."""
    text = (leaf.leafref or "").strip()
    room = _depth(leaf, home)
    return not text.startswith("/") and all(run.count("..") <= room for run in _UPWARD.findall(text))


def _constrained_outside(node: SchemaNode, home: SchemaNode, entry: bool, mixed: bool) -> bool:
    if node is home and node.limited:
        return True
    if node.base == "instance-id":
        return True
    if not node.constraints:
        return False
    if mixed and not entry:
        return True
    return any(_leaves_entry(text, node, home) for text in node.constraints)
