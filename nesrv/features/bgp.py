"""BGP speakers and their neighbours as lines of FRR.

OpenConfig: network-instance/protocols/protocol[identifier=BGP]/bgp; FRR: router bgp AS [vrf NAME].
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, pools, speaker
from nesrv.features.bgp_checks import check, check_neighbor
from nesrv.features.feature import Export, Lookup
from nesrv.features.instances import POINT
from nesrv.features.neighbors import BGP, neighbor_lines
from nesrv.features.speaker import Speaker
from nesrv.frr.text import FrrLine, line

NEIGHBOR = f"{BGP}/neighbors/neighbor"
SWITCHED_OFF = ("no bgp default ipv4-unicast", "no bgp ebgp-requires-policy")
"""FRR's defaults that OpenConfig does not share: every family is activated by name, none needs a policy."""


class Bgp:
    name = "bgp"
    point = POINT
    claims = frozenset(
        {
            "config/router-id",
            "protocols/protocol/config/enabled",
            f"{BGP}/global/config/as",
            f"{BGP}/global/config/router-id",
            f"{BGP}/global/afi-safis/afi-safi/config/enabled",
            f"{NEIGHBOR}/config/enabled",
            f"{NEIGHBOR}/config/peer-as",
            f"{NEIGHBOR}/config/description",
            f"{NEIGHBOR}/config/auth-password",
            f"{NEIGHBOR}/timers/config/connect-retry",
            f"{NEIGHBOR}/timers/config/hold-time",
            f"{NEIGHBOR}/timers/config/keepalive-interval",
            f"{NEIGHBOR}/transport/config/passive-mode",
            f"{NEIGHBOR}/transport/config/local-address",
            f"{NEIGHBOR}/ebgp-multihop/config/enabled",
            f"{NEIGHBOR}/ebgp-multihop/config/multihop-ttl",
            f"{NEIGHBOR}/as-path-options/config/allow-own-as",
            f"{NEIGHBOR}/afi-safis/afi-safi/config/enabled",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        bgp = speaker.own_bgp(entry)
        if bgp is None or entry.identity("config/type") == "L3VRF":
            return
        path = bgp.path_of("global/config/as")
        yield Export(inputs.UNDERLAY_AS, speaker.own_as(bgp), "the underlay's AS", path)
        evpn = speaker.enabled_families(bgp).get("L2VPN_EVPN")
        if evpn is not None:
            yield Export(inputs.UNDERLAY_EVPN, 1, "the underlay's EVPN", evpn)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        check(entry)
        found = speaker.speaker_of(entry, lookup)
        if found is None:
            return
        yield from _instance_lines(entry, found, lookup)
        if found.bgp is None:
            return
        for neighbor in found.bgp.all("neighbors/neighbor"):
            check_neighbor(entry, neighbor, lookup)
            yield from neighbor_lines(found, neighbor, lookup)


def _instance_lines(entry: Node, found: Speaker, lookup: Lookup) -> Iterator[FrrLine]:
    yield line((), found.text, found.path)
    router_id = _router_id(entry, found, lookup)
    if router_id is not None:
        yield line(found.context, f"bgp router-id {router_id[0]}", router_id[1])
    for text in SWITCHED_OFF:
        yield line(found.context, text, found.path)


def _router_id(entry: Node, found: Speaker, lookup: Lookup) -> tuple[str, str] | None:
    """(router id, path); None where FRR chooses."""
    for node, leaf in ((found.bgp, "global/config/router-id"), (entry, "config/router-id")):
        value = node.leaf(leaf) if node is not None else None
        if node is not None and value is not None:
            return value, node.path_of(leaf)
    pooled = inputs.text(lookup, inputs.POOL_ROUTER_ID) if found.vrf is None else None
    return (pooled, pools.ROUTER_ID_PATH) if pooled is not None else None
