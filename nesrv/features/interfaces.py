"""Links: NICs adopted or found, tenant legs, macvlans, loopbacks; their VLANs, addresses, MTU and state.

OpenConfig: /interfaces/interface, with nesrv's leg, macvlan and adopt beside its config.
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import addresses, inputs, l2, legs, names
from nesrv.features.feature import Export, Lookup
from nesrv.features.links import (
    ITSELF,
    KINDS,
    LOOPBACK,
    MADE,
    POINT,
    SUBINTERFACE,
    VLAN,
    is_up,
    itself,
    kind_of,
    link_of,
    place_of,
    vlans,
)
from nesrv.kernel.facts import DEFAULT_MTU, UNDERLAY, Address, LinkSettings, Member, Nic, NoIpv6, Place, Vlan


class Interfaces:
    name = "interfaces"
    point = POINT
    claims = frozenset(
        {
            "config/type",
            "config/mtu",
            "config/enabled",
            # Texts for people have no effect by their nature.
            "config/description",
            "subinterfaces/subinterface/config/description",
            "subinterfaces/subinterface/config/enabled",
            "subinterfaces/subinterface/ipv4/config/enabled",
            "subinterfaces/subinterface/ipv4/addresses/address/config/prefix-length",
            "subinterfaces/subinterface/ipv6/config/enabled",
            "subinterfaces/subinterface/ipv6/addresses/address/config/prefix-length",
            "subinterfaces/subinterface/vlan/match/single-tagged/config/vlan-id",
            "leg/config/host-namespace",
            "leg/config/host-interface",
            "leg/config/host-address",
            "leg/config/local-cidr",
            "leg/config/host-bridge",
            "leg/config/host-bridge-create",
            "macvlan/config/parent-namespace",
            "macvlan/config/parent-interface",
            "macvlan/config/mode",
            "adopt/config/from-namespace",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        interface = entry.text("name")
        kind = kind_of(entry)
        yield Export(inputs.interface_kind(interface), kind, f"interface {interface}", entry.path)
        if kind in ("nic", "macvlan"):
            mtu = entry.number("config/mtu") or DEFAULT_MTU
            yield Export(inputs.nic_mtu(interface), mtu, f"MTU of {interface}", entry.path_of("config/mtu"))
        if kind not in ("loopback", "irb"):
            yield _known(entry, link_of(entry), entry.path_of("config/name"))
        if kind == "leg":
            where, what = entry.leaf("leg/config/host-namespace") or "", entry.text("leg/config/host-interface")
            path = entry.path_of("leg/config/host-interface")
            yield Export(inputs.host_interface(where, what), interface, f"host interface {what}", path)
        for subinterface, known, _ in vlans(entry):
            path, index = subinterface.path_of(VLAN), subinterface.text("index")
            yield _known(entry, known, path)
            yield Export(inputs.vlan_link(interface, index), known, f"VLAN {interface}.{index}", path)
        for subinterface in entry.all(SUBINTERFACE):
            found = tuple(addresses.addresses(subinterface))
            index = subinterface.text("index")
            held = tuple(sorted(str(address) for address, _ in found))
            if kind == "leg" and index == ITSELF:
                held += tuple(map(str, legs.own_from_cidrs(entry)))
            if held:
                key = inputs.subnets(interface, index)
                yield Export(key, held, f"subnets of {interface}", subinterface.path)
            usable = [address for address, _ in found if addresses.for_vtep(address)]
            if usable:
                key = inputs.address(interface, index)
                chosen = str(min(usable, key=addresses.preference))
                yield Export(key, chosen, f"address of {interface}.{index}", subinterface.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        _check(entry)
        kind, link = kind_of(entry), link_of(entry)
        if kind == "irb":
            return
        instance = l2.home_of(entry, ITSELF, lookup)
        place = place_of(instance, lookup)
        if entry.at("adopt") is not None:
            origin = Place("host", entry.leaf("adopt/config/from-namespace") or "")
            yield Nic(link, origin, entry.path_of("adopt"))
        if kind == "nic" and place != UNDERLAY:
            yield Member(place, link, entry.path_of("config/name"))
        if kind == "macvlan":
            yield legs.macvlan(entry, link, place)
        if kind == "leg":
            yield from legs.leg(entry, link, place, lookup)
        yield from l2.port(entry, ITSELF, place, link, lookup)
        if kind != "loopback":
            mtu = legs.leg_mtu(entry, instance, lookup) if kind == "leg" else entry.number("config/mtu")
            path = entry.path_of("config/enabled" if mtu is None else "config/mtu")
            yield LinkSettings(place, link, mtu, is_up(entry), path)
        for subinterface in itself(entry):
            yield from _internet(subinterface, place, link)
        for subinterface, known, vlan in vlans(entry):
            yield from _vlan(entry, subinterface, place, known, vlan, lookup)
        if kind == "loopback" and place == UNDERLAY:
            yield from _from_pools(entry, lookup)


def _known(entry: Node, name: str, path: str) -> Export:
    return Export(inputs.kernel_name(name), entry.path, f"kernel name {name}", path)


def _vlan(entry: Node, subinterface: Node, home: Place, link: str, vlan: int, lookup: Lookup) -> Iterator[Fact]:
    """The 802.1Q link in the place of the instance that the subinterface is bound to; ``home`` is its NIC's."""
    index = subinterface.text("index")
    place = place_of(l2.home_of(entry, index, lookup), lookup)
    yield Vlan(place, link, home, link_of(entry), vlan, subinterface.path_of(VLAN))
    yield from l2.port(entry, index, place, link, lookup)
    up = subinterface.flag("config/enabled")
    yield LinkSettings(place, link, entry.number("config/mtu"), up, subinterface.path_of("config/enabled"))
    yield from _internet(subinterface, place, link)


