"""One AS for all: the PE reflects between tenants of its own AS, the spine between PEs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.parity.network import (
    EVPN_FAMILY,
    IPV4,
    PE_ENDS,
    SPINE_ENDS,
    VTEPS,
    Network,
    add_addresses,
    merge,
    remove,
    spine,
    tenant,
)
from tests.parity.pieces import bgp, config, instance, neighbor, tag
from tests.parity.router import Router
from tests.server.configurations import EVPN, V4, Configuration, Leg, Neighbor, Underlay, Vrf
from tests.server.element import Element, until

AS = 64514
CLUSTER = "192.0.2.99"
SPINE = spine({IPV4: PE_ENDS, EVPN_FAMILY: PE_ENDS}, AS)
SERVICES = ("203.0.113.1", "203.0.113.2", "203.0.113.3")
"""Of two tenants at the first PE and of one at the second."""


@dataclass(frozen=True)
class Scene:
    network: Network
    tenants: tuple[Router, ...]


def configuration(pe: Element, number: int, *spaces: str) -> Configuration:
    spine = Neighbor(SPINE_ENDS[number], AS, (V4, EVPN), hold=9, keepalive=3, retry=1)
    nics = (("eth1", pe.outside, (f"{PE_ENDS[number]}/31",)),)
    underlay = Underlay((f"{VTEPS[number]}/32",), nics, neighbors=(spine,))
    legs, neighbors = [], []
    for leg, space in enumerate(spaces):
        subnet = f"10.{number + 1}.{leg}"
        legs.append(Leg(f"leg{leg}", space, "eth0", (f"{subnet}.1/24",), (f"{subnet}.2/24",)))
        neighbors.append(Neighbor(f"{subnet}.2", AS, hold=9, keepalive=3, retry=1))
    vrf = Vrf(
        "red",
        tuple(legs),
        vni=100,
        neighbors=tuple(neighbors),
        target="64514:100",
        router_id=f"198.51.100.{number + 1}",
    )
    return Configuration(underlay, (vrf,))


def client(address: str) -> str:
    reflector = config(route_reflector_client="true", route_reflector_cluster_id=CLUSTER)
    return bgp("red", neighbor(address, tag("route-reflector", reflector)))


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Network(SPINE) as network:
        spaces = [network.space(name) for name in ("t0", "t1", "t2")]
        for number, members in enumerate((spaces[:2], spaces[2:])):
            pe = network.pes[number]
            pe.edit(configuration(pe, number, *members))
            clients = [client(f"10.{number + 1}.{leg}.2") for leg in range(len(members))]
            merge(pe, instance("default", config(router_id=VTEPS[number])), *clients)
        routers = []
        for number, (space, peer) in enumerate(zip(spaces, ("10.1.0.1", "10.1.1.1", "10.2.0.1"), strict=True)):
            speaker = tenant(AS, f"192.0.2.{10 + number}", {peer: AS}, (f"{SERVICES[number]}/32",))
            routers.append(network.router(space, speaker))
            add_addresses(space, "lo", f"{SERVICES[number]}/32")
        yield Scene(network, tuple(routers))


@pytest.mark.parametrize("source", range(3))
@pytest.mark.parametrize("target", range(3))
def test_every_tenant_reaches_every_other(scene: Scene, source: int, target: int) -> None:
    here, address = scene.tenants[source], SERVICES[target]
    until(lambda: source == target or f"{address}/32" in here.routes(), f"{address} is there")
    until(lambda: here.pings(address, SERVICES[source]), f"{address} answers")


def test_what_the_pe_reflects_has_its_cluster_id(scene: Scene) -> None:
    here = scene.tenants[0]
    until(lambda: f"{SERVICES[1]}/32" in here.routes(), "the route is there")
    (path,) = here.json(f"show bgp ipv4 unicast {SERVICES[1]}/32")["paths"]
    assert path["clusterList"]["list"] == [CLUSTER]
    assert path["originatorId"] == "192.0.2.11"


def test_vteps_of_other_pes_come_through_the_spine(scene: Scene) -> None:
    """With an empty AS path: it is all one AS, and the spine is the reflector."""
    pe = scene.network.pes[0]
    until(lambda: VTEPS[1] in pe.vtysh("show ip route bgp"), "the VTEP is known")
    assert "Originator: 198.51.100.2" in pe.vtysh(f"show bgp ipv4 unicast {VTEPS[1]}/32")


def test_without_reflection_tenants_of_one_as_are_apart(scene: Scene) -> None:
    pe, here = scene.network.pes[0], scene.tenants[0]
    until(lambda: f"{SERVICES[1]}/32" in here.routes(), "the route is there")
    off = [bgp("red", neighbor(f"10.1.{leg}.2", tag('route-reflector nc:operation="delete"'))) for leg in (0, 1)]
    remove(pe, *off)
    until(lambda: f"{SERVICES[1]}/32" not in here.routes(), "the route is gone")
    merge(pe, client("10.1.0.2"), client("10.1.1.2"))
    until(lambda: here.pings(SERVICES[1], SERVICES[0]), "reflected again")
