"""A small tree of data nodes that knows its schema: what features read, filters cut and edits merge.

Values of identityrefs carry module names (``openconfig-bgp-types:IPV4_UNICAST``), never
prefixes, so that a node means the same wherever it is moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self
from weakref import ReferenceType, ref
from xml.sax.saxutils import escape

from nesrv.schema.nodes import SchemaNode
from nesrv.schema.paths import predicate

_NONE: Any = ()
"""The children of a leaf: most nodes are leaves, and a list of its own is half of what one takes of memory."""


class Node:
    """One instance of ``schema``; ``value`` for leaves (anydata: its XML), ``children`` for the rest."""

    __slots__ = ("children", "parent", "schema", "value")

    marks: str = ""
    """Attributes as they are printed, each after a space."""

    def __init__(self, schema: SchemaNode, value: str | None = None, parent: Node | None = None) -> None:
        self.schema = schema
        self.value = value
        self.children: list[Self] = [] if value is None else _NONE
        self.parent = parent

    def __repr__(self) -> str:
        return f"<Node {self.path}{'' if self.value is None else '=' + self.value}>"

    @property
    def name(self) -> str:
        return self.schema.name

    @property
    def ident(self) -> tuple[SchemaNode, tuple[str | None, ...]]:
        """What tells the node from its siblings: keys for a list entry, the value for a leaf-list entry."""
        if self.schema.kind == "list":
            return (self.schema, self.keys)
        return (self.schema, (self.value,) if self.schema.kind == "leaf-list" else ())

    @property
    def keys(self) -> tuple[str | None, ...]:
        found = {child.schema.name: child.value for child in self.children if child.schema.is_key}
        return tuple(found.get(key) for key in self.schema.keys)

    @property
    def step(self) -> str:
        if self.schema.kind == "list":
            chosen = zip(self.schema.keys, self.keys, strict=True)
            return self.schema.step + "".join(predicate(key, value or "") for key, value in chosen)
        if self.schema.kind == "leaf-list":
            return self.schema.step + predicate(".", self.value or "")
        return self.schema.step

    @property
    def path(self) -> str:
        """Instance path from the root."""
        if self.parent is not None:
            return f"{self.parent.path}/{self.step}"
        above = self.schema.parent.path if self.schema.parent is not None else ""
        return f"{above}/{self.step}"

    def add(self, child: Self) -> Self:
        child.parent = self
        self.children.append(child)
        return child

    # Reading, by paths of names below this node: "config/vni"

    def at(self, relative: str) -> Node | None:
        """The first node at ``relative``."""
        return next(self.all(relative), None)

    def all(self, relative: str) -> Iterator[Node]:
        """Every node at ``relative``, in order."""
        head, _, rest = relative.partition("/")
        for child in self.children:
            if child.schema.name == head:
                if rest:
                    yield from child.all(rest)
                else:
                    yield child

    def leaf(self, relative: str) -> str | None:
        """The leaf's value, else its YANG default, else None."""
        node = self.at(relative)
        if node is not None:
            return node.value
        defaults = self.schema.find(relative).defaults
        return defaults[0] if defaults else None

    def text(self, relative: str) -> str:
        """The value of a leaf that YANG guarantees to be there."""
        value = self.leaf(relative)
        if value is None:
            raise LookupError(f"{self.path}/{relative} has no value")
        return value

    def number(self, relative: str) -> int | None:
        value = self.leaf(relative)
        return None if value is None else int(value)

    def flag(self, relative: str) -> bool:
        """A boolean leaf; absent without a default counts as false."""
        return self.leaf(relative) == "true"

    def identity(self, relative: str) -> str | None:
        """An identityref's name without its module."""
        value = self.leaf(relative)
        return None if value is None else value.split(":")[-1]

    def path_of(self, relative: str) -> str:
        """The instance path of ``relative``, whether or not it is there."""
        node = self.at(relative)
        if node is not None:
            return node.path
        path, schema = self.path, self.schema
        for name in relative.split("/"):
            schema = schema.by_name[name]
            path += "/" + schema.step
        return path


class FixedNode(Node):
    """A node of a tree that nobody changes: it works its path out once, which every fact of a large entry asks for.

    A parent holds its children and not the other way round, so that a tree is freed with the last who holds its top,
    and not when the collector comes by: thousands of trees are made in a large commit.
    """

    __slots__ = ("__weakref__", "_above", "_path")

    def __init__(self, schema: SchemaNode, value: str | None = None, parent: FixedNode | None = None) -> None:
        # Written out: there are thousands in a large entry, and a call of the base class is half of what one takes.
        self.schema = schema
        self.value = value
        self.children = [] if value is None else _NONE
        self._above: ReferenceType[FixedNode] | None = None if parent is None else ref(parent)
        self._path: str | None = None

    @property
    def parent(self) -> FixedNode | None:  # type: ignore[override]
        """Raises ReferenceError where the tree's top was let go."""
        if self._above is None:
            return None
        found = self._above()
        if found is None:
            raise ReferenceError(f"the tree of {self.schema.path} is gone")
        return found

    @property
    def path(self) -> str:
        if self._path is None:
            self._path = super().path
        return self._path


class MarkedNode(Node):
    """A node with attributes of its own (metadata: RFC 6243, RFC 7952)."""

    __slots__ = ("marks",)

    def __init__(self, node: Node, marks: str) -> None:
        super().__init__(node.schema, node.value, node.parent)
        self.children = [*node.children]  # type: ignore[list-item]
        self.marks = marks


def adopt(node: Node) -> None:
    """Have everything below ``node``, made without parents, know them: for those who look upwards."""
    for child in node.children:
        child.parent = node
        adopt(child)


def to_xml(node: Node, namespaces: dict[str, str], outer: str = "") -> bytes:
    """``node`` as ASCII XML for a place whose default namespace is ``outer``; ``namespaces`` is module → namespace."""
    parts: list[str] = []
    _print(node, outer, namespaces, parts)
    return "".join(parts).encode("ascii", "xmlcharrefreplace")


def _print(node: Node, outer: str, namespaces: dict[str, str], parts: list[str]) -> None:
    schema = node.schema
    declared = "" if schema.namespace == outer else f' xmlns="{escape(schema.namespace)}"'
    if schema.kind in ("anyxml", "anydata"):
        parts.append(node.value or "")
        return
    declared += node.marks
    if node.value:
        value = node.value
        if schema.holds_qname and ":" in value:
            value, more = _with_prefix(value, namespaces)
            declared += more
        parts.append(f"<{schema.name}{declared}>{escape(value)}</{schema.name}>")
    elif node.children:
        parts.append(f"<{schema.name}{declared}>")
        for child in node.children:
            _print(child, schema.namespace, namespaces, parts)
        parts.append(f"</{schema.name}>")
    else:
        parts.append(f"<{schema.name}{declared}/>")


def _with_prefix(value: str, namespaces: dict[str, str]) -> tuple[str, str]:
    """Module names in ``value`` are used as prefixes; their declarations come second."""
    declared = ""
    for module, namespace in namespaces.items():
        if f"{module}:" in value:
            declared += f' xmlns:{module}="{escape(namespace)}"'
    return value, declared
