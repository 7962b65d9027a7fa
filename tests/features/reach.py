"""Where the steps of a change may stand besides the entry of what changed, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass

INTERFACE = "/openconfig-interfaces:interfaces/interface"
INSTANCE = "/openconfig-network-instance:network-instances/network-instance"
POOL = "/openconfig-system:system/nesrv:pool/config"
BGP = f"{INSTANCE}/protocols/protocol/bgp"
ENDPOINT = f"{INSTANCE}/connection-points/connection-point/endpoints/endpoint"
EVI = f"{INSTANCE}/evpn/evpn-instances/evpn-instance"
VNI = f"{EVI}/vxlan/config/vni"
SETS = "/openconfig-routing-policy:routing-policy/defined-sets"
STATEMENT = "/openconfig-routing-policy:routing-policy/policy-definitions/policy-definition/statements/statement"

_PREDICATE = re.compile(r"""\[[\w.:-]+=('[^']*'|"[^"]*")\]""")


@dataclass(frozen=True, slots=True)
class Reach:
    """A change of ``leaf`` may lead to steps at ``steps`` or below, in whatever entry (schema paths)."""

    leaf: str
    steps: str
    why: str


_FAMILY = f"{BGP}/global/afi-safis/afi-safi/config/enabled"
_AS = f"{BGP}/global/config/as"
_GROUP_TIMER = f"{BGP}/peer-groups/peer-group/timers/config/keepalive-interval"
_TIMERS = f"{BGP}/neighbors/neighbor/timers/config/hold-time"
_INHERITED = "A neighbour has what its group says."
_NO_BLOCK = "FRR forgets the lines of a router with its AS."
_VTEP = "The VXLAN devices have the VTEP's address, and their bridges a MAC address made from it."
_MATCH = "FRR has no list of these: a route-map asks for each member by itself."
_CHAIN = "A chain of several policies is a route-map of whoever applies it."
_WATCHED = "A neighbour's session has the timers of the interface that leads to it."
_PLACES = (
    *(
        f"{BGP}/{peers}{family}/apply-policy/config/{direction}-policy"
        for peers in (
            "neighbors/neighbor",
            "peer-groups/peer-group",
            "nesrv-bgp:unnumbered-neighbors/unnumbered-neighbor",
        )
        for family in ("", "/afi-safis/afi-safi")
        for direction in ("import", "export")
    ),
    f"{INSTANCE}/table-connections/table-connection/config/import-policy",
)
_BFD = "/openconfig-bfd:bfd/interfaces/interface"
_INDEX = "The element's number is in what it has from pools and local CIDRs."

REACHES = (
    *(Reach(place, STATEMENT, _CHAIN) for place in _PLACES),
    Reach(f"{_BFD}/config/enabled", f"{BGP}/neighbors/neighbor/enable-bfd", _WATCHED),
    Reach(f"{_BFD}/config/enabled", f"{BGP}/peer-groups/peer-group/enable-bfd", _WATCHED),
    Reach(f"{_BFD}/interface-ref/config/subinterface", f"{BGP}/neighbors/neighbor/enable-bfd", _WATCHED),
    Reach(_FAMILY, f"{BGP}/neighbors/neighbor/afi-safis", "FRR has a neighbour's lines of a family in that family."),
    Reach(_FAMILY, f"{BGP}/global/use-multiple-paths", "FRR counts paths in each family."),
    Reach(_GROUP_TIMER, _TIMERS, "FRR has both timers in one line, and a neighbour may say one and inherit one."),
    Reach(f"{BGP}/neighbors/neighbor/config/peer-group", f"{BGP}/peer-groups/peer-group", _INHERITED),
    Reach(
        f"{BGP}/nesrv-bgp:unnumbered-neighbors/unnumbered-neighbor/config/peer-group",
        f"{BGP}/peer-groups/peer-group",
        _INHERITED,
    ),
    Reach(
        f"{BGP}/nesrv-bgp:unnumbered-neighbors/unnumbered-neighbor/config/peer-group",
        f"{BGP}/global/afi-safis",
        "Who lists no family, by itself or by its group, exchanges the speaker's.",
    ),
    Reach(_AS, f"{INSTANCE}/config/router-id", _NO_BLOCK),
    Reach(_AS, f"{ENDPOINT}/local/config/interface", _NO_BLOCK),
    Reach(_AS, VNI, "An L3VRF without BGP of its own speaks in the underlay's AS."),
    Reach(_AS, f"{EVI}/config/route-distinguisher", _NO_BLOCK),
    Reach(_AS, f"{EVI}/import-export-policy", _NO_BLOCK),
    Reach(VNI, INTERFACE, "The bridge has its name from the VNI, and its ports are in the bridge of that name."),
    Reach(f"{INSTANCE}/fdb/config/mac-learning", INTERFACE, "Linux learns by port: each has the flag."),
    Reach(f"{INSTANCE}/interfaces/interface/config/interface", INTERFACE, "A link stands in the instance it is in."),
    Reach(f"{ENDPOINT}/local/config/interface", VNI, _VTEP),
    Reach(f"{ENDPOINT}/vxlan/config/source-interface", VNI, _VTEP),
    Reach(f"{INTERFACE}/config/mtu", f"{INTERFACE}/config/mtu", "The MTU of legs follows that of the underlay's NICs."),
    Reach(
        f"{INTERFACE}/subinterfaces/subinterface/config/enabled",
        f"{INTERFACE}/config/mtu",
        "MTU and up or down are one fact of a link.",
    ),
    Reach(f"{SETS}/neighbor-sets/neighbor-set/config/address", STATEMENT, _MATCH),
    Reach(f"{SETS}/tag-sets/tag-set/config/tag-value", STATEMENT, _MATCH),
    Reach(f"{POOL}/index", f"{INTERFACE}/config/name", _INDEX),
    Reach(f"{POOL}/index", f"{INTERFACE}/nesrv:leg/config/local-cidr", _INDEX),
    Reach(f"{POOL}/index", f"{ENDPOINT}/local/config/interface", _INDEX),
    Reach(f"{POOL}/index", VNI, _INDEX),
    Reach(f"{POOL}/vtep-pool", f"{INTERFACE}/config/name", "The loopback has the address from the pool."),
    Reach(f"{POOL}/vtep-pool", f"{ENDPOINT}/local/config/interface", "The underlay announces the VTEP's address."),
    Reach(f"{POOL}/vtep-pool", VNI, _VTEP),
)


def schema_path(path: str) -> str:
    """An instance path without its predicates."""
    return _PREDICATE.sub("", path)


def entry_of(path: str) -> str:
    """The innermost list entry that the node stands in; outside of lists its top-level container."""
    return path[: path.rindex("]") + 1] if "]" in path else "/".join(path.split("/")[:2])


def is_within(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}/")
