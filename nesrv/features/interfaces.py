"""Links: NICs adopted or found, tenant legs, loopbacks; their addresses, MTU and state.

OpenConfig: /interfaces/interface, with nesrv's leg and adopt beside its config.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, names, vteps
from nesrv.features.feature import Export, Lookup
from nesrv.kernel.facts import UNDERLAY, Address, Leg, LinkSettings, Nic, Place

KINDS = {"softwareLoopback": "loopback", "ethernetCsmacd": "nic"}
SUBINTERFACE = "subinterfaces/subinterface"
LOOPBACK = "lo"


class Interfaces:
    name = "interfaces"
    point = "/openconfig-interfaces:interfaces/interface"
    claims = frozenset(
        {
            "config/type",
            "config/mtu",
            "config/enabled",
            # Texts for people have no effect by their nature.
            "config/description",
            "subinterfaces/subinterface/config/description",
            "subinterfaces/subinterface/config/enabled",
            "subinterfaces/subinterface/ipv4/addresses/address/config/prefix-length",
            "subinterfaces/subinterface/ipv6/addresses/address/config/prefix-length",
            "leg/config/host-namespace",
            "leg/config/host-interface",
            "leg/config/host-address",
            "adopt/config/from-namespace",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        interface = entry.text("name")
        kind = kind_of(entry)
        yield Export(inputs.interface_kind(interface), kind, f"interface {interface}", entry.path)
        if kind == "nic":
            mtu = entry.number("config/mtu") or vteps.DEFAULT_MTU
            yield Export(inputs.nic_mtu(interface), mtu, f"MTU of {interface}", entry.path_of("config/mtu"))
        if kind != "loopback":
            known = link_of(entry)
            path = entry.path_of("config/name")
            yield Export(inputs.kernel_name(known), entry.path, f"kernel name {known}", path)
        if kind == "leg":
            where, what = entry.leaf("leg/config/host-namespace") or "", entry.text("leg/config/host-interface")
            path = entry.path_of("leg/config/host-interface")
            yield Export(inputs.host_interface(where, what), interface, f"host interface {what}", path)
        for subinterface in entry.all(SUBINTERFACE):
            held = tuple(str(found) for found, _ in _addresses(subinterface))
            if held:
                key = inputs.subnets(interface, subinterface.text("index"))
                yield Export(key, held, f"subnets of {interface}", subinterface.path)
            usable = next((str(found) for found, _ in _addresses(subinterface) if _for_vtep(found)), None)
            if usable is not None:
                index = subinterface.text("index")
                key = inputs.address(interface, index)
                yield Export(key, usable, f"address of {interface}.{index}", subinterface.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        _check(entry)
        kind, link = kind_of(entry), link_of(entry)
        instance = inputs.text(lookup, inputs.binding(entry.text("name"), "0"))
        place = place_of(instance, lookup)
        if entry.at("adopt") is not None:
            origin = Place("host", entry.leaf("adopt/config/from-namespace") or "")
            yield Nic(link, origin, entry.path_of("adopt"))
        if kind == "leg":
            yield from _leg(entry, link, place)
        if kind != "loopback":
            mtu = _leg_mtu(entry, instance, lookup) if kind == "leg" else entry.number("config/mtu")
            path = entry.path_of("config/enabled" if mtu is None else "config/mtu")
            yield LinkSettings(place, link, mtu, _up(entry), path)
        for subinterface in entry.all(SUBINTERFACE):
            for address, path in _addresses(subinterface):
                yield Address(place, link, str(address), path)


def kind_of(entry: Node) -> str:
    """``leg``, ``nic`` or ``loopback``; other types count as NICs and are refused by ``facts``."""
    return "leg" if entry.at("leg") is not None else KINDS.get(entry.identity("config/type") or "", "nic")


def link_of(entry: Node) -> str:
    """The kernel's name of the link: one that nesrv makes may need another, a NIC has the one that it has."""
    return link_named(entry.text("name"), kind_of(entry))


def link_named(interface: str, kind: str) -> str:
    """The kernel's name of an interface of ``kind``."""
    if kind == "loopback":
        return LOOPBACK
    return names.link_name(interface) if kind == "leg" else interface


def place_of(instance: str | None, lookup: Lookup) -> Place:
    """Where a link bound to ``instance`` (None: to none) lives."""
    if instance is None or lookup(inputs.instance_type(instance)) != "L3VRF":
        return UNDERLAY
    return Place("vrf", names.vrf_name(instance))


