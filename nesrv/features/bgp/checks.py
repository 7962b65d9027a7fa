"""What YANG cannot forbid of a BGP speaker; every function raises RpcError."""

from __future__ import annotations

from collections.abc import Iterable

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.features import speaker
from nesrv.features.bgp.peers import DYNAMIC, GROUP_LEAF, Peer, address_of
from nesrv.features.bgp.speakers import MAX_PATHS, PATHS, RESTART, cluster_ids, prefix_of

RESTART_SECONDS = range(1, 4096)
"""What FRR takes; the published ranges are wider."""


def check_speaker(entry: Node) -> None:
    """The speaker, and the lists of its neighbours."""
    second = next((found for number, found in enumerate(speaker.protocols(entry)) if number == 1), None)
    if second is not None:
        raise errors.InvalidValue(
            f"{entry.text('name')} has two BGP protocols; it can have one.", second.path, "nesrv-second-bgp"
        )
    if entry.leaf("config/router-id") == "0.0.0.0":
        raise _no_router_id(entry, "config/router-id")
    bgp = speaker.own_bgp(entry)
    if bgp is None:
        return
    if speaker.own_as(bgp) == 0:
        raise errors.InvalidValue("AS 0 is nobody's.", bgp.path_of("global/config/as"), "nesrv-as-zero")
    if bgp.leaf("global/config/router-id") == "0.0.0.0":
        raise _no_router_id(bgp, "global/config/router-id")
    if entry.identity("config/type") == "L3VRF" and (evpn := speaker.enabled_families(bgp).get("L2VPN_EVPN")):
        raise evpn_in_vrf(evpn)
    _check_graceful_restart(bgp)
    _check_multiple_paths(bgp)
    _check_lists(bgp)


def check_peers(peers: Iterable[Peer]) -> None:
    """What peers of one speaker must not have in common, or must."""
    peers = tuple(peers)
    seen: dict[str, Peer] = {}
    for peer in peers:
        other = seen.setdefault(peer.name, peer)
        if other is not peer:
            raise errors.InvalidValue(
                f"{peer.what} and {other.what[0].lower()}{other.what[1:]} are both {peer.name} to FRR; rename one.",
                peer.own.path,
                "nesrv-neighbor-twice",
            )
    first: str | None = None
    for cluster, path in cluster_ids(peers):
        if cluster == "0.0.0.0":
            raise errors.InvalidValue("Cluster id 0.0.0.0 is none.", path, "nesrv-cluster-id")
        if first not in (None, cluster):
            raise errors.OperationNotSupported(
                f"Cluster id {cluster} is not {first}, as another neighbour has it; FRR has one for all.",
                path,
                "nesrv-cluster-id",
            )
        first = cluster


def _check_graceful_restart(bgp: Node) -> None:
    if bgp.leaf(f"{RESTART}/enabled") == "false" and bgp.flag(f"{RESTART}/helper-only"):
        raise errors.InvalidValue(
            "helper-only is graceful restart, which is not enabled.",
            bgp.path_of(f"{RESTART}/helper-only"),
            "nesrv-graceful-restart",
        )
    for leaf in ("restart-time", "stale-routes-time"):
        seconds = bgp.number(f"{RESTART}/{leaf}")
        if seconds is not None and seconds not in RESTART_SECONDS:
            raise errors.InvalidValue(
                f"FRR takes a {leaf} of 1 to {RESTART_SECONDS[-1]} seconds.",
                bgp.path_of(f"{RESTART}/{leaf}"),
                "nesrv-graceful-restart",
            )


def _check_multiple_paths(bgp: Node) -> None:
    for where in ("ebgp", "ibgp"):
        leaf = f"{PATHS}/{where}/config/maximum-paths"
        if not 1 <= (bgp.number(leaf) or 0) <= MAX_PATHS:
            raise errors.InvalidValue(
                f"maximum-paths can be 1 to {MAX_PATHS}.", bgp.path_of(leaf), "nesrv-maximum-paths"
            )


def _check_lists(bgp: Node) -> None:
    """One thing written in two ways is two entries to YANG."""
    addresses: set[str] = set()
    for neighbor in bgp.all("neighbors/neighbor"):
        address = address_of(neighbor)
        if address in addresses:
            raise errors.InvalidValue(f"Neighbour {address} is there twice.", neighbor.path, "nesrv-neighbor-twice")
        addresses.add(address)
    prefixes: set[str] = set()
    for dynamic in bgp.all(DYNAMIC):
        prefix = prefix_of(dynamic)
        if prefix in prefixes:
            raise errors.InvalidValue(f"Prefix {prefix} is there twice.", dynamic.path, "nesrv-prefix-twice")
        prefixes.add(prefix)
        if dynamic.leaf(GROUP_LEAF) is None:
            raise errors.DataMissing(
                f"Dynamic neighbours of {prefix} have no peer-group.",
                dynamic.path_of(GROUP_LEAF),
                "nesrv-peer-group-missing",
            )


def _no_router_id(node: Node, leaf: str) -> errors.RpcError:
    return errors.InvalidValue("Router id 0.0.0.0 is none.", node.path_of(leaf), "nesrv-router-id")


def evpn_in_vrf(path: str) -> errors.RpcError:
    return errors.OperationNotSupported(
        "L2VPN_EVPN belongs to the default instance; an L3VRF announces its routes by its VNI.",
        path,
        "nesrv-evpn-in-vrf",
    )
