"""A peer within its families as the lines that FRR prints of it (canonical forms: nesrv.frr.text).

FRR 8.4 knows less of EVPN than of the unicast families: it sends all communities there, and has
neither limits nor changes of the AS path.  A line it does not know it would take for one outside the family.
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv.features.bgp.peers import Peer, Settings
from nesrv.features.speaker import UNICAST, Speaker
from nesrv.frr.text import FrrLine, line

FRR_ALLOWAS_IN = "3"
"""FRR's own count, which it does not print."""
FRR_THRESHOLD = 75
"""FRR's own percentage, which it does not print."""
MINUTE = 60
OWN_AS = "as-path-options/config/allow-own-as"
OVERRIDE = "as-path-options/config/replace-peer-as"
CLIENT = "route-reflector/config/route-reflector-client"
REMOVED = "config/remove-private-as"
COMMUNITIES = "config/send-community-type"
RESTART_TIME = "timers/config/restart-time"
CONTAINERS = {"IPV4_UNICAST": "ipv4-unicast", "IPV6_UNICAST": "ipv6-unicast"}
PRIVATE_AS = {"PRIVATE_AS_REMOVE_ALL": "all", "PRIVATE_AS_REPLACE_ALL": "all replace-AS"}
KINDS = {"STANDARD": "send-community", "EXTENDED": "send-community extended", "LARGE": "send-community large"}

Words = Iterator[tuple[str, str]]
"""(line with ``neighbor X``, path)"""


def family_lines(speaker: Speaker, peer: Peer) -> Iterator[FrrLine]:
    """The lines of a peer that was checked before."""
    for name, family in peer.exchanged(speaker).items():
        enabled = family.path("config/enabled") if family.nodes else speaker.families[name]
        yield line(speaker.family(name), f"{peer.about} activate", enabled)
        for text, path in _lines(name, peer, family):
            yield line(speaker.family(name), text, path)


def _lines(name: str, peer: Peer, family: Settings) -> Words:
    about, settings = peer.about, peer.settings
    own_as = settings.text(OWN_AS)
    if own_as != "0":
        words = "allowas-in" if own_as == FRR_ALLOWAS_IN else f"allowas-in {own_as}"
        yield f"{about} {words}", settings.path(OWN_AS)
    if settings.flag(CLIENT):
        yield f"{about} route-reflector-client", settings.path(CLIENT)
    if name in UNICAST:
        yield from _unicast(name, peer, family)


def _unicast(name: str, peer: Peer, family: Settings) -> Words:
    about, settings = peer.about, peer.settings
    if settings.flag(OVERRIDE):
        yield f"{about} as-override", settings.path(OVERRIDE)
    removed = settings.identity(REMOVED)
    if removed is not None:
        yield f"{about} remove-private-AS {PRIVATE_AS[removed]}", settings.path(REMOVED)
    yield from _communities(peer, family)
    default_route = f"{CONTAINERS[name]}/config/send-default-route"
    if family.flag(default_route):
        yield f"{about} default-originate", family.path(default_route)
    yield from _limit(CONTAINERS[name], peer, family)


def _communities(peer: Peer, family: Settings) -> Words:
    """What is not sent: FRR sends all by itself."""
    source = family if family.several(COMMUNITIES) else peer.settings
    listed = source.several(COMMUNITIES)
    if not listed:
        return
    unsent = [words for kind, words in KINDS.items() if kind not in sent_communities(listed)]
    if len(unsent) == len(KINDS):
        unsent = ["send-community all"]
    for words in unsent:
        yield f"no {peer.about} {words}", source.path(COMMUNITIES)


def sent_communities(listed: frozenset[str]) -> frozenset[str]:
    """The kinds that ``listed`` comes to."""
    return (listed | {"STANDARD", "EXTENDED"} if "BOTH" in listed else listed) - {"BOTH", "NONE"}


def _limit(container: str, peer: Peer, family: Settings) -> Words:
    config = f"{container}/prefix-limit-received/config"
    limit = family.number(f"{config}/max-prefixes")
    if limit is None:
        return
    path = family.path(f"{config}/max-prefixes")
    words = [f"{peer.about} maximum-prefix {limit}"]
    threshold = family.number(f"{config}/warning-threshold-pct")
    if threshold not in (None, FRR_THRESHOLD):
        words.append(str(threshold))
    restart = peer.settings.number(RESTART_TIME)
    if family.flag(f"{config}/prevent-teardown"):
        words.append("warning-only")
    elif restart is not None:
        words.append(f"restart {restart // MINUTE}")
    yield " ".join([*words, "force"]), path
    # Without it bgpd forgets, and does not count, what policy refused.
    yield f"{peer.about} soft-reconfiguration inbound", path
