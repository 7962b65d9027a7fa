"""XML from outside as trees of nodes: structure checked against the schema, edit attributes kept."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lxml import etree

from nesrv import errors
from nesrv.datastore import xpath_values
from nesrv.datastore.tree import FixedNode, Node
from nesrv.schema.engine import DEFAULTS
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.schema import Schema

NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"
YANG = "urn:ietf:params:xml:ns:yang:1"
OPERATION = f"{{{NETCONF}}}operation"
OPERATIONS = frozenset({"merge", "replace", "create", "delete", "remove"})
_INSERT, _KEY, _VALUE = f"{{{YANG}}}insert", f"{{{YANG}}}key", f"{{{YANG}}}value"
DEFAULT = f"{{{DEFAULTS}}}default"
_ATTRIBUTES = frozenset({OPERATION, _INSERT, _KEY, _VALUE, DEFAULT})
_XML = "{http://www.w3.org/XML/1998/namespace}"
_PREFIX = re.compile(r"([A-Za-z_][\w.-]*):(?=[A-Za-z_])")
_KEY_PREDICATE = re.compile(r"\[\s*(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\")\s*\]")

CANONICAL_KEPT = 4096
"""Values whose canonical form is remembered: identities are few, addresses come again with each commit."""

Element = Any
"""An lxml element."""


class EditNode(Node):
    """A node of ``<config>`` in edit-config: ``operation`` as written, ``insert`` (where, anchor), ``is_default``
    (RFC 6243, section 4.5.2: a value that is to be in use without being set)."""

    __slots__ = ("insert", "is_default", "operation")

    def __init__(self, schema: SchemaNode, value: str | None = None, parent: Node | None = None) -> None:
        super().__init__(schema, value, parent)
        self.operation: str | None = None
        self.insert: tuple[str, tuple[str, ...]] | None = None
        self.is_default = False


def place_of(node: Node) -> str:
    """The instance path of ``node``, without predicates where keys have not been read."""
    above = node.schema.parent.path if node.schema.parent is not None else ""
    if node.parent is not None:
        above = place_of(node.parent)
    return f"{above}/{node.schema.step if None in node.keys else node.step}"


def operation_of(element: Element, node: Node) -> str | None:
    """What the attribute says; raises bad-attribute, and unknown-attribute for those that edit-config lacks."""
    for name in element.attrib:
        if name not in _ATTRIBUTES and not name.startswith(_XML):
            shown = str(etree.QName(name).localname)
            raise errors.UnknownAttribute(
                f'"{name}" is no attribute of edit-config.',
                place_of(node),
                info=(("bad-attribute", shown), ("bad-element", node.name)),
            )
    operation: str | None = element.get(OPERATION)
    if operation is not None and operation not in OPERATIONS:
        raise errors.BadAttribute(
            f'"{operation}" is no operation of edit-config.',
            place_of(node),
            info=(("bad-attribute", "operation"), ("bad-element", node.name)),
        )
    return operation


def check_siblings(node: EditNode) -> None:
    """Raise bad-element where one edit gives a node twice, or two cases of a choice (RFC 7950 §8.3.1)."""
    seen: set[object] = set()
    chosen: dict[tuple[SchemaNode | None, str], str] = {}
    for child in node.children:
        if child.schema.kind != "container":
            if child.ident in seen:
                raise _objection(child, f'"{child.name}" is given twice.')
            seen.add(child.ident)
        for choice, case in child.schema.cases:
            if chosen.setdefault((child.schema.parent, choice), case) != case:
                raise _objection(child, f'"{child.name}" belongs to another case of "{choice}" than what is beside it.')
        if child.children:
            check_siblings(child)


def _objection(node: EditNode, message: str) -> errors.RpcError:
    return errors.BadElement(message, place_of(node), info=(("bad-element", node.name),))


def _children_of(element: Element) -> list[Element]:
    return [child for child in element if isinstance(child.tag, str)]


def local_name(element: Element) -> str:
    return str(etree.QName(element).localname)


class Reader:
    """Reads configuration elements (children of ``<config>``) under one schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._modules = {info.namespace: name for name, info in schema.modules.items()}
        self.canonical = lru_cache(maxsize=CANONICAL_KEPT)(self._canonical)

    def top(self, element: Element) -> SchemaNode:
        """The schema node of a top-level element; raises unknown-namespace or unknown-element."""
        found = self._schema.data.get(element.tag)
        if found is None:
            raise self._unknown(element, None)
        return found

    def child(self, schema: SchemaNode, element: Element, path: str) -> SchemaNode:
        """The schema node of ``element`` below ``schema``; a missing namespace is the parent's."""
        tag = element.tag
        found = schema.children.get(tag)
        if found is None and not tag.startswith("{"):
            found = schema.children.get(f"{{{schema.namespace}}}{tag}")
        if found is None:
            raise self._unknown(element, path)
        return found

    def _unknown(self, element: Element, path: str | None) -> errors.RpcError:
        name = local_name(element)
        namespace = etree.QName(element).namespace or ""
        if namespace not in self._modules:
            return errors.UnknownNamespace(
                f'No module with the namespace "{namespace}" is served here (element "{name}").',
                path,
                info=(("bad-element", name), ("bad-namespace", namespace)),
            )
        where = f'below "{path}"' if path else "at the top level"
        return errors.UnknownElement(f'There is no node "{name}" {where}.', path, info=(("bad-element", name),))

    def read(self, element: Element, schema: SchemaNode, parent: Node | None) -> EditNode:
        """``element`` and everything below it."""
        node = EditNode(schema, parent=parent)
        if schema.kind in ("leaf", "leaf-list"):
            self._no_children(node, element)
            node.value = self.value(element, schema)
        elif schema.kind in ("anyxml", "anydata"):
            node.value = etree.tostring(element, encoding="ascii", with_tail=False).decode()
        else:
            if element.text and element.text.strip():
                raise errors.BadElement(
                    f'Node "{schema.name}" holds other nodes, not text.',
                    place_of(node),
                    info=(("bad-element", schema.name),),
                )
            for child in _children_of(element):
                node.children.append(self._below(node, child))
            self._check_keys(node)
        if element.attrib:
            self._attributes(node, element)
        return node

    def fixed(self, element: Element, schema: SchemaNode, parent: FixedNode | None) -> FixedNode:
        """``element`` of our own canonical bytes: what was checked when they were made is not checked again."""
        node = FixedNode(schema, self._canonical_value(element, schema), parent)
        if node.value is None:
            known = schema.children
            node.children = [self.fixed(child, known[child.tag], node) for child in element]
        return node

    def bare(self, element: Element, schema: SchemaNode) -> Node:
        """The same for a tree that is only printed: its nodes know no parents, so that it is freed with its holder."""
        node = Node(schema, self._canonical_value(element, schema))
        if node.value is None:
            known = schema.children
            node.children = [self.bare(child, known[child.tag]) for child in element]
        return node

    def _canonical_value(self, element: Element, schema: SchemaNode) -> str | None:
        """None for what holds other nodes."""
        if schema.kind in ("leaf", "leaf-list"):
            return self.value(element, schema) if schema.holds_qname else element.text or ""
        if schema.kind in ("anyxml", "anydata"):
            return etree.tostring(element, encoding="ascii", with_tail=False).decode()
        return None

    def _below(self, node: EditNode, element: Element) -> EditNode:
        schema = node.schema
        below = schema.children.get(element.tag)
        if below is None:
            below = self.child(schema, element, place_of(node))
        if not below.config and schema.config:
            raise errors.UnknownElement(
                f'Node "{below.name}" is state, not configuration.',
                f"{place_of(node)}/{below.step}",
                info=(("bad-element", below.name),),
            )
        return self.read(element, below, node)

    def _no_children(self, node: EditNode, element: Element) -> None:
        for child in _children_of(element):
            name = local_name(child)
            raise errors.UnknownElement(
                f'"{node.name}" holds a value, not "{name}".', place_of(node), info=(("bad-element", name),)
            )

    def _check_keys(self, node: EditNode) -> None:
        for key, value in zip(node.schema.keys, node.keys, strict=True):
            if value is None:
                raise errors.MissingElement(
                    f'An entry of "{node.schema.name}" lacks its key "{key}".',
                    f"{place_of(node)}/{key}",
                    info=(("bad-element", key),),
                )
        keys = node.schema.keys
        if len(keys) > 1 and [child.name for child in node.children[: len(keys)]] != list(keys):
            node.children.sort(key=lambda child: keys.index(child.name) if child.schema.is_key else len(keys))

    def value(self, element: Element, schema: SchemaNode) -> str:
        """The leaf's text; prefixes become module names; keys and leaf-list values become canonical."""
        text = element.text or ""
        if not schema.keeps_space:
            text = text.strip()
        if schema.is_xpath:
            text = xpath_values.with_modules(text, lambda prefix: self._module_of(prefix, element), self._schema)
        elif schema.holds_qname and ":" in text:
            text = self._with_modules(text, element, schema)
        elif schema.holds_qname and text:
            module = self._modules.get(element.nsmap.get(None, ""))
            text = f"{module}:{text}" if module and schema.base == "identityref" else text
        if not schema.plain and (schema.is_key or schema.kind == "leaf-list"):
            text = self.canonical(schema, text)
        return text

    def _canonical(self, schema: SchemaNode, text: str) -> str:
        canonical = self._schema.engine.canonical(schema.compiled, text)
        return text if canonical is None else canonical

    def _module_of(self, prefix: str, element: Element) -> str | None:
        return self._modules.get(element.nsmap.get(prefix, ""))

    def _with_modules(self, text: str, element: Element, schema: SchemaNode) -> str:
        """``text`` with names of modules for prefixes; a union's strings may look prefixed and are not."""

        def named(found: re.Match[str]) -> str:
            module = self._modules.get(element.nsmap.get(found[1], ""))
            return f"{module}:" if module else found[0]

        made = _PREFIX.sub(named, text)
        if schema.base == "union" and self._schema.engine.canonical(schema.compiled, made) is None:
            return text
        return made

    def _attributes(self, node: EditNode, element: Element) -> None:
        node.operation = operation_of(element, node)
        if (text := element.get(DEFAULT)) is not None:
            node.is_default = self._is_default(node, text)
        where = element.get(_INSERT)
        if where is not None:
            node.insert = (where, self._anchor(node, element, where, place_of(node)))

    def _is_default(self, node: EditNode, text: str) -> bool:
        """Raises bad-attribute, and invalid-value where the value is not the default one."""
        if text not in ("true", "1", "false", "0"):
            raise errors.BadAttribute(
                f'default="{text}" is neither true nor false.',
                place_of(node),
                info=(("bad-attribute", "default"), ("bad-element", node.name)),
            )
        if text in ("false", "0"):
            return False
        if node.value is None or self._canonical(node.schema, node.value) not in node.schema.defaults:
            is_called = f'"{node.schema.defaults[0]}"' if node.schema.defaults else "none"
            raise errors.InvalidValue(
                f'"{node.name}" is marked as default with a value that is not the default; that is {is_called}.',
                place_of(node),
                info=(("bad-element", node.name),),
            )
        return True

    def _anchor(self, node: EditNode, element: Element, where: str, path: str) -> tuple[str, ...]:
        schema = node.schema
        if not schema.user_ordered or where not in ("first", "last", "before", "after"):
            raise errors.BadAttribute(
                f'insert="{where}" is not possible on "{schema.name}".',
                path,
                info=(("bad-attribute", "insert"), ("bad-element", schema.name)),
            )
        if where in ("first", "last"):
            return ()
        attribute = _KEY if schema.kind == "list" else _VALUE
        text = element.get(attribute)
        name = attribute.split("}")[1]
        if text is None:
            raise errors.MissingAttribute(
                f'insert="{where}" needs the attribute "{name}".',
                path,
                info=(("bad-attribute", name), ("bad-element", schema.name)),
            )
        if schema.kind == "leaf-list":
            return (text,)
        found = {match.group(1): match.group(2) or match.group(3) or "" for match in _KEY_PREDICATE.finditer(text)}
        return tuple(found.get(key, "") for key in schema.keys)


def parse(xml: bytes, namespace: str) -> list[Element]:
    """The elements of our own canonical bytes (a forest whose default namespace is ``namespace``)."""
    wrapped = b'<w xmlns="' + namespace.encode() + b'">' + xml + b"</w>"
    return _children_of(etree.fromstring(wrapped, _PARSER))


_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
