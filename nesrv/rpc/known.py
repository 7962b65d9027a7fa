"""What state readers need of running's entries, worked out once for each entry."""

from __future__ import annotations

from collections.abc import Iterator

from nesrv.datastore.shards import Shard
from nesrv.features.state.instances import Anchors, anchors
from nesrv.features.state.interfaces import Anchor, anchor
from nesrv.rpc.element import Element
from nesrv.rpc.wanted import Wanted

INTERFACE = "/openconfig-interfaces:interfaces/interface"
INSTANCE = "/openconfig-network-instance:network-instances/network-instance"


def anchor_of(element: Element, shard: Shard) -> Anchor:
    """Of an interface."""
    return shard.remember("state-anchor", lambda shard: anchor(element.shards.fixed_entry(shard)))


def anchors_of(element: Element, shard: Shard) -> Anchors:
    """Of a network instance."""
    return shard.remember("state-anchors", lambda shard: anchors(element.shards.fixed_entry(shard)))


def known_interfaces(element: Element, wanted: Wanted) -> Iterator[tuple[Shard, Anchor]]:
    """Those that the filter can select."""
    return ((shard, anchor_of(element, shard)) for shard in chosen(element, wanted, INTERFACE))


def known_instances(element: Element, wanted: Wanted) -> Iterator[tuple[Shard, Anchors]]:
    """Those that the filter can select."""
    return ((shard, anchors_of(element, shard)) for shard in chosen(element, wanted, INSTANCE))


def known_interface(element: Element, name: str) -> Anchor | None:
    shard = _shard(element, INTERFACE, name)
    return anchor_of(element, shard) if shard is not None else None


def known_instance(element: Element, name: str) -> Anchors | None:
    shard = _shard(element, INSTANCE, name)
    return anchors_of(element, shard) if shard is not None else None


def chosen(element: Element, wanted: Wanted, point: str) -> Iterator[Shard]:
    """The entries of running at ``point`` that the filter can select."""
    named, running = wanted.entries(point), element.pipeline.running
    if named is not None:
        yield from (shard for path in named if (shard := running.get(path)) is not None)
        return
    schema = element.schema.node(point)
    yield from (shard for shard in running.shards() if shard.point is schema)


def _shard(element: Element, point: str, name: str) -> Shard | None:
    return element.pipeline.running.get(element.shards.entry_path(element.schema.node(point), (name,)))
