"""Addresses as the configuration lists them on subinterfaces; pure.

OpenConfig: subinterface/{ipv4, ipv6}/{config/enabled, addresses/address}.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from nesrv import errors
from nesrv.datastore.tree import Node

FAMILIES = ("ipv4", "ipv6")
ENABLED = "config/enabled"
LINK_LOCAL = ip_interface("fe80::/10").network

IpInterface = IPv4Interface | IPv6Interface


def addresses(subinterface: Node) -> Iterator[tuple[IpInterface, str]]:
    """(address with length, path) of the families that are enabled, IPv4 first; those without a length are left
    to ``check``."""
    for family in FAMILIES:
        if has_family(subinterface, family):
            for node in subinterface.all(f"{family}/addresses/address"):
                length = node.leaf("config/prefix-length")
                if length is not None:
                    yield ip_interface(f"{node.text('ip')}/{length}"), node.path


def has_family(subinterface: Node, family: str) -> bool:
    """Whether ``ipv4`` or ``ipv6`` is enabled, which it is where nothing is said."""
    node = subinterface.at(family)
    return node is None or node.flag(ENABLED)


def for_vtep(address: IpInterface) -> bool:
    """Whether others can reach a VTEP at the address."""
    return not (address.ip.is_loopback or address.ip in LINK_LOCAL)


def preference(address: IpInterface) -> tuple[int, int, int]:
    """IPv4, host addresses, the lowest: entries have no order that means anything."""
    return address.version, -address.network.prefixlen, int(address.ip)


def check(interface: str, subinterface: Node) -> None:
    """Raises RpcError for an address without a length and for one that is there twice."""
    for node in subinterface.all("ipv4/addresses/address"):
        if node.leaf("config/prefix-length") is None:
            raise errors.DataMissing(
                f"Address {node.text('ip')} of {interface} has no prefix-length.",
                node.path_of("config/prefix-length"),
                "nesrv-address-without-length",
            )
    seen: set[str] = set()
    for address, path in addresses(subinterface):
        refuse_repeated(str(address.ip), seen, path, interface)


def refuse_repeated(address: str, seen: set[str], path: str, where: str) -> None:
    """Raises RpcError where ``where`` has the address already; ``seen`` grows by it."""
    if address in seen:
        raise errors.InvalidValue(f"{where} has the address {address} twice.", path, "nesrv-address-twice")
    seen.add(address)
