"""What differs between the FRR releases nesrv knows: which daemon owns a line, what may be pipelined, which
answers are harmless.  Measured on 8.4.4 and 10.3; that 10.6 has IPv6 VTEPs is from its release notes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from nesrv.frr.text import FrrLine

Owners = tuple[tuple[re.Pattern[str], str], ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """``owners``: first pattern that matches ``outermost line / line`` names the daemon.

    ``one_by_one``: daemons whose socket must not be pipelined and which take a transaction.
    ``fragile``: daemons that a ``no vrf`` which their own clients refuse may abort.
    ``grouped``: lines of bgpd that cost it the more the more it has, unless many make one transaction
    (2,000 lines of prefix-lists: 12 s one by one, 2 s together; 20 s and 1 s on 10.3, 73 s and 1 s to delete them).
    ``benign``: (line, answer) patterns that mean the line holds although the status is not 0.
    ``ipv6_vteps``: whether bgpd announces them; in the place of their address 8.4.4 announces the router id and 10.3,
    whose zebra takes them for 0.0.0.0, the session's IPv4 address.
    """

    major: int
    daemons: tuple[str, ...]
    owners: Owners
    one_by_one: frozenset[str]
    fragile: frozenset[str]
    grouped: re.Pattern[str] | None
    benign: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    ipv6_vteps: bool = False

    def owner(self, fact: FrrLine) -> str:
        where = "/".join((*fact.context[:1], fact.text))
        return next(daemon for pattern, daemon in self.owners if pattern.match(where))

    def is_benign(self, command: str, answer: str) -> bool:
        return any(line.match(command) and said.fullmatch(answer.strip()) for line, said in self.benign)


def _owners(*rows: tuple[str, str]) -> Owners:
    return tuple((re.compile(pattern), daemon) for pattern, daemon in rows)


STATIC = r"(vrf [^/]+/)?(no )?(ip|ipv6) route "
POLICIES = re.compile(r"route-map |ip prefix-list |ipv6 prefix-list ")
EMPTY = re.compile("")

FRR_8 = Dialect(
    major=8,
    daemons=("zebra", "bgpd", "bfdd", "staticd"),
    owners=_owners((STATIC, "staticd"), ("bfd(/|$)", "bfdd"), ("(vrf|interface) ", "zebra"), ("", "bgpd")),
    one_by_one=frozenset(),
    fragile=frozenset(),
    grouped=POLICIES,
    benign=(),
)

FRR_10 = Dialect(
    major=10,
    daemons=("mgmtd", "zebra", "bgpd", "bfdd", "staticd"),
    owners=_owners((STATIC, "mgmtd"), ("bfd(/|$)", "bfdd"), ("vrf ", "mgmtd"), ("interface ", "zebra"), ("", "bgpd")),
    one_by_one=frozenset({"mgmtd"}),
    fragile=frozenset({"mgmtd"}),
    grouped=POLICIES,
    benign=(
        (re.compile(r"advertise ipv[46] unicast"), EMPTY),
        (
            re.compile(r"route-target (import|export) "),
            re.compile(r"% RT specified already configured for this VRF: .*"),
        ),
    ),
)

FRR_10_6 = replace(FRR_10, ipv6_vteps=True)

VERSION = re.compile(r"FRRouting (\d+)\.(\d+)")
SINCE: tuple[tuple[tuple[int, int], Dialect], ...] = (((10, 6), FRR_10_6), ((10, 0), FRR_10), ((0, 0), FRR_8))
"""First release of each dialect, the newest first."""


def dialect_of(show_version: str) -> Dialect:
    """The dialect for the answer to ``show version``; an unknown text reads as the newest."""
    found = VERSION.search(show_version)
    release = (int(found[1]), int(found[2])) if found is not None else SINCE[0][0]
    return next(dialect for first, dialect in SINCE if release >= first)


WAITS: tuple[re.Pattern[str], ...] = (
    re.compile(r"% Please unconfigure l3vni"),
    re.compile(r"% L3VNI \d+ is scheduled to be deleted"),
    re.compile(r"% Cannot delete default BGP instance"),
    re.compile(r".*Only inactive VRFs can be deleted"),
)
"""Refusals that pass once a message between FRR's own daemons has arrived."""
