"""In which configuration leaves two configurations differ."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY
from nesrv.datastore.tree import Node
from nesrv.schema.nodes import SchemaNode
from tests.features.element import model


def changed_leaves(before: str, after: str) -> dict[str, str]:
    """Instance path → schema path of the leaves whose value differs; a leaf that is absent has its default.

    Raises ``ValueError`` where a list entry comes or goes: that is no change of a leaf.
    """
    old, new = (dict(values(document)) for document in (before, after))
    entries = {path for path, value in (old | new).items() if value is None}
    if odd := sorted(path for path in entries if (path in old) != (path in new)):
        raise ValueError(f"an entry on one side only: {odd[0]}")
    found = ((path, value) for path, value in sorted((old | new).items()) if old.get(path) != new.get(path))
    return {path: value[0] for path, value in found if value is not None}


def values(document: str) -> Iterator[tuple[str, tuple[str, tuple[str, ...]] | None]]:
    """Instance path → (schema path, values); None for a list entry.  A leaf-list's path has no values in it."""
    shards = Shards(model())
    snapshot = Editor(shards).edit(EMPTY, etree.fromstring(f"<config>{document}</config>"))
    for shard in snapshot.shards():
        for top in shards.nodes(shard):
            yield from _below(top, top.path)


def _below(node: Node, path: str) -> Iterator[tuple[str, tuple[str, tuple[str, ...]] | None]]:
    if node.schema.kind == "list":
        yield path, None
    several: dict[SchemaNode, list[str]] = {}
    for child in node.children:
        if child.schema.kind == "leaf-list":
            several.setdefault(child.schema, []).append(child.value or "")
        elif child.schema.kind == "leaf" and (child.value,) != child.schema.defaults:
            yield child.path, (child.schema.path, (child.value or "",))
        elif child.schema.kind in ("container", "list"):
            yield from _below(child, child.path)
    for schema, values in several.items():
        yield f"{path}/{schema.step}", (schema.path, tuple(values))
