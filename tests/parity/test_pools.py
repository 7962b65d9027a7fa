"""Elements that share one configuration but for their index: no address of theirs is written anywhere in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.parity.network import SPINE_AS, TENANT_AS, UNNUMBERED_SPINE, Network, add_addresses, merge, tenant
from tests.parity.pieces import bgp, config, families, instance, interface, leaves, leg, pool, tag, timers, unnumbered
from tests.parity.router import Router
from tests.server.configurations import EVPN, V4, Configuration, Leg, Underlay, Vrf
from tests.server.element import Element, sh, until

ROUTER_IDS, VTEPS, VTEPS_6 = "192.0.2.128/28", "198.51.100.0/24", "2001:db8:ff::/64"
CIDR, CIDR_6 = "10.7.0.0/24", "2001:db8:7::/64"
SERVICES = ("203.0.113.1", "203.0.113.2")


@dataclass(frozen=True)
class Scene:
    network: Network
    tenants: tuple[Router, Router]


def common(pe: Element, space: str) -> None:
    """Takes what all elements share into the candidate; namespaces have names of the test."""
    underlay = Underlay((), (("eth1", pe.outside, ()),), families=(V4, EVPN), router_id=None)
    vrf = Vrf("red", (Leg("red-leg", space, "eth0"),), vni=100, families=(V4,), target="64514:100", router_id=None)
    pe.edit(Configuration(underlay, (vrf,)))
    subinterface = tag("subinterfaces", tag("subinterface", leaves(index=0), config(index=0)))
    loopback = interface("lo", config(name="lo", type="ianaift:softwareLoopback"), subinterface)
    own_as = tag("as-path-options", config(allow_own_as=1))
    spine = bgp("default", unnumbered("eth1", SPINE_AS, timers(), own_as, families(V4, EVPN)))
    for part in (loopback, spine, bgp("red", tenants_of_the_leg()), leg("red-leg", local_cidr=(CIDR, CIDR_6))):
        pe.merge(f"<config xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'>{part}</config>")


def tenants_of_the_leg() -> str:
    """The host's address is another at each element: whoever calls from the leg's subnet."""
    entry = tag("dynamic-neighbor-prefix", leaves(prefix=CIDR), config(prefix=CIDR, peer_group="tenants"))
    group = tag(
        "peer-group",
        leaves(peer_group_name="tenants"),
        config(peer_group_name="tenants", peer_as=TENANT_AS),
        timers(),
        families(V4),
    )
    return tag("global", tag("dynamic-neighbor-prefixes", entry)) + tag("peer-groups", group)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Network(UNNUMBERED_SPINE, ((), ())) as network:
        routers = []
        for index, pe in enumerate(network.pes):
            space = network.space(f"t{index}")
            common(pe, space)
            merge(pe, pool(index=index, router_id_pool=ROUTER_IDS, vtep_pool=(VTEPS, VTEPS_6)))
            speaker = tenant(TENANT_AS, f"192.0.2.{10 + index}", {"10.7.0.1": 64514}, (f"{SERVICES[index]}/32",))
            routers.append(network.router(space, speaker))
            add_addresses(space, "lo", f"{SERVICES[index]}/32")
        yield Scene(network, (routers[0], routers[1]))


def addresses(space: str, link: str) -> set[str]:
    """Global ones, with their length."""
    (found,) = json.loads(sh("ip", "-n", space, "-j", "address", "show", "dev", link))
    return {f"{one['local']}/{one['prefixlen']}" for one in found["addr_info"] if one["scope"] == "global"}


def router_ids(pe: Element) -> set[str]:
    """Of all the speakers of an element."""
    found = json.loads(pe.vtysh("show bgp vrfs json"))["vrfs"]
    return {one["routerId"] for one in found.values()}


def reaches(scene: Scene, source: int) -> None:
    here, address = scene.tenants[source], SERVICES[1 - source]
    until(lambda: here.pings(address, SERVICES[source]), f"{address} answers")


@pytest.mark.parametrize("index", [0, 1])
def test_every_address_is_the_one_of_the_index(scene: Scene, index: int) -> None:
    pe = scene.network.pes[index]
    assert addresses(pe.name, "lo") == {f"198.51.100.{index}/32", f"2001:db8:ff::{index or ''}/128"}
    assert addresses(scene.tenants[index].space, "eth0") == {f"10.7.0.{2 + index}/24", f"2001:db8:7::{2 + index}/64"}


@pytest.mark.parametrize("index", [0, 1])
def test_no_speaker_of_another_element_has_the_same_router_id(scene: Scene, index: int) -> None:
    """Route distinguishers come from it: that of the L3VRF must differ between the elements, too."""
    pe, wanted = scene.network.pes[index], f"192.0.2.{128 + index}"
    assert router_ids(pe) == {wanted}
    state = pe.session.get(("subtree", instance("red", tag("state")))).data_xml
    assert f"<router-id>{wanted}</router-id>" in state
    assert "<kernel-name" in state


@pytest.mark.parametrize("source", [0, 1])
def test_tenants_reach_each_other(scene: Scene, source: int) -> None:
    reaches(scene, source)


def test_another_index_moves_everything_in_one_commit(scene: Scene) -> None:
    pe, other = scene.network.pes[0], scene.network.pes[1]
    reaches(scene, 0)
    merge(pe, pool(index=5))
    assert addresses(pe.name, "lo") == {"198.51.100.5/32", "2001:db8:ff::5/128"}
    assert addresses(scene.tenants[0].space, "eth0") == {"10.7.0.7/24", "2001:db8:7::7/64"}
    assert router_ids(pe) == {"192.0.2.133"}
    until(lambda: "198.51.100.5" in other.vtysh("show ip route vrf red"), "the others know the new VTEP")
    reaches(scene, 0)
    reaches(scene, 1)


def test_an_index_beyond_a_pool_is_refused_and_moves_nothing(scene: Scene) -> None:
    pe = scene.network.pes[1]
    before = pe.applied()
    error = pe.refused(lambda: merge(pe, pool(index=16)))
    assert error.app_tag == "nesrv-pool-exhausted"
    assert addresses(pe.name, "lo") == {"198.51.100.1/32", "2001:db8:ff::1/128"}
    assert pe.applied() == before
    reaches(scene, 1)
