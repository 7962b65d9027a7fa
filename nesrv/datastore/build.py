"""Trees of nodes from plain Python values, for state that is read rather than configured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nesrv.datastore.tree import Node
from nesrv.schema.nodes import SchemaNode

Plain = str | int | bool | None | Mapping[str, "Plain"] | Iterable["Plain"]
"""A leaf's value; a mapping for a container or list entry; an iterable for a list or leaf-list; None: absent."""


def build(schema: SchemaNode, value: Mapping[str, Plain]) -> Node:
    """A container or list entry with ``value`` by child name; raises ``KeyError`` for a node that YANG lacks.

    Its nodes know no parents: without cycles the tree is freed with the last who holds it.
    """
    node = Node(schema)
    ordered = sorted(value, key=lambda name: (name not in schema.keys, schema.by_name[name].order))
    for name in ordered:
        _add(node, schema.by_name[name], value[name])
    return node


def _add(node: Node, schema: SchemaNode, value: Plain) -> None:
    if value is None:
        return
    if schema.kind in ("list", "leaf-list"):
        assert isinstance(value, Iterable) and not isinstance(value, str)
        for item in value:
            _add_one(node, schema, item)
    else:
        _add_one(node, schema, value)


def _add_one(node: Node, schema: SchemaNode, value: Plain) -> None:
    if isinstance(value, Mapping):
        node.children.append(build(schema, value))
    elif isinstance(value, bool):
        node.children.append(Node(schema, "true" if value else "false"))
    else:
        node.children.append(Node(schema, str(value)))
