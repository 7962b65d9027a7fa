"""Names that FRR's lists and route-maps have, and the lines of lists; pure.

A name that FRR can take is used as it is; any other becomes a readable head, ``~`` and a
hash of the whole name.  No name of an operator's has a ``~``, so those that nesrv adds
(``NAME~accept``) never meet one.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from collections.abc import Iterable, Iterator

from nesrv import errors
from nesrv.frr.text import FrrLine

FITTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}")
"""FRR takes a community-list's name of digits alone for a number."""
HEAD_LENGTH = 24

WELL_KNOWN = {
    "NO_EXPORT": "no-export",
    "NO_ADVERTISE": "no-advertise",
    "NO_EXPORT_SUBCONFED": "local-AS",
    "NOPEER": "no-peer",
    "GRACEFUL_SHUTDOWN": "graceful-shutdown",
}
NUMBERS_WITH_A_NAME = {
    "65535:0": "graceful-shutdown",
    "65535:1": "accept-own",
    "65535:2": "route-filter-translated-v4",
    "65535:3": "route-filter-v4",
    "65535:4": "route-filter-translated-v6",
    "65535:5": "route-filter-v6",
    "65535:6": "llgr-stale",
    "65535:7": "no-llgr",
    "65535:8": "accept-own-nexthop",
    "65535:666": "blackhole",
    "65535:65281": "no-export",
    "65535:65282": "no-advertise",
    "65535:65283": "local-AS",
    "65535:65284": "no-peer",
}
"""How FRR prints these communities."""
INTERNET = "0:0"
"""FRR reads it as ``internet``, which every route has."""
NAMES_WITH_A_NUMBER = {name: number for number, name in NUMBERS_WITH_A_NAME.items()}

ROUTE_TARGET, ROUTE_ORIGIN = "route-target:", "route-origin:"
EXT_COMMUNITY = re.compile(r"(?:(\d+)|(\d+\.\d+\.\d+\.\d+)):(\d+)")
MOST_IN_ONE, MOST_IN_EACH = 128, 32
"""Prefixes in a list alone, and on average in one of several."""
MAX_SEQUENCE = 2**31 - 1


def frr_name(name: str) -> str:
    """What FRR calls the set or policy."""
    if FITTING.fullmatch(name) is not None:
        return name
    head = re.sub(r"[^A-Za-z0-9_.-]", "", name)[:HEAD_LENGTH]
    return f"{head}~{digest(name)}"


def digest(*words: str) -> str:
    """35 bits of a hash, in letters."""
    told = hashlib.blake2b("\0".join(words).encode(), digest_size=5, person=b"policy").digest()
    return b32encode(told).decode().lower()[:7]


def permits(head: str, members: Iterable[tuple[str, str]]) -> Iterator[FrrLine]:
    """``HEAD seq N permit MEMBER`` for each of (member, path).

    N comes of the member alone, so that one more leaves the others where they are.
    """
    taken: set[int] = set()
    for member, path in sorted(dict(members).items()):
        told = hashlib.blake2b(member.encode(), digest_size=4, person=b"sequence").digest()
        sequence = int.from_bytes(told) % MAX_SEQUENCE + 1
        while sequence in taken:
            sequence = sequence % MAX_SEQUENCE + 1
        taken.add(sequence)
        # As ``line`` would make it, which tries some forty rules to find the slot: there may be thousands.
        slot = f"{head} seq {sequence}"
        yield FrrLine((), slot, f"{slot} permit {member}", path)


def spread(name: str, members: Iterable[str]) -> dict[str, list[str]]:
    """The lists (name → members) that a large set of prefixes is spread over.

    bgpd compares each new line with all others of its list, three times: 2,000 lines in one
    list take it 70 s, in 64 lists 2 s.  The member alone says into which it goes.
    """
    found: dict[str, list[str]] = {}
    every = sorted(set(members))
    count = 1
    while len(every) > (MOST_IN_ONE if count == 1 else MOST_IN_EACH * count):
        count *= 2
    for member in every:
        told = hashlib.blake2b(member.encode(), digest_size=4, person=b"list").digest()
        found.setdefault(name if count == 1 else f"{name}~{int.from_bytes(told) % count}", []).append(member)
    return dict(sorted(found.items()))


def community_head(name: str, members: Iterable[str]) -> str:
    kind = "expanded" if any(is_expression(member) for member in members) else "standard"
    return f"bgp community-list {kind} {name}"


def community_lines(name: str, members: Iterable[tuple[str, str]]) -> Iterator[FrrLine]:
    """A list that a community matches which is one of the members (FRR's text, path) or fits one."""
    rows = list(members)
    head = community_head(name, (member for member, _ in rows))
    if " expanded " in head:
        rows = [(member if is_expression(member) else f"_{member}_", path) for member, path in rows]
    yield from permits(head, rows)


def is_expression(member: str) -> bool:
    return member.startswith("_")


def community(value: str, path: str) -> str:
    """FRR's text of a community (RFC 1997), an expression over one as FRR's over all of a route's."""
    if value.startswith("^"):
        return f"_({_expression(value[1:-1], path)})_"
    if (named := WELL_KNOWN.get(value.rpartition(":")[2])) is not None:
        return named
    if value == INTERNET:
        raise errors.InvalidValue(
            "FRR takes community 0:0 for the one that every route has.", path, "nesrv-policy-community"
        )
    return NUMBERS_WITH_A_NAME.get(value, value)


def community_order(text: str) -> tuple[int, ...]:
    """The order in which FRR prints communities."""
    return tuple(map(int, NAMES_WITH_A_NUMBER.get(text, text).split(":")))


PIECE = re.compile(r"\\.|\[\^?\]?[^\]]*\]|.", re.DOTALL)


def _expression(inner: str, path: str) -> str:
    """``inner`` kept within one community: FRR looks at the text of all, with spaces between."""
    made = ""
    for piece in PIECE.findall(inner):
        if piece in ("_", "^", "$") or " " in piece or not piece.isprintable():
            raise errors.InvalidValue(
                f"An expression over one community has no {piece!r} inside.", path, "nesrv-policy-expression"
            )
        if piece == ".":
            made += "[^ ]"
        elif piece.startswith("[^"):
            made += f"[^ {piece[2:]}"
        else:
            made += piece
    return made


def ext_community(value: str, path: str) -> str:
    """``rt AS:N`` or ``soo AS:N`` (RFC 4360); raises ``RpcError`` for anything else."""
    kind = "soo" if value.startswith(ROUTE_ORIGIN) else "rt"
    bare = value.removeprefix(ROUTE_TARGET).removeprefix(ROUTE_ORIGIN)
    found = EXT_COMMUNITY.fullmatch(bare)
    if found is None:
        raise errors.InvalidValue(
            f"{value} is neither a route target nor route-origin: and AS:N or IPv4:N; expressions over extended "
            "communities FRR cannot hold to one of them.",
            path,
            "nesrv-policy-ext-community",
        )
    return f"{kind} {bare}"


def ext_community_order(text: str) -> tuple[object, ...]:
    """The order in which FRR prints extended communities in a list: by their bytes."""
    kind, _, bare = text.partition(" ")
    where, _, number = bare.partition(":")
    subtype = 2 if kind == "rt" else 3
    if "." in where:
        return (1, subtype, tuple(map(int, where.split("."))), int(number))
    return (0 if int(where) < 2**16 else 2, subtype, (int(where),), int(number))
