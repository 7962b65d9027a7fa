"""Which link of a network instance leads to an address next door; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface

from nesrv.datastore.tree import Node
from nesrv.features import inputs
from nesrv.features.feature import Lookup
from nesrv.features.links import ITSELF, link_named


@dataclass(frozen=True, slots=True)
class Attached:
    """``address`` (with length) of an interface bound to the instance."""

    interface: str
    subinterface: str
    address: IPv4Interface | IPv6Interface


def link_towards(entry: Node, address: IPv4Address | IPv6Address, lookup: Lookup) -> Attached | None:
    """The interface of the network instance ``entry`` in whose subnet ``address`` is, by the longest match."""
    fitting = (one for one in _attached(entry, lookup) if address in one.address.network)
    return max(fitting, key=lambda one: one.address.network.prefixlen, default=None)


def link_of(interface: str, subinterface: str, lookup: Lookup) -> str:
    """The name of an interface, or of its 802.1Q link, in kernel and FRR."""
    vlan = inputs.text(lookup, inputs.vlan_link(interface, subinterface))
    return vlan or link_named(interface, inputs.text(lookup, inputs.interface_kind(interface)) or "nic")


def _attached(entry: Node, lookup: Lookup) -> Iterator[Attached]:
    for binding in entry.all("interfaces/interface"):
        interface, subinterface = binding.leaf("config/interface"), binding.leaf("config/subinterface") or ITSELF
        if interface is not None:
            for held in inputs.several(lookup, inputs.subnets(interface, subinterface)):
                yield Attached(interface, subinterface, ip_interface(held))
