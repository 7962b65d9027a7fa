"""A peer outside its families as the lines that FRR prints of it (canonical forms: nesrv.frr.text)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from nesrv.features.attached import link_of
from nesrv.features.bgp.peers import Peer, Settings
from nesrv.features.feature import Lookup
from nesrv.features.links import ITSELF
from nesrv.features.speaker import Speaker
from nesrv.frr.text import FrrLine, line

TIMERS = "timers/config"
MULTIHOP = "ebgp-multihop/config"
SOURCE = "transport/config/local-address"
RESTART = "graceful-restart/config"
NEXT_HOPS = "ipv4-unicast/config/extended-next-hop-encoding"
DEFAULT_TTL = 255
BGP_PORT = "179"
"""FRR's own, which it does not print."""

Words = Iterator[tuple[str, str]]
"""(words after ``neighbor X``, leaf)"""


def session_lines(speaker: Speaker, peer: Peer, lookup: Lookup) -> Iterator[FrrLine]:
    """The lines of a peer that was checked before."""
    yield from _birth(speaker, peer)
    for words, leaf in _settings(speaker, peer, lookup):
        yield line(speaker.context, f"{peer.about} {words}", peer.settings.path(leaf))
    family = peer.exchanged(speaker).get("IPV4_UNICAST")
    if family is not None and family.flag(NEXT_HOPS) and peer.kind != "link":
        yield line(speaker.context, f"{peer.about} capability extended-nexthop", family.path(NEXT_HOPS))


def _birth(speaker: Speaker, peer: Peer) -> Iterator[FrrLine]:
    remote_as = peer.remote_as
    assert remote_as is not None
    words, path = remote_as
    if peer.kind == "group":
        yield line(speaker.context, f"{peer.about} peer-group", peer.own.path)
    link = "interface v6only " if peer.kind == "link" else ""
    yield line(speaker.context, f"{peer.about} {link}remote-as {words}", path)


def _settings(speaker: Speaker, peer: Peer, lookup: Lookup) -> Words:
    yield from _identity(speaker, peer)
    yield from _timers(peer.settings)
    yield from _transport(speaker, peer, lookup)
    yield from graceful_restart(peer.settings)
    if peer.kind != "group" and not peer.settings.flag("config/enabled"):
        yield "shutdown", "config/enabled"


def _identity(speaker: Speaker, peer: Peer) -> Words:
    settings = peer.settings
    local_as = settings.number("config/local-as")
    if local_as not in (None, speaker.asn):
        yield f"local-as {local_as}", "config/local-as"
    description = spaced(settings.leaf("config/description") or "")
    if description:
        yield f"description {description}", "config/description"
    password = settings.leaf("config/auth-password")
    if password is not None:
        yield f"password {password}", "config/auth-password"


def _timers(settings: Settings) -> Words:
    """Keepalive and hold time; bgpd lowers the former to a third of the latter, and prints that."""
    hold, keepalive = (int(settings.text(f"{TIMERS}/{leaf}")) for leaf in ("hold-time", "keepalive-interval"))
    yield f"timers {min(keepalive, hold // 3)} {hold}", f"{TIMERS}/hold-time"
    yield f"timers connect {settings.text(f'{TIMERS}/connect-retry')}", f"{TIMERS}/connect-retry"
    interval = settings.leaf(f"{TIMERS}/advertisement-interval")
    if interval is not None:
        yield f"advertisement-interval {interval}", f"{TIMERS}/advertisement-interval"


def _transport(speaker: Speaker, peer: Peer, lookup: Lookup) -> Words:
    settings = peer.settings
    if peer.kind != "link":
        yield from _distance(speaker, peer, lookup)
    if settings.flag("transport/config/passive-mode"):
        yield "passive", "transport/config/passive-mode"
    segment = settings.leaf("transport/config/tcp-mss")
    if segment is not None:
        yield f"tcp-mss {segment}", "transport/config/tcp-mss"
    port = BGP_PORT if peer.kind == "group" else settings.text("config/neighbor-port")
    if port != BGP_PORT:
        yield f"port {port}", "config/neighbor-port"


def _distance(speaker: Speaker, peer: Peer, lookup: Lookup) -> Words:
    # FRR keeps no TTL of 1 (a neighbour next door has it anyway) and none for a neighbour of its own AS.
    ttl = multihop_ttl(peer.settings)
    if ttl not in (None, 1) and not peer.is_internal(speaker):
        yield f"ebgp-multihop {ttl}", f"{MULTIHOP}/enabled"
    source = peer.settings.leaf(SOURCE)
    if source is not None:
        yield f"update-source {update_source(source, lookup)}", SOURCE


def graceful_restart(settings: Settings) -> Words:
    """Nothing where it is as the speaker has it."""
    enabled = settings.leaf(f"{RESTART}/enabled")
    if enabled == "false":
        yield "graceful-restart-disable", f"{RESTART}/enabled"
    elif settings.flag(f"{RESTART}/helper-only"):
        yield "graceful-restart-helper", f"{RESTART}/helper-only"
    elif enabled == "true":
        yield "graceful-restart", f"{RESTART}/enabled"


def multihop_ttl(settings: Settings) -> int | None:
    if not settings.flag(f"{MULTIHOP}/enabled"):
        return None
    ttl = settings.number(f"{MULTIHOP}/multihop-ttl")
    return DEFAULT_TTL if ttl is None else ttl


def update_source(configured: str, lookup: Lookup) -> str:
    """An address in canonical form, else the kernel's name of a link."""
    try:
        return str(ip_address(configured))
    except ValueError:
        return link_of(configured, ITSELF, lookup)


def spaced(text: str) -> str:
    """FRR reads words and joins them by single spaces."""
    return " ".join(text.split())
