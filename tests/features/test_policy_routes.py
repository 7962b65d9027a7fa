"""Every condition and action on real routes: one bgpd announces, another has the policy, and its table is read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from nesrv.features.policy import chain
from nesrv.frr.daemons import Home
from nesrv.frr.text import FrrLine
from nesrv.frr.writer import Frr
from tests.features import policies as pol
from tests.features.element import Element
from tests.features.policies import ACCEPT, REJECT, statement
from tests.frr.engine import creates, delta, eventually, frr_of, lines, made_home, sh

ELEMENT, PEER = "192.0.2.1", "192.0.2.2"
ELEMENT6, PEER6 = "2001:db8:ffff::1", "2001:db8:ffff::2"
ROUTER = "router bgp 65000"
IPV4, IPV6 = "address-family ipv4 unicast", "address-family ipv6 unicast"
ANNOUNCED = {
    "10.1.0.0/16": ("metric 5", "community 65000:1"),
    "10.2.0.0/16": ("community 65000:1 65000:2", "as-path prepend 7 8"),
    "10.3.0.0/16": ("community graceful-shutdown 65001:2", "extcommunity rt 65000:1"),
    "10.4.0.0/24": ("origin egp", "extcommunity rt 65000:1 65000:2"),
    # The same bits as 10.1.0.0/16: lists of IPv4 must not take it for that.
    "a01::/16": ("community 65000:1",),
    "2001:db8:1::/48": ("metric 5",),
}
A, B, C, D, E, F = ANNOUNCED
ALL = frozenset(ANNOUNCED)


def _session(own_as: int, address: str, address6: str, other_as: int, way: str, name: str) -> list[tuple[Any, str]]:
    top = f"router bgp {own_as}"
    rows: list[tuple[tuple[str, ...], str]] = [((), top), ((top,), f"bgp router-id {address}")]
    rows += [((top,), "no bgp default ipv4-unicast"), ((top,), "no bgp ebgp-requires-policy")]
    for family, other in ((IPV4, PEER if own_as == 65000 else ELEMENT), (IPV6, PEER6 if own_as == 65000 else ELEMENT6)):
        rows += [((top,), f"neighbor {other} remote-as {other_as}"), ((top, family), f"neighbor {other} activate")]
        rows += [((top, family), f"neighbor {other} route-map {name} {way}")] if name else []
    return rows


def _speaker() -> list[FrrLine]:
    rows = _session(65001, PEER, PEER6, 65000, "out", "")
    rows.append((("router bgp 65001",), "no bgp network import-check"))
    for number, (prefix, sets) in enumerate(ANNOUNCED.items()):
        block = f"route-map R{number} permit 10"
        rows += [((), block), *(((block,), f"set {words}") for words in sets)]
        family = IPV6 if ":" in prefix else IPV4
        rows.append((("router bgp 65001", family), f"network {prefix} route-map R{number}"))
    return lines(rows)


@contextmanager
def _link(one: Home, other: Home) -> Iterator[None]:
    """A wire between two elements with both ends' addresses."""
    sh("ip", "-n", one.element, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", other.element)
    for home, address, address6 in ((one, ELEMENT, ELEMENT6), (other, PEER, PEER6)):
        sh("ip", "-n", home.element, "address", "add", f"{address}/24", "dev", "wire")
        sh("ip", "-n", home.element, "address", "add", f"{address6}/64", "dev", "wire", "nodad")
        sh("ip", "-n", home.element, "link", "set", "wire", "up")
    yield
    sh("ip", "-n", one.element, "link", "del", "wire")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Home]]:
    run = tmp_path_factory.mktemp("two")
    for folder in (run, *run.parents[:2]):
        folder.chmod(0o755)
    with made_home(run) as one, made_home(run) as other, _link(one, other):
        yield one, other


@asynccontextmanager
async def running(two: tuple[Home, Home], way: str, name: str) -> AsyncIterator[tuple[Frr, Frr, list[FrrLine]]]:
    """The element, its peer, and the element's lines without a policy."""
    async with AsyncExitStack() as stack:
        element, peer = [await stack.enter_async_context(frr_of(home)) for home in two]
        own = lines(_session(65000, ELEMENT, ELEMENT6, 65001, way, name))
        await peer.apply(creates(_speaker()))
        await element.apply(creates(own))
        yield element, peer, own


