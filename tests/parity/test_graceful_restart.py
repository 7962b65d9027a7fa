"""A PE whose bgpd dies goes on forwarding, and its neighbours go on sending to it, until it is back.

What FRR 8.4 gives, and no more: it keeps the unicast routes of a speaker that restarts (its own, in zebra, and those
of a neighbour), but drops a neighbour's EVPN routes with the session, whatever both have agreed on.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.features.documents import box
from tests.parity.network import SPINE_ENDS, TENANT_AS, VTEPS, Network, configuration, merge, tenant
from tests.parity.pings import pinging
from tests.parity.router import Router
from tests.parity.speakers import bgp_of, instances
from tests.server.configurations import V4, Leg, Neighbor, Vrf
from tests.server.element import Element, sh, until

SERVICES = ("203.0.113.1", "203.0.113.2")
HOSTS = ("10.50.0.1/24", "10.50.0.2/24")
RESTART, STALE = 60, 90
YOUNG = 120.0
"""So many seconds after its own start FRR 8.4 says on opening a session that it has just restarted (R bit).  Then the
other end drops what it has kept; neighbours that have been up for longer are what the promise is about."""


@dataclass(frozen=True)
class Scene:
    """``host`` is a namespace on another leg of the first PE's VRF red, without BGP."""

    network: Network
    tenants: tuple[Router, Router]
    host: str

    @property
    def pe(self) -> Element:
        return self.network.pes[0]

    def restarted(self) -> bool:
        """Kills the first PE's bgpd; whether nesrv has it back with all its lines, and all sessions."""
        before = self.pe.frr_picture()
        os.kill(self.pe.frr_pid("bgpd"), signal.SIGKILL)
        restarted = f"bgpd of {self.pe.name} restarted with its configuration"
        until(lambda: restarted in self.pe.serving.log(), "nesrv has restarted bgpd")
        until(lambda: self.tenants[0].established("10.1.0.1"), "the tenant is up again")
        until(lambda: self.network.spine.established("192.0.2.1"), "the underlay is up again")
        until(lambda: SERVICES[0] in str(self.tenants[1].routes()), "the other PE's tenant has the route again")
        return self.pe.frr_picture() == before


def vrf(number: int, space: str, host: str) -> Vrf:
    own, far = (f"10.{number + 1}.0.{last}/24" for last in (1, 2))
    legs = (Leg("red-leg", space, "eth0", (own,), (far,)), Leg("host-leg", host, "eth0", HOSTS[0:1], HOSTS[1:2]))
    neighbor = Neighbor(far.partition("/")[0], TENANT_AS, families=(V4,), hold=90, keepalive=30, retry=1)
    return Vrf("red", legs if number == 0 else legs[:1], vni=100, neighbors=(neighbor,), target="64514:100")


def tenant_of(network: Network, number: int, pe: Element, host: str) -> Router:
    space = network.space(f"r{number}")
    pe.commit(configuration(pe, number, vrf(number, space, host)))
    restart = box("graceful-restart", enabled=True, restart_time=RESTART, stale_routes_time=STALE)
    speaker = f"<global>{restart}</global>"
    merge(pe, instances(bgp_of(speaker), bgp_of(speaker, "red")))
    text = tenant(TENANT_AS, f"192.0.2.{10 + number}", {f"10.{number + 1}.0.1": 64514}, (f"{SERVICES[number]}/32",))
    router = network.router(space, text)
    router.run("ip", "address", "add", f"{SERVICES[number]}/32", "dev", "lo")
    return router


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Network() as network:
        host = network.space("h")
        one, two = (tenant_of(network, *pair, host) for pair in enumerate(network.pes))
        sh("ip", "-n", host, "route", "add", "default", "via", HOSTS[0].partition("/")[0])
        # What is agreed on holds from the next session on.
        network.spine.vtysh("clear bgp *")
        until(lambda: one.pings(SERVICES[1], SERVICES[0]), "the tenants reach each other")
        yield Scene(network, (one, two), host)


def agreed(router: Router, peer: str) -> dict[str, Any]:
    said: dict[str, Any] = router.json(f"show bgp neighbors {peer}")[peer]["gracefulRestartInfo"]
    return said


def test_both_timers_are_what_was_committed(scene: Scene) -> None:
    for router, peer in ((scene.network.spine, "192.0.2.1"), (scene.tenants[0], "10.1.0.1")):
        until(lambda router=router, peer=peer: is_told(router, peer), f"{peer} has told of its time")  # type: ignore[misc]
    known = json.loads(scene.pe.vtysh(f"show bgp neighbors {SPINE_ENDS[0]} json"))[SPINE_ENDS[0]]
    assert known["gracefulRestartInfo"]["ipv4Unicast"]["timers"]["stalePathTimer"] == STALE


def is_told(router: Router, peer: str) -> bool:
    return bool(agreed(router, peer)["timers"]["receivedRestartTimer"] == RESTART)


def test_not_one_packet_is_lost_while_bgpd_restarts(scene: Scene) -> None:
    """Between a tenant and a host of one PE, and from VTEP to VTEP: all that goes by unicast routes of BGP."""
    time.sleep(YOUNG)
    with pinging(scene.host, SERVICES[0]) as inside, pinging(scene.network.pes[1].name, *VTEPS) as underlay:
        assert scene.restarted()
    assert inside.sent > 20
    assert (inside.lost, underlay.lost) == (0, 0)


def test_tenants_of_two_pes_are_back_by_themselves(scene: Scene) -> None:
    with pinging(scene.tenants[0].space, SERVICES[1], SERVICES[0]) as across:
        assert scene.restarted()
        until(lambda: scene.tenants[0].pings(SERVICES[1], SERVICES[0]), "the tenants reach each other again")
    assert across.sent > across.lost
