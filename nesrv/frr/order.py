"""In which order lines of FRR come into being: what names something stands after what it names; pure.

Deletion goes the other way round.
"""

from __future__ import annotations

import re

EVPN_FAMILY = "address-family l2vpn evpn"
STATIC = re.compile(r"(?:ip|ipv6) route ")
ROUTE_MAP = re.compile(r"route-map (?P<name>\S+) (?P<action>permit|deny) (?P<sequence>\d+)$")
LAST_ENTRY = 65535
ADDRESS = re.compile(r"[0-9.]+$|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$")

TOP_RANKS: tuple[tuple[str, int], ...] = (
    ("hostname ", 0),
    ("domainname ", 0),
    ("interface ", 0),
    ("ip prefix-list ", 1),
    ("ipv6 prefix-list ", 1),
    ("bgp ", 1),
    ("route-map ", 2),
    ("bfd", 3),
)
"""Order of creation by the head of a top-level line; instances, VNIs and routes follow."""
DEFAULT_INSTANCE, VRF_INSTANCE, VRF_BLOCK, OTHER = 4, 5, 6, 7
FAMILIES = ("address-family ipv4 unicast", "address-family ipv6 unicast", EVPN_FAMILY)


def order_of(context: tuple[str, ...], text: str) -> tuple[int, ...]:
    """``(kind of block, place in the block, place in the family)`` of a line."""
    top = context[0] if context else text
    if STATIC.match(text):
        return (OTHER, 0, len(context))
    if (entry := ROUTE_MAP.match(top)) is not None:
        return (_top_rank(top), _entry_rank(entry["action"], int(entry["sequence"])), len(context))
    if not top.startswith("router bgp "):
        return (_top_rank(top), 0, len(context))
    kind = VRF_INSTANCE if " vrf " in top else DEFAULT_INSTANCE
    if not context:
        return (kind, 0)
    if len(context) == 1:
        return (kind, _router_rank(text))
    family = FAMILIES.index(context[1]) if context[1] in FAMILIES else len(FAMILIES)
    return (kind, 10 + family, _family_rank(text) if len(context) == 2 else 9)


def _top_rank(top: str) -> int:
    if top.startswith("vrf "):
        return VRF_BLOCK
    return next((rank for head, rank in TOP_RANKS if top.startswith(head)), OTHER)


def _entry_rank(action: str, sequence: int) -> int:
    """The first entries stand first, after a last one that denies: half a policy allows nothing that all of it denies.

    Deletion goes the other way round.
    """
    return -1 if action == "deny" and sequence == LAST_ENTRY else sequence


def _router_rank(text: str) -> int:
    """Instance settings, peer groups, their AS, neighbours, membership, all else of neighbours, listen ranges."""
    words = text.split(" ")
    if words[0] == "neighbor" and len(words) > 2:
        if words[2] == "peer-group":
            return 2 if len(words) == 3 else 5
        if words[2] == "remote-as":
            return 4 if ADDRESS.match(words[1]) else 3
        if words[2:4] == ["bfd", "profile"]:
            return 7
        return 4 if words[2] == "interface" else 6
    if text.startswith("no neighbor "):
        return 6
    return 8 if text.startswith("bgp listen range ") else 1


def _family_rank(text: str) -> int:
    if text.endswith(" activate"):
        return 0
    if text.removeprefix("no ").startswith("neighbor "):
        return 1
    return 8 if text.startswith("vni ") else 2
