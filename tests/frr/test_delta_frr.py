"""From any configuration to any other: real FRR ends with exactly the lines wanted."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from nesrv.frr.daemons import Home
from nesrv.frr.delta import commands
from nesrv.frr.lines import Lines
from nesrv.frr.text import FrrLine, line
from nesrv.frr.writer import Frr
from tests.frr.engine import DEFAULT, RED, delta, lines, on_frr
from tests.frr.slices import EVERYTHING

VARIANTS: dict[str, tuple[str, ...]] = {
    "bgp router-id 10.0.0.1": ("bgp router-id 10.0.0.5",),
    "bgp cluster-id 10.0.0.9": ("bgp cluster-id 10.0.0.8",),
    "bgp graceful-restart restart-time 100": ("bgp graceful-restart restart-time 90",),
    "neighbor 192.0.2.1 remote-as 65001": (
        "neighbor 192.0.2.1 remote-as 65002",
        "neighbor 192.0.2.1 remote-as external",
    ),
    "neighbor 192.0.2.1 description to the spine": ("neighbor 192.0.2.1 description elsewhere",),
    "neighbor 192.0.2.1 password s3cret": ("neighbor 192.0.2.1 password other",),
    "neighbor 192.0.2.1 timers 3 9": ("neighbor 192.0.2.1 timers 10 30",),
    "neighbor 192.0.2.1 timers connect 5": ("neighbor 192.0.2.1 timers connect 7",),
    "neighbor 192.0.2.1 ebgp-multihop 5": ("neighbor 192.0.2.1 ebgp-multihop 255",),
    "neighbor 192.0.2.1 update-source 10.0.0.1": ("neighbor 192.0.2.1 update-source lo",),
    "neighbor 192.0.2.1 port 1179": ("neighbor 192.0.2.1 port 2179",),
    "neighbor 192.0.2.1 local-as 65009 no-prepend replace-as": (
        "neighbor 192.0.2.1 local-as 65008",
        "neighbor 192.0.2.1 local-as 65009 no-prepend",
    ),
    "neighbor eth0 interface remote-as external": (
        "neighbor eth0 interface remote-as internal",
        "neighbor eth0 interface v6only remote-as external",
        "neighbor eth0 interface peer-group LEAVES",
    ),
    "neighbor LEAVES remote-as external": ("neighbor LEAVES remote-as 65010",),
    "neighbor 192.0.2.9 peer-group LEAVES": (
        "neighbor 192.0.2.9 peer-group OTHERS",
        "neighbor 192.0.2.9 remote-as 65020",
    ),
    "bgp listen range 10.9.0.0/16 peer-group LEAVES": ("bgp listen range 10.9.0.0/16 peer-group OTHERS",),
    "neighbor 192.0.2.1 allowas-in": ("neighbor 192.0.2.1 allowas-in 2", "neighbor 192.0.2.1 allowas-in origin"),
    "neighbor 192.0.2.1 maximum-prefix 100": (
        "neighbor 192.0.2.1 maximum-prefix 200 80 warning-only",
        "neighbor 192.0.2.1 maximum-prefix 100 restart 5",
    ),
    "neighbor 192.0.2.2 next-hop-self": ("neighbor 192.0.2.2 next-hop-self force",),
    "no neighbor 192.0.2.2 send-community": (
        "no neighbor 192.0.2.2 send-community all",
        "no neighbor 192.0.2.2 send-community extended",
    ),
    "redistribute connected": ("redistribute connected route-map RM",),
    "network 10.0.0.1/32": ("network 10.0.0.1/32 route-map RM",),
    "maximum-paths 4": ("maximum-paths 2",),
    "vni 100": ("vni 101",),
    "rd 10.0.0.1:100": ("rd 10.0.0.2:100",),
    "rd 10.0.0.1:200": ("rd 10.0.0.2:200",),
    "advertise ipv4 unicast": ("advertise ipv4 unicast route-map RM",),
    "neighbor 10.1.0.1 remote-as 64600": ("neighbor 10.1.0.1 remote-as internal",),
    "ip prefix-list PL seq 5 permit 10.0.0.0/8 le 24": ("ip prefix-list PL seq 5 deny 10.0.0.0/9",),
    "bgp community-list standard CL seq 5 permit 64514:1": ("bgp community-list standard CL seq 5 permit 64514:2",),
    "set local-preference 200": ("set local-preference 150",),
    "set community 64514:9 additive": ("set community 64514:8",),
    "match community CL": ("match community CL2",),
    "detect-multiplier 4": ("detect-multiplier 5",),
}
EXTRA = lines(
    (
        ((DEFAULT,), "neighbor OTHERS peer-group"),
        ((DEFAULT,), "neighbor OTHERS remote-as internal"),
        ((DEFAULT,), "neighbor 192.0.2.1 bfd profile fast"),
        ((DEFAULT, "address-family ipv4 unicast"), "neighbor 192.0.2.9 activate"),
        ((DEFAULT, "address-family l2vpn evpn"), "advertise ipv4 unicast"),
        ((RED, "address-family l2vpn evpn"), "route-target import 9:9"),
    )
)
POOL = (*EVERYTHING, *EXTRA)


def drawn(dice: random.Random) -> list[FrrLine]:
    """A random configuration: some lines left out, some with another value, nothing without what it stands on.

    Instances always have the IPv4 default off: FRR prints the activations the other way round otherwise.
    """
    share = dice.choice((0.6, 0.9, 0.97))
    facts: list[FrrLine] = []
    for fact in POOL:
        if dice.random() < share or fact.text == "no bgp default ipv4-unicast":
            text = dice.choice((fact.text, *VARIANTS.get(fact.text, ())))
            facts.append(line(fact.context, text, "/test:path"))
    while True:
        standing = [fact for fact in facts if stands(fact, facts)]
        if len(standing) == len(facts):
            return facts
        facts = standing


def stands(fact: FrrLine, facts: Sequence[FrrLine]) -> bool:
    opened = {other.block for other in facts}
    for depth in range(1, len(fact.context) + 1):
        context = fact.context[:depth]
        implied = context[-1].startswith(("vrf ", "address-family ")) or context == ("bfd",)
        if not implied and context not in opened:
            return False
    if fact.text == RED and DEFAULT not in {other.text for other in facts}:
        return False
    peers = {(other.context, other.peer) for other in facts if other.peer and makes_peer(other, facts)}
    if fact.neighbor is not None and (fact.context[:1], fact.neighbor) not in peers:
        return False
    group = fact.text.partition(" peer-group ")[2]
    present = {other.text for other in facts}
    if group:
        return any(text.startswith(f"neighbor {group} remote-as ") for text in present)
    if fact.text == "vni 200":
        return "advertise-all-vni" in present
    if "bfd profile" in fact.text:
        return "neighbor 192.0.2.1 bfd" in present
    return True


def makes_peer(fact: FrrLine, facts: Sequence[FrrLine]) -> bool:
    group = fact.text.partition(" peer-group ")[2]
    return not group or any(other.text.startswith(f"neighbor {group} remote-as ") for other in facts)


@pytest.mark.parametrize("seed", range(12))
def test_any_change_ends_in_what_was_wanted(home: Home, seed: int) -> None:
    async def body(frr: Frr) -> None:
        dice = random.Random(seed)
        for _ in range(12):
            before, wanted = list(frr.actual.values()), drawn(dice)
            await frr.apply(delta(before, wanted))
            found = set((await frr.read()).values())
            assert (found - set(wanted), set(wanted) - found) == (set(), set())

    on_frr(home, body)


def test_nothing_to_do_sends_nothing() -> None:
    assert commands(delta(EVERYTHING, EVERYTHING), Lines(EVERYTHING)) == []
