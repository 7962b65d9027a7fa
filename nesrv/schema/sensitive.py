"""The nodes that are kept from whoever no rule lets in: by statements of their modules (``nacm:default-deny-all``,
``nacm:default-deny-write``, RFC 8341), and OpenConfig's secrets and users, whose modules have no such statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from _libyang import ffi, lib

from nesrv.schema.nodes import SchemaNode
from nesrv.schema.schema import Schema

ACM = "ietf-netconf-acm"
_ALL, _WRITE = "default-deny-all", "default-deny-write"
_SECRETS = ("/users/user/config/password", "/users/user/config/password-hashed", "/config/auth-password")
"""How the paths of OpenConfig's passwords end."""
_USERS = "/openconfig-system:system/aaa"
"""Whoever may write here may become an administrator."""


@dataclass(frozen=True, slots=True)
class Sensitive:
    """``everything`` and ``writing`` hold the nodes with the statement and all below them, ``above`` every node above
    one of those; ``notifications`` are (module, name)."""

    everything: frozenset[SchemaNode]
    writing: frozenset[SchemaNode]
    above: frozenset[SchemaNode]
    notifications: frozenset[tuple[str, str]]


def find(schema: Schema) -> Sensitive:
    """Reads the statements as libyang compiled them."""
    found: dict[str, set[SchemaNode]] = {_ALL: set(), _WRITE: set()}
    above: set[SchemaNode] = set()

    def visit(node: SchemaNode, inherited: frozenset[str]) -> None:
        said = inherited | _statements(node.compiled) | _of_openconfig(node)
        for statement in said:
            found[statement].add(node)
        if said != inherited:
            above.update(_ancestors(node))
        for child in node.children.values():
            visit(child, said)

    for top in (*schema.data.values(), *schema.rpcs.values()):
        visit(top, frozenset())
    return Sensitive(
        frozenset(found[_ALL]), frozenset(found[_WRITE]), frozenset(above), frozenset(_notifications(schema))
    )


def _of_openconfig(node: SchemaNode) -> frozenset[str]:
    if node.path == _USERS:
        return frozenset((_WRITE,))
    is_secret = node.path.startswith("/openconfig-") and node.path.endswith(_SECRETS)
    return frozenset((_ALL,)) if is_secret else frozenset()


def _ancestors(node: SchemaNode) -> Iterable[SchemaNode]:
    while node.parent is not None:
        node = node.parent
        yield node


def _statements(compiled: Any) -> frozenset[str]:
    # An array of libyang's: its length stands before it.
    count = 0 if compiled.exts == ffi.NULL else ffi.cast("uint64_t *", compiled.exts)[-1]
    definitions = [getattr(compiled.exts[at], "def") for at in range(count)]
    return frozenset(
        name for one in definitions if _text(one.module.name) == ACM and (name := _text(one.name)) in (_ALL, _WRITE)
    )


def _notifications(schema: Schema) -> Iterable[tuple[str, str]]:
    for module in schema.engine.context:
        compiled = module.cdata.compiled
        node = ffi.NULL if compiled == ffi.NULL else lib.lys_getnext(ffi.NULL, ffi.NULL, compiled, 0)
        while node != ffi.NULL:
            if node.nodetype == lib.LYS_NOTIF and _ALL in _statements(node):
                yield _text(node.module.name), _text(node.name)
            node = lib.lys_getnext(node, ffi.NULL, compiled, 0)


def _text(c: Any) -> str:
    return str(ffi.string(c).decode())
