"""State of interfaces from what the kernel says of links; pure.

OpenConfig: /interfaces/interface/{state, subinterfaces/subinterface}, with nesrv's leg and adopt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface

from nesrv.datastore.build import Plain
from nesrv.datastore.tree import Node
from nesrv.features.interfaces import SUBINTERFACE, link_of
from nesrv.kernel.facts import Place

OPER_STATUS = ("UNKNOWN", "NOT_PRESENT", "DOWN", "LOWER_LAYER_DOWN", "TESTING", "DORMANT", "UP")
"""OpenConfig's name by IFLA_OPERSTATE (RFC 2863, linux/if.h)."""
FAMILIES = {4: "ipv4", 6: "ipv6"}
ADDRESS = "addresses/address"
LARGEST_MTU = 65535
"""The leaf is a uint16, and a loopback's 65536 does not fit."""


@dataclass(frozen=True, slots=True)
class Counters:
    """The kernel's 64-bit statistics (rtnl_link_stats64), bytes and packets since the link was made."""

    in_pkts: int
    out_pkts: int
    in_octets: int
    out_octets: int
    in_errors: int
    out_errors: int
    in_discards: int
    out_discards: int


@dataclass(frozen=True, slots=True)
class AddressState:
    """``address`` is ``ADDRESS/LENGTH``, ``origin`` OpenConfig's ip-address-origin."""

    address: str
    origin: str


@dataclass(frozen=True, slots=True)
class LinkState:
    """One link now; ``status`` is the kernel's IFLA_OPERSTATE."""

    name: str
    index: int
    up: bool
    status: int
    mtu: int
    counters: Counters
    addresses: tuple[AddressState, ...] = ()


@dataclass(frozen=True, slots=True)
class Anchor:
    """What state needs of a configured interface: ``link`` is the kernel's name, ``keys`` the subinterface's address
    in canonical form → as the configuration writes it; ``subinterface`` whether there is the one that is the link."""

    name: str
    link: str
    subinterface: bool
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a link comes from: a leg's other end with its addresses, or the namespace that a NIC was taken from."""

    leg: tuple[Place, str, tuple[str, ...]] | None = None
    nic: Place | None = None


def anchor(entry: Node) -> Anchor:
    """Of the interface ``entry``."""
    own = [node for node in entry.all(SUBINTERFACE) if node.text("index") == "0"]
    found = [node.text("ip") for sub in own for family in FAMILIES.values() for node in sub.all(f"{family}/{ADDRESS}")]
    return Anchor(entry.text("name"), link_of(entry), bool(own), {str(ip_address(key)): key for key in found})


def interface(known: Anchor, link: LinkState | None, origin: Origin) -> dict[str, Plain]:
    """State of one interface; ``link`` is None where the kernel has none."""
    if link is None:
        return {"name": known.name, "state": {"admin-status": "DOWN", "oper-status": "NOT_PRESENT"}}
    told = _told(link)
    mtu = link.mtu if link.mtu <= LARGEST_MTU else None
    own: dict[str, Plain] = {"mtu": mtu, "kernel-name": link.name}
    made: dict[str, Plain] = {"name": known.name, "state": told | own}
    if known.subinterface:
        made["subinterfaces"] = {"subinterface": [_subinterface(known, link, told)]}
    return {**made, **_comes_from(origin)}


def _told(link: LinkState) -> dict[str, Plain]:
    status = OPER_STATUS[link.status] if link.status < len(OPER_STATUS) else "UNKNOWN"
    return {
        "enabled": link.up,
        "ifindex": link.index,
        "admin-status": "UP" if link.up else "DOWN",
        "oper-status": status,
        "counters": {
            "in-octets": link.counters.in_octets,
            "in-pkts": link.counters.in_pkts,
            "in-errors": link.counters.in_errors,
            "in-discards": link.counters.in_discards,
            "out-octets": link.counters.out_octets,
            "out-pkts": link.counters.out_pkts,
            "out-errors": link.counters.out_errors,
            "out-discards": link.counters.out_discards,
        },
    }


def _subinterface(known: Anchor, link: LinkState, told: Mapping[str, Plain]) -> dict[str, Plain]:
    made: dict[str, Plain] = {"index": 0, "state": dict(told)}
    for version, family in FAMILIES.items():
        found = [address for address in link.addresses if ip_interface(address.address).version == version]
        if found:
            made[family] = {"addresses": {"address": [_address(address, known.keys) for address in found]}}
    return made


def _address(found: AddressState, configured: Mapping[str, str]) -> dict[str, Plain]:
    """``configured``: address in canonical form → as the configuration writes it, which is the list's key."""
    interface_address = ip_interface(found.address)
    ip = str(interface_address.ip)
    state: dict[str, Plain] = {"ip": ip, "prefix-length": interface_address.network.prefixlen, "origin": found.origin}
    return {"ip": configured.get(ip, ip), "state": state}


def _comes_from(origin: Origin) -> dict[str, Plain]:
    if origin.leg is not None:
        place, name, addresses = origin.leg
        return {
            "leg": {
                "state": {"host-namespace": place.name or None, "host-interface": name, "host-address": list(addresses)}
            }
        }
    if origin.nic is not None:
        return {"adopt": {"state": {"from-namespace": origin.nic.name or None}}}
    return {}


def host_addresses(found: Iterable[AddressState]) -> tuple[str, ...]:
    """Those of a leg's host end that the kernel did not make itself."""
    return tuple(address.address for address in found if address.origin != "LINK_LAYER")
