"""What FRR's daemons report, as values: pure readers of the JSON of show commands of FRR 8.4 and 10.3.

Each reader takes the text of the command it names; what a release does not report is None
or empty.  Raises ValueError when the text is no JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SHOW_NEIGHBORS = ("bgpd", "show bgp vrf all neighbors json")
SHOW_VNIS = ("zebra", "show evpn vni json")
SHOW_VNI_DETAIL = ("zebra", "show evpn vni detail json")
SHOW_VTEPS = ("zebra", "show evpn next-hops vni all json")
SHOW_ROUTES = {"ipv4": ("zebra", "show ip route vrf all json"), "ipv6": ("zebra", "show ipv6 route vrf all json")}
SHOW_BFD = ("bfdd", "show bfd peers json")
"""(daemon, command) of each reader's text."""

FAMILIES = {"ipv4Unicast": "ipv4 unicast", "ipv6Unicast": "ipv6 unicast", "l2VpnEvpn": "l2vpn evpn"}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FamilyState:
    """Prefix counts of one address family; ``received`` are those accepted after policy."""

    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class NeighborState:
    """One BGP neighbour; times in seconds, ``established_at`` since the Unix epoch while the session is up."""

    vrf: str
    address: str
    description: str | None
    peer_group: str | None
    session_state: str
    remote_as: int
    local_as: int
    remote_router_id: str | None
    established_at: int | None
    established_transitions: int
    hold_time: int
    keepalive: int
    messages_sent: Mapping[str, int]
    messages_received: Mapping[str, int]
    input_queue: int
    output_queue: int
    last_reset: str | None
    local_address: str | None
    local_port: int | None
    remote_port: int | None
    families: Mapping[str, FamilyState]
    capabilities: tuple[str, ...]
    bfd_status: str | None


@dataclass(frozen=True, slots=True)
class VniState:
    """One VNI; ``up`` and ``local_vtep`` only in the detailed report, ``remote_vteps`` only for L2 VNIs."""

    vni: int
    kind: str
    vrf: str | None
    vxlan: str | None
    up: bool | None
    local_vtep: str | None
    remote_vteps: tuple[str, ...]
    router_mac: str | None
    macs: int | None


@dataclass(frozen=True, slots=True)
class NextHop:
    address: str | None
    interface: str | None
    vrf: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a VRF's table; ``installed`` when the kernel has it, ``uptime`` as FRR prints it."""

    vrf: str
    prefix: str
    protocol: str
    selected: bool
    installed: bool
    distance: int
    metric: int
    uptime: str
    next_hops: tuple[NextHop, ...]


@dataclass(frozen=True, slots=True)
class BfdSession:
    """One BFD session; ``intervals`` are (transmit, receive) in milliseconds as agreed."""

    vrf: str
    peer: str
    local: str | None
    interface: str | None
    multihop: bool
    status: str
    uptime: int | None
    multiplier: int
    intervals: tuple[int, int]
    diagnostic: str | None


def documents(text: str) -> Iterator[Any]:
    """The JSON documents of a text that may hold several one after another."""
    start = _past(text, 0)
    while start < len(text):
        found, start = _JSON.raw_decode(text, start)
        yield found
        start = _past(text, start)


def members(text: str) -> Iterator[tuple[str, Any]]:
    """Name and value of each member of the JSON objects of ``text``: never more than one of them is in memory.

    Raises ValueError.
    """
    at = _past(text, 0)
    while at < len(text):
        at = _past(text, _after("{", text, at))
        while text[at : at + 1] != "}":
            name, at = _JSON.raw_decode(text, at)
            value, at = _JSON.raw_decode(text, _past(text, _after(":", text, at)))
            yield name, value
            at = _past(text, at)
            if text[at : at + 1] != "}":
                at = _past(text, _after(",", text, at))
        at = _past(text, at + 1)


def _past(text: str, at: int) -> int:
    """Where the white space that begins at ``at`` ends."""
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _after(sign: str, text: str, at: int) -> int:
    at = _past(text, at)
    if text[at : at + 1] != sign:
        raise ValueError(f'"{sign}" is missing at {text[at : at + 20]!r}')
    return at + 1


_JSON = json.JSONDecoder()
_SPACE = re.compile(r"\s*")


def neighbors(text: str) -> tuple[NeighborState, ...]:
    """``show bgp vrf all neighbors json``"""
    found: list[NeighborState] = []
    for vrf, reports in members(text):
        if isinstance(reports, dict):
            found += [
                _neighbor(reports.get("vrfName", vrf), address, report)
                for address, report in reports.items()
                if isinstance(report, dict) and "bgpState" in report
            ]
    return tuple(found)


