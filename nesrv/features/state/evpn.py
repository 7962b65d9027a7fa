"""State of VTEPs from what zebra says of VNIs and next hops, of EVPN instances from what bgpd uses; pure.

OpenConfig: network-instance/connection-points/connection-point/endpoints/endpoint/vxlan and
network-instance/evpn/evpn-instances/evpn-instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from nesrv.datastore.build import Plain
from nesrv.features.state.instances import Anchors, Endpoint
from nesrv.frr.state import VniState, documents

AddressOf = Callable[[Endpoint], str | None]
"""The VTEP's address without length."""
InstanceOf = Callable[[VniState], str | None]
"""Name of the network instance whose VRF has the VNI."""


@dataclass(frozen=True, slots=True)
class Hops:
    """``vteps``: L3 VNI → the remote VTEPs in use; ``macs``: their router MACs."""

    vteps: Mapping[int, Iterable[str]]
    macs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Targets:
    """What bgpd uses for one VNI, configured or its own choice."""

    vni: int
    distinguisher: str | None
    imports: tuple[str, ...]
    exports: tuple[str, ...]


def vtep(
    known: Anchors,
    vnis: Iterable[VniState],
    hops: Hops,
    address_of: AddressOf,
    instance_of: InstanceOf,
) -> dict[str, Plain] | None:
    """State of the VTEPs of instance ``known``; None where it has no VTEP."""
    shares = _shares(known.endpoints, vnis, address_of)
    points: dict[str, list[Plain]] = {}
    for endpoint, share in shares.items():
        entry: dict[str, Plain] = {"endpoint-id": endpoint.name, "vxlan": _vxlan(share, hops, instance_of)}
        points.setdefault(endpoint.connection_point, []).append(entry)
    if not points:
        return None
    entries: list[Plain] = [
        {"connection-point-id": name, "endpoints": {"endpoint": endpoints}} for name, endpoints in points.items()
    ]
    return {"name": known.name, "connection-points": {"connection-point": entries}}


def _shares(
    endpoints: Iterable[Endpoint], vnis: Iterable[VniState], address_of: AddressOf
) -> dict[Endpoint, list[VniState]]:
    """Each VNI at the endpoint with its address; the first endpoint has those that have none (yet)."""
    shares: dict[Endpoint, list[VniState]] = {endpoint: [] for endpoint in endpoints}
    if not shares:
        return shares
    first = next(iter(shares))
    by_address = {address_of(endpoint): endpoint for endpoint in shares}
    for vni in vnis:
        shares[by_address.get(vni.local_vtep, first) if vni.local_vtep else first].append(vni)
    return shares


def _vxlan(share: Iterable[VniState], hops: Hops, instance_of: InstanceOf) -> dict[str, Plain]:
    peers: dict[str, list[int]] = {}
    entries: list[Plain] = []
    for vni in sorted(share, key=lambda vni: vni.vni):
        entries.append({"vni": vni.vni, "state": _vni(vni, instance_of)})
        for address in dict.fromkeys((*hops.vteps.get(vni.vni, ()), *vni.remote_vteps)):
            peers.setdefault(address, []).append(vni.vni)
    others: list[Plain] = [
        _peer(address, numbers, hops.macs.get(address)) for address, numbers in sorted(peers.items())
    ]
    return {
        "endpoint-peers": {"endpoint-peer": others},
        "endpoint-vnis": {"endpoint-vni": entries},
    }


def _vni(vni: VniState, instance_of: InstanceOf) -> dict[str, Plain]:
    return {
        "vni": vni.vni,
        "vni-type": vni.kind if vni.kind in ("L2", "L3") else None,
        "l3-vrf-name": instance_of(vni) if vni.kind == "L3" else None,
        "vni-state": None if vni.up is None else "UP" if vni.up else "DOWN",
    }


def _peer(address: str, numbers: list[int], mac: str | None) -> dict[str, Plain]:
    # zebra lists a next hop for as long as a route over it is installed.
    state: dict[str, Plain] = {
        "peer-address": address,
        "peer-state": "UP",
        "control-plane-vnis": list(numbers),
        "router-mac": mac,
    }
    return {"peer-address": address, "state": state}


def instance(known: Anchors, targets: Mapping[int, Targets]) -> dict[str, Plain] | None:
    """State of the EVPN instances of one network instance; None where bgpd has none of them."""
    entries: list[Plain] = [_targets(evi, targets[vni]) for evi, vni in known.evpn.items() if vni in targets]
    if not entries:
        return None
    return {"name": known.name, "evpn": {"evpn-instances": {"evpn-instance": entries}}}


def _targets(evi: str, found: Targets) -> dict[str, Plain]:
    policy: Plain = {"export-route-target": found.exports, "import-route-target": found.imports}
    return {
        "evi": evi,
        "state": {"route-distinguisher": found.distinguisher},
        "import-export-policy": {"state": policy},
    }


# What no reader of nesrv.frr.state tells; all raise ValueError for what is no JSON


def targets(text: str) -> Iterator[Targets]:
    """``show bgp l2vpn evpn vni json``, or the same of one VNI."""
    # Of a VNI that it does not know bgpd says {} twice.
    reports = [report for document in documents(text) for report in (document, *document.values())]
    for report in reports:
        if isinstance(report, dict) and "vni" in report:
            by_name = {name.casefold(): value for name, value in report.items()}
            imports, exports = tuple(by_name.get("importrts", ())), tuple(by_name.get("exportrts", ()))
            yield Targets(int(report["vni"]), report.get("rd"), imports, exports)


def router_macs(text: str) -> Iterator[tuple[str, str]]:
    """``show evpn next-hops vni all json``: (remote VTEP, its router MAC)."""
    for hops in (hops for document in documents(text) for hops in document.values()):
        for hop in hops.values() if isinstance(hops, dict) else ():
            if isinstance(hop, dict) and "routerMac" in hop:
                yield hop["nexthopIp"], hop["routerMac"]
