"""Redistribution: which routes BGP takes from the instance's other tables.

OpenConfig: network-instance/{tables, table-connections}; FRR: redistribute, in an address family of router bgp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import speaker
from nesrv.features.feature import Export, Lookup
from nesrv.features.instances import POINT
from nesrv.features.policy import chain
from nesrv.features.speaker import Speaker
from nesrv.frr.text import FrrLine, line

CONNECTION = "table-connections/table-connection"
POLICY, DEFAULT = "config/import-policy", "config/default-import-policy"
CONNECTED = "DIRECTLY_CONNECTED"
SOURCES = {CONNECTED: "connected", "STATIC": "static"}
"""FRR's word by the identity's name."""
FAMILIES = {"IPV4": "IPV4_UNICAST", "IPV6": "IPV6_UNICAST"}
"""The family of BGP by the family of addresses."""


@dataclass(frozen=True, slots=True)
class Connection:
    """``words``: what FRR is told; ``family``: BGP's family by the identity's name."""

    source: str
    family: str
    words: str
    node: Node

    @property
    def policies(self) -> list[str]:
        return [node.value or "" for node in self.node.all(POLICY)]

    @property
    def default(self) -> str:
        return self.node.text(DEFAULT)


class Redistribution:
    name = "redistribution"
    point = POINT
    claims = frozenset(
        {
            f"{CONNECTION}/config/disable-metric-propagation",
            f"{CONNECTION}/{POLICY}",
            f"{CONNECTION}/{DEFAULT}",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        return iter(())

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        connections = [_connection(node) for node in entry.all(CONNECTION)]
        found = speaker.speaker_of(entry, lookup)
        if found is None or found.bgp is None:
            return
        yield from _subnets(found, {one.family for one in connections if one.source == CONNECTED})
        for one in connections:
            if one.policies or one.default == chain.ACCEPT:
                yield from _accepted(entry.text("name"), found, one, lookup)


def _subnets(found: Speaker, said: set[str]) -> Iterator[FrrLine]:
    """What an L3VRF redistributes where its configuration does not say."""
    for family, path in found.families.items():
        if found.vrf is not None and family in speaker.UNICAST and family not in said:
            yield line(found.family(family), "redistribute connected", path)


def _accepted(instance: str, found: Speaker, one: Connection, lookup: Lookup) -> Iterator[FrrLine]:
    if one.family not in found.families:
        raise errors.InvalidValue(
            f"{one.family} is not enabled in the instance's BGP, so nothing can be redistributed into it; enable it.",
            one.node.path_of("config/address-family"),
            "nesrv-table-connection-family",
        )
    if not one.policies:
        yield line(found.family(one.family), one.words, one.node.path_of(DEFAULT))
        return
    path = one.node.path_of(POLICY)
    chain.not_at_export(one.policies, lookup, path)
    name, lines = chain.applied(f"{instance} {one.source} {one.family}", one.policies, one.default, lookup, path)
    yield from lines
    yield line(found.family(one.family), f"{one.words} route-map {name}", path)


def _connection(node: Node) -> Connection:
    """Raises OperationNotSupported."""
    source, target = node.identity("src-protocol") or "", node.identity("dst-protocol") or ""
    if target != "BGP":
        raise errors.OperationNotSupported(
            f"Routes can be redistributed into BGP, not into {target}.",
            node.path_of("config/dst-protocol"),
            "nesrv-table-connection",
        )
    if source not in SOURCES:
        raise errors.OperationNotSupported(
            f"Routes can be redistributed from {' or '.join(SOURCES)}, not from {source}.",
            node.path_of("config/src-protocol"),
            "nesrv-table-connection",
        )
    metric = " metric 0" if node.flag("config/disable-metric-propagation") else ""
    return Connection(
        source,
        FAMILIES[node.identity("address-family") or ""],
        f"redistribute {SOURCES[source]}{metric}",
        node,
    )
