"""A light, immutable view of the compiled schema, made once from libyang's own.

``choice`` and ``case`` do not appear: their data nodes stand under the data parent and
know the cases they belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import libyang
from _libyang import ffi, lib
from libyang.schema import Type
from libyang.util import ly_array_iter

from nesrv.schema.engine import Engine

_KINDS = {
    lib.LYS_CONTAINER: "container",
    lib.LYS_LIST: "list",
    lib.LYS_LEAF: "leaf",
    lib.LYS_LEAFLIST: "leaf-list",
    lib.LYS_ANYXML: "anyxml",
    lib.LYS_ANYDATA: "anydata",
    lib.LYS_RPC: "rpc",
    lib.LYS_ACTION: "action",
    lib.LYS_NOTIF: "notification",
    lib.LYS_INPUT: "input",
    lib.LYS_OUTPUT: "output",
}
STATE_HERE = frozenset({"ietf-subscribed-notifications:subscriptions"})
"""Nodes that are written only with a feature that is not served (``configured``): without it, they are state. A
deviation cannot say so: what pyang takes for one, libyang does not, and the reverse."""
_QNAME_BASES = {libyang.Type.IDENT, libyang.Type.INST}
_XPATHS = frozenset({"xpath1.0", "node-instance-identifier"})
"""Types of RFC 6991 and RFC 8341: strings for YANG, and yet with prefixes."""


@dataclass(slots=True, eq=False, repr=False)
class SchemaNode:
    """A data node of the schema; ``children`` by XML tag ``{namespace}name``."""

    name: str
    module: str
    namespace: str
    kind: str
    config: bool
    parent: SchemaNode | None
    keys: tuple[str, ...] = ()
    presence: bool = False
    user_ordered: bool = False
    mandatory: bool = False
    base: str = ""
    """The built-in type of a leaf or leaf-list (``union`` and ``leafref`` included)."""
    holds_qname: bool = False
    """Values may carry a prefix (identityref, instance-identifier, also inside a union)."""
    is_xpath: bool = False
    """An XPath expression, such as the path of a rule of access control."""
    plain: bool = False
    """Values are strings as they stand: canonical form and lexical form are one."""
    keeps_space: bool = False
    """White space around a value belongs to it: a string, or a leafref to one."""
    defaults: tuple[str, ...] = ()
    cases: tuple[tuple[str, str], ...] = ()
    """(choice, case) pairs that the node stands in, outermost first."""
    constraints: tuple[str, ...] = ()
    """XPath texts of ``must`` and ``when``."""
    limited: bool = False
    """A list with unique, min-elements or max-elements."""
    leafref: str | None = None
    """The path of a leafref, with names of modules for prefixes."""
    refers_in_union: bool = False
    """A union with a leafref among its members."""
    path: str = ""
    """Schema path without choices: ``/m:a/b/c``."""
    compiled: Any = None
    """libyang's own node."""
    order: int = 0
    """Position in the schema: replies list nodes in this order."""
    children: dict[str, SchemaNode] = field(default_factory=dict)
    by_name: dict[str, SchemaNode] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path = (self.parent.path if self.parent else "") + "/" + self.step

    def __repr__(self) -> str:
        return f"<SchemaNode {self.path}>"

    @property
    def tag(self) -> str:
        return f"{{{self.namespace}}}{self.name}"

    @property
    def is_key(self) -> bool:
        return self.parent is not None and self.name in self.parent.keys and self.kind == "leaf"

    @property
    def step(self) -> str:
        """The node's name in a path, with the module where it differs from the parent's."""
        if self.parent is None or self.parent.module != self.module:
            return f"{self.module}:{self.name}"
        return self.name

    def add(self, child: SchemaNode) -> None:
        self.children[child.tag] = child
        self.by_name.setdefault(child.name, child)

    def find(self, relative: str) -> SchemaNode:
        """The descendant at ``a/b/c``, names without prefixes; raises ``KeyError``."""
        node = self
        for name in relative.split("/"):
            node = node.by_name[name]
        return node

    def walk(self) -> Iterator[SchemaNode]:
        yield self
        for child in self.children.values():
            yield from child.walk()


