"""BFD ends a session whose path died without a word, long before its hold time: traffic takes the other path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.features.documents import box, entry, families
from tests.features.route_documents import bfd, bfd_interface
from tests.parity.network import merge
from tests.parity.pings import Pings, pinging
from tests.parity.router import Router
from tests.parity.speakers import MILLISECOND, neighbors, speaker, watched
from tests.server.configurations import V4, Configuration, Leg, Neighbor, Underlay, Vrf
from tests.server.element import Element, sh, until

SERVICE, HOST, GATEWAY = "203.0.113.1", "10.9.0.2", "10.9.0.1"
PE_ENDS, FAR_ENDS = ("192.0.2.1", "192.0.2.129"), ("192.0.2.2", "192.0.2.130")
FAR_AS, HOLD, KEEPALIVE = 64512, 90, 30
INTERVAL_MS = 100
PASSIVE = '<passive-mode xmlns="urn:nesrv:bfd">true</passive-mode>'
WATCHED = ("bfd", "bfd profile fast")
CLAIM_SECONDS = 1.0
TRIES = 3
"""On a busy machine packets come late, too; the promise is kept if it was once."""


def far_speaker() -> str:
    """Its announcements make the first path the better one, and so does its own weight; only that one is watched."""
    profile = ("bfd", " profile fast", f"  transmit-interval {INTERVAL_MS}", f"  receive-interval {INTERVAL_MS}")
    rows = [*profile, " exit", "exit", "route-map SECOND permit 10", f" set as-path prepend {FAR_AS} {FAR_AS}", "exit"]
    rows += [f"router bgp {FAR_AS}", " no bgp ebgp-requires-policy", " no bgp network import-check"]
    for pe in PE_ENDS:
        words = ("remote-as 64514", f"timers {KEEPALIVE} {HOLD}", "timers connect 1")
        rows += [f" neighbor {pe} {one}" for one in words]
    rows += [f" neighbor {PE_ENDS[0]} {one}" for one in WATCHED]
    rows += [" address-family ipv4 unicast", f"  network {SERVICE}/32", f"  neighbor {PE_ENDS[0]} weight 100"]
    return "\n".join([*rows, f"  neighbor {PE_ENDS[1]} route-map SECOND out", " exit-address-family", "exit\n"])


@dataclass(frozen=True)
class Paths:
    """The PE's VRF red and ``far``, joined by two bridges in ``middle``: no end notices when one of them goes down."""

    pe: Element
    middle: str
    far: Router

    def set(self, number: int, state: str) -> None:
        sh("ip", "-n", self.middle, "link", "set", f"br{number}", state)

    def session(self, number: int) -> dict[str, Any]:
        """The PE's BFD session on a path; empty without one."""
        peers = json.loads(self.pe.vtysh("show bfd vrf red peers json"))
        return next((one for one in peers if one["peer"] == FAR_ENDS[number]), {})

    def downs(self, number: int) -> int:
        """How often bgpd lost the session."""
        known = json.loads(self.pe.vtysh("show bgp vrf red neighbors json"))
        return int(known[FAR_ENDS[number]]["connectionsDropped"])

    def established(self, number: int) -> bool:
        known = json.loads(self.pe.vtysh("show bgp vrf red neighbors json"))
        return bool(known.get(FAR_ENDS[number], {}).get("bgpState") == "Established")

    def ready(self) -> bool:
        """Both sessions watched, and the first path in use both ways."""
        there = self.pe.vtysh(f"show ip route vrf red {SERVICE}/32 json")
        back = json.dumps(self.far.json("show ip route 10.9.0.0/24"))
        watched = [self.session(number).get("status") == "up" and self.established(number) for number in (0, 1)]
        return all(watched) and FAR_ENDS[0] in there and PE_ENDS[0] in back


@contextmanager
def paths() -> Iterator[Paths]:
    with ExitStack() as stack:
        pe = stack.enter_context(Element())
        middle, space = pe.other, pe.outside
        legs = [Leg("to-host", pe.host, "eth0", (f"{GATEWAY}/24",), (f"{HOST}/24",))]
        legs += [Leg(f"path{number}", middle, f"pe{number}", (f"{PE_ENDS[number]}/25",)) for number in (0, 1)]
        first = Neighbor(FAR_ENDS[0], FAR_AS, hold=HOLD, keepalive=KEEPALIVE, retry=1)
        pe.commit(Configuration(Underlay(), (Vrf("red", tuple(legs), neighbors=(first,)),)))
        sh("ip", "-n", pe.host, "route", "add", "default", "via", GATEWAY)
        sh("ip", "-n", space, "address", "add", f"{SERVICE}/32", "dev", "lo")
        for number in (0, 1):
            _join(middle, space, number)
        yield Paths(pe, middle, stack.enter_context(Router(space, far_speaker())))