async def table(frr: Frr) -> dict[str, dict[str, Any]]:
    """Prefix → its best path's attributes."""
    found: dict[str, dict[str, Any]] = {}
    for family in ("ipv4", "ipv6"):
        for prefix in json.loads(await frr.show("bgpd", f"show bgp {family} unicast json"))["routes"]:
            answer = json.loads(await frr.show("bgpd", f"show bgp {family} unicast {prefix} json"))
            if answer.get("paths"):
                found[prefix] = _attributes(answer["paths"][0])
    return found


def _attributes(path: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": path["aspath"]["string"],
        "origin": path["origin"],
        "med": path.get("metric", 0),
        "pref": path.get("locPrf", 100),
        "tag": path.get("tag", 0),
        "communities": path.get("community", {}).get("string", ""),
        "ext": path.get("extendedCommunity", {}).get("string", ""),
        "hops": sorted(hop["ip"] for hop in path["nexthops"] if hop.get("scope") != "link-local"),
    }


CASES: dict[str, tuple[str, frozenset[str] | dict[str, dict[str, Any]]]] = {}
"""Name → (policy and sets, what is accepted or with which attributes)."""


def case(name: str, *parts: str, then: frozenset[str] | set[str] | dict[str, dict[str, Any]]) -> None:
    CASES[name] = (pol.routing_policy(*parts), then if isinstance(then, dict) else frozenset(then))


def one(*parts: str) -> str:
    """The policy P with one statement."""
    return pol.policy("P", statement("only", *parts))


