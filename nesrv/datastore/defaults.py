"""What is there by default, shown in the modes of RFC 6243. Datastores hold what was set, and nothing else:
the basic mode is explicit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from nesrv.datastore.incoming import Element
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import MarkedNode, Node, to_xml
from nesrv.schema.engine import DEFAULT_TAG, DEFAULTS
from nesrv.schema.nodes import SchemaNode

MODES = ("explicit", "report-all", "report-all-tagged", "trim")
TAG = DEFAULT_TAG.decode()
CHUNK = 500
"""Entries that libyang completes in one go."""
FEW = 8
"""Who asks for more entries than so many, one by one, is given them from a document of all."""
_TERMS = ("leaf", "leaf-list")


class Explicit:
    """A snapshot as it is."""

    def __init__(self, shards: Shards, snapshot: Snapshot) -> None:
        self._shards = shards
        self._snapshot = snapshot

    def paths(self) -> Iterator[tuple[str, SchemaNode]]:
        return ((shard.path, shard.point) for shard in self._snapshot.shards())

    def shards(self) -> Iterable[Shard]:
        return self._snapshot.shards()

    def get(self, path: str) -> Shard | None:
        return self._snapshot.get(path)

    def nodes(self, path: str) -> list[Node]:
        shard = self._snapshot.get(path)
        return [*self._shards.bare(shard)] if shard is not None else []


class Trimmed(Explicit):
    """A snapshot without the values that are the default ones (RFC 6243, section 3.2)."""

    def shards(self) -> Iterator[Shard]:
        return (found for shard in self._snapshot.shards() if (found := self._trimmed(shard)) is not None)

    def get(self, path: str) -> Shard | None:
        shard = self._snapshot.get(path)
        return self._trimmed(shard) if shard is not None else None

    def nodes(self, path: str) -> list[Node]:
        return trimmed(super().nodes(path))

    def _trimmed(self, shard: Shard) -> Shard | None:
        place = self._shards.place(shard.point)
        names, outer = self._shards.schema.namespaces, place.namespace if place is not None else ""
        xml = b"".join(to_xml(node, names, outer) for node in trimmed([*self._shards.bare(shard)]))
        return Shard(shard.path, shard.point, xml) if xml else None


def trimmed(nodes: Iterable[Node]) -> list[Node]:
    """``nodes`` without values that are the default ones, and without the containers that this empties; ``nodes``
    are used up. A leaf-list is by default only as a whole (RFC 7950, section 7.7.2)."""
    found: list[Node] = []
    several: dict[SchemaNode, list[Node]] = {}
    for node in nodes:
        schema = node.schema
        if schema.kind == "leaf-list" and schema.defaults:
            several.setdefault(schema, []).append(node)
        elif schema.kind == "leaf":
            if not schema.defaults or node.value != schema.defaults[0] or schema.is_key:
                found.append(node)
        elif node.children:
            node.children = trimmed(node.children)
            if node.children or schema.kind != "container" or schema.presence:
                found.append(node)
        elif schema.kind != "container" or schema.presence:
            found.append(node)
    for schema, same in several.items():
        values = [node.value for node in same]
        if sorted(map(str, values)) != sorted(schema.defaults) or (
            schema.user_ordered and values != list(schema.defaults)
        ):
            found += same
    return found


class Completed:
    """A snapshot with what is there by default (RFC 6243, sections 3.1 and 3.4)."""

    def __init__(self, shards: Shards, snapshot: Snapshot, mode: str) -> None:
        self._shards = shards
        self._snapshot = snapshot
        self._mode = mode
        self._escaping = shards.schema.references.escaping
        self._implicit: dict[str, Shard] | None = None
        self._whole: dict[str, Shard] | None = None
        self._asked = 0

    def paths(self) -> Iterator[tuple[str, SchemaNode]]:
        yield from ((shard.path, shard.point) for shard in self._snapshot.shards())
        for path, shard in self._by_default().items():
            if path not in self._snapshot:
                yield path, shard.point

    def shards(self) -> Iterator[Shard]:
        if any(shard.point in self._escaping for shard in self._snapshot.shards()):
            yield from self._all().values()
            return
        todo = iter(self._snapshot.shards())
        while chunk := list(islice(todo, CHUNK)):
            made = self._shards.completed(chunk, self._mode)
            yield from (made.get(shard.path, shard) for shard in chunk)
        for path, shard in self._by_default().items():
            if path not in self._snapshot:
                yield shard

    def get(self, path: str) -> Shard | None:
        shard = self._snapshot.get(path)
        if shard is None:
            return self._by_default().get(path)
        self._asked += 1
        if shard.point in self._escaping or self._asked > FEW:
            return self._all().get(path, shard)
        return self._shards.completed((shard,), self._mode).get(path, shard)

    def nodes(self, path: str) -> list[Node]:
        shard = self.get(path)
        if shard is None:
            return []
        found: list[Node] = [*self._shards.bare(shard)]
        if self._mode != "report-all-tagged":
            return found
        return [_tagged(node, element) for node, element in zip(found, self._shards.elements(shard), strict=True)]

    def _by_default(self) -> dict[str, Shard]:
        """What is there although nothing was set."""
        if self._implicit is None:
            self._implicit = self._shards.completed((), self._mode)
        return self._implicit

    def _all(self) -> dict[str, Shard]:
        """All at once: also where a ``when`` of one shard may look at others."""
        if self._whole is None:
            self._whole = self._shards.completed(self._snapshot.shards(), self._mode)
        return self._whole


def _tagged(node: Node, element: Element) -> Node:
    """``node`` with the tags that ``element``, which it was read from, has."""
    if element.attrib:
        return MarkedNode(node, TAG) if element.get(f"{{{DEFAULTS}}}default") == "true" else node
    node.children = [_tagged(child, inner) for child, inner in zip(node.children, element, strict=True)]
    return node


View = Explicit | Completed
"""``paths``: every shard that may be there; ``nodes``: a shard's top nodes, the caller's own."""


def view(shards: Shards, snapshot: Snapshot, mode: str) -> View:
    """``snapshot`` as ``mode`` shows it."""
    made: Callable[[], View] | None = {
        "explicit": lambda: Explicit(shards, snapshot),
        "trim": lambda: Trimmed(shards, snapshot),
    }.get(mode)
    return made() if made is not None else Completed(shards, snapshot, mode)


def copied(shards: Shards, snapshot: Snapshot, mode: str) -> Snapshot:
    """``snapshot`` with what ``mode`` shows of it set explicitly (copy-config with the parameter with-defaults).
    A value that is tagged as default is as good as not set (RFC 6243, section 4.5.2)."""
    if mode in ("explicit", "report-all-tagged"):
        return snapshot
    return Snapshot({shard.path: shard for shard in view(shards, snapshot, mode).shards()})
