"""Tenants behind a bridge of the host, two legs in one L3VRF, and a leg straight into the underlay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.parity.network import PE_ENDS, TENANT_AS, Network, add_addresses, merge, remove, tenant, underlay
from tests.parity.pieces import instance, leaves, leg, tag
from tests.parity.router import Router
from tests.server.configurations import INTERFACES, V4, Configuration, Leg, Neighbor, Vrf
from tests.server.element import Element, sh, until

GIVEN, MADE = "lan-given", "lan-made"
HOST_AS = 64600
SERVICES = ("203.0.113.1", "203.0.113.2", "203.0.113.3")
"""Of a tenant behind each bridge, and of the host itself."""
WIRES = (("192.0.2.0/31",),)


@dataclass(frozen=True)
class Scene:
    """``host`` is the namespace of both bridges; ``tenants`` are behind them, ``speaker`` is the host's own."""

    network: Network
    pe: Element
    host: str
    tenants: tuple[Router, Router]
    speaker: Router


def behind(network: Network, host: str, bridge: str, number: int) -> Router:
    """A tenant whose link is a port of ``bridge``, which is there."""
    subnet = f"10.{number + 1}.0"
    space = network.space(f"t{number}")
    sh("ip", "-n", host, "link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", space)
    sh("ip", "-n", host, "link", "set", f"port{number}", "master", bridge, "up")
    add_addresses(space, "eth0", f"{subnet}.2/24")
    sh("ip", "-n", space, "link", "set", "eth0", "up")
    speaker = tenant(TENANT_AS, f"192.0.2.{10 + number}", {f"{subnet}.1": 64514}, (f"{SERVICES[number]}/32",))
    add_addresses(space, "lo", f"{SERVICES[number]}/32")
    return network.router(space, speaker)


def configuration(pe: Element, host: str) -> Configuration:
    """Two legs in red; a third in the default instance, with the host's speaker at its end."""
    legs = tuple(Leg(f"leg{number}", host, f"nesrv{number}", (f"10.{number + 1}.0.1/24",)) for number in (0, 1))
    neighbors = tuple(
        Neighbor(f"10.{number + 1}.0.2", TENANT_AS, hold=9, keepalive=3, retry=1, allow_own_as=1) for number in (0, 1)
    )
    vrf = Vrf("red", legs, vni=100, families=(V4,), neighbors=neighbors, target="64514:100")
    below = underlay(pe, 0)
    through = Leg("through", host, "uplink", ("10.3.0.1/24",), ("10.3.0.2/24",))
    speaker = Neighbor("10.3.0.2", HOST_AS, hold=9, keepalive=3, retry=1)
    return Configuration(replace(below, legs=(through,), neighbors=(*below.neighbors, speaker)), (vrf,))


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Network(wires=WIRES) as network:
        (pe,) = network.pes
        host = network.space("h")
        sh("ip", "-n", host, "link", "add", GIVEN, "type", "bridge")
        sh("ip", "-n", host, "link", "set", GIVEN, "up")
        pe.edit(configuration(pe, host))
        merge(pe, leg("leg0", host_bridge=GIVEN), leg("leg1", host_bridge=MADE, host_bridge_create="true"))
        tenants = behind(network, host, GIVEN, 0), behind(network, host, MADE, 1)
        speaker = tenant(HOST_AS, "192.0.2.20", {"10.3.0.1": 64514}, (f"{SERVICES[2]}/32",))
        add_addresses(host, "lo", f"{SERVICES[2]}/32")
        yield Scene(network, pe, host, tenants, network.router(host, speaker))


def bridges(space: str) -> set[str]:
    rows = json.loads(sh("ip", "-n", space, "-j", "link", "show", "type", "bridge") or "[]")
    return {row["ifname"] for row in rows if row}


@pytest.mark.parametrize("source", [0, 1])
def test_tenants_of_two_legs_reach_each_other_through_the_vrf(scene: Scene, source: int) -> None:
    here, address = scene.tenants[source], SERVICES[1 - source]
    until(lambda: f"{address}/32" in here.routes(), f"{address} is there")
    until(lambda: here.pings(address, SERVICES[source]), f"{address} answers")


def test_the_hosts_routes_are_in_the_underlay(scene: Scene) -> None:
    """The spine reaches the host's service, and the host the spine, which no tenant does."""
    spine, service = scene.network.spine, SERVICES[2]
    until(lambda: f"{service}/32" in spine.routes(), "the spine has the host's route")
    until(scene.speaker.routes, "the host has the underlay's")
    sh("ip", "-n", spine.space, "address", "replace", "198.51.100.254/32", "dev", "lo")
    spine.configure("router bgp 64512", "address-family ipv4 unicast", "network 198.51.100.254/32")
    until(lambda: "198.51.100.254/32" in scene.speaker.routes(), "the host has the spine's route")
    until(lambda: spine.pings(service, "198.51.100.254"), "the host's service answers the spine")
    assert "198.51.100.254/32" not in scene.tenants[0].routes()
    assert not scene.tenants[0].pings(PE_ENDS[0], SERVICES[0])


def test_a_leg_moves_to_another_bridge_in_place(scene: Scene) -> None:
    """Its tenant is cut off, and back with the bridge; the other leg notices nothing."""
    one, two = scene.tenants
    until(lambda: two.pings(SERVICES[0], SERVICES[1]), "the tenants reach each other")
    merge(scene.pe, leg("leg1", host_bridge="elsewhere"))
    assert bridges(scene.host) == {GIVEN, "elsewhere"}
    assert not two.pings("10.2.0.1")
    merge(scene.pe, leg("leg1", host_bridge=MADE))
    assert bridges(scene.host) == {GIVEN, MADE}
    sh("ip", "-n", scene.host, "link", "set", "port1", "master", MADE)
    until(lambda: two.pings(SERVICES[0], SERVICES[1]) and one.pings(SERVICES[1], SERVICES[0]), "they are back")


def test_a_given_bridge_stays_and_a_made_one_goes(scene: Scene) -> None:
    ids = [tag('interface nc:operation="delete"', leaves(id=f"leg{number}.0")) for number in (0, 1)]
    links = [tag('interface nc:operation="delete"', leaves(name=f"leg{number}")) for number in (0, 1)]
    held = tag(f'interfaces xmlns="{INTERFACES}"', *links)
    remove(scene.pe, instance("red", tag("interfaces", *ids)), held)
    assert bridges(scene.host) == {GIVEN}
    assert "port0" in sh("ip", "-n", scene.host, "link", "show", "master", GIVEN)
    assert "nesrv" not in sh("ip", "-n", scene.host, "link", "show")
