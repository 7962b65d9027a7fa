"""BGP state from what bgpd says of its neighbours; pure.

OpenConfig: network-instance/protocols/protocol/bgp/neighbors/neighbor; beside it unnumbered-neighbors of nesrv-bgp.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from nesrv.datastore.build import Plain
from nesrv.features.state.instances import Anchors
from nesrv.frr.state import FamilyState, NeighborState

SESSION_STATES = {
    "Idle": "IDLE",
    "Connect": "CONNECT",
    "Active": "ACTIVE",
    "OpenSent": "OPENSENT",
    "OpenConfirm": "OPENCONFIRM",
    "Established": "ESTABLISHED",
    # Only on its way to IDLE (FRR's own states, RFC 4271 has none of them).
    "Clearing": "IDLE",
    "Deleted": "IDLE",
}
FAMILIES = {
    "ipv4 unicast": "openconfig-bgp-types:IPV4_UNICAST",
    "ipv6 unicast": "openconfig-bgp-types:IPV6_UNICAST",
    "l2vpn evpn": "openconfig-bgp-types:L2VPN_EVPN",
}
COUNTED = frozenset({"ipv4 unicast", "ipv6 unicast"})
NANOSECONDS = 10**9

Installed = Mapping[tuple[str, str], int]
"""(neighbour's address, FRR's name of the family) → routes chosen as best."""


def instance(known: Anchors, found: Iterable[NeighborState], installed: Installed) -> dict[str, Plain] | None:
    """State of one instance's speaker; None where it has none configured or FRR tells of no neighbour."""
    states = tuple(found)
    if known.speaker is None or not states:
        return None
    neighbors: list[Plain] = [
        _neighbor(state, known, installed) for state in states if state.address not in known.links
    ]
    links: list[Plain] = [_on_link(state, known, installed) for state in states if state.address in known.links]
    made: dict[str, Plain] = {
        "neighbors": {"neighbor": neighbors} if neighbors else None,
        "unnumbered-neighbors": {"unnumbered-neighbor": links} if links else None,
    }
    identifier, name = known.speaker
    protocol: Plain = {"identifier": identifier, "name": name, "bgp": made}
    return {"name": known.name, "protocols": {"protocol": [protocol]}}


def _neighbor(found: NeighborState, known: Anchors, installed: Installed) -> dict[str, Plain]:
    made = _report(found, {"neighbor-address": found.address}, installed)
    made["neighbor-address"] = known.neighbors.get(_canonical(found.address), found.address)
    made["transport"] = {"state": {"local-address": found.local_address}} if found.local_address else None
    return made


def _on_link(found: NeighborState, known: Anchors, installed: Installed) -> dict[str, Plain]:
    interface = known.links[found.address]
    key: dict[str, Plain] = {"interface": interface}
    return key | _report(found, key, installed)


def _report(found: NeighborState, key: dict[str, Plain], installed: Installed) -> dict[str, Plain]:
    up = found.session_state == "Established"
    families: list[Plain] = [
        _family(FAMILIES[name], counts, installed.get((found.address, name)))
        for name, counts in found.families.items()
        if name in FAMILIES
    ]
    return {
        "state": key | _session(found),
        "timers": {"state": {"negotiated-hold-time": found.hold_time}} if up else None,
        "afi-safis": {"afi-safi": families} if families else None,
    }


def _session(found: NeighborState) -> dict[str, Plain]:
    at = found.established_at
    return {
        "peer-as": found.remote_as or None,
        "description": found.description,
        "session-state": SESSION_STATES.get(found.session_state),
        "last-established": at * NANOSECONDS if at is not None else None,
        "established-transitions": found.established_transitions,
        "messages": {"sent": _messages(found.messages_sent), "received": _messages(found.messages_received)},
    }


def _messages(counts: Mapping[str, int]) -> dict[str, Plain]:
    return {"UPDATE": counts.get("updates"), "NOTIFICATION": counts.get("notifications")}


def _family(name: str, counts: FamilyState, installed: int | None) -> dict[str, Plain]:
    # Where nothing was received nothing is installed: FRR need not be asked.
    chosen = installed if counts.received else 0
    prefixes: dict[str, Plain] = {"received": counts.received, "sent": counts.sent, "installed": chosen}
    return {"afi-safi-name": name, "state": {"afi-safi-name": name, "prefixes": prefixes}}


def _canonical(address: str) -> str:
    return str(ip_address(address))


def countable(found: NeighborState) -> list[str]:
    """The families of a neighbour from which routes may be installed, and of which FRR can count them."""
    return [name for name, counts in found.families.items() if counts.received and name in COUNTED]


def best_selected(text: str) -> int | None:
    """``show bgp vrf V FAMILY neighbors A prefix-counts json``; raises ValueError for what is no JSON."""
    counters = json.loads(text).get("ribTableWalkCounters", {})
    return next((count for name, count in counters.items() if name.casefold() == "pfxct best selected"), None)
