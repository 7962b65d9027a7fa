"""BGP over links without addresses: PEs and spine, and a tenant, know each other by their link-local addresses only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.parity.network import (
    SPINE_AS,
    TENANT_AS,
    UNNUMBERED_SPINE,
    VTEPS,
    Network,
    add_addresses,
    assert_reaches,
    merge,
    prefixes,
    tenant,
)
from tests.parity.pieces import bgp, config, families, interface, tag, timers, unnumbered
from tests.parity.router import Router
from tests.server.configurations import EVPN, V4, V6, Configuration, Leg, Neighbor, Underlay, Vrf
from tests.server.element import Element, sh, until


@dataclass(frozen=True)
class Scene:
    network: Network
    tenants: tuple[Router, Router]


def underlay(pe: Element, number: int) -> Underlay:
    return Underlay((f"{VTEPS[number]}/32",), (("eth1", pe.outside, ()),), families=(V4, EVPN))


def to_spine() -> str:
    own_as = tag("as-path-options", config(allow_own_as=1))
    return bgp("default", unnumbered("eth1", SPINE_AS, timers(), own_as, families(V4, EVPN)))


def without_addresses(network: Network) -> Router:
    """The first PE's tenant: both ends of its leg have a link-local address and no other."""
    pe, space = network.pes[0], network.space("t0")
    leg = Leg("red-leg", space, "eth0")
    pe.edit(Configuration(underlay(pe, 0), (Vrf("red", (leg,), vni=100, target="64514:100"),)))
    merge(pe, to_spine(), bgp("red", unnumbered("red-leg", TENANT_AS, timers(), families(V4, V6))))
    return network.router(space, tenant(TENANT_AS, "192.0.2.10", {"eth0": 64514}, prefixes(0)))


def with_addresses(network: Network) -> Router:
    """The second PE's tenant, of the usual kind."""
    pe, space = network.pes[1], network.space("t1")
    leg = Leg("red-leg", space, "eth0", ("10.2.0.1/24", "2001:db8:2::1/64"), ("10.2.0.2/24", "2001:db8:2::2/64"))
    neighbor = Neighbor("10.2.0.2", TENANT_AS, (V4, V6), hold=9, keepalive=3, retry=1)
    vrf = Vrf("red", (leg,), vni=100, target="64514:100", neighbors=(neighbor,), router_id="198.51.100.2")
    pe.edit(Configuration(underlay(pe, 1), (vrf,)))
    merge(pe, to_spine())
    return network.router(space, tenant(TENANT_AS, "192.0.2.11", {"10.2.0.1": 64514}, prefixes(1)))


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Network(UNNUMBERED_SPINE, ((), ())) as network:
        tenants = without_addresses(network), with_addresses(network)
        for number, router in enumerate(tenants):
            add_addresses(router.space, "lo", *prefixes(number))
        yield Scene(network, tenants)


def global_addresses(space: str, link: str) -> list[str]:
    (found,) = json.loads(sh("ip", "-n", space, "-j", "address", "show", "dev", link))
    return [one["local"] for one in found["addr_info"] if one["scope"] == "global"]


def test_the_underlay_has_link_local_addresses_only(scene: Scene) -> None:
    network = scene.network
    for link in ("to-pe1", "to-pe2"):
        assert global_addresses(network.spine.space, link) == []
    for pe in network.pes:
        assert global_addresses(pe.name, "eth1") == []


def test_an_ipv4_route_of_the_underlay_has_an_ipv6_next_hop(scene: Scene) -> None:
    """zebra itself may tell the kernel 169.254.0.1, with the neighbour's MAC address."""
    pe = scene.network.pes[0]
    until(lambda: sh("ip", "-n", pe.name, "route", "show", VTEPS[1]), "the other VTEP is known")
    (route,) = json.loads(pe.vtysh(f"show ip route {VTEPS[1]}/32 json"))[f"{VTEPS[1]}/32"]
    (hop,) = route["nexthops"]
    assert (hop["afi"], hop["interfaceName"], hop["fib"]) == ("ipv6", "eth1", True)
    assert hop["ip"].startswith("fe80::")


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("number", [0, 1])
def test_a_tenant_reaches_the_others_service(scene: Scene, number: int, version: int) -> None:
    assert_reaches(scene.tenants, number, version)


def test_the_tenants_leg_has_link_local_addresses_only(scene: Scene) -> None:
    assert global_addresses(scene.tenants[0].space, "eth0") == []


def test_a_changed_timer_keeps_the_session(scene: Scene) -> None:
    """And the neighbour known by its link is changed in place."""
    pe, here = scene.network.pes[0], scene.tenants[0]
    until(lambda: "203.0.113.2" in str(here.routes()), "the route is there")
    before = session(pe)["connectionsEstablished"]
    merge(pe, bgp("red", unnumbered("red-leg", TENANT_AS, tag("timers", config(keepalive_interval=2)))))
    assert pe.vtysh("show running-config").count("neighbor red-leg timers 2 9") == 1
    assert session(pe)["connectionsEstablished"] == before
    assert here.pings("203.0.113.2", "203.0.113.1")


def session(pe: Element) -> dict[str, int]:
    found: dict[str, dict[str, int]] = json.loads(pe.vtysh("show bgp vrf red neighbors json"))
    return found["red-leg"]


def test_a_link_that_is_disabled_takes_the_routes_with_it(scene: Scene) -> None:
    pe, here = scene.network.pes[0], scene.tenants[1]
    until(lambda: "203.0.113.1" in str(here.routes()), "the route is there")
    merge(pe, interface("red-leg", config(enabled="false")))
    until(lambda: "203.0.113.1" not in str(here.routes()), "the route is gone")
    merge(pe, interface("red-leg", config(enabled="true")))
    until(lambda: here.pings("203.0.113.1", "203.0.113.2"), "the tenant is back")