def _join(middle: str, space: str, number: int) -> None:
    bridge = f"br{number}"
    sh("ip", "-n", middle, "link", "add", bridge, "type", "bridge")
    end = ("peer", "name", f"far{number}", "netns", middle)
    sh("ip", "-n", space, "link", "add", f"path{number}", "type", "veth", *end)
    sh("ip", "-n", space, "address", "add", f"{FAR_ENDS[number]}/25", "dev", f"path{number}")
    sh("ip", "-n", space, "link", "set", f"path{number}", "up")
    for port in (f"pe{number}", f"far{number}"):
        sh("ip", "-n", middle, "link", "set", port, "master", bridge, "up")
    sh("ip", "-n", middle, "link", "set", bridge, "up")


def watch(pe: Element) -> None:
    """The first path with timers of the neighbour's own; the second, whose neighbour is a dynamic one of a peer
    group, with the interface's and the other end first."""
    interval = INTERVAL_MS * MILLISECOND
    timers: dict[str, object] = {"desired_minimum_tx_interval": interval, "required_minimum_receive": interval}
    second = bfd_interface("second", "path1", **timers).replace("</config>", f"{PASSIVE}</config>", 1)
    times = box("timers", hold_time=HOLD, keepalive_interval=KEEPALIVE)
    group = entry("peer-group", "peer-group-name", "far", times + families((V4,)) + watched(), peer_as=FAR_AS)
    range_ = entry("dynamic-neighbor-prefix", "prefix", "192.0.2.128/25", peer_group="far")
    listens = f"<global><dynamic-neighbor-prefixes>{range_}</dynamic-neighbor-prefixes></global>"
    neighbor = neighbors({FAR_ENDS[0]: watched(interval_ms=INTERVAL_MS)})
    merge(pe, bfd(second), speaker(f"{listens}{neighbor}<peer-groups>{group}</peer-groups>", "red"))


def watch_from_afar(here: Paths) -> None:
    """The second path from the other end.

    A dynamic neighbour has no BFD before its session, and bgpd 10.3 opens no session to a neighbour whose BFD is down.
    """
    until(lambda: here.established(1), "the dynamic neighbour has come")
    here.far.configure(f"router bgp {FAR_AS}", *(f"neighbor {PE_ENDS[1]} {one}" for one in WATCHED))


def pings_over_a_cut(here: Paths) -> Pings:
    until(here.ready, "both paths are watched, the first is used")
    with pinging(here.pe.host, SERVICE) as found:
        here.set(0, "down")
        until(lambda: not here.established(0), "the PE has given up the first path")
        until(lambda: SERVICE in here.pe.vtysh("show ip route vrf red json"), "the PE has a route")
        until(lambda: PE_ENDS[1] in str(here.far.json("show ip route 10.9.0.0/24")), "the far end has another one")
    assert here.session(0)["diagnostic"] == "control detection time expired"
    assert here.established(1)
    here.set(0, "up")
    return found


@pytest.fixture(scope="module")
def here() -> Iterator[Paths]:
    with paths() as made:
        watch(made.pe)
        watch_from_afar(made)
        yield made


def test_traffic_takes_the_other_path_within_a_second(here: Paths) -> None:
    gaps: list[float] = []
    while len(gaps) < TRIES and min(gaps, default=CLAIM_SECONDS) >= CLAIM_SECONDS:
        gaps.append(pings_over_a_cut(here).gap)
    assert 0 < min(gaps) < CLAIM_SECONDS, gaps


def test_each_session_has_its_timers(here: Paths) -> None:
    until(here.ready, "both paths are watched")
    assert [here.session(number)["transmit-interval"] for number in (0, 1)] == [INTERVAL_MS] * 2
    assert [here.session(number)["passive-mode"] for number in (0, 1)] == [False, True]


def test_other_timers_reach_a_session_that_goes_on(here: Paths) -> None:
    until(here.ready, "both paths are watched")
    before = here.downs(0)
    merge(here.pe, speaker(neighbors({FAR_ENDS[0]: watched(interval_ms=150)}), "red"))
    until(lambda: here.session(0)["transmit-interval"] == 150, "the session has the new interval")
    assert (here.session(0)["status"], here.downs(0)) == ("up", before)
    merge(here.pe, speaker(neighbors({FAR_ENDS[0]: watched(interval_ms=INTERVAL_MS)}), "red"))