PREFIXES = pol.prefix_set("S", "10.0.0.0/8 16..16", "2001:db8::/32 48..48")
case("no statement", pol.policy("P"), then=set())
case("everything", one(ACCEPT), then=ALL)
case("default after next", one(pol.give(set_med=9)), then=set())
case(
    "prefixes of one family",
    pol.prefix_set("S", "10.1.0.0/16", "0.0.0.0/0 24..24"),
    one(pol.match("prefix", "S"), ACCEPT),
    then={A, D},
)
case("all of IPv4", pol.prefix_set("S", "0.0.0.0/0 0..32"), one(pol.match("prefix", "S"), ACCEPT), then={A, B, C, D})
case("all of IPv6", pol.prefix_set("S", "::/0 0..128"), one(pol.match("prefix", "S"), ACCEPT), then={E, F})
case("prefixes of both families", PREFIXES, one(pol.match("prefix", "S"), ACCEPT), then={A, B, C, F})
case("prefixes inverted", PREFIXES, one(pol.match("prefix", "S", "INVERT"), ACCEPT), then={D, E})
case("no prefixes", pol.prefix_set("S"), one(pol.match("prefix", "S"), ACCEPT), then=set())
case("no prefixes inverted", pol.prefix_set("S"), one(pol.match("prefix", "S", "INVERT"), ACCEPT), then=ALL)
case(
    "both families and another condition",
    PREFIXES,
    one(pol.match("prefix", "S"), pol.when(med_eq=5), ACCEPT),
    then={A, F},
)
case(
    "rejected",
    PREFIXES,
    pol.policy("P", statement("a", pol.match("prefix", "S"), REJECT), statement("b", ACCEPT)),
    then={D, E},
)
case("neighbour", pol.neighbor_set("S", PEER), one(pol.match("neighbor", "S"), ACCEPT), then={A, B, C, D})
case("neighbours", pol.neighbor_set("S", PEER6, "192.0.2.9"), one(pol.match("neighbor", "S"), ACCEPT), then={E, F})
case(
    "neighbours inverted",
    pol.neighbor_set("S", PEER6, "192.0.2.9"),
    one(pol.match("neighbor", "S", "INVERT"), ACCEPT),
    then={A, B, C, D},
)
case("community", pol.community_set("S", "65000:1"), one(pol.match("community", "S"), ACCEPT), then={A, B, E})
case(
    "any community", pol.community_set("S", "65000:2", "65001:2"), one(pol.match("community", "S"), ACCEPT), then={B, C}
)
case(
    "all communities",
    pol.community_set("S", "65000:2", "65000:1"),
    one(pol.match("community", "S", "ALL"), ACCEPT),
    then={B},
)
case(
    "communities inverted",
    pol.community_set("S", "65000:2", "65001:2"),
    one(pol.match("community", "S", "INVERT"), ACCEPT),
    then={A, D, E, F},
)
case(
    "well-known community",
    pol.community_set("S", "oc-bgp-types:GRACEFUL_SHUTDOWN"),
    one(pol.match("community", "S"), ACCEPT),
    then={C},
)
case(
    "expression over a community",
    pol.community_set("S", "^65000:.$"),
    one(pol.match("community", "S"), ACCEPT),
    then={A, B, E},
)
case(
    "an expression stays within one",
    pol.community_set("S", "^6500[01].*2$"),
    one(pol.match("community", "S"), ACCEPT),
    then={B, C},
)
case(
    "an expression is of the whole",
    pol.community_set("S", "^5000:1$"),
    one(pol.match("community", "S"), ACCEPT),
    then=set(),
)
case(
    "expression beside a community",
    pol.community_set("S", "^65001:[^3]$", "65000:2"),
    one(pol.match("community", "S"), ACCEPT),
    then={B, C},
)
case(
    "route target",
    pol.ext_community_set("S", "65000:2", "65000:9"),
    one(pol.match("ext-community", "S"), ACCEPT),
    then={D},
)
case(
    "route targets",
    pol.ext_community_set("S", "65000:2", "65000:1"),
    one(pol.match("ext-community", "S", "ALL"), ACCEPT),
    then={D},
)
case(
    "route targets inverted",
    pol.ext_community_set("S", "route-target:65000:1"),
    one(pol.match("ext-community", "S", "INVERT"), ACCEPT),
    then=ALL - {C, D},
)
case("as path", pol.as_path_set("S", "_7_8$", "^9_"), one(pol.match("as-path", "S"), ACCEPT), then={B})
case(
    "as path inverted",
    pol.as_path_set("S", "_7_8$", "^9_"),
    one(pol.match("as-path", "S", "INVERT"), ACCEPT),
    then=ALL - {B},
)
case("med", one(pol.when(med_eq=5), ACCEPT), then={A, F})
case("origin", one(pol.when(origin_eq="EGP"), ACCEPT), then={D})
case("next hop", one(pol.when(next_hop_in=PEER), ACCEPT), then={A, B, C, D})
case("next hops", one(pol.when(next_hop_in=(PEER, PEER6)), ACCEPT), then=ALL)
case("other next hops", one(pol.when(next_hop_in=("192.0.2.7", "192.0.2.8")), ACCEPT), then=set())
MARKED = (
    statement("mark", pol.match("prefix", "S"), pol.give(set_local_pref=300)),
    statement("rest", pol.when(local_pref_eq=300), ACCEPT),
)
case(
    "local preference, changes kept",
    PREFIXES,
    pol.policy("P", *MARKED),
    then={C: {"pref": 0}} | {name: {"pref": 300} for name in (A, B, F)},
)
TAGGED = (statement("mark", pol.when(med_eq=5), pol.tag("INLINE", 7)), statement("rest", pol.match("tag", "S"), ACCEPT))
case("tags", pol.tag_set("S", 7, 8), pol.policy("P", *TAGGED), then={A: {"tag": 7}, F: {"tag": 7}})
case(
    "tag of a set",
    pol.tag_set("S", 70),
    one(pol.when(med_eq=5), pol.tag("REFERENCE", of="S"), ACCEPT),
    then={A: {"tag": 70}, F: {"tag": 70}},
)
case(
    "next hop of IPv4 for all",
    one(pol.give(set_next_hop="192.0.2.77"), ACCEPT),
    then={name: {"hops": [PEER6 if ":" in name else "192.0.2.77"]} for name in ANNOUNCED},
)
SET: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("set origin", pol.give(set_route_origin="INCOMPLETE"), {"origin": "incomplete"}),
    ("set local preference", pol.give(set_local_pref=250), {"pref": 250}),
    ("set med", pol.give(set_med=17), {"med": 17}),
    ("set med, said", pol.give(set_med=17, set_med_action="SET"), {"med": 17}),
    ("add med", pol.give(set_med=17, set_med_action="ADD"), {"med": 22}),
    ("subtract med", pol.give(set_med=2, set_med_action="SUBTRACT"), {"med": 3}),
    ("set med after that", pol.give(set_med=17), {"med": 17}),
    ("set next hop", pol.give(set_next_hop="192.0.2.77"), {"hops": ["192.0.2.77"]}),
    ("set a next hop of IPv6", pol.give(set_next_hop="2001:db8:ffff::77"), {"hops": ["2001:db8:ffff::77"]}),
    ("prepend", pol.prepend(asn=65009, repeat_n=3), {"path": "65009 65009 65009 65001"}),
    ("prepend once", pol.prepend(asn=65009), {"path": "65009 65001"}),
    ("prepend the last", pol.prepend(use_last_as=True, repeat_n=2), {"path": "65001 65001 65001"}),
    ("prepend after that", pol.prepend(asn=65008), {"path": "65008 65001"}),
    (
        "add communities",
        pol.communities("ADD", "65000:3", "oc-bgp-types:NO_EXPORT"),
        {"communities": "65000:1 65000:3 no-export"},
    ),
    ("replace communities", pol.communities("REPLACE", "65000:4", "65000:3"), {"communities": "65000:3 65000:4"}),
    ("replace by nothing", pol.communities("REPLACE"), {"communities": ""}),
    ("remove communities", pol.communities("REMOVE", "65000:1", "65000:4"), {"communities": ""}),
    (
        "add communities of sets",
        pol.communities("ADD", "S", "T", method="REFERENCE"),
        {"communities": "65000:1 65000:5 65000:6"},
    ),
    ("replace by a set", pol.communities("REPLACE", "S", method="REFERENCE"), {"communities": "65000:5"}),
    ("remove an expression", pol.communities("REMOVE", "U", method="REFERENCE"), {"communities": ""}),
    (
        "add route targets",
        pol.communities("ADD", "65000:9", "1.2.3.4:5", kind="ext-community"),
        {"ext": "RT:65000:9 RT:1.2.3.4:5"},
    ),
    (
        "add route targets of a set",
        pol.communities("ADD", "V", kind="ext-community", method="REFERENCE"),
        {"ext": "SoO:65000:9"},
    ),
)
for title, action, expected in SET:
    sets = (pol.community_set("S", "65000:5"), pol.community_set("T", "65000:6"), pol.community_set("U", "^6[0-9]*:1$"))
    only_a = pol.prefix_set("A", A)
    case(
        title,
        *sets,
        pol.ext_community_set("V", "route-origin:65000:9"),
        only_a,
        one(pol.match("prefix", "A"), action, ACCEPT),
        then={A: expected},
    )


