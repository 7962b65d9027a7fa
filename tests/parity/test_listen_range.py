"""Tenants that are accepted by the prefix they call from, with the settings of a peer group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.parity.network import Network, configuration, merge, remove, tenant
from tests.parity.pieces import bgp, config, family, leaves, tag
from tests.parity.router import Router
from tests.server.configurations import V4, Leg, Vrf
from tests.server.element import Element, until

RANGE = "10.1.0.0/16"
SUBNETS = ("10.1.1", "10.1.2", "10.9.0")
"""Of the legs; the last one is outside the range."""
SYSTEMS = (64515, 64516, 64517)
HOLD, TENANTS_HOLD = 6, 30


@dataclass(frozen=True)
class Scene:
    pe: Element
    tenants: tuple[Router, ...]


def dynamic(prefix: str = RANGE, limit: int = 100) -> str:
    """Whoever calls from ``prefix``, of any other AS: a hold time, and a default route."""
    entry = tag("dynamic-neighbor-prefix", leaves(prefix=prefix), config(prefix=prefix, peer_group="tenants"))
    bound = tag("nesrv-bgp:config", leaves("nesrv-bgp:", limit=limit))
    default_route = family(V4, tag("ipv4-unicast", config(send_default_route="true")))
    group = tag(
        "peer-group",
        leaves(peer_group_name="tenants"),
        config(peer_group_name="tenants", peer_type="EXTERNAL"),
        tag("timers", config(hold_time=HOLD, keepalive_interval=2)),
        tag("afi-safis", default_route),
    )
    ranges = tag("global", tag("dynamic-neighbor-prefixes", bound, entry))
    return bgp("red", ranges, tag("peer-groups", group))


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Network() as network:
        pe, routers = network.pes[0], []
        spaces = [network.space(f"t{number}") for number in range(len(SUBNETS))]
        legs = [
            Leg(f"leg{number}", space, "eth0", (f"{subnet}.1/24",), (f"{subnet}.2/24",))
            for number, (space, subnet) in enumerate(zip(spaces, SUBNETS, strict=True))
        ]
        pe.edit(configuration(pe, 0, Vrf("red", tuple(legs), vni=100)))
        merge(pe, dynamic())
        for number, (space, subnet) in enumerate(zip(spaces, SUBNETS, strict=True)):
            service = f"203.0.113.{number + 1}/32"
            speaker = tenant(SYSTEMS[number], f"192.0.2.{10 + number}", {f"{subnet}.1": 64514}, (service,))
            patient = speaker.replace("timers bgp 3 9", f"timers bgp 10 {TENANTS_HOLD}")
            routers.append(network.router(space, patient))
            routers[-1].run("ip", "address", "add", service, "dev", "lo")
        yield Scene(pe, tuple(routers))


def peers(pe: Element) -> dict[str, Any]:
    """The PE's sessions in the VRF that are up, by address."""
    found = json.loads(pe.vtysh("show bgp vrf red neighbors json"))
    return {name: one for name, one in found.items() if isinstance(one, dict) and one.get("bgpState") == "Established"}


def wait(pe: Element, *numbers: int) -> None:
    wanted = {f"{SUBNETS[number]}.2" for number in numbers}
    until(lambda: peers(pe).keys() == wanted, f"sessions with {sorted(wanted)}")


def test_tenants_within_the_range_are_accepted_and_reach_each_other(scene: Scene) -> None:
    wait(scene.pe, 0, 1)
    one, two = scene.tenants[:2]
    until(lambda: one.pings("203.0.113.2", "203.0.113.1"), "the other tenant's service answers")
    assert two.pings("203.0.113.1", "203.0.113.2")


def test_a_speaker_outside_the_range_is_not(scene: Scene) -> None:
    """Its address answers: nothing but the range keeps it out."""
    wait(scene.pe, 0, 1)
    outsider = scene.tenants[2]
    assert outsider.pings("10.9.0.1")
    assert not outsider.established("10.9.0.1")
    assert "203.0.113.3" not in scene.pe.vtysh("show ip route vrf red")


def test_the_peer_groups_settings_count(scene: Scene) -> None:
    wait(scene.pe, 0, 1)
    found = peers(scene.pe)["10.1.1.2"]
    assert found["peerGroup"]
    assert found["bgpTimerHoldTimeMsecs"] == HOLD * 1000
    until(lambda: "0.0.0.0/0" in scene.tenants[0].routes(), "the default route is told")


def test_a_wider_range_lets_the_outsider_in_and_a_limit_keeps_it_out(scene: Scene) -> None:
    """The tenants that are in stay: the commit adds a range, and changes no neighbour."""
    wait(scene.pe, 0, 1)
    before = {name: one["connectionsEstablished"] for name, one in peers(scene.pe).items()}
    merge(scene.pe, dynamic("10.9.0.0/24"))
    wait(scene.pe, 0, 1, 2)
    until(lambda: scene.tenants[2].pings("203.0.113.1", "203.0.113.3"), "the newcomer reaches the others")
    entry = tag('dynamic-neighbor-prefix nc:operation="delete"', leaves(prefix="10.9.0.0/24"))
    remove(scene.pe, bgp("red", tag("global", tag("dynamic-neighbor-prefixes", entry))))
    wait(scene.pe, 0, 1)
    assert {name: one["connectionsEstablished"] for name, one in peers(scene.pe).items()} == before
