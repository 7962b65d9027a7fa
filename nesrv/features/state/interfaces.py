"""State of interfaces from what the kernel says of links; pure.

OpenConfig: /interfaces/interface/{state, subinterfaces/subinterface}, with nesrv's leg and adopt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface

from nesrv.datastore.build import Plain
from nesrv.datastore.tree import Node
from nesrv.features.irb import ROUTED
from nesrv.features.links import ITSELF, SUBINTERFACE, kind_of, link_of, vlans
from nesrv.kernel.facts import Macvlan, Place

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
class Below:
    """A configured subinterface: ``link`` is the kernel's name, ``keys`` its addresses in canonical form → as the
    configuration writes them."""

    index: str
    link: str
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Anchor:
    """What state needs of a configured interface: ``link`` is the kernel's name; ``routed`` the keys, as ``Below`` has
    them, of the bridge of an L2VSI, whose kernel name its own entry does not say, None for any other link."""

    name: str
    link: str
    subinterfaces: tuple[Below, ...]
    routed: Mapping[str, str] | None = None

    def link_below(self, index: str) -> str:
        """The kernel's name of the subinterface ``index``, of the link itself where there is none."""
        return next((below.link for below in self.subinterfaces if below.index == index), self.link)


@dataclass(frozen=True, slots=True)
class HostEnd:
    """A leg's other end, with its addresses and the bridge that it is a port of."""

    place: Place
    name: str
    addresses: tuple[str, ...]
    bridge: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a link comes from: a leg's other end, the namespace that a NIC was taken from, a macvlan's parent."""

    leg: HostEnd | None = None
    nic: Place | None = None
    macvlan: Macvlan | None = None


def anchor(entry: Node) -> Anchor:
    """Of the interface ``entry``."""
    tagged = {subinterface.text("index"): name for subinterface, name, _ in vlans(entry)}
    own = {ITSELF: link_of(entry), **tagged}
    below = (_below(node, own[index]) for node in entry.all(SUBINTERFACE) if (index := node.text("index")) in own)
    routed = entry.at(ROUTED)
    bridge = (_keys(routed) if routed is not None else {}) if kind_of(entry) == "irb" else None
    return Anchor(entry.text("name"), link_of(entry), tuple(below), bridge)


def _below(subinterface: Node, link: str) -> Below:
    return Below(subinterface.text("index"), link, _keys(subinterface))


def _keys(holder: Node) -> dict[str, str]:
    found = (node.text("ip") for family in FAMILIES.values() for node in holder.all(f"{family}/{ADDRESS}"))
    return {str(ip_address(key)): key for key in found}


def interface(
    known: Anchor, link: LinkState | None, origin: Origin, tagged: Mapping[str, tuple[LinkState, int]]
) -> dict[str, Plain]:
    """State of one interface; ``link`` is None where the kernel has none.

    ``tagged``: (link, VLAN id) of the 802.1Q links that the kernel has, by the subinterface's index.
    """
    if link is None:
        return {"name": known.name, "state": {"admin-status": "DOWN", "oper-status": "NOT_PRESENT"}}
    told = _told(link)
    mtu = link.mtu if link.mtu <= LARGEST_MTU else None
    own: dict[str, Plain] = {"mtu": mtu, "kernel-name": link.name}
    made: dict[str, Plain] = {"name": known.name, "state": told | own}
    links: dict[str, tuple[LinkState, int | None]] = {ITSELF: (link, None), **tagged}
    found: list[Plain] = [
        _subinterface(below, *links[below.index]) for below in known.subinterfaces if below.index in links
    ]
    if found:
        made["subinterfaces"] = {"subinterface": found}
    if known.routed is not None:
        made["routed-vlan"] = _families(known.routed, link)
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


def _subinterface(known: Below, link: LinkState, vlan: int | None) -> dict[str, Plain]:
    made: dict[str, Plain] = {"index": known.index, "state": _told(link)}
    if vlan is not None:
        made["vlan"] = {"match": {"single-tagged": {"state": {"vlan-id": vlan}}}}
    return {**made, **_families(known.keys, link)}


def _families(keys: Mapping[str, str], link: LinkState) -> dict[str, Plain]:
    made: dict[str, Plain] = {}
    for version, family in FAMILIES.items():
        found = [address for address in link.addresses if ip_interface(address.address).version == version]
        if found:
            made[family] = {"addresses": {"address": [_address(address, keys) for address in found]}}
    return made


def _address(found: AddressState, configured: Mapping[str, str]) -> dict[str, Plain]:
    """``configured``: address in canonical form → as the configuration writes it, which is the list's key."""
    interface_address = ip_interface(found.address)
    ip = str(interface_address.ip)
    state: dict[str, Plain] = {"ip": ip, "prefix-length": interface_address.network.prefixlen, "origin": found.origin}
    return {"ip": configured.get(ip, ip), "state": state}


def _comes_from(origin: Origin) -> dict[str, Plain]:
    if origin.leg is not None:
        end = origin.leg
        told: dict[str, Plain] = {"host-namespace": end.place.name or None, "host-interface": end.name}
        return {"leg": {"state": {**told, "host-address": list(end.addresses), "host-bridge": end.bridge}}}
    if origin.macvlan is not None:
        above = origin.macvlan
        parent: dict[str, Plain] = {"parent-namespace": above.home.name or None, "parent-interface": above.parent}
        return {"macvlan": {"state": {**parent, "mode": above.mode.upper() or None}}}
    if origin.nic is not None:
        return {"adopt": {"state": {"from-namespace": origin.nic.name or None}}}
    return {}


def host_addresses(found: Iterable[AddressState]) -> tuple[str, ...]:
    """Those of a leg's host end that the kernel did not make itself."""
    return tuple(address.address for address in found if address.origin != "LINK_LAYER")