def _internet(subinterface: Node, place: Place, link: str) -> Iterator[Fact]:
    if not addresses.has_family(subinterface, "ipv6"):
        yield NoIpv6(place, link, subinterface.path_of("ipv6/config/enabled"))
    for address, path in addresses.addresses(subinterface):
        yield Address(place, link, str(address), path)


def _from_pools(entry: Node, lookup: Lookup) -> Iterator[Address]:
    """The VTEP's addresses that the element's pools give a loopback which has none of its own."""
    interface = entry.text("name")
    if lookup(inputs.vtep_source(interface, ITSELF)) is None:
        return
    if lookup(inputs.address(interface, ITSELF)) is not None:
        return
    for address in inputs.several(lookup, inputs.POOL_VTEPS):
        yield Address(UNDERLAY, LOOPBACK, address, entry.path_of("config/name"))


# What YANG cannot forbid


def _check(entry: Node) -> None:
    kind, interface = kind_of(entry), entry.text("name")
    declared = entry.identity("config/type") or ""
    if declared not in KINDS:
        raise errors.OperationNotSupported(
            f"Interfaces of type {declared} are not supported; use ethernetCsmacd, softwareLoopback or l3ipvlan.",
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
    seen: dict[int, str] = {}
    for subinterface in entry.all(SUBINTERFACE):
        _check_subinterface(interface, kind, subinterface, seen)
        addresses.check(interface, subinterface)


def _check_loopback(entry: Node) -> None:
    for made in (*MADE, "adopt"):
        if (node := entry.at(made)) is not None:
            raise errors.InvalidValue(
                f"A loopback is neither made nor taken; {made} needs an interface of type ethernetCsmacd.",
                node.path,
                "nesrv-loopback",
            )
    if entry.leaf("config/mtu") is not None or not is_up(entry):
        leaf = "config/enabled" if entry.leaf("config/mtu") is None else "config/mtu"
        raise _only_addresses(entry.path_of(leaf))
    for subinterface in itself(entry):
        if not addresses.has_family(subinterface, "ipv6"):
            raise _only_addresses(subinterface.path_of("ipv6/config/enabled"))


def _only_addresses(path: str) -> errors.RpcError:
    return errors.OperationNotSupported(
        "A loopback has neither an MTU to set nor can it be disabled; only addresses.", path, "nesrv-loopback"
    )


def _check_subinterface(interface: str, kind: str, subinterface: Node, seen: dict[int, str]) -> None:
    """``seen``: VLAN id → index of the subinterfaces before this one."""
    index, vlan = subinterface.text("index"), subinterface.number(VLAN)
    if index == ITSELF:
        if vlan is not None:
            raise errors.InvalidValue(
                f"Subinterface 0 is {interface} itself and has no VLAN; take another index.",
                subinterface.path_of(VLAN),
                "nesrv-subinterface",
            )
        return
    if kind != "nic":
        raise errors.OperationNotSupported(
            f"{interface} is no NIC: only subinterface 0, the link itself, is supported.",
            subinterface.path_of("config/index"),
            "nesrv-subinterface",
        )
    if vlan is None:
        raise errors.DataMissing(
            f"Subinterface {index} of {interface} has no VLAN; set vlan/match/single-tagged/config/vlan-id.",
            subinterface.path_of(VLAN),
            "nesrv-subinterface",
        )
    if vlan in seen:
        raise errors.InvalidValue(
            f"Subinterfaces {seen[vlan]} and {index} of {interface} have the same VLAN {vlan}.",
            subinterface.path_of(VLAN),
            "nesrv-vlan-twice",
        )
    seen[vlan] = index
