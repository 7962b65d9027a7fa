"""Which peers BFD watches, as lines that FRR prints of them and of their profiles; pure.

OpenConfig: enable-bfd of a neighbour or peer group; FRR: neighbor X bfd, neighbor X bfd profile NAME.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from nesrv.datastore.tree import Node
from nesrv.features import bfd, names
from nesrv.features.attached import link_towards
from nesrv.features.bgp.peers import DYNAMIC, GROUP_LEAF, Peer
from nesrv.features.feature import Lookup
from nesrv.features.links import ITSELF
from nesrv.features.speaker import Speaker
from nesrv.frr.text import FrrLine, line

Link = tuple[str, str]
"""(interface, subinterface)"""


def bfd_lines(entry: Node, speaker: Speaker, peer: Peer, lookup: Lookup) -> Iterator[FrrLine]:
    """Nothing for a peer that is not watched.  Raises InvalidValue for timers that FRR cannot have."""
    session = bfd.session(peer.settings, _profile_name(entry, peer), _link(entry, speaker, peer, lookup), lookup)
    if session is None:
        return
    yield from session.profile
    for words, path in session.words:
        yield line(speaker.context, f"{peer.about} {words}", path)


def _profile_name(entry: Node, peer: Peer) -> str:
    """No two peers of an element have one: addresses have no ``-``, groups in FRR no ``:``, links are unique."""
    instance = entry.text("name")
    match peer.kind:
        case "address":
            return names.profile_name("neighbor", f"{peer.name}-{instance}")
        case "group":
            return names.profile_name("group", f"{peer.name}:{instance}")
        case "link":
            return names.profile_name("unnumbered", peer.name)


def _link(entry: Node, speaker: Speaker, peer: Peer, lookup: Lookup) -> Link | None:
    """What leads to the peer, where one link does."""
    match peer.kind:
        case "link":
            return peer.own.text("interface"), ITSELF
        case "address":
            return _towards(entry, ip_address(peer.name), lookup)
        case "group":
            links = {_holding(entry, prefix, lookup) for prefix in _prefixes(speaker, peer)}
            return next(iter(links)) if len(links) == 1 else None


def _prefixes(speaker: Speaker, peer: Peer) -> Iterator[IPv4Network | IPv6Network]:
    group = peer.own.text("peer-group-name")
    for dynamic in speaker.bgp.all(DYNAMIC) if speaker.bgp is not None else ():
        if dynamic.leaf(GROUP_LEAF) == group:
            yield ip_network(dynamic.text("prefix"), strict=False)


def _holding(entry: Node, prefix: IPv4Network | IPv6Network, lookup: Lookup) -> Link | None:
    """The link whose subnet has all of ``prefix``."""
    first, last = (_towards(entry, address, lookup) for address in (prefix[0], prefix[-1]))
    return first if first == last else None


def _towards(entry: Node, address: IPv4Address | IPv6Address, lookup: Lookup) -> Link | None:
    found = link_towards(entry, address, lookup)
    return None if found is None else (found.interface, found.subinterface)
