"""Both families everywhere: an underlay of IPv4 and IPv6, tenants' packets of full size; VTEPs with IPv6 addresses."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import pytest

from tests.parity.network import (
    EVPN_FAMILY,
    IPV4,
    IPV6,
    PE_ENDS,
    SPINE_AS,
    SPINE_ENDS,
    TENANT_AS,
    Network,
    add_addresses,
    assert_reaches,
    merge,
    prefixes,
    reaches,
    remove,
    spine,
    tenant,
)
from tests.parity.network import VTEPS as VTEPS_4
from tests.parity.pieces import address, interface, table_connection
from tests.parity.router import Router
from tests.server.configurations import EVPN, V4, V6, Configuration, Leg, Neighbor, Underlay, Vrf
from tests.server.element import Element, until

PE_ENDS_6, SPINE_ENDS_6 = ("2001:db8:1::1", "2001:db8:2::1"), ("2001:db8:1::", "2001:db8:2::")
VTEPS_6 = ("2001:db8:ff::1", "2001:db8:ff::2")
UNDERLAY_MTU, OVERHEAD_4, OVERHEAD_6 = 1500, 50, 70
SPINE = spine({IPV4: PE_ENDS, IPV6: PE_ENDS_6, EVPN_FAMILY: PE_ENDS_6})


@dataclass(frozen=True)
class Scene:
    network: Network
    tenants: tuple[Router, Router]


def underlay(pe: Element, number: int) -> Underlay:
    """IPv4 routes over IPv4, IPv6 ones and EVPN over IPv6."""
    four = Neighbor(SPINE_ENDS[number], SPINE_AS, (V4,), hold=9, keepalive=3, retry=1, allow_own_as=1)
    six = replace(four, address=SPINE_ENDS_6[number], families=(V6, EVPN))
    nics = (("eth1", pe.outside, (f"{PE_ENDS[number]}/31", f"{PE_ENDS_6[number]}/127")),)
    loopback = (f"{VTEPS_4[number]}/32", f"{VTEPS_6[number]}/128")
    return Underlay(loopback, nics, families=(V4, V6, EVPN), neighbors=(four, six))


def vrf(number: int, space: str) -> Vrf:
    """A session for each family, over addresses of that family."""
    own, host = (f"10.{number + 1}.0.{last}" for last in (1, 2))
    own6, host6 = (f"2001:db8:a{number}::{last}" for last in (1, 2))
    leg = Leg("red-leg", space, "eth0", (f"{own}/24", f"{own6}/64"), (f"{host}/24", f"{host6}/64"))
    four = Neighbor(host, TENANT_AS, (V4,), hold=9, keepalive=3, retry=1)
    six = replace(four, address=host6, families=(V6,))
    return Vrf("red", (leg,), vni=100, neighbors=(four, six), target="64514:100", rd=f"198.51.100.{number + 1}:100")


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    wires = tuple((f"{four}/31", f"{six}/127") for four, six in zip(SPINE_ENDS, SPINE_ENDS_6, strict=True))
    with Network(SPINE, wires) as network:
        routers = []
        for number, pe in enumerate(network.pes):
            space = network.space(f"r{number}")
            pe.edit(Configuration(underlay(pe, number), (vrf(number, space),)))
            merge(pe, table_connection("default", "DIRECTLY_CONNECTED", "ACCEPT_ROUTE", "IPV6"))
            peers = {f"10.{number + 1}.0.1": 64514, f"2001:db8:a{number}::1": 64514}
            speaker = tenant(TENANT_AS, f"192.0.2.{10 + number}", peers, prefixes(number))
            routers.append(network.router(space, speaker))
            add_addresses(space, "lo", *prefixes(number))
        yield Scene(network, (routers[0], routers[1]))


@pytest.mark.parametrize("family", [0, 1], ids=["IPv4", "IPv6"])
def test_the_underlay_carries_both_families(scene: Scene, family: int) -> None:
    """From loopback to loopback; the one that is no VTEP's is announced as a subnet."""
    here, words = scene.network.pes[0], ("ping", "-q", "-n", "-c", "1", "-W", "1", "-I")
    source, target = (VTEPS_4, VTEPS_6)[family]
    until(lambda: target in here.vtysh(f"show ip{('', 'v6')[family]} route bgp"), f"{target} is there")
    # The way back may come later.
    ping = ("ip", "netns", "exec", here.name, *words, source, target)
    until(lambda: subprocess.run(ping, capture_output=True).returncode == 0, f"{target} answers")


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("number", [0, 1])
def test_a_tenant_reaches_the_others_service(scene: Scene, number: int, version: int) -> None:
    assert_reaches(scene.tenants, number, version)


@pytest.mark.parametrize("version", [4, 6])
def test_a_packet_of_the_legs_full_size_passes_unfragmented(scene: Scene, version: int) -> None:
    until(lambda: reaches(scene.tenants, 0, version), "the other's service answers")
    assert reaches(scene.tenants, 0, version, UNDERLAY_MTU - OVERHEAD_4)
    assert not reaches(scene.tenants, 0, version, UNDERLAY_MTU - OVERHEAD_4 + 1)


def announces_ipv6_vteps(scene: Scene) -> bool:
    """FRR from 10.6 on."""
    version = scene.network.spine.vtysh("show version").split("FRRouting ")[1].split(".")
    return (int(version[0]), int(version[1].split("_")[0].split(" ")[0])) >= (10, 6)


def test_vteps_of_ipv6_carry_it_all_or_are_refused(scene: Scene) -> None:
    """What this FRR would announce wrongly is refused, and what it has goes on."""
    until(lambda: reaches(scene.tenants, 0, 4), "the other's service answers")
    pe = scene.network.pes[0]
    without = [interface("lo", address(one, 'nc:operation="delete"')) for one in VTEPS_4]
    if not announces_ipv6_vteps(scene):
        before = pe.applied()
        error = pe.refused(lambda: remove(pe, without[0]))
        assert error.app_tag == "nesrv-vtep-of-ipv6"
        assert error.path.endswith("local/oc-netinst:config/oc-netinst:interface")
        assert pe.applied() == before
        assert reaches(scene.tenants, 0, 4)
        return
    for each, piece in zip(scene.network.pes, without, strict=True):
        remove(each, piece)
    for version in (4, 6):
        until(partial(reaches, scene.tenants, 0, version), "the other's service answers")
        assert reaches(scene.tenants, 0, version, UNDERLAY_MTU - OVERHEAD_6)
        assert not reaches(scene.tenants, 0, version, UNDERLAY_MTU - OVERHEAD_6 + 1)