def _leg(entry: Node, link: str, place: Place) -> Iterator[Fact]:
    host = Place("host", entry.leaf("leg/config/host-namespace") or "")
    outer = entry.text("leg/config/host-interface")
    yield Leg(place, link, host, outer, entry.path_of("leg/config/host-interface"))
    seen: set[str] = set()
    for node in entry.all("leg/config/host-address"):
        address = str(ip_interface(node.value or ""))
        _refuse_repeated(address, seen, node.path, outer)
        yield Address(host, outer, address, node.path)


def _leg_mtu(entry: Node, instance: str | None, lookup: Lookup) -> int:
    configured = entry.number("config/mtu")
    if configured is not None:
        return configured
    vtep = vteps.address_of(instance, lookup) if instance is not None else None
    if vtep is None:
        return vteps.DEFAULT_MTU
    return vteps.underlay_mtu(lookup) - vteps.OVERHEAD[vtep.version]


def _up(entry: Node) -> bool:
    return entry.flag("config/enabled") and all(sub.flag("config/enabled") for sub in entry.all(SUBINTERFACE))


def _addresses(subinterface: Node) -> Iterator[tuple[IPv4Interface | IPv6Interface, str]]:
    """(address with length, path), IPv4 first; those without a length are left to ``_check``."""
    for family in ("ipv4", "ipv6"):
        for node in subinterface.all(f"{family}/addresses/address"):
            length = node.leaf("config/prefix-length")
            if length is not None:
                yield ip_interface(f"{node.text('ip')}/{length}"), node.path


def _for_vtep(address: IPv4Interface | IPv6Interface) -> bool:
    return not (address.ip.is_loopback or address.ip in ip_interface("fe80::/10").network)


# What YANG cannot forbid


def _check(entry: Node) -> None:
    kind, interface = kind_of(entry), entry.text("name")
    declared = entry.identity("config/type") or ""
    if declared not in KINDS:
        raise errors.OperationNotSupported(
            f"Interfaces of type {declared} are not supported; use ethernetCsmacd or softwareLoopback.",
            entry.path_of("config/type"),
            "nesrv-interface-type",
        )
    if KINDS[declared] == "loopback":
        _check_loopback(entry)
    elif kind == "nic" and not names.fits(interface):
        raise errors.InvalidValue(
            f"No NIC can be used under the name {interface}: at most 15 letters, digits and _.+-, neither lo, default "
            "or all, nor br or vx followed by digits. Rename the NIC.",
            entry.path_of("config/name"),
            "nesrv-interface-name",
        )
    for subinterface in entry.all(SUBINTERFACE):
        _check_subinterface(interface, subinterface)


def _check_loopback(entry: Node) -> None:
    for made in ("leg", "adopt"):
        if (node := entry.at(made)) is not None:
            raise errors.InvalidValue(
                f"A loopback is neither made nor taken; {made} needs an interface of type ethernetCsmacd.",
                node.path,
                "nesrv-loopback",
            )
    if entry.leaf("config/mtu") is not None or not _up(entry):
        leaf = "config/enabled" if entry.leaf("config/mtu") is None else "config/mtu"
        raise errors.OperationNotSupported(
            "A loopback has neither an MTU to set nor can it be disabled; only addresses.",
            entry.path_of(leaf),
            "nesrv-loopback",
        )


def _check_subinterface(interface: str, subinterface: Node) -> None:
    if subinterface.text("index") != "0":
        raise errors.OperationNotSupported(
            f"Only subinterface 0 of {interface}, the link itself, is supported.",
            subinterface.path_of("config/index"),
            "nesrv-subinterface",
        )
    for node in subinterface.all("ipv4/addresses/address"):
        if node.leaf("config/prefix-length") is None:
            raise errors.DataMissing(
                f"Address {node.text('ip')} of {interface} has no prefix-length.",
                node.path_of("config/prefix-length"),
                "nesrv-address-without-length",
            )
    seen: set[str] = set()
    for address, path in _addresses(subinterface):
        _refuse_repeated(str(address.ip), seen, path, interface)


def _refuse_repeated(address: str, seen: set[str], path: str, where: str) -> None:
    if address in seen:
        raise errors.InvalidValue(f"{where} has the address {address} twice.", path, "nesrv-address-twice")
    seen.add(address)