def _neighbor(vrf: str, address: str, report: Json) -> NeighborState:
    statistics = report.get("messageStats", {})
    up = report["bgpState"] == "Established"
    router_id = report.get("remoteRouterId", "0.0.0.0")
    return NeighborState(
        vrf=vrf,
        address=address,
        description=report.get("nbrDesc"),
        peer_group=report.get("peerGroup"),
        session_state=report["bgpState"],
        remote_as=report.get("remoteAs", 0),
        local_as=report.get("localAs", 0),
        remote_router_id=router_id if router_id != "0.0.0.0" else None,
        established_at=report.get("bgpTimerUpEstablishedEpoch") if up else None,
        established_transitions=report.get("connectionsEstablished", 0),
        hold_time=report.get("bgpTimerHoldTimeMsecs", 0) // 1000,
        keepalive=report.get("bgpTimerKeepAliveIntervalMsecs", 0) // 1000,
        messages_sent=_counted(statistics, "Sent"),
        messages_received=_counted(statistics, "Recv"),
        input_queue=statistics.get("depthInq", 0),
        output_queue=statistics.get("depthOutq", 0),
        last_reset=report.get("lastResetDueTo"),
        local_address=_known(report.get("hostLocal")),
        local_port=_port(report.get("portLocal")),
        remote_port=_port(report.get("portForeign")),
        families=dict(_families(report.get("addressFamilyInfo", {}))),
        capabilities=tuple(sorted(report.get("neighborCapabilities", {}))),
        bfd_status=report.get("peerBfdInfo", {}).get("status"),
    )


def _counted(statistics: Json, ending: str) -> dict[str, int]:
    """``{"updates": 6, …, "total": 9}`` of the counters with this ending."""
    return {name.removesuffix(ending): count for name, count in statistics.items() if name.endswith(ending)}


def _families(report: Json) -> Iterator[tuple[str, FamilyState]]:
    for name, counts in report.items():
        state = FamilyState(counts.get("acceptedPrefixCounter", 0), counts.get("sentPrefixCounter", 0))
        yield FAMILIES.get(name, name), state


def _known(host: str | None) -> str | None:
    return None if host == "Unknown" else host


def _port(number: int | None) -> int | None:
    return number if number is not None and number > 0 else None


def vnis(text: str) -> tuple[VniState, ...]:
    """``show evpn vni json`` (an object by VNI) or ``show evpn vni detail json`` (a list)."""
    reports: list[Json] = []
    for document in documents(text):
        entries: Iterable[Any] = document.values() if isinstance(document, dict) else document
        reports += [entry for entry in entries if isinstance(entry, dict)]
    return tuple(_vni(report) for report in reports)


def _vni(report: Json) -> VniState:
    remote = report.get("remoteVteps", ())
    kind = report.get("type", "")
    state = report.get("state")
    return VniState(
        vni=int(report["vni"]),
        kind=kind,
        vrf=report.get("tenantVrf", report.get("vrf")),
        vxlan=report.get("vxlanIf", report.get("vxlanIntf", report.get("vxlanInterface"))),
        # Only L3 VNIs have a state of their own; a reported L2 VNI is one whose device is there and up.
        up=state == "Up" if state is not None else (True if "vtepIp" in report else None),
        local_vtep=report.get("localVtepIp", report.get("vtepIp")),
        remote_vteps=tuple(_vtep(entry) for entry in remote) if not isinstance(remote, str) else (),
        router_mac=report.get("routerMac"),
        macs=report.get("numMacs"),
    )


def _vtep(entry: Any) -> str:
    return str(entry.get("ip") if isinstance(entry, dict) else entry)


def vteps(text: str) -> dict[int, tuple[str, ...]]:
    """``show evpn next-hops vni all json``: L3 VNI → addresses of the remote VTEPs in use."""
    found: dict[int, tuple[str, ...]] = {}
    for document in documents(text):
        for vni, hops in document.items():
            if isinstance(hops, dict):
                found[int(vni)] = tuple(hop["nexthopIp"] for hop in hops.values() if isinstance(hop, dict))
    return found


def routes(text: str) -> tuple[Route, ...]:
    """``show ip route vrf all json``: documents by prefix one after another (8.4), or one by VRF (10.3)."""
    found: list[Route] = []
    for document in documents(text):
        for entry in document.values():
            tables = [{"": entry}] if isinstance(entry, list) else [entry]
            found += [_route(report) for table in tables for reports in table.values() for report in reports]
    return tuple(found)


def _route(report: Json) -> Route:
    return Route(
        vrf=report["vrfName"],
        prefix=report["prefix"],
        protocol=report["protocol"],
        selected=report.get("selected", False),
        installed=report.get("installed", False),
        distance=report.get("distance", 0),
        metric=report.get("metric", 0),
        uptime=report.get("uptime", ""),
        next_hops=tuple(
            NextHop(hop.get("ip"), hop.get("interfaceName"), hop.get("vrf"), hop.get("active", False))
            for hop in report.get("nexthops", ())
        ),
    )


def bfd_sessions(text: str) -> tuple[BfdSession, ...]:
    """``show bfd peers json``"""
    return tuple(_bfd(report) for document in documents(text) for report in document)


def _bfd(report: Json) -> BfdSession:
    # The slower of what one side sends and the other is ready to receive is what counts (RFC 5880, 6.8.7).
    transmit = max(report.get("transmit-interval", 0), report.get("remote-receive-interval", 0))
    receive = max(report.get("receive-interval", 0), report.get("remote-transmit-interval", 0))
    return BfdSession(
        vrf=report.get("vrf", "default"),
        peer=report["peer"],
        local=report.get("local"),
        interface=report.get("interface"),
        multihop=report.get("multihop", False),
        status=report.get("status", "unknown"),
        uptime=report.get("uptime"),
        multiplier=report.get("detect-multiplier", 0),
        intervals=(transmit, receive),
        diagnostic=report.get("diagnostic"),
    )