def lines_of(document: str) -> list[FrrLine]:
    element = Element()
    element.commit(document)
    return element.lines()


async def comes_to(
    frr: Frr, then: frozenset[str] | dict[str, dict[str, Any]]
) -> tuple[bool, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = {}

    async def so() -> bool:
        nonlocal found
        found = await table(frr)
        wanted = then if isinstance(then, dict) else {name: {} for name in then}
        return found.keys() == wanted.keys() and all(found[name].items() >= wanted[name].items() for name in wanted)

    return await eventually(so), found


def test_every_condition_and_action(two: tuple[Home, Home]) -> None:
    translated = {name: lines_of(document) for name, (document, _) in CASES.items()}

    async def body() -> None:
        async with running(two, "in", "P") as (element, _, own):
            await element.show("bgpd", "clear bgp *")
            wrong: dict[str, object] = {}
            for name, (_, then) in CASES.items():
                await element.apply(delta(element.actual.values(), [*own, *translated[name]]))
                await element.show("bgpd", "clear bgp ipv4 unicast * soft in")
                await element.show("bgpd", "clear bgp ipv6 unicast * soft in")
                right, found = await comes_to(element, then)
                if not right:
                    wrong[name] = (then, found)
            assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())

    asyncio.run(body())


async def received(peer: Frr) -> dict[str, dict[str, Any]]:
    """What came from the element, its own routes: ``10.7.0.0/16`` and ``10.8.0.0/16``."""
    return {prefix: row for prefix, row in (await table(peer)).items() if prefix not in ANNOUNCED}


