"""What a PE announces and accepts beyond what tenants tell it: statics, subnets, limits, communities, raw lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.parity.network import TENANT_AS, Network, add_addresses, configuration, merge, remove, tenant
from tests.parity.pieces import (
    FRR,
    bgp,
    config,
    family,
    leaves,
    neighbor,
    raw,
    static_route,
    table_connection,
    tag,
)
from tests.parity.router import Router
from tests.server.configurations import V4, Leg, Neighbor, Vrf
from tests.server.element import Element, until

SERVICES = ("203.0.113.1", "203.0.113.2")
SILENT = "192.168.50.1"
"""A service of the first tenant, which does not announce it."""
TOLD = ("STANDARD", "EXTENDED", "LARGE")


@dataclass(frozen=True)
class Scene:
    pes: tuple[Element, ...]
    tenants: tuple[Router, Router]

    def in_vrf(self, number: int, command: str) -> Any:
        return json.loads(self.pes[number].vtysh(f"{command} json"))

    def session(self, number: int) -> dict[str, Any]:
        """The PE's session with its tenant."""
        found: dict[str, Any] = self.in_vrf(number, "show bgp vrf red neighbors")[host(number)]
        return found

    def reaches(self, source: int, address: str) -> None:
        until(lambda: self.tenants[source].pings(address, SERVICES[source]), f"{address} answers")


def host(number: int) -> str:
    return f"10.{number + 1}.0.2"


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Network() as network:
        routers = []
        for number, pe in enumerate(network.pes):
            space = network.space(f"t{number}")
            leg = Leg("red-leg", space, "eth0", (f"10.{number + 1}.0.1/24",), (f"{host(number)}/24",))
            peer = Neighbor(host(number), TENANT_AS, hold=9, keepalive=3, retry=1)
            vrf = Vrf("red", (leg,), vni=100, families=(V4,), neighbors=(peer,), target="64514:100")
            pe.edit(configuration(pe, number, vrf))
            merge(pe, bgp("red", tag("global", tag("config", leaves(router_id=f"198.51.100.{number + 1}")))))
            speaker = tenant(
                TENANT_AS, f"192.0.2.{10 + number}", {f"10.{number + 1}.0.1": 64514}, (f"{SERVICES[number]}/32",)
            )
            routers.append(network.router(space, speaker))
            add_addresses(space, "lo", f"{SERVICES[number]}/32")
        add_addresses(routers[0].space, "lo", f"{SILENT}/32")
        found = Scene(network.pes, (routers[0], routers[1]))
        found.reaches(0, SERVICES[1])
        yield found


def test_a_static_route_towards_a_tenant_is_announced(scene: Scene) -> None:
    pe, far = scene.pes[0], scene.tenants[1]
    route = static_route("red", "192.168.50.0/24", host(0))
    merge(pe, route, table_connection("red", "STATIC", "ACCEPT_ROUTE"))
    until(lambda: "192.168.50.0/24" in far.routes(), "the far tenant has it")
    scene.reaches(1, SILENT)
    merge(pe, table_connection("red", "STATIC", "REJECT_ROUTE"))
    until(lambda: "192.168.50.0/24" not in far.routes(), "it is withdrawn")
    assert "192.168.50.0/24" in pe.vtysh("show ip route vrf red static")


def test_subnets_of_the_legs_are_announced_unless_told_otherwise(scene: Scene) -> None:
    pe, far = scene.pes[0], scene.tenants[1]
    until(lambda: "10.1.0.0/24" in far.routes(), "the far tenant has the leg's subnet")
    merge(pe, table_connection("red", "DIRECTLY_CONNECTED", "REJECT_ROUTE"))
    until(lambda: "10.1.0.0/24" not in far.routes(), "it is withdrawn")
    assert f"{SERVICES[0]}/32" in far.routes()
    merge(pe, table_connection("red", "DIRECTLY_CONNECTED", "ACCEPT_ROUTE"))
    until(lambda: "10.1.0.0/24" in far.routes(), "it is back")


def limit(maximum: int, warn_only: bool) -> str:
    bound = config(max_prefixes=maximum, prevent_teardown=str(warn_only).lower())
    unicast = tag("ipv4-unicast", tag("prefix-limit-received", bound))
    return bgp("red", neighbor(host(0), tag("afi-safis", family(V4, unicast))))


