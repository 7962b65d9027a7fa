"""Network instances in state: where state hangs in an instance's entry, and what the kernel says of it; pure.

OpenConfig: /network-instances/network-instance/{state, interfaces, evpn}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from nesrv.datastore.build import Plain
from nesrv.datastore.tree import Node
from nesrv.features import names, speaker, vteps
from nesrv.features.bgp.peers import DYNAMIC
from nesrv.features.instances import vrf_of
from nesrv.features.links import ITSELF
from nesrv.kernel.facts import Vxlan

DEFAULT_VRF = "default"
"""FRR's name of the default instance."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A VTEP by the keys that lead to it; ``source`` is (interface, subinterface)."""

    connection_point: str
    name: str
    source: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Binding:
    name: str
    interface: str
    subinterface: str


@dataclass(frozen=True, slots=True)
class Anchors:
    """The keys of one configured instance below which state hangs.

    ``vrf`` is FRR's name; ``speaker`` (identifier, name) of its BGP protocol; ``neighbors`` address
    in canonical form → key; ``links`` the kernel's name of a link with an unnumbered neighbour → key;
    ``listens`` for dynamic neighbours; ``evpn`` EVPN instance → VNI.
    """

    name: str
    vrf: str
    speaker: tuple[str, str] | None
    neighbors: Mapping[str, str]
    links: Mapping[str, str]
    listens: bool
    endpoints: tuple[Endpoint, ...]
    bindings: tuple[Binding, ...]
    evpn: Mapping[str, int]
    has_router_id: bool = False

    @property
    def is_vrf(self) -> bool:
        return self.vrf != DEFAULT_VRF

    @property
    def has_neighbors(self) -> bool:
        return bool(self.neighbors or self.links or self.listens)


def anchors(entry: Node) -> Anchors:
    """Of the network instance ``entry``."""
    name = entry.text("name")
    protocol = next((found for found in speaker.protocols(entry) if found.at("bgp") is not None), None)
    return Anchors(
        name=name,
        vrf=vrf_of(entry) or DEFAULT_VRF,
        speaker=(protocol.text("identifier"), protocol.text("name")) if protocol is not None else None,
        neighbors=_neighbors(protocol) if protocol is not None else {},
        links=_links(protocol) if protocol is not None else {},
        listens=protocol is not None and protocol.at(f"bgp/{DYNAMIC}") is not None,
        endpoints=tuple(_endpoints(entry)),
        bindings=tuple(_bindings(entry)),
        evpn={
            found.text("evi"): int(vni.value or 0)
            for found in entry.all("evpn/evpn-instances/evpn-instance")
            if (vni := found.at("vxlan/config/vni")) is not None
        },
        has_router_id=entry.leaf("config/router-id") is not None or _says_router_id(protocol),
    )


def _says_router_id(protocol: Node | None) -> bool:
    return protocol is not None and protocol.leaf("bgp/global/config/router-id") is not None


def _neighbors(protocol: Node) -> dict[str, str]:
    keys = [node.text("neighbor-address") for node in protocol.all("bgp/neighbors/neighbor")]
    return {str(ip_address(key)): key for key in keys}


def _links(protocol: Node) -> dict[str, str]:
    """A NIC's name is the kernel's as it stands, a leg's may be a shorter one: only one of the two is there."""
    keys = [node.text("interface") for node in protocol.all("bgp/unnumbered-neighbors/unnumbered-neighbor")]
    return {name: key for key in keys for name in (names.link_name(key), key)}


def _endpoints(entry: Node) -> list[Endpoint]:
    found = []
    for point in entry.all("connection-points/connection-point"):
        for endpoint in point.all("endpoints/endpoint"):
            source = vteps.source(endpoint)
            if vteps.enabled(endpoint) and source is not None:
                place = (source.interface, source.subinterface)
                found.append(Endpoint(point.text("connection-point-id"), endpoint.text("endpoint-id"), place))
    return found


def _bindings(entry: Node) -> list[Binding]:
    return [
        Binding(node.text("id"), link, node.leaf("config/subinterface") or ITSELF)
        for node in entry.all("interfaces/interface")
        if (link := node.leaf("config/interface")) is not None
    ]


def instance(
    known: Anchors,
    exists: bool,
    is_bound: Callable[[Binding], bool],
    vxlan: Callable[[int], Vxlan | None],
    pooled: str | None,
) -> dict[str, Plain]:
    """State of one instance: ``exists`` its VRF in the kernel, ``is_bound`` whether a link is where it belongs,
    ``vxlan`` the kernel's device by VNI, ``pooled`` the router id that it has where none is configured."""
    made: dict[str, Plain] = {"name": known.name}
    state: dict[str, Plain] = {}
    if known.is_vrf and exists:
        state["kernel-name"] = known.vrf
    if pooled is not None and not known.has_router_id and (exists or not known.is_vrf):
        state["router-id"] = pooled
    if state:
        made["state"] = state
    bound: list[Plain] = [_binding(binding) for binding in known.bindings if is_bound(binding)]
    if bound:
        made["interfaces"] = {"interface": bound}
    devices = [(evi, device) for evi, vni in known.evpn.items() if (device := vxlan(vni)) is not None]
    if devices:
        made["evpn"] = {"evpn-instances": {"evpn-instance": [_evpn(evi, device) for evi, device in devices]}}
    return made


def _binding(binding: Binding) -> dict[str, Plain]:
    state = {"id": binding.name, "interface": binding.interface, "subinterface": binding.subinterface}
    return {"id": binding.name, "state": state}


def _evpn(evi: str, device: Vxlan) -> dict[str, Plain]:
    return {"evi": evi, "vxlan": {"state": {"vni": device.vni, "udp-port": device.port}}}
