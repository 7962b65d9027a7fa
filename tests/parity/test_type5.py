"""Type 5 routes both ways between two PEs, IPv4 and IPv6, isolated, and packets of full size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.parity.network import TENANT_AS, Network, assert_reaches, configuration, prefixes, reaches, tenant
from tests.parity.router import Router
from tests.server.configurations import V4, V6, Leg, Neighbor, Vrf
from tests.server.element import Element, until

UNDERLAY_MTU, OVERHEAD = 1500, 50


@dataclass(frozen=True)
class Scene:
    network: Network
    red: tuple[Router, Router]
    blue: tuple[Router, Router]


def vrf(name: str, vni: int, number: int, space: str) -> Vrf:
    """One leg to the tenant, the same addresses in every VRF."""
    own, host = (f"10.{number + 1}.0.{last}/24" for last in (1, 2))
    own6, host6 = (f"2001:db8:{number + 1}::{last}/64" for last in (1, 2))
    leg = Leg(f"{name}-leg", space, "eth0", (own, own6), (host, host6))
    neighbor = Neighbor(host.partition("/")[0], TENANT_AS, families=(V4, V6), hold=9, keepalive=3, retry=1)
    return Vrf(name, (leg,), vni=vni, neighbors=(neighbor,), target=f"64514:{vni}", rd=f"198.51.100.{number + 1}:{vni}")


def pe_with_tenants(network: Network, number: int, pe: Element) -> tuple[Router, Router]:
    spaces = {name: network.space(f"{name[0]}{number}") for name in ("red", "blue")}
    vrfs = [vrf(name, vni, number, spaces[name]) for name, vni in (("red", 100), ("blue", 200))]
    pe.commit(configuration(pe, number, *vrfs))
    routers = []
    for name, space in spaces.items():
        speaker = tenant(TENANT_AS, f"192.0.2.{10 + number}", {f"10.{number + 1}.0.1": 64514}, prefixes(number))
        routers.append(network.router(space, speaker))
        for address in prefixes(number) if name == "red" or number == 0 else ():
            routers[-1].run("ip", "address", "add", address, "dev", "lo")
    return routers[0], routers[1]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Network() as network:
        (red1, blue1), (red2, blue2) = (pe_with_tenants(network, *pair) for pair in enumerate(network.pes))
        yield Scene(network, (red1, red2), (blue1, blue2))


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("number", [0, 1])
def test_a_tenant_reaches_the_others_service(scene: Scene, number: int, version: int) -> None:
    assert_reaches(scene.red, number, version)


def test_the_same_address_of_another_vrf_is_out_of_reach(scene: Scene) -> None:
    """Blue's far end has no such address on any link: packets of blue must not find red's."""
    until(lambda: "203.0.113.2" in str(scene.blue[0].routes()), "blue has a route to it")
    until(lambda: scene.red[0].pings("203.0.113.2", "203.0.113.1"), "red reaches its own")
    assert not scene.blue[0].pings("203.0.113.2", "203.0.113.1")


@pytest.mark.parametrize("version", [4, 6])
def test_a_packet_of_the_legs_full_size_passes_unfragmented(scene: Scene, version: int) -> None:
    until(lambda: reaches(scene.red, 0, version), "the other's service answers")
    assert reaches(scene.red, 0, version, UNDERLAY_MTU - OVERHEAD)
    assert not reaches(scene.red, 0, version, UNDERLAY_MTU - OVERHEAD + 1)