def test_too_many_prefixes_are_a_warning_first_and_then_the_end_of_the_session(scene: Scene) -> None:
    """bgpd remembers that the peer went too far: a higher limit counts when the neighbour was disabled for once."""
    pe, here, far = scene.pes[0], scene.tenants[0], scene.tenants[1]
    family_lines = ("router bgp 64515", "address-family ipv4 unicast")
    before = scene.session(0)["connectionsEstablished"]
    merge(pe, limit(2, warn_only=True))
    here.configure(*family_lines, "network 203.0.113.64/32", "network 203.0.113.65/32")
    until(lambda: "203.0.113.65/32" in far.routes(), "the prefixes beyond the limit are taken")
    assert scene.session(0)["connectionsEstablished"] == before
    merge(pe, limit(2, warn_only=False))
    until(lambda: scene.session(0)["bgpState"] != "Established", "the session is down")
    until(lambda: f"{SERVICES[0]}/32" not in far.routes(), "its routes are gone")
    merge(pe, limit(100, warn_only=False))
    for enabled in ("false", "true"):
        merge(pe, bgp("red", neighbor(host(0), config(enabled=enabled))))
    scene.reaches(1, SERVICES[0])
    here.configure(*family_lines, "no network 203.0.113.64/32", "no network 203.0.113.65/32")
    unlimited = tag('prefix-limit-received nc:operation="delete"')
    entry = tag("afi-safi", leaves(afi_safi_name="oc-bgp-types:IPV4_UNICAST"), tag("ipv4-unicast", unlimited))
    remove(pe, bgp("red", neighbor(host(0), tag("afi-safis", entry))))


def communities(far: Router) -> set[str]:
    """The kinds that the first tenant's route has at the second."""
    paths = far.json(f"show bgp ipv4 unicast {SERVICES[0]}/32").get("paths", [])
    kinds = {"STANDARD": "community", "EXTENDED": "extendedCommunity", "LARGE": "largeCommunity"}
    return {kind for kind, key in kinds.items() for path in paths if key in path}


def test_communities_of_a_tenant_arrive_as_far_as_they_are_to_be_sent(scene: Scene) -> None:
    here, far = scene.tenants
    here.configure("route-map MARK permit 10", "set community 64515:77", "set large-community 64515:1:2")
    network = f"network {SERVICES[0]}/32 route-map MARK"
    here.configure("router bgp 64515", "address-family ipv4 unicast", network)
    until(lambda: communities(far) == set(TOLD), "all are told where nothing is said")
    merge(scene.pes[1], bgp("red", neighbor(host(1), config(send_community_type=("STANDARD",)))))
    until(lambda: communities(far) == {"STANDARD"}, "only these are told")
    (path,) = far.json(f"show bgp ipv4 unicast {SERVICES[0]}/32")["paths"]
    assert path["community"]["list"] == ["64515:77"]


def test_raw_lines_have_their_effect_and_go_without_a_trace(scene: Scene) -> None:
    pe, far = scene.pes[1], scene.tenants[1]
    until(lambda: f"{SERVICES[0]}/32" in far.routes(), "the route is there")
    before = pe.frr_picture()
    merge(
        pe,
        raw("maps", (), "route-map COSTLY permit 10"),
        raw("costly", ("route-map COSTLY permit 10",), "set metric 77"),
        raw(
            "tenant",
            ("router bgp 64514 vrf red", "address-family ipv4 unicast"),
            f"neighbor {host(1)} route-map COSTLY out",
        ),
    )
    until(lambda: metric(far) == 77, "the tenant sees the metric")
    scene.reaches(1, SERVICES[0])
    remove(pe, tag(f'frr xmlns="{FRR}" nc:operation="delete"'))
    until(lambda: metric(far) == 0, "the metric is gone")
    assert pe.frr_picture() == before


def metric(far: Router) -> int:
    paths = far.json(f"show bgp ipv4 unicast {SERVICES[0]}/32").get("paths", [])
    return int(paths[0].get("metric", 0)) if paths else -1
