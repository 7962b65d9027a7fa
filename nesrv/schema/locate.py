"""Where something is missing: libyang names only the schema node of what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from _libyang import ffi, lib

_TRANSPARENT = lib.LYS_CHOICE | lib.LYS_CASE


def missing(context: Any, tree: Any, path: str) -> str:
    """The instance path for a schema ``path`` of which ``tree`` (its first top-level node) has too few: below
    the first parent with the fewest. A missing choice is named by its parent (RFC 7950, section 15.6)."""
    pieces = path[1:].split("/")
    name = pieces.pop().rpartition(":")[2]
    end = path[path.rindex("/") :] if _schema(context, path) != ffi.NULL else ""
    if not pieces:
        return path
    found = list(_parents(context, tree, pieces, 0, ""))
    if not found:
        return path
    return min(found, key=lambda parent: _count(parent[1], name))[0] + end


def _schema(context: Any, path: str) -> Any:
    """libyang's schema node of a data node; NULL for a choice."""
    found = lib.lys_find_path(context, ffi.NULL, path.encode(), 0)
    lib.ly_err_clean(context, ffi.NULL)
    return found


def _parents(context: Any, first: Any, pieces: list[str], at: int, outer: str) -> Iterator[tuple[str, Any]]:
    """(path, libyang's node) of the instances at ``pieces``; NULL for a container that is there by default only."""
    name = pieces[at].rpartition(":")[2]
    found = [node for node in _siblings(first) if _name(node) == name]
    last = at + 1 == len(pieces)
    for node in found:
        if last:
            yield _path(node), node
        else:
            yield from _parents(context, lib.lyd_child(node), pieces, at + 1, _path(node))
    if not found and _default(_schema(context, "/" + "/".join(pieces[: at + 1]))):
        here = f"{outer}/{pieces[at]}"
        if last:
            yield here, ffi.NULL
        else:
            yield from _parents(context, ffi.NULL, pieces, at + 1, here)


def _default(schema: Any) -> bool:
    return bool(schema != ffi.NULL and schema.nodetype == lib.LYS_CONTAINER and not schema.flags & lib.LYS_PRESENCE)


def _siblings(node: Any) -> Iterator[Any]:
    while node != ffi.NULL:
        yield node
        node = node.next


def _name(node: Any) -> str:
    return str(ffi.string(node.schema.name).decode())


def _path(node: Any) -> str:
    text = lib.lyd_path(node, lib.LYD_PATH_STD, ffi.NULL, 0)
    try:
        return str(ffi.string(text).decode())
    finally:
        lib.free(text)


def _count(parent: Any, name: str) -> int:
    """Children of ``parent`` that are called ``name``, or stand in a choice of that name."""
    if parent == ffi.NULL:
        return 0
    return sum(name in _names(child.schema) for child in _siblings(lib.lyd_child(parent)))


def _names(schema: Any) -> set[str]:
    found = {ffi.string(schema.name).decode()}
    above = schema.parent
    while above != ffi.NULL and above.nodetype & _TRANSPARENT:
        found.add(ffi.string(above.name).decode())
        above = above.parent
    return found
