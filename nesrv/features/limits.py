"""What a release of FRR cannot do, refused before it is tried: features that claim nothing and make nothing; pure.

The server takes those in that the FRR it runs needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import vteps
from nesrv.features.feature import Export, Lookup
from nesrv.features.instances import POINT


class Ipv4VtepsOnly:
    """bgpd before 10.6 would announce an IPv4 address as the next hop of every route of an IPv6 VTEP."""

    name = "ipv4-vteps-only"
    point = POINT
    claims: frozenset[str] = frozenset()

    def exports(self, entry: Node) -> Iterator[Export]:
        return iter(())

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        for address, path in vteps.addresses(entry, lookup):
            if address.version == 6:
                raise errors.OperationNotSupported(
                    f"A VTEP with an IPv6 address, {address.ip}, needs FRR 10.6; older ones announce an IPv4 address "
                    "in its place. Give its interface an IPv4 address.",
                    path,
                    "nesrv-vtep-of-ipv6",
                )
        return iter(())
