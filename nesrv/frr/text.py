"""FRR configuration as facts: one line in one context; no I/O here.

Canonical forms.  A fact must carry the text that ``show running-config`` prints, or every
start would find a difference.  Measured on FRR 8.4.4 (``router bgp`` level unless said):

===============================================  ==================================================
setting                                          canonical text
===============================================  ==================================================
names (top level)                                ``hostname NAME`` (bgpd calls itself what the machine is
                                                 called, and prints it, until ``no hostname``),
                                                 ``domainname NAME``
the instance itself (context ``()``)             ``router bgp AS`` / ``router bgp AS vrf NAME``
router id, cluster id                            ``bgp router-id A.B.C.D``, ``bgp cluster-id A.B.C.D``
defaults switched off                            ``no bgp default ipv4-unicast``,
                                                 ``no bgp ebgp-requires-policy``,
                                                 ``no bgp network import-check``
graceful restart                                 ``bgp graceful-restart``, ``… stalepath-time N``,
                                                 ``… restart-time N`` (360 and 120 are not printed),
                                                 ``… preserve-fw-state``, ``bgp graceful-restart-disable``
multipath over AS                                ``bgp bestpath as-path multipath-relax``
listen range                                     ``bgp listen range P peer-group G``, ``bgp listen limit N``
                                                 (100 is not printed)
peer group                                       ``neighbor G peer-group``, ``neighbor G remote-as external``
neighbour                                        ``neighbor X remote-as N|internal|external``
neighbour of a group                             ``neighbor X peer-group G``
unnumbered neighbour                             ``neighbor IF interface [v6only] remote-as N|internal|external``,
                                                 ``neighbor IF interface [v6only] peer-group G``
local AS                                         ``neighbor X local-as N [no-prepend [replace-as]]`` (refused for an
                                                 internal peer, for the own AS and for the peer's)
text, secret                                     ``neighbor X description …`` (runs of spaces become one),
                                                 ``neighbor X password …`` (clear text, no spaces)
hold and keepalive time                          ``neighbor X timers KEEPALIVE HOLD`` (60 180 is printed once set)
connect retry time                               ``neighbor X timers connect N`` (120 is printed once set)
multihop                                         ``neighbor X ebgp-multihop TTL`` (TTL always printed: 255 when
                                                 none is given; never printed for an internal peer; 1 is not kept)
source                                           ``neighbor X update-source ADDRESS|IF``
switches                                         ``neighbor X shutdown|passive|disable-connected-check|
                                                 capability extended-nexthop``, and one of
                                                 ``graceful-restart[-helper|-disable]``; the capability is not
                                                 printed for an unnumbered neighbour, which has it
segment size, advertisement interval             ``neighbor X tcp-mss N``, ``neighbor X advertisement-interval N`` (0 is
                                                 printed once set)
port                                             ``neighbor X port N`` (179 is not printed)
BFD                                              ``neighbor X bfd``; a profile is a second line beside it:
                                                 ``neighbor X bfd profile P``
BFD profile (context ``("bfd", "profile P")``)   ``detect-multiplier N``, ``transmit-interval MS``, ``receive-interval
                                                 MS``, ``minimum-ttl N``, ``passive-mode`` (3, 300, 300 and 254 are
                                                 not printed)
address families (context)                       ``address-family ipv4 unicast``, ``address-family ipv6 unicast``,
                                                 ``address-family l2vpn evpn``; printed only when not empty, so
                                                 they exist through their lines
activation, in a family                          ``neighbor X activate``; in ipv4 unicast it is not printed where
                                                 ``bgp default ipv4-unicast`` holds, and its absence reads
                                                 ``no neighbor X activate``: switch the default off
per family                                       ``neighbor X allowas-in [N|origin]`` (3 is not printed),
                                                 ``neighbor X soft-reconfiguration inbound``,
                                                 ``neighbor X route-reflector-client``, ``neighbor X next-hop-self``,
                                                 ``neighbor X maximum-prefix N [PERCENT] [warning-only|restart
                                                 MINUTES] [force]`` (75 is not printed),
                                                 ``neighbor X remove-private-AS all [replace-AS]``,
                                                 ``neighbor X route-map R in|out``,
                                                 ``neighbor X default-originate``, ``neighbor X as-override``,
                                                 ``no neighbor X send-community [extended|large]`` (all are on),
                                                 ``no … send-community all`` for the three of them;
                                                 l2vpn evpn knows none of limits, communities, private AS and
                                                 override: vtysh takes them for lines of ipv4 unicast there
distance                                         ``distance bgp EXTERNAL INTERNAL LOCAL`` (20 200 200 is not printed)
networks                                         ``network PREFIX``, ``redistribute connected|static|kernel``
multipath                                        ``maximum-paths N``, ``maximum-paths ibgp N`` (256, which FRR has by
                                                 default, is not printed; l2vpn evpn has none)
EVPN, default instance                           ``advertise-all-vni``; per VNI a block ``vni N`` (own fact) with
                                                 ``rd``, ``route-target import|export RT`` inside; it stays,
                                                 empty, when they go, and ``no vni N`` leaves the VNI to bgpd
EVPN, VRF instance                               ``advertise ipv4 unicast``, ``advertise ipv6 unicast``, ``rd RD``,
                                                 ``route-target import RT``, ``route-target export RT``; never
                                                 ``route-target both``, which is printed as two lines
leaking, VRF instance, in a unicast family       ``rd vpn export RD``, ``rt vpn import RT …``, ``rt vpn export RT …``
                                                 (in the order given; ``rt vpn both RT …`` where they are the
                                                 same), ``export vpn``, ``import vpn``
VNI of a VRF (context ``("vrf NAME",)``)         ``vni N`` (the ``vrf NAME`` block exists through its lines)
lists                                            ``ip prefix-list NAME seq N permit P [ge A] [le B]``, ``ipv6 …``,
                                                 ``bgp community-list standard|expanded NAME seq N permit …``,
                                                 ``bgp extcommunity-list standard NAME seq N permit rt …``,
                                                 ``bgp as-path access-list NAME seq N permit …``; communities
                                                 are sorted by number and well-known ones named, extended ones
                                                 sorted by their bytes; ``ge`` equal to the length stays
policies                                         ``route-map NAME permit|deny N`` with ``match …``, ``set …``,
                                                 ``on-match next|goto N`` inside; ``set community`` is sorted,
                                                 ``set extcommunity rt`` stays as given; ``| `` in a line is a
                                                 pipe to the vty
static routes                                    ``ip route P NEXTHOP [IF]|IF|blackhole|Null0|reject [tag T]
                                                 [DISTANCE]``, ``ipv6 route …``, at top level or in context
                                                 ``("vrf NAME",)``; a distance of 1 is not printed
redistribution                                   ``redistribute connected|static [metric N] [route-map R]`` (a metric or
                                                 map that is not given again stays; the same again is status 1)
===============================================  ==================================================

Blocks that are facts of their own (so that one ``no`` removes them whole): ``router bgp …``,
``vni N`` inside l2vpn evpn, ``route-map NAME ACTION SEQ``, and ``profile``/``peer`` inside ``bfd``.

Prefixes are masked (``10.0.0.0/24``), IPv6 is lower case and compressed, AS numbers are plain.
A route target equal to the automatic one (AS:VNI) is not kept where it adds nothing; in the block
``vni N`` it is kept where another one stands while it is given (``delta``).
staticd has one line for a prefix, next hop and interface: another tag or distance replaces the
old, and the tag belongs to all lines of one prefix and distance.  A word that it does not know
is an interface to it (``… bfd`` on 8.4), a black hole has no other next hop of its distance beside it.
Another router id makes bgpd overwrite ``rd vpn export`` and ``rt vpn export`` with its own: give them again.
``neighbor X bfd`` takes no timers of its own: they come from a profile or a ``bfd`` peer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from nesrv.frr.order import ADDRESS, EVPN_FAMILY, ROUTE_MAP, order_of

NEIGHBOR_WORDS: dict[str, int] = {
    "advertisement-interval": 3,
    "allowas-in": 3,
    "default-originate": 3,
    "description": 3,
    "ebgp-multihop": 3,
    "interface": 3,
    "local-as": 3,
    "maximum-prefix": 3,
    "maximum-prefix-out": 3,
    "next-hop-self": 3,
    "password": 3,
    "peer-group": 3,
    "port": 3,
    "remote-as": 3,
    "remove-private-AS": 3,
    "soft-reconfiguration": 3,
    "tcp-mss": 3,
    "ttl-security": 3,
    "unsuppress-map": 3,
    "update-source": 3,
    "weight": 3,
}
"""``neighbor X KEYWORD …``: how many words make the slot; other keywords are slots as they stand."""

SLOT_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), slot)
    for pattern, slot in (
        (r"((?:ip|ipv6) route \S+ \S+(?: (?!tag\b)(?!\d+\b)\S+)?)(?: tag \d+)?(?: \d+)?", r"\1"),
        (r"neighbor (\S+) timers (connect|delayopen) .*", r"neighbor \1 timers \2"),
        (r"neighbor (\S+) timers .*", r"neighbor \1 timers"),
        (r"neighbor (\S+) bfd profile .*", r"neighbor \1 bfd profile"),
        (r"neighbor (\S+) bfd \d+ .*", r"neighbor \1 bfd"),
        (r"neighbor (\S+) shutdown( message .*)?", r"neighbor \1 shutdown"),
        (r"neighbor (\S+) graceful-restart(-helper|-disable)?", r"neighbor \1 graceful-restart"),
        (r"neighbor (\S+) (route-map|prefix-list|filter-list|distribute-list) \S+ (in|out)", r"neighbor \1 \2 \3"),
        (r"bgp (router-id|cluster-id|coalesce-time) .*", r"bgp \1"),
        (r"bgp graceful-restart (\S+) .*", r"bgp graceful-restart \1"),
        (r"bgp (listen limit|default local-preference|confederation identifier) .*", r"bgp \1"),
        (r"bgp listen range (\S+) .*", r"bgp listen range \1"),
        (r"timers bgp .*", r"timers bgp"),
        (r"(hostname|domainname) .*", r"\1"),
        (r"maximum-paths ibgp .*", r"maximum-paths ibgp"),
        (r"maximum-paths \d+", r"maximum-paths"),
        (r"(network|redistribute|aggregate-address) (\S+).*", r"\1 \2"),
        (r"advertise (ipv[46]) unicast.*", r"advertise \1 unicast"),
        (r"(rd vpn export|rt vpn (?:import|export|both)) .*", r"\1"),
        (r"distance bgp .*", r"distance bgp"),
        (r"rd .*", r"rd"),
        (
            r"(detect-multiplier|transmit-interval|receive-interval|minimum-ttl|echo transmit-interval"
            r"|echo receive-interval) .*",
            r"\1",
        ),
        (
            r"set (as-path prepend|comm-list|community|large-community|extcommunity \S+|\S+ next-hop(?: \S+)?|\S+) .*",
            r"set \1",
        ),
        (r"match (.*) \S+", r"match \1"),
        (r"(?:on-match|continue).*", r"on-match"),
        (r"((?:ip|ipv6) prefix-list \S+ seq \d+) .*", r"\1"),
        (r"(bgp \S+ (?:standard |expanded |access-list )?\S+ seq \d+) .*", r"\1"),
    )
)

SECRET = re.compile(r"(?<=\spassword )\S.*")
BLOCK = re.compile(r"router bgp |route-map \S+ (?:permit|deny) \d+$")
INNER_BLOCK = {EVPN_FAMILY: re.compile(r"vni \d+$"), "bfd": re.compile(r"(?:profile|peer) ")}
RANK, RAW_RANK = 10, 19
"""Both before the kernel's links: FRR's EVPN instance stands before a VXLAN device appears."""


@dataclass(frozen=True, slots=True)
class FrrLine:
    """``text`` as ``show running-config`` prints it, inside ``context`` (outermost first, empty at top level).

    ``slot`` is what the line sets (``neighbor 192.0.2.1 timers``): two lines of one context
    with the same slot are two values of one setting.  Made by ``line()``.  ``raw``: a person
    wrote it, so whether FRR prints it like this is seen only when FRR has it.
    """

    context: tuple[str, ...]
    slot: str
    text: str
    path: str = field(compare=False)
    raw: bool = field(default=False, compare=False)
    domain: ClassVar[str] = "frr"

    @property
    def key(self) -> tuple[str | tuple[str, ...], ...]:
        return ("frr", self.context, self.slot)

    @property
    def rank(self) -> tuple[int, ...]:
        """``(10, kind of block, place in the block, place in the family)``; raw lines come after all others.

        The VNI of a VRF comes after its BGP instance, so that deletion takes the VNI first (see ``leaves_first``):
        bgpd keeps an instance whose L3VNI is active.
        """
        return (RAW_RANK if self.raw else RANK, *order_of(self.context, self.text))

    @property
    def leaves_first(self) -> bool:
        """The VNI of a VRF comes before its VXLAN device and goes before it as well: zebra 10 ends by a null pointer
        when a route into the VNI is withdrawn and the device is gone already (FRR #20494)."""
        return self.slot == "vni" and bool(self.context)

    @property
    def block(self) -> tuple[str, ...] | None:
        """The context that this line opens if it is a block of its own."""
        inner = (*self.context, self.text)
        return inner if is_block(self.context, self.text) else None

    @property
    def place(self) -> tuple[tuple[int, ...], tuple[str, ...], tuple[int, ...], tuple[str, ...], tuple[int, ...]]:
        """Sorts like ``rank``, and keeps the lines of one block together."""
        opened, rank = self.block or self.context, self.rank
        entry = ROUTE_MAP.match(opened[0]) if opened else None
        return rank[:2], (entry["name"],) if entry else opened[:1], rank[:3], opened[1:], rank[3:]

    @property
    def peer(self) -> str | None:
        """The neighbour or peer group that this line brings into being (joining a group may, too)."""
        words = self.text.split(" ", 3)
        if len(self.context) != 1 or len(words) < 3 or words[0] != "neighbor":
            return None
        makes = words[2] in ("peer-group", "interface") or (words[2] == "remote-as" and ADDRESS.match(words[1]))
        return words[1] if makes else None

    @property
    def neighbor(self) -> str | None:
        """The neighbour or peer group that this line is about."""
        words = self.text.removeprefix("no ").split(" ", 2)
        return words[1] if self.context and words[0] == "neighbor" and len(words) == 3 else None

    @property
    def masked(self) -> str:
        return mask(self.text)


def line(context: tuple[str, ...], text: str, path: str) -> FrrLine:
    """The fact for one line; ``slot`` by the rules above, the whole line where none applies."""
    return FrrLine(context, slot_of(context, text), text, path)


def is_block(context: tuple[str, ...], text: str) -> bool:
    if not context:
        return BLOCK.match(text) is not None
    rule = INNER_BLOCK.get(context[-1])
    return rule is not None and rule.match(text) is not None


def slot_of(context: tuple[str, ...], text: str) -> str:
    if is_block(context, text):
        return text
    bare = text.removeprefix("no ")
    if context and context[0].startswith("vrf ") and bare.startswith("vni "):
        return "vni"
    if bare.startswith("neighbor "):
        words = bare.split(" ")
        if len(words) > 3 and (count := NEIGHBOR_WORDS.get(words[2])) is not None:
            return " ".join(words[:count])
    elif bare.startswith("route-target "):
        return bare
    for pattern, slot in SLOT_RULES:
        if (found := pattern.fullmatch(bare)) is not None:
            return found.expand(slot)
    return bare


def mask(text: str) -> str:
    """The text without its secrets."""
    return SECRET.sub("***", text)


MANAGED = re.compile(
    r"hostname |domainname "
    r"|vrf |router bgp |interface |route-map |bfd$|ip route |ipv6 route |ip prefix-list |ipv6 prefix-list "
    r"|bgp (?:as-path|community-list|extcommunity-list|large-community-list)"
)
"""Top-level lines that nesrv manages; all others (banner, defaults, logging) are left alone."""
IMPLIED = re.compile(r"vrf |interface |bfd$|address-family ")
"""Lines that open a context without being a fact: they exist through what is in them."""
CLOSERS = frozenset({"exit", "end", "exit-vrf", "exit-vni", "exit-address-family", "exit-route-map", "!"})
BETWEEN_VRFS = re.compile(r"(?:import|export) vpn$|import vrf ")
"""Lines by which routes of one VRF come to lead into another."""
BY_ITSELF = re.compile(r"netns /")
"""Lines that FRR adds without being told."""
PRINTED_SHORT = {" ebgp-multihop": " 255"}
"""Ends of lines that FRR 10 prints without a value that FRR 8 prints."""


def parse(running_config: str) -> tuple[FrrLine, ...]:
    """The managed lines of ``show running-config``, in its order, with empty paths.

    Indentation gives the context: one space a level, as FRR prints it.
    """
    facts: list[FrrLine] = []
    context: list[str] = []
    managed = False
    for raw in running_config.splitlines():
        text = raw.strip()
        if not text or text in CLOSERS or text.startswith("!"):
            continue
        depth = len(raw) - len(raw.lstrip(" "))
        if depth == 0:
            managed = MANAGED.match(text) is not None
        if not managed or BY_ITSELF.match(text):
            continue
        text += PRINTED_SHORT.get(text[text.rfind(" ") :], "")
        del context[depth:]
        above = tuple(context)
        context.append(text)
        if not IMPLIED.match(text) or (above and not text.startswith("address-family ")):
            facts.append(line(above, text, ""))
    return tuple(facts)


def render(lines: Iterable[FrrLine]) -> str:
    """A configuration file in FRR's shape, in order of creation."""
    out: list[str] = []
    current: tuple[str, ...] = ()
    for fact in sorted(lines, key=lambda fact: fact.place):
        target = fact.block or fact.context
        out += leave(current, fact.context)
        shared = common(current, fact.context)
        for depth in range(shared, len(fact.context)):
            out.append(" " * depth + fact.context[depth])
        out.append(" " * len(fact.context) + fact.text)
        current = target
    out += leave(current, ())
    return "\n".join([*out, ""]) if out else ""


def common(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    """How many levels two contexts share."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def leave(current: tuple[str, ...], target: tuple[str, ...]) -> list[str]:
    """The closing lines that lead out of ``current`` as far as ``target`` demands."""
    closing: list[str] = []
    for depth in range(len(current) - 1, common(current, target) - 1, -1):
        closing.append(" " * depth + _closer(current[depth], depth))
    return closing


def _closer(opened: str, depth: int) -> str:
    if opened.startswith("address-family "):
        return "exit-address-family"
    if opened.startswith("vrf "):
        return "exit-vrf"
    return "exit-vni" if depth == 2 and opened.startswith("vni ") else "exit"
