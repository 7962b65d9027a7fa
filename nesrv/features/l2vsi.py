"""L2VSIs: a tenant's Ethernet as a bridge, its VNI, its gateway's MAC, what it learns and answers.

OpenConfig: network-instance of type L2VSI, with fdb, vlans and evpn; RFC 7432, RFC 8365.
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import evpn, inputs, names, vteps
from nesrv.features.feature import Export, Lookup
from nesrv.features.instances import POINT, bindings
from nesrv.features.links import bridge_place
from nesrv.features.speaker import EVPN, VNI
from nesrv.frr.text import FrrLine, line
from nesrv.kernel.facts import DEFAULT_AGEING, Bridge, Suppression, Vxlan

VLAN = "vlans/vlan"
ARP, ND = "fdb/arp-proxy/config/arp-suppression", "fdb/nd-proxy/config/nd-suppression"
LEARNING, AGEING, MAC = (f"fdb/config/{leaf}" for leaf in ("mac-learning", "mac-aging-time", "anycast-gateway-mac"))
SUPPRESSION: dict[tuple[bool, bool], Suppression] = {
    (True, True): "all",
    (True, False): "arp",
    (False, False): "none",
}
"""By what is suppressed: (ARP, neighbour discovery)."""


class L2vsi:
    name = "l2vsi"
    point = POINT
    claims = frozenset({LEARNING, AGEING, MAC, ARP, ND, f"{VLAN}/config/name"})

    def exports(self, entry: Node) -> Iterator[Export]:
        if entry.identity("config/type") != "L2VSI":
            return
        instance = entry.text("name")
        vni = entry.leaf(VNI)
        if vni is not None:
            value = (vni, entry.leaf(LEARNING) or "true")
            yield Export(inputs.l2vsi(instance), value, f"L2VSI {instance}", entry.path)
        routing = tuple(link for link, _, node in bindings(entry) if node.leaf("config/subinterface") is None)
        if routing:
            what = f"the interfaces that route for {instance}"
            yield Export(inputs.routing_interfaces(instance), routing, what, entry.path)
        known = [vlan.leaf(leaf) for vlan in entry.all(VLAN) for leaf in ("config/vlan-id", "config/name")]
        if known:
            vlans = tuple(one for one in known if one is not None)
            yield Export(inputs.vlans(instance), vlans, f"the VLANs of {instance}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        if entry.identity("config/type") != "L2VSI":
            _check_routed(entry)
            return
        _check(entry, lookup)
        evi = entry.at(evpn.EVI)
        if evi is None:
            return
        evpn.check(entry, evi, lookup)
        vtep = vteps.address_of(entry.text("name"), lookup)
        assert vtep is not None
        vni, port = int(evi.text("vxlan/config/vni")), int(evi.text("vxlan/config/udp-port"))
        place, path = bridge_place(entry.text("name"), lookup), evi.path_of("vxlan/config/vni")
        mac = (entry.leaf(MAC) or names.gateway_mac(vni)).lower()
        ageing = entry.number(AGEING)
        bridge = names.bridge_name(vni)
        yield Bridge(place, bridge, mac, path, True, DEFAULT_AGEING if ageing is None else ageing)
        yield Vxlan(place, names.vxlan_name(vni), vni, str(vtep.ip), port, bridge, path, _suppression(entry))
        yield from _lines(entry, evi, vni, lookup)


def _lines(entry: Node, evi: Node, vni: int, lookup: Lookup) -> Iterator[FrrLine]:
    """bgpd finds the VNI by itself: a block of its own stands for what is configured of it."""
    distinguisher = evpn.distinguisher(entry, evi)
    targets = {direction: evpn.targets(entry, evi, direction) for direction in evpn.DIRECTIONS}
    if distinguisher is None and not any(targets.values()):
        return
    family = (f"router bgp {lookup(inputs.UNDERLAY_AS)}", EVPN)
    block = f"vni {vni}"
    yield line(family, block, evi.path_of("vxlan/config/vni"))
    if distinguisher is not None:
        yield line((*family, block), f"rd {distinguisher[0]}", distinguisher[1])
    for direction, found in targets.items():
        for target, path in found.items():
            yield line((*family, block), f"route-target {direction} {target}", path)


def _suppression(entry: Node) -> Suppression:
    found = SUPPRESSION.get((entry.flag(ARP), entry.flag(ND)))
    if found is None:
        raise errors.OperationNotSupported(
            "Neighbour discovery can only be suppressed together with ARP; set arp-suppression, too.",
            entry.path_of(ND),
            "nesrv-nd-suppression",
        )
    return found


# What YANG cannot forbid


def _check_routed(entry: Node) -> None:
    """An instance that is no L2VSI."""
    for name in ("fdb", "vlans"):
        node = entry.at(name)
        if node is not None:
            kind = entry.identity("config/type")
            raise errors.InvalidValue(
                f"{entry.text('name')} is of type {kind}; only an L2VSI has {name}.", node.path, "nesrv-not-l2vsi"
            )


def _check(entry: Node, lookup: Lookup) -> None:
    instance = entry.text("name")
    unfit = ("connection-points/connection-point", "protocols/protocol", "config/router-id")
    for node in (node for name in unfit if (node := entry.at(name)) is not None):
        raise errors.OperationNotSupported(
            f"{instance} is an L2VSI and does not route: no protocol, router-id or endpoint can be in it.",
            node.path,
            "nesrv-routing-in-l2vsi",
        )
    vlans = list(entry.all(VLAN))
    if len(vlans) > 1:
        raise errors.OperationNotSupported(
            f"L2VSI {instance} has {len(vlans)} VLANs; being VLAN_BASED it can have one.",
            vlans[1].path,
            "nesrv-second-vlan",
        )
    if entry.number(AGEING) == 0:
        raise errors.InvalidValue(
            "A mac-aging-time of 0 would forget hosts at once; leave it out for 300 seconds.",
            entry.path_of(AGEING),
            "nesrv-mac-aging-time",
        )
    mac = entry.leaf(MAC)
    if mac is not None and (int(mac[:2], 16) & 1 or not int(mac.replace(":", ""), 16)):
        raise errors.InvalidValue(
            f"{mac} is not the address of one interface; its first octet must be even.",
            entry.path_of(MAC),
            "nesrv-gateway-mac",
        )
    _check_members(entry, lookup)


def _check_members(entry: Node, lookup: Lookup) -> None:
    instance, routing = entry.text("name"), []
    for link, _, node in bindings(entry):
        if entry.at(evpn.EVI) is None:
            raise errors.DataMissing(
                f"L2VSI {instance} has no VNI and so no bridge that {link} could be in; give it an EVPN instance.",
                node.path,
                "nesrv-l2vsi-without-vni",
            )
        if node.leaf("config/subinterface") is None and lookup(inputs.interface_kind(link)) == "irb":
            routing.append((link, node))
    if len(routing) > 1:
        raise errors.InvalidValue(
            f"{routing[0][0]} routes for {instance} already; {routing[1][0]} cannot as well.",
            routing[1][1].path,
            "nesrv-second-irb",
        )
