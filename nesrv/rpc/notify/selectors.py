"""What of a datastore a subscription is about (RFC 8641 §3.6), and what of it has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nesrv.datastore.incoming import parse
from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node, adopt
from nesrv.rpc import views
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.filters import Selection
from nesrv.rpc.notify.differences import Difference, between
from nesrv.rpc.patterns import Pattern
from nesrv.rpc.wanted import Wanted
from nesrv.schema.nodes import SchemaNode


@dataclass(frozen=True, slots=True)
class Selector:
    """A subtree filter's ``patterns``, or an XPath with its prefixes; neither: everything."""

    patterns: tuple[Pattern, ...] | None = None
    xpath: tuple[str, Mapping[str, str]] | None = None

    def of(self, selection: Selection) -> Iterable[bytes]:
        if self.patterns is not None:
            return selection.subtree(self.patterns)
        return selection.everything() if self.xpath is None else selection.xpath(*self.xpath)

    def wanted(self, shards: Shards) -> Wanted:
        return Wanted(shards, self.patterns)


class Configuration:
    """One session's view of a datastore: what it may not read is not there."""

    def __init__(self, element: Element, session: SessionState, datastore: str) -> None:
        self._element = element
        self._shards = element.shards
        self._session = session
        self._datastore = datastore

    def content(self, selector: Selector, snapshot: Snapshot) -> Iterable[bytes]:
        visible = self._element.guards.visible(self._session, self._datastore, snapshot)
        return selector.of(Selection(self._shards, views.Configuration(self._shards, visible)))

    def differences(self, selector: Selector, before: Snapshot, after: Snapshot) -> Iterable[Difference]:
        """Of what ``selector`` (no XPath) selects; the cost is that of the shards that differ."""
        changes = before.changes_to(after)
        if not changes:
            return ()
        old, new = before, after
        if not any(self._rest(path) for path in changes):
            old, new = (self._narrowed(snapshot, changes) for snapshot in (before, after))
        return between(self._nodes(selector, old), self._nodes(selector, new))

    def _rest(self, path: str) -> bool:
        """A leaf beside lists may be what a filter matches to select their entries: then all of them count."""
        return self._shards.schema.node(path) in self._shards.schema.skeleton

    def _narrowed(self, snapshot: Snapshot, changes: Mapping[str, object]) -> Snapshot:
        """The shards of ``changes``, and what stands beside the lists that they are in."""
        beside = (node.path for node in self._shards.schema.skeleton)
        kept: dict[str, Shard] = {}
        for path in (*beside, *changes):
            shard = snapshot.get(path)
            if shard is not None:
                kept[path] = shard
        return Snapshot(kept)

    def _nodes(self, selector: Selector, snapshot: Snapshot) -> Sequence[Node]:
        elements = parse(b"".join(self.content(selector, snapshot)), "")
        return list(self._read(elements, self._shards.schema.data))

    def _read(self, elements: Iterable[Any], known: Mapping[str, SchemaNode]) -> Iterator[Node]:
        """Without the containers above lists: they are always there, whatever is left of them in a selection."""
        for element in elements:
            schema = known[element.tag]
            if schema in self._shards.schema.skeleton:
                yield from self._read(element, schema.children)
            else:
                node = self._shards.reader.bare(element, schema)
                adopt(node)
                yield node
