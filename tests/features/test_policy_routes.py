"""Every condition and action on real routes: one bgpd announces, another has the policy, and its table is read."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from nesrv.features.policy import chain
from nesrv.frr.daemons import Home
from nesrv.frr.text import FrrLine
from nesrv.frr.writer import Frr
from tests.features import policies as pol
from tests.features.element import Element
from tests.features.exchange import (
    ANNOUNCED,
    IPV4,
    PEER,
    PEER6,
    ROUTER,
    A,
    B,
    C,
    D,
    E,
    F,
    comes_to,
    running,
    table,
)
from tests.features.policies import ACCEPT, REJECT, statement
from tests.features.policy_cases import CASES, one
from tests.frr.engine import delta, eventually, lines


def lines_of(document: str) -> list[FrrLine]:
    element = Element()
    element.commit(document)
    return element.lines()


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
