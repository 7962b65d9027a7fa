"""Tenant legs and macvlans: links that nesrv makes between the element and its host; pure.

nesrv: leg and macvlan beside an interface's config.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface, ip_network

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, pools, vteps
from nesrv.features.addresses import IpInterface, addresses, refuse_repeated
from nesrv.features.feature import Lookup
from nesrv.features.links import itself
from nesrv.kernel.facts import DEFAULT_MTU, OVERHEAD, Address, HostPort, Leg, Macvlan, Place


def leg(entry: Node, link: str, place: Place, lookup: Lookup) -> Iterator[Fact]:
    """The pair, its host end's bridge and addresses, and the addresses that a local-cidr gives both ends."""
    host = Place("host", entry.leaf("leg/config/host-namespace") or "")
    outer = entry.text("leg/config/host-interface")
    yield Leg(place, link, host, outer, entry.path_of("leg/config/host-interface"))
    bridge = entry.leaf("leg/config/host-bridge")
    if bridge is not None:
        create = entry.flag("leg/config/host-bridge-create")
        yield HostPort(host, outer, bridge, create, entry.path_of("leg/config/host-bridge"))
    seen: set[str] = set()
    stated: set[int] = set()
    for node in entry.all("leg/config/host-address"):
        address = ip_interface(node.value or "")
        refuse_repeated(str(address), seen, node.path, outer)
        stated.add(address.version)
        yield Address(host, outer, str(address), node.path)
    own = {address.version for subinterface in itself(entry) for address, _ in addresses(subinterface)}
    for inner, away, path in _from_cidrs(entry, lookup):
        if inner.version not in own:
            yield Address(place, link, str(inner), path)
        if away.version not in stated:
            yield Address(host, outer, str(away), path)


def macvlan(entry: Node, link: str, place: Place) -> Macvlan:
    home = Place("host", entry.leaf("macvlan/config/parent-namespace") or "")
    parent, mode = entry.text("macvlan/config/parent-interface"), entry.text("macvlan/config/mode")
    return Macvlan(place, link, home, parent, mode.lower(), entry.path_of("macvlan/config/parent-interface"))


def leg_mtu(entry: Node, instance: str | None, lookup: Lookup) -> int:
    """Bytes: what is configured, else what the overlay of ``instance`` leaves of the underlay's."""
    configured = entry.number("config/mtu")
    if configured is not None:
        return configured
    vtep = vteps.address_of(instance, lookup) if instance is not None else None
    if vtep is None:
        return DEFAULT_MTU
    return vteps.underlay_mtu(lookup) - OVERHEAD[vtep.version]


def own_from_cidrs(entry: Node) -> Iterator[IpInterface]:
    """The element's own addresses of the local-cidrs, which are the same whatever its index."""
    for node in entry.all("leg/config/local-cidr"):
        ends = pools.ends_of(ip_network(node.value or "", strict=False), 0)
        if ends is not None:
            yield ends[0]


def _from_cidrs(entry: Node, lookup: Lookup) -> Iterator[tuple[IpInterface, IpInterface, str]]:
    """(element's address, host's address, path) of each local-cidr."""
    index = inputs.number(lookup, inputs.ELEMENT_INDEX) or 0
    families: dict[int, str] = {}
    for node in entry.all("leg/config/local-cidr"):
        network = ip_network(node.value or "", strict=False)
        if network.version in families:
            raise errors.InvalidValue(
                f"{network} and {families[network.version]} are both IPv{network.version}; a leg has one local-cidr of "
                "each family.",
                node.path,
                "nesrv-local-cidr-family-twice",
            )
        families[network.version] = str(network)
        ends = pools.ends_of(network, index)
        if ends is None:
            raise errors.InvalidValue(
                f"{network} has no address for the host of element {index}; take a larger one.",
                node.path,
                "nesrv-pool-exhausted",
            )
        yield (*ends, node.path)