class _Compiler:
    def __init__(self, engine: Engine) -> None:
        self._context = engine.context
        self._made = 0

    def top_level(self, module: Any) -> list[SchemaNode]:
        made: list[SchemaNode] = []
        node = lib.lys_getnext(ffi.NULL, ffi.NULL, module.compiled, lib.LYS_GETNEXT_WITHCHOICE)
        while node != ffi.NULL:
            made += self._data_nodes(None, node, ())
            node = lib.lys_getnext(node, ffi.NULL, module.compiled, lib.LYS_GETNEXT_WITHCHOICE)
        return made

    def tree(self, parent: SchemaNode | None, first: Any, cases: tuple[tuple[str, str], ...] = ()) -> list[SchemaNode]:
        made: list[SchemaNode] = []
        node = first
        while node != ffi.NULL:
            made += self._data_nodes(parent, node, cases)
            node = node.next
        return made

    def _data_nodes(self, parent: SchemaNode | None, node: Any, cases: tuple[tuple[str, str], ...]) -> list[SchemaNode]:
        if node.nodetype in (lib.LYS_CHOICE, lib.LYS_CASE):
            return self._inside_choice(parent, node, cases)
        return [self._node(parent, node, cases)] if node.nodetype in _KINDS else []

    def _inside_choice(
        self, parent: SchemaNode | None, node: Any, cases: tuple[tuple[str, str], ...]
    ) -> list[SchemaNode]:
        name = _text(node.name)
        made: list[SchemaNode] = []
        child = lib.lysc_node_child(node)
        while child != ffi.NULL:
            inner = (*cases, (name, _text(child.name)))
            made += self.tree(parent, lib.lysc_node_child(child), inner)
            child = child.next
        return made

    def _node(self, parent: SchemaNode | None, node: Any, cases: tuple[tuple[str, str], ...]) -> SchemaNode:
        view = libyang.SNode.new(self._context, node)
        kind = _KINDS[node.nodetype]
        self._made += 1
        made = SchemaNode(
            order=self._made,
            name=_text(node.name),
            module=_text(node.module.name),
            namespace=_text(node.module.ns),
            kind=kind,
            config=bool(node.flags & lib.LYS_CONFIG_W),
            parent=parent,
            mandatory=bool(node.flags & lib.LYS_MAND_TRUE),
            cases=cases,
            compiled=node,
        )
        if kind in ("container", "list", "leaf", "leaf-list"):
            made.constraints = musts_of(node) + tuple(view.when_conditions())
        if kind == "container":
            made.presence = view.presence() is not None
        elif kind == "list":
            self._list(made, view)
        elif kind in ("leaf", "leaf-list"):
            self._term(made, view)
        for child in self.tree(made, lib.lysc_node_child(node)):
            made.add(child)
        return made

    def _list(self, made: SchemaNode, view: Any) -> None:
        made.keys = tuple(key.name() for key in view.keys())  # noqa: SIM118
        made.user_ordered = view.ordered()
        compiled = view.cdata_list
        made.limited = bool(compiled.min or compiled.max not in (0, 2**32 - 1) or compiled.uniques != ffi.NULL)

    def _term(self, made: SchemaNode, view: Any) -> None:
        kind = view.type()
        made.base = kind.basename()
        members = list(_members(kind))
        bases = {base for member in members for base in member.bases()}
        made.refers_in_union = made.base == "union" and any(_is_leafref(member) for member in members)
        if made.base == "leafref":
            made.leafref = _with_modules(kind)
        resolved = kind
        while resolved is not None and resolved.base() == libyang.Type.LEAFREF:
            resolved = resolved.leafref_type()
            bases |= {member.base() for member in _members(resolved)} if resolved is not None else set()
        made.is_xpath = str(kind.name()).rpartition(":")[2] in _XPATHS
        made.holds_qname = made.is_xpath or bool(bases & _QNAME_BASES)
        made.plain = made.base in ("string", "enumeration") and not made.is_xpath
        made.keeps_space = resolved is not None and resolved.base() == libyang.Type.STRING
        if made.kind == "leaf-list":
            made.user_ordered = view.ordered()
            made.defaults = tuple(str(value) for value in view.defaults())
        else:
            leaf = view.cdata_leaf
            if leaf.dflt != ffi.NULL:
                made.defaults = (_text(lib.lyd_value_get_canonical(self._context.cdata, leaf.dflt)),)