def test_at_export(two: tuple[Home, Home]) -> None:
    """A policy on the way out; bgpd knows no neighbour there, which is why ``not_at_export`` refuses to ask for one."""
    seven, eight = "10.7.0.0/16", "10.8.0.0/16"
    only_seven = pol.match("prefix", "S")
    cases = {
        "to the neighbour": (pol.match("neighbor", "N"), {}),
        "to another": (pol.match("neighbor", "M"), {}),
        "not to the neighbour": (pol.match("neighbor", "N", "INVERT"), {seven: 30, eight: 30}),
        "one prefix": (only_seven, {seven: 30}),
        "the other": (pol.match("prefix", "S", "INVERT"), {eight: 30}),
    }
    sets = (pol.prefix_set("S", seven), pol.neighbor_set("N", PEER, PEER6), pol.neighbor_set("M", "192.0.2.9"))
    translated = {
        name: (lines_of(pol.routing_policy(*sets, one(test, pol.give(set_med=30), ACCEPT))), then)
        for name, (test, then) in cases.items()
    }

    async def body() -> None:
        async with running(two, "out", "P") as (element, peer, own):
            networks: list[tuple[tuple[str, ...], str]] = [((ROUTER,), "no bgp network import-check")]
            networks += [((ROUTER, IPV4), f"network {prefix}") for prefix in (seven, eight)]
            wrong = {}
            for name, (rows, then) in translated.items():
                await element.apply(delta(element.actual.values(), [*own, *lines(networks), *rows]))
                await element.show("bgpd", "clear bgp ipv4 unicast * soft out")

                async def so(then: dict[str, int] = then) -> bool:
                    return {prefix: row["med"] for prefix, row in (await received(peer)).items()} == then

                if not await eventually(so):
                    wrong[name] = await received(peer)
            assert wrong == {}

    asyncio.run(body())


FIRST = pol.policy(
    "FIRST",
    statement("no", pol.match("prefix", "NO"), REJECT),
    statement("yes", pol.match("prefix", "YES"), ACCEPT),
    statement("mark", pol.give(set_med=1)),
)
SECOND = pol.policy(
    "SECOND",
    statement("no", pol.match("prefix", "YES"), REJECT),
    statement("more", pol.match("community", "GREEN"), pol.give(set_med=2, set_med_action="ADD"), ACCEPT),
)
CHAINED = (
    pol.prefix_set("NO", A),
    pol.prefix_set("YES", F),
    pol.community_set("GREEN", "65000:1", "65001:2"),
    FIRST,
    SECOND,
)
CHAINS: tuple[tuple[tuple[str, ...], str, dict[str, int]], ...] = (
    ((), REJECT, {}),
    ((), ACCEPT, {A: 5, B: 0, C: 0, D: 0, E: 0, F: 5}),
    (("FIRST",), REJECT, {F: 5}),
    (("FIRST",), ACCEPT, {B: 1, C: 1, D: 1, E: 1, F: 5}),
    (("FIRST", "SECOND"), REJECT, {B: 3, C: 3, E: 3, F: 5}),
    (("FIRST", "SECOND"), ACCEPT, {B: 3, C: 3, D: 1, E: 3, F: 5}),
    (("SECOND", "FIRST"), REJECT, {A: 7, B: 2, C: 2, E: 2}),
    (("SECOND", "FIRST"), ACCEPT, {A: 7, B: 2, C: 2, D: 1, E: 2}),
)
"""Policies, default, and prefix → discriminator of what gets through."""


def test_chains(two: tuple[Home, Home]) -> None:
    """In order, until one accepts or rejects; changes are kept; in the end the default decides."""
    made = Element()
    made.commit(pol.routing_policy(*CHAINED))
    chains = [
        (chain.applied("red", names, default, made.derivation.input, "/p"), then) for names, default, then in CHAINS
    ]

    async def body() -> None:
        async with running(two, "in", "P") as (element, _, own):
            for ((name, rows), then), what in zip(chains, CHAINS, strict=True):
                attached = [
                    replace(fact, text=fact.text.replace("route-map P in", f"route-map {name} in")) for fact in own
                ]
                await element.apply(delta(element.actual.values(), [*attached, *made.lines(), *rows]))
                for family in ("ipv4", "ipv6"):
                    await element.show("bgpd", f"clear bgp {family} unicast * soft in")
                right, found = await comes_to(element, {prefix: {"med": med} for prefix, med in then.items()})
                assert right, (what, found)

    asyncio.run(body())
