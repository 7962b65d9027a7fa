"""Integrated routing and bridging: the bridge of an L2VSI as an interface of an L3VRF.

OpenConfig: /interfaces/interface[type=l3ipvlan]/routed-vlan; RFC 9135.
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, names
from nesrv.features.addresses import addresses, check, has_family
from nesrv.features.feature import Export, Lookup
from nesrv.features.links import ITSELF, MADE, POINT, SUBINTERFACE, kind_of
from nesrv.kernel.facts import Address, LinkSettings, Place

ROUTED = "routed-vlan"


class Irb:
    name = "irb"
    point = POINT
    claims = frozenset(
        {
            f"{ROUTED}/config/vlan",
            f"{ROUTED}/ipv4/config/enabled",
            f"{ROUTED}/ipv6/config/enabled",
            f"{ROUTED}/ipv4/addresses/address/config/prefix-length",
            f"{ROUTED}/ipv6/addresses/address/config/prefix-length",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        routed = entry.at(ROUTED)
        held = tuple(sorted(str(address) for address, _ in addresses(routed))) if routed is not None else ()
        if held:
            interface = entry.text("name")
            yield Export(inputs.subnets(interface, ITSELF), held, f"subnets of {interface}", entry.path_of(ROUTED))

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        routed = entry.at(ROUTED)
        if kind_of(entry) != "irb":
            if routed is not None:
                raise errors.InvalidValue(
                    f"{entry.text('name')} is not of type l3ipvlan; only such an interface can have routed-vlan.",
                    routed.path,
                    "nesrv-routed-vlan",
                )
            return
        _check_parts(entry)
        l2vsi, vrf = _homes(entry, lookup)
        found = inputs.several(lookup, inputs.l2vsi(l2vsi))
        if not found:
            return
        place, bridge = Place("vrf", names.vrf_name(vrf)), names.bridge_name(int(found[0]))
        if routed is not None:
            _check_vlan(routed, l2vsi, lookup)
        mtu = entry.number("config/mtu")
        if mtu is not None:
            yield LinkSettings(place, bridge, mtu, True, entry.path_of("config/mtu"))
        if routed is not None and entry.flag("config/enabled"):
            for address, path in addresses(routed):
                yield Address(place, bridge, str(address), path)


def _homes(entry: Node, lookup: Lookup) -> tuple[str, str]:
    """(L2VSI, L3VRF) that the interface joins."""
    interface = entry.text("name")
    l2vsi = inputs.text(lookup, inputs.port(interface, ITSELF))
    vrf = inputs.text(lookup, inputs.binding(interface, ITSELF))
    if l2vsi is None:
        raise errors.DataMissing(
            f"{interface} routes for no L2VSI; bind it to one, or remove it.", entry.path, "nesrv-irb-without-l2vsi"
        )
    if vrf is None or lookup(inputs.instance_type(vrf)) != "L3VRF":
        what = "is bound to no L3VRF" if vrf is None else f"is bound to {vrf}, which is no L3VRF"
        raise errors.DataMissing(
            f"{interface} {what}; bind it to the L3VRF that {l2vsi} is to be within.",
            entry.path,
            "nesrv-irb-without-vrf",
        )
    if interface not in inputs.several(lookup, inputs.routing_interfaces(l2vsi)):
        raise errors.InvalidValue(
            f"{interface} has no subinterfaces; leave the subinterface out of its binding in {l2vsi}.",
            entry.path,
            "nesrv-irb-subinterface",
        )
    return l2vsi, vrf


# What YANG cannot forbid


def _check_parts(entry: Node) -> None:
    interface = entry.text("name")
    for made in (*MADE, "adopt"):
        if (node := entry.at(made)) is not None:
            raise errors.InvalidValue(
                f"{interface} is the bridge of an L2VSI and neither made nor taken; {made} needs an interface of type "
                "ethernetCsmacd.",
                node.path,
                "nesrv-irb",
            )
    for subinterface in entry.all(SUBINTERFACE):
        raise errors.OperationNotSupported(
            f"{interface} has no subinterfaces; its addresses stand in routed-vlan.", subinterface.path, "nesrv-irb"
        )
    routed = entry.at(ROUTED)
    if routed is None:
        return
    check(interface, routed)
    if not has_family(routed, "ipv6"):
        raise errors.OperationNotSupported(
            f"IPv6 of {interface} cannot be switched off, as silent hosts are kept by it; leave its addresses out.",
            routed.path_of("ipv6/config/enabled"),
            "nesrv-irb",
        )


def _check_vlan(routed: Node, l2vsi: str, lookup: Lookup) -> None:
    vlan = routed.leaf("config/vlan")
    known = inputs.several(lookup, inputs.vlans(l2vsi))
    if vlan is not None and vlan not in known:
        have = f"its VLAN is {known[0]}" if known else "it has none"
        raise errors.InvalidValue(
            f"{l2vsi} has no VLAN {vlan}; {have}.", routed.path_of("config/vlan"), "nesrv-routed-vlan"
        )
