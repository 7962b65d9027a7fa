"""One neighbour of a BGP speaker as the lines that FRR prints of it (canonical forms: nesrv.frr.text)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from nesrv.datastore.tree import Node
from nesrv.features import inputs
from nesrv.features.feature import Lookup
from nesrv.features.links import link_named
from nesrv.features.speaker import FAMILIES, Speaker
from nesrv.frr.text import FrrLine, line

BGP = "protocols/protocol/bgp"
TIMERS = "timers/config"
DEFAULT_TTL = 255
FRR_ALLOWAS_IN = "3"
"""FRR's own count, which it does not print."""


def address_of(neighbor: Node) -> str:
    """The neighbour's address as FRR prints it."""
    return str(ip_address(neighbor.text("neighbor-address")))


def neighbor_lines(speaker: Speaker, neighbor: Node, lookup: Lookup) -> Iterator[FrrLine]:
    """The lines of a neighbour that was checked before."""
    about = f"neighbor {address_of(neighbor)}"
    for words, leaf in _settings(speaker, neighbor, lookup):
        yield line(speaker.context, f"{about} {words}", neighbor.path_of(leaf))
    own_as = neighbor.text("as-path-options/config/allow-own-as")
    for name, path in _families(speaker, neighbor).items():
        context = (speaker.text, FAMILIES[name])
        yield line(context, f"{about} activate", path)
        if own_as != "0":
            words = "allowas-in" if own_as == FRR_ALLOWAS_IN else f"allowas-in {own_as}"
            yield line(context, f"{about} {words}", neighbor.path_of("as-path-options/config/allow-own-as"))


def _settings(speaker: Speaker, neighbor: Node, lookup: Lookup) -> Iterator[tuple[str, str]]:
    """(words after ``neighbor ADDRESS``, leaf) outside the families."""
    yield f"remote-as {neighbor.text('config/peer-as')}", "config/peer-as"
    description = spaced(neighbor.leaf("config/description") or "")
    if description:
        yield f"description {description}", "config/description"
    password = neighbor.leaf("config/auth-password")
    if password is not None:
        yield f"password {password}", "config/auth-password"
    yield timers(neighbor), f"{TIMERS}/hold-time"
    yield f"timers connect {neighbor.text(f'{TIMERS}/connect-retry')}", f"{TIMERS}/connect-retry"
    # FRR keeps no TTL of 1 (a neighbour next door has it anyway) and none for a neighbour of its own AS.
    ttl = multihop_ttl(neighbor)
    if ttl not in (None, 1) and neighbor.number("config/peer-as") != speaker.asn:
        yield f"ebgp-multihop {ttl}", "ebgp-multihop/config/enabled"
    source = neighbor.leaf("transport/config/local-address")
    if source is not None:
        yield f"update-source {update_source(source, lookup)}", "transport/config/local-address"
    if neighbor.flag("transport/config/passive-mode"):
        yield "passive", "transport/config/passive-mode"
    if not neighbor.flag("config/enabled"):
        yield "shutdown", "config/enabled"


def timers(neighbor: Node) -> str:
    """Keepalive and hold time; bgpd lowers the former to a third of the latter, and prints that."""
    hold, keepalive = (int(neighbor.text(f"{TIMERS}/{leaf}")) for leaf in ("hold-time", "keepalive-interval"))
    return f"timers {min(keepalive, hold // 3)} {hold}"


def multihop_ttl(neighbor: Node) -> int | None:
    if not neighbor.flag("ebgp-multihop/config/enabled"):
        return None
    ttl = neighbor.number("ebgp-multihop/config/multihop-ttl")
    return DEFAULT_TTL if ttl is None else ttl


def update_source(configured: str, lookup: Lookup) -> str:
    """An address in canonical form, else the kernel's name of a link."""
    try:
        return str(ip_address(configured))
    except ValueError:
        kind = inputs.text(lookup, inputs.interface_kind(configured))
        return link_named(configured, kind or "nic")


def spaced(text: str) -> str:
    """FRR reads words and joins them by single spaces."""
    return " ".join(text.split())


def _families(speaker: Speaker, neighbor: Node) -> dict[str, str]:
    """The families that speaker and neighbour both have enabled, with the path of the neighbour's ``enabled``."""
    found: dict[str, str] = {}
    for family in neighbor.all("afi-safis/afi-safi"):
        name = family.identity("afi-safi-name")
        if name in speaker.families and family.flag("config/enabled"):
            found[str(name)] = family.path_of("config/enabled")
    return found
