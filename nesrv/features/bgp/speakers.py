"""A speaker itself as the lines that FRR prints of it (canonical forms: nesrv.frr.text)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, ip_network

from nesrv.datastore.tree import Node
from nesrv.features import inputs, names, pools, speaker
from nesrv.features.bgp.peers import DYNAMIC, GROUP_LEAF, Peer
from nesrv.features.feature import Lookup
from nesrv.features.speaker import Speaker
from nesrv.frr.text import FrrLine, line

SWITCHED_OFF = ("no bgp default ipv4-unicast", "no bgp ebgp-requires-policy")
"""FRR's defaults that OpenConfig does not share: every family is activated by name, none needs a policy."""
RESTART = "global/graceful-restart/config"
PATHS = "global/use-multiple-paths"
DISTANCE = "global/default-route-distance/config"
CLUSTER = "route-reflector/config/route-reflector-cluster-id"
LIMIT = "global/dynamic-neighbor-prefixes/config/limit"
MAX_PATHS = 256
"""All that FRR has room for, and what it does unless told; not printed."""
FRR_DISTANCES = ("20", "200")
LOCAL_DISTANCE = "200"
FRR_RESTART_TIME, FRR_STALE_TIME, FRR_LISTEN_LIMIT = 120, 360, 100
"""FRR's own, which it does not print."""

Words = Iterator[tuple[str, str]]
"""(line, leaf)"""


def speaker_lines(entry: Node, found: Speaker, peers: Iterable[Peer], lookup: Lookup) -> Iterator[FrrLine]:
    """The lines of a speaker that was checked before."""
    yield line((), found.text, found.path)
    router_id = _router_id(entry, found, lookup)
    if router_id is not None:
        yield line(found.context, f"bgp router-id {router_id[0]}", router_id[1])
    for text in SWITCHED_OFF:
        yield line(found.context, text, found.path)
    if found.bgp is None:
        return
    for text, leaf in _settings(found.bgp):
        yield line(found.context, text, found.bgp.path_of(leaf))
    for family in found.families:
        for text, leaf in _family_settings(found.bgp) if family in speaker.UNICAST else ():
            yield line(found.family(family), text, found.bgp.path_of(leaf))
    cluster = next(cluster_ids(peers), None)
    if cluster is not None:
        yield line(found.context, f"bgp cluster-id {cluster[0]}", cluster[1])
    for dynamic in found.bgp.all(DYNAMIC):
        group = names.group_name(dynamic.text(GROUP_LEAF))
        yield line(found.context, f"bgp listen range {prefix_of(dynamic)} peer-group {group}", dynamic.path)


def cluster_ids(peers: Iterable[Peer]) -> Iterator[tuple[str, str]]:
    """(id as FRR prints it, path) of each peer that says one."""
    for peer in peers:
        value = peer.settings.leaf(CLUSTER)
        if value is not None:
            yield str(IPv4Address(int(value) if value.isdigit() else value)), peer.settings.path(CLUSTER)


def prefix_of(dynamic: Node) -> str:
    """The prefix as FRR prints it."""
    return str(ip_network(dynamic.text("prefix"), strict=False))


def _router_id(entry: Node, found: Speaker, lookup: Lookup) -> tuple[str, str] | None:
    """(router id, path); None where FRR chooses."""
    for node, leaf in ((found.bgp, "global/config/router-id"), (entry, "config/router-id")):
        value = node.leaf(leaf) if node is not None else None
        if node is not None and value is not None:
            return value, node.path_of(leaf)
    # FRR would take an address of the instance's own: one of a leg's subnet, which every element has.
    pooled = inputs.text(lookup, inputs.POOL_ROUTER_ID)
    return (pooled, pools.ROUTER_ID_PATH) if pooled is not None else None


def _settings(bgp: Node) -> Words:
    yield from _graceful_restart(bgp)
    if bgp.flag(f"{PATHS}/config/enabled") and bgp.flag(f"{PATHS}/ebgp/config/allow-multiple-as"):
        yield "bgp bestpath as-path multipath-relax", f"{PATHS}/ebgp/config/allow-multiple-as"
    limit = bgp.number(LIMIT)
    if limit != FRR_LISTEN_LIMIT:
        yield f"bgp listen limit {limit}", LIMIT


def _graceful_restart(bgp: Node) -> Words:
    """Without a line bgpd helps others to restart."""
    enabled = f"{RESTART}/enabled"
    if bgp.leaf(enabled) == "false":
        yield "bgp graceful-restart-disable", enabled
    elif bgp.flag(enabled) and not bgp.flag(f"{RESTART}/helper-only"):
        yield "bgp graceful-restart", enabled
        # The kernel keeps forwarding while bgpd is away; else helpers drop what they kept when it is back.
        yield "bgp graceful-restart preserve-fw-state", enabled
    for word, leaf, own in (
        ("restart-time", "restart-time", FRR_RESTART_TIME),
        ("stalepath-time", "stale-routes-time", FRR_STALE_TIME),
    ):
        seconds = bgp.number(f"{RESTART}/{leaf}")
        if seconds not in (None, own):
            yield f"bgp graceful-restart {word} {seconds}", f"{RESTART}/{leaf}"


def _family_settings(bgp: Node) -> Words:
    enabled = bgp.flag(f"{PATHS}/config/enabled")
    for where, word in (("ebgp", "maximum-paths"), ("ibgp", "maximum-paths ibgp")):
        leaf = f"{PATHS}/{where}/config/maximum-paths"
        count = bgp.number(leaf) if enabled else 1
        if count != MAX_PATHS:
            yield f"{word} {count}", leaf if enabled else f"{PATHS}/config/enabled"
    leaves = (f"{DISTANCE}/external-route-distance", f"{DISTANCE}/internal-route-distance")
    distances = tuple(bgp.leaf(leaf) or own for leaf, own in zip(leaves, FRR_DISTANCES, strict=True))
    if distances != FRR_DISTANCES:
        said = leaves[0] if bgp.leaf(leaves[0]) is not None else leaves[1]
        yield f"distance bgp {' '.join(distances)} {LOCAL_DISTANCE}", said