def _is_leafref(kind: Any) -> bool:
    return bool(kind.base() == libyang.Type.LEAFREF)


def _members(kind: Any) -> Iterator[Any]:
    """The type itself, or the types of a union, as libyang compiled them: unions among those are members no more.

    The binding's own call pairs them with the types as written, of which there may be fewer.
    """
    if kind.base() != libyang.Type.UNION:
        yield kind
        return
    for compiled in ly_array_iter(ffi.cast("struct lysc_type_union *", kind.cdata).types):
        yield from _members(Type(kind.context, compiled, None))


def _with_modules(kind: Any) -> str:
    """A leafref's path; its prefixes are those of the module that wrote the type, wherever it is used."""
    prefixes = ffi.cast("struct lysc_type_leafref *", kind.cdata).prefixes
    # An array of libyang's: its length stands before it, each item is a prefix and a module.
    items, count = ffi.cast("void **", prefixes), ffi.cast("uint64_t *", prefixes)[-1]
    names: dict[str, str] = {}
    for at in range(count):
        prefix, module = items[2 * at], ffi.cast("struct lys_module *", items[2 * at + 1])
        if prefix != ffi.NULL:
            names[_text(ffi.cast("char *", prefix))] = _text(module.name)
    path = str(kind.leafref_path())
    return re.sub(r"([\w.-]+):(?=[A-Za-z_])", lambda found: names.get(found[1], found[1]) + ":", path)


def _text(c: Any) -> str:
    return str(ffi.string(c).decode())


def namespace_of(module: Any) -> str:
    """The XML namespace of one of libyang's modules."""
    return _text(module.cdata.ns)


def musts_of(compiled: Any) -> tuple[str, ...]:
    """The XPath texts of ``must``, refinements and deviations counted in: the binding's own call knows what the
    module says, not what became of it."""
    found = lib.lysc_node_musts(compiled)
    count = 0 if found == ffi.NULL else ffi.cast("uint64_t *", found)[-1]
    return tuple(_text(lib.lyxp_get_expr(found[at].cond)) for at in range(count))


def deviations_of(module: Any) -> tuple[str, ...]:
    """Names of the modules that deviate from one of libyang's modules."""
    found = module.cdata.deviated_by
    count = 0 if found == ffi.NULL else ffi.cast("uint64_t *", found)[-1]
    return tuple(sorted(_text(found[at].name) for at in range(count)))


@dataclass(frozen=True, slots=True)
class TopNodes:
    """The top-level nodes of every implemented module, each kind by XML tag."""

    data: dict[str, SchemaNode]
    rpcs: dict[str, SchemaNode]
    notifications: dict[str, SchemaNode]


def compile_nodes(engine: Engine) -> TopNodes:
    """Of every implemented module."""
    compiler = _Compiler(engine)
    made = TopNodes({}, {}, {})
    kept = {"rpc": made.rpcs, "notification": made.notifications}
    for module in engine.context:
        if module.cdata.compiled == ffi.NULL:
            continue
        for node in compiler.top_level(module.cdata):
            kept.get(node.kind, made.data)[node.tag] = node
    for node in made.data.values():
        if node.step in STATE_HERE:
            for inner in node.walk():
                inner.config = False
    return made
