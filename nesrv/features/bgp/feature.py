"""BGP speakers and their neighbours as lines of FRR.

OpenConfig: network-instance/protocols/protocol[identifier=BGP]/bgp; FRR: router bgp AS [vrf NAME].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import bfd, inputs, speaker
from nesrv.features.bgp.checks import check_peers, check_speaker
from nesrv.features.bgp.families import family_lines
from nesrv.features.bgp.peer_checks import check_peer
from nesrv.features.bgp.peers import Peer, peers
from nesrv.features.bgp.policies import policy_lines
from nesrv.features.bgp.sessions import session_lines
from nesrv.features.bgp.speakers import speaker_lines
from nesrv.features.bgp.watched import bfd_lines
from nesrv.features.feature import Export, Lookup
from nesrv.features.instances import POINT
from nesrv.features.recall import Part, Recall
from nesrv.features.speaker import Speaker

BGP = "protocols/protocol/bgp"
SPEAKER_LEAVES = (
    "config/as",
    "config/router-id",
    "afi-safis/afi-safi/config/enabled",
    "default-route-distance/config/external-route-distance",
    "default-route-distance/config/internal-route-distance",
    "graceful-restart/config/enabled",
    "graceful-restart/config/helper-only",
    "graceful-restart/config/restart-time",
    "graceful-restart/config/stale-routes-time",
    "use-multiple-paths/config/enabled",
    "use-multiple-paths/ebgp/config/allow-multiple-as",
    "use-multiple-paths/ebgp/config/maximum-paths",
    "use-multiple-paths/ibgp/config/maximum-paths",
    "dynamic-neighbor-prefixes/config/limit",
    "dynamic-neighbor-prefixes/dynamic-neighbor-prefix/config/peer-group",
)
POLICY_LEAVES = ("import-policy", "default-import-policy", "export-policy", "default-export-policy")
PEER_LEAVES = (
    "config/peer-as",
    "config/peer-type",
    "config/local-as",
    "config/description",
    "config/auth-password",
    "config/remove-private-as",
    "config/send-community-type",
    "timers/config/connect-retry",
    "timers/config/hold-time",
    "timers/config/keepalive-interval",
    "timers/config/restart-time",
    "timers/config/advertisement-interval",
    "transport/config/passive-mode",
    "transport/config/tcp-mss",
    "graceful-restart/config/enabled",
    "graceful-restart/config/helper-only",
    "route-reflector/config/route-reflector-client",
    "route-reflector/config/route-reflector-cluster-id",
    "as-path-options/config/allow-own-as",
    "as-path-options/config/replace-peer-as",
    *(f"{place}apply-policy/config/{leaf}" for place in ("", "afi-safis/afi-safi/") for leaf in POLICY_LEAVES),
    "afi-safis/afi-safi/config/enabled",
    "afi-safis/afi-safi/config/send-community-type",
    "afi-safis/afi-safi/ipv4-unicast/config/send-default-route",
    "afi-safis/afi-safi/ipv4-unicast/config/extended-next-hop-encoding",
    "afi-safis/afi-safi/ipv4-unicast/prefix-limit-received/config/max-prefixes",
    "afi-safis/afi-safi/ipv4-unicast/prefix-limit-received/config/prevent-teardown",
    "afi-safis/afi-safi/ipv4-unicast/prefix-limit-received/config/warning-threshold-pct",
    "afi-safis/afi-safi/ipv6-unicast/config/send-default-route",
    "afi-safis/afi-safi/ipv6-unicast/prefix-limit-received/config/max-prefixes",
    "afi-safis/afi-safi/ipv6-unicast/prefix-limit-received/config/prevent-teardown",
    "afi-safis/afi-safi/ipv6-unicast/prefix-limit-received/config/warning-threshold-pct",
)
BFD_LEAVES = tuple(f"enable-bfd/config/{leaf}" for leaf in ("enabled", *bfd.INTERFACE_LEAVES))
ROUTED_LEAVES = (
    "transport/config/local-address",
    "ebgp-multihop/config/enabled",
    "ebgp-multihop/config/multihop-ttl",
    f"enable-bfd/config/{bfd.MINIMUM_TTL}",
)
NEIGHBOR_LEAVES = (*PEER_LEAVES, *BFD_LEAVES, "config/enabled", "config/neighbor-port", "config/peer-group")
PLACES = {
    "global": SPEAKER_LEAVES,
    "peer-groups/peer-group": (*PEER_LEAVES, *BFD_LEAVES, *ROUTED_LEAVES),
    "neighbors/neighbor": (*NEIGHBOR_LEAVES, *ROUTED_LEAVES),
    "unnumbered-neighbors/unnumbered-neighbor": NEIGHBOR_LEAVES,
}
"""What is translated below ``bgp``."""


class Bgp:
    name = "bgp"
    point = POINT
    claims = frozenset(
        {
            "config/router-id",
            "protocols/protocol/config/enabled",
            *(f"{BGP}/{place}/{leaf}" for place, leaves in PLACES.items() for leaf in leaves),
        }
    )

    def __init__(self) -> None:
        self._recall = Recall()

    def exports(self, entry: Node) -> Iterator[Export]:
        bgp = speaker.own_bgp(entry)
        if bgp is None or entry.identity("config/type") != "DEFAULT_INSTANCE":
            return
        path = bgp.path_of("global/config/as")
        yield Export(inputs.UNDERLAY_AS, speaker.own_as(bgp), "the underlay's AS", path)
        evpn = speaker.enabled_families(bgp).get("L2VPN_EVPN")
        if evpn is not None:
            yield Export(inputs.UNDERLAY_EVPN, 1, "the underlay's EVPN", evpn)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        check_speaker(entry)
        found = speaker.speaker_of(entry, lookup)
        if found is None:
            return
        known = tuple(peers(found.bgp, lookup)) if found.bgp is not None else ()
        check_peers(known)
        yield from speaker_lines(entry, found, known, lookup)
        holder = found.bgp.at("neighbors") if found.bgp is not None else None
        parts = [Part((peer.kind, peer.name), peer.own, partial(_of_peer, entry, found, peer)) for peer in known]
        yield from self._recall.facts(entry, holder, parts, lookup)


def _of_peer(entry: Node, found: Speaker, peer: Peer, lookup: Lookup) -> Iterable[Fact]:
    """Looks at no other neighbour: what others say does not make it new."""
    check_peer(entry, found, peer, lookup)
    yield from session_lines(found, peer, lookup)
    yield from bfd_lines(entry, found, peer, lookup)
    yield from policy_lines(entry.text("name"), found, peer, lookup)
    yield from family_lines(found, peer)
