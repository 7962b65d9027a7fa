"""EVPN over VXLAN: the VNI of an L3VRF (type 5 routes) and the underlay's part in it.

OpenConfig: network-instance/evpn/evpn-instances/evpn-instance; RFC 9136.
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, names, route_targets, speaker, vteps
from nesrv.features.feature import Export, Lookup
from nesrv.features.instances import POINT
from nesrv.features.route_targets import AUTO
from nesrv.features.speaker import Speaker
from nesrv.frr.text import FrrLine, line
from nesrv.kernel.facts import Bridge, Place, Vxlan

EVI = "evpn/evpn-instances/evpn-instance"
DIRECTIONS = ("import", "export")
ADVERTISED = {"IPV4_UNICAST": "advertise ipv4 unicast", "IPV6_UNICAST": "advertise ipv6 unicast"}


class Evpn:
    name = "evpn"
    point = POINT
    claims = frozenset(
        {
            "config/route-distinguisher",
            # VXLAN and VLAN_BASED are the only values in the model.
            f"{EVI}/config/encapsulation-type",
            f"{EVI}/config/service-type",
            f"{EVI}/config/replication-mode",
            f"{EVI}/config/route-distinguisher",
            f"{EVI}/import-export-policy/config/import-route-target",
            f"{EVI}/import-export-policy/config/export-route-target",
            f"{EVI}/vxlan/config/vni",
            f"{EVI}/vxlan/config/overlay-endpoint",
            f"{EVI}/vxlan/config/overlay-endpoint-network-instance",
            f"{EVI}/vxlan/config/host-reachability-bgp",
            f"{EVI}/vxlan/config/udp-port",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        instance = entry.text("name")
        vni = entry.at(f"{EVI}/vxlan/config/vni")
        if vni is None or vni.value is None or entry.identity("config/type") == "DEFAULT_INSTANCE":
            return
        yield Export(inputs.vni(int(vni.value)), instance, f"VNI {vni.value}", vni.path)
        home = entry.leaf(f"{EVI}/vxlan/config/overlay-endpoint-network-instance") or ""
        endpoint = entry.leaf(f"{EVI}/vxlan/config/overlay-endpoint") or ""
        yield Export(inputs.overlay(instance), (home, endpoint), f"the VNI of {instance}", vni.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        if entry.identity("config/type") == "L2VSI":
            return
        found = speaker.speaker_of(entry, lookup)
        if entry.identity("config/type") != "L3VRF":
            _check_default(entry)
            if found is not None:
                yield from _underlay_lines(entry, found, lookup)
            return
        evi = entry.at(EVI)
        if evi is not None:
            check(entry, evi, lookup)
            yield from _overlay(entry, evi, lookup)
        if found is not None:
            yield from _vrf_lines(entry, evi, found)


def _underlay_lines(entry: Node, found: Speaker, lookup: Lookup) -> Iterator[FrrLine]:
    if "L2VPN_EVPN" in found.families:
        yield line(found.family("L2VPN_EVPN"), "advertise-all-vni", found.families["L2VPN_EVPN"])
    unchecked = False
    announced: set[str] = set()
    for vtep, path in vteps.addresses(entry, lookup):
        family = "IPV4_UNICAST" if vtep.version == 4 else "IPV6_UNICAST"
        prefix = f"{vtep.ip}/{vtep.max_prefixlen}"
        if family not in found.families or prefix in announced:
            continue
        announced.add(prefix)
        yield line(found.family(family), f"network {prefix}", path)
        # The routing table has the subnet and not the address: bgpd would wait for it for ever.
        if vtep.network.prefixlen != vtep.max_prefixlen and not unchecked:
            unchecked = True
            yield line(found.context, "no bgp network import-check", path)


def _overlay(entry: Node, evi: Node, lookup: Lookup) -> Iterator[Fact]:
    instance = entry.text("name")
    vtep = vteps.address_of(instance, lookup)
    assert vtep is not None
    vni, port = int(evi.text("vxlan/config/vni")), int(evi.text("vxlan/config/udp-port"))
    vrf, path = names.vrf_name(instance), evi.path_of("vxlan/config/vni")
    place, local, bridge = Place("vrf", vrf), str(vtep.ip), names.bridge_name(vni)
    yield Bridge(place, bridge, names.router_mac(local, vni), path)
    yield Vxlan(place, names.vxlan_name(vni), vni, local, port, bridge, path)
    yield line((f"vrf {vrf}",), f"vni {vni}", path)


def _vrf_lines(entry: Node, evi: Node | None, found: Speaker) -> Iterator[FrrLine]:
    context = found.family("L2VPN_EVPN")
    chosen = distinguisher(entry, evi)
    if chosen is not None:
        yield line(context, f"rd {chosen[0]}", chosen[1])
    if evi is None:
        return
    for family, text in ADVERTISED.items():
        if family in found.families:
            yield line(context, text, found.families[family])
    for direction in DIRECTIONS:
        for target, path in targets(entry, evi, direction).items():
            yield line(context, f"route-target {direction} {target}", path)


def distinguisher(entry: Node, evi: Node | None) -> tuple[str, str] | None:
    """(route distinguisher, path), None where FRR chooses."""
    for node, leaf in ((evi, "config/route-distinguisher"), (entry, "config/route-distinguisher")):
        value = node.leaf(leaf) if node is not None else None
        if node is not None and value is not None:
            return None if value == AUTO else (value, node.path_of(leaf))
    return None


def targets(entry: Node, evi: Node, direction: str) -> dict[str, str]:
    """Route target → path; none where FRR chooses."""
    found = route_targets.agreed(entry, evi, direction)
    if AUTO in found and len(found) > 1:
        raise errors.InvalidValue(
            f"AUTO and {direction} route targets of one's own exclude each other; leave AUTO out.",
            found[AUTO],
            "nesrv-auto-and-others",
        )
    return {} if AUTO in found else found


# What YANG cannot forbid


def _check_default(entry: Node) -> None:
    evi = entry.at(EVI)
    if evi is not None:
        raise errors.OperationNotSupported(
            "The default instance cannot have an EVPN instance; put it into an L3VRF or L2VSI.",
            evi.path,
            "nesrv-evi-in-default",
        )
    if entry.leaf("config/route-distinguisher") is not None:
        raise errors.OperationNotSupported(
            "The default instance has no routes that a route-distinguisher could tell apart; remove it.",
            entry.path_of("config/route-distinguisher"),
            "nesrv-rd-in-default",
        )


def check(entry: Node, evi: Node, lookup: Lookup) -> None:
    """Raises RpcError for an EVPN instance, of an L3VRF or L2VSI, whose VNI cannot work."""
    instance, several = entry.text("name"), list(entry.all(EVI))
    kind = entry.identity("config/type")
    if len(several) > 1:
        raise errors.InvalidValue(
            f"{kind} {instance} has {len(several)} EVPN instances; it can have one.",
            several[1].path,
            "nesrv-second-evi",
        )
    _check_values(evi)
    both = (evi.leaf("config/route-distinguisher"), entry.leaf("config/route-distinguisher"))
    if None not in both and both[0] != both[1]:
        raise errors.InvalidValue(
            f"The EVPN instance says route distinguisher {both[0]}, its {kind} {both[1]}; leave one out.",
            evi.path_of("config/route-distinguisher"),
            "nesrv-rd-differs",
        )
    if evi.leaf("vxlan/config/vni") is None:
        raise errors.DataMissing(
            f"EVPN instance {evi.text('evi')} has no VNI; set vxlan/config/vni.",
            evi.path_of("vxlan/config/vni"),
            "nesrv-evi-without-vni",
        )
    _check_vtep(instance, evi, lookup)
    if lookup(inputs.UNDERLAY_EVPN) is None:
        raise errors.InvalidValue(
            f"VNI {evi.text('vxlan/config/vni')} needs a BGP speaker with the family L2VPN_EVPN enabled in the default "
            "instance.",
            evi.path_of("vxlan/config/vni"),
            "nesrv-vni-without-evpn",
        )


def _check_values(evi: Node) -> None:
    mode = evi.leaf("config/replication-mode")
    if mode not in (None, "BGP"):
        raise errors.OperationNotSupported(
            f"replication-mode {mode} is not supported; use BGP or leave it out.",
            evi.path_of("config/replication-mode"),
            "nesrv-replication-mode",
        )
    if evi.leaf("vxlan/config/host-reachability-bgp") == "false":
        raise errors.OperationNotSupported(
            "BGP is the only way to learn where hosts are; set host-reachability-bgp to true or leave it out.",
            evi.path_of("vxlan/config/host-reachability-bgp"),
            "nesrv-host-reachability",
        )


def _check_vtep(instance: str, evi: Node, lookup: Lookup) -> None:
    """Raises InvalidValue with what exactly is missing between the VNI and a VTEP address."""
    vni = f"VNI {evi.text('vxlan/config/vni')}"
    default = inputs.text(lookup, inputs.DEFAULT_INSTANCE)
    home = evi.leaf("vxlan/config/overlay-endpoint-network-instance") or default
    endpoint = evi.leaf("vxlan/config/overlay-endpoint")
    if home is None or home != default:
        where = "there is none" if home is None else f"{home} is an {lookup(inputs.instance_type(home))}"
        raise errors.InvalidValue(
            f"{vni} needs a VTEP in the default network instance; {where}.",
            evi.path_of("vxlan/config/overlay-endpoint-network-instance"),
            "nesrv-vni-without-vtep",
        )
    path = evi.path_of("vxlan/config/overlay-endpoint")
    if endpoint is None:
        found = inputs.several(lookup, inputs.vteps(home))
        if len(found) != 1:
            have = f"has {len(found)} of them, so say which one" if found else "has none"
            raise errors.InvalidValue(f"{vni} needs a VTEP; {home} {have}.", path, "nesrv-vni-without-vtep")
    elif lookup(inputs.vtep(home, endpoint)) is None:
        raise errors.InvalidValue(
            f"{vni} needs a VTEP; endpoint {endpoint} of {home} is none: enable its vxlan and give it an interface.",
            path,
            "nesrv-vni-without-vtep",
        )
    if vteps.address_of(instance, lookup) is None:
        raise errors.InvalidValue(f"{vni} needs a VTEP with an address.", path, "nesrv-vtep-without-address")
