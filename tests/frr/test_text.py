"""Slots, ranks, parsing and rendering of lines; pure."""

from __future__ import annotations

import random

import pytest

from nesrv.frr.text import line, mask, parse, render, slot_of
from tests.frr.engine import DEFAULT, EVPN, IPV4, RED
from tests.frr.slices import EVERYTHING

SLOTS = (
    ((DEFAULT,), "neighbor 192.0.2.1 remote-as 65001", "neighbor 192.0.2.1 remote-as"),
    ((DEFAULT,), "neighbor 192.0.2.1 timers 3 9", "neighbor 192.0.2.1 timers"),
    ((DEFAULT,), "neighbor 192.0.2.1 timers connect 5", "neighbor 192.0.2.1 timers connect"),
    ((DEFAULT,), "neighbor 192.0.2.1 password a", "neighbor 192.0.2.1 password"),
    ((DEFAULT,), "neighbor 192.0.2.1 bfd", "neighbor 192.0.2.1 bfd"),
    ((DEFAULT,), "neighbor 192.0.2.1 bfd profile fast", "neighbor 192.0.2.1 bfd profile"),
    ((DEFAULT,), "bgp router-id 10.0.0.1", "bgp router-id"),
    ((DEFAULT,), "no bgp default ipv4-unicast", "bgp default ipv4-unicast"),
    ((DEFAULT, IPV4), "no neighbor 192.0.2.1 activate", "neighbor 192.0.2.1 activate"),
    ((DEFAULT, IPV4), "neighbor 192.0.2.1 route-map IN in", "neighbor 192.0.2.1 route-map in"),
    ((DEFAULT, IPV4), "redistribute connected route-map RM", "redistribute connected"),
    ((DEFAULT, IPV4), "network 10.0.0.0/24", "network 10.0.0.0/24"),
    ((DEFAULT, IPV4), "maximum-paths 4", "maximum-paths"),
    ((DEFAULT, IPV4), "maximum-paths ibgp 4", "maximum-paths ibgp"),
    ((DEFAULT, EVPN), "vni 200", "vni 200"),
    ((DEFAULT, EVPN, "vni 200"), "rd 1:2", "rd"),
    ((RED, EVPN), "route-target import 1:2", "route-target import 1:2"),
    (("vrf red",), "vni 100", "vni"),
    ((), RED, RED),
    ((), "ip prefix-list PL seq 5 permit any", "ip prefix-list PL seq 5"),
    (("route-map RM permit 10",), "set community 1:2 additive", "set community"),
    (("route-map RM permit 10",), "match ip address prefix-list PL", "match ip address prefix-list"),
    ((DEFAULT,), "something nobody knows 7", "something nobody knows 7"),
)


@pytest.mark.parametrize(("context", "text", "slot"), SLOTS)
def test_slots(context: tuple[str, ...], text: str, slot: str) -> None:
    assert slot_of(context, text) == slot


def test_a_path_does_not_count() -> None:
    assert line((), RED, "/a") == line((), RED, "/b")


def test_rendering_reads_back_and_does_not_depend_on_order() -> None:
    text = render(EVERYTHING)
    assert set(parse(text)) == set(EVERYTHING)
    assert len(parse(text)) == len(EVERYTHING)
    mixed = list(EVERYTHING)
    random.Random(1).shuffle(mixed)
    assert sorted(render(mixed).splitlines()) == sorted(text.splitlines())
    assert set(parse(render(mixed))) == set(EVERYTHING)


def test_what_is_not_ours_is_skipped() -> None:
    foreign = (
        "Building configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\nlog syslog\n!\n"
        "vrf red\n netns /run/netns/red\nexit-vrf\n!\nline vty\n exec-timeout 0 0\nexit\n!\nend\n"
    )
    assert parse(foreign) == ()


def test_a_block_comes_before_what_is_in_it_and_a_neighbor_before_its_settings() -> None:
    by_text = {(fact.context, fact.text): fact.rank for fact in EVERYTHING}
    for fact in EVERYTHING:
        for depth in range(len(fact.context)):
            above = by_text.get((fact.context[:depth], fact.context[depth]))
            assert above is None or above < fact.rank
        if fact.neighbor is not None and fact.peer is None:
            makers = [other.rank for other in EVERYTHING if other.peer == fact.neighbor and other.context[0] == DEFAULT]
            assert fact.context[0] != DEFAULT or min(makers) < fact.rank
    assert by_text[(), DEFAULT] < by_text[(), RED] < by_text[("vrf red",), "vni 100"]


def test_lines_of_one_block_stay_together() -> None:
    names = [f"router bgp 1 vrf v{i}" for i in range(3)]
    facts = [line((), name, "") for name in names] + [line((name,), "bgp router-id 1.1.1.1", "") for name in names]
    ordered = sorted(facts, key=lambda fact: fact.place)
    assert [fact.context[0] if fact.context else fact.text for fact in ordered] == [n for n in names for _ in range(2)]


def test_secrets_are_masked() -> None:
    assert mask("neighbor 192.0.2.1 password very secret") == "neighbor 192.0.2.1 password ***"
    assert line((DEFAULT,), "neighbor 192.0.2.1 password x", "").masked == "neighbor 192.0.2.1 password ***"
