"""A password that only one end has keeps a session down, the right one lets it come up, and nothing else flaps."""

from __future__ import annotations

import json

from tests.features.documents import leaves
from tests.parity.network import PE_AS, TENANT_AS, Network, configuration, merge, remove, tenant
from tests.parity.router import Router
from tests.parity.speakers import neighbors, speaker
from tests.server.configurations import V4, Leg, Neighbor, Vrf
from tests.server.element import Element, until

GATEWAYS = ("10.1.0.1", "10.2.0.1")
TENANTS = ("10.1.0.2", "10.2.0.2")
QUIET = 3
"""So many tries to connect show that none gets through."""


def secret(address: str, password: str) -> str:
    return speaker(neighbors({address: f"<config>{leaves(auth_password=password)}</config>"}), "red")


def no_secret(address: str) -> str:
    gone = '<config><auth-password nc:operation="delete"/></config>'
    return speaker(neighbors({address: gone}), "red")


def drops(pe: Element) -> dict[str, int]:
    """How often the PE lost each session, by neighbour."""
    found: dict[str, int] = {}
    for vrf in json.loads(pe.vtysh("show bgp vrf all neighbors json")).values():
        found |= {peer: said["connectionsDropped"] for peer, said in vrf.items() if isinstance(said, dict)}
    return found


def test_a_password_is_a_matter_of_two() -> None:
    with Network() as network:
        pe, spaces = network.pes[0], [network.space(f"t{number}") for number in (0, 1)]
        legs = tuple(
            Leg(f"leg{number}", space, "eth0", (f"{GATEWAYS[number]}/24",), (f"{TENANTS[number]}/24",))
            for number, space in enumerate(spaces)
        )
        peers = tuple(Neighbor(address, TENANT_AS, (V4,), hold=9, keepalive=3, retry=1) for address in TENANTS)
        pe.commit(configuration(pe, 0, Vrf("red", legs, neighbors=peers)))
        one, other = (
            network.router(space, tenant(TENANT_AS, address, {gateway: PE_AS}, (f"203.0.113.{number}/32",)))
            for number, (space, address, gateway) in enumerate(zip(spaces, TENANTS, GATEWAYS, strict=True))
        )
        until(lambda: one.established(GATEWAYS[0]) and other.established(GATEWAYS[1]), "both tenants are up")
        until(lambda: network.spine.established("192.0.2.1"), "the underlay is up")
        before = drops(pe)

        merge(pe, secret(TENANTS[0], "right"))
        until(lambda: not one.established(GATEWAYS[0]), "the tenant without the password is down")
        one.configure(f"router bgp {TENANT_AS}", f"neighbor {GATEWAYS[0]} password wrong")
        stays_down(pe, one)
        one.configure(f"router bgp {TENANT_AS}", f"neighbor {GATEWAYS[0]} password right")
        until(lambda: one.established(GATEWAYS[0]), "the tenant with the right password is up")

        merge(pe, secret(TENANTS[0], "another"))
        until(lambda: not one.established(GATEWAYS[0]), "the tenant with the old password is down")
        stays_down(pe, one)
        remove(pe, no_secret(TENANTS[0]))
        one.configure(f"router bgp {TENANT_AS}", f"no neighbor {GATEWAYS[0]} password")
        until(lambda: one.established(GATEWAYS[0]), "the tenant is up without any")
        assert {peer: count for peer, count in drops(pe).items() if peer != TENANTS[0]} == {
            peer: count for peer, count in before.items() if peer != TENANTS[0]
        }
        assert other.established(GATEWAYS[1])
        assert network.spine.established("192.0.2.1")


def stays_down(pe: Element, router: Router) -> None:
    """Neither end gets through while segments of the wrong signature arrive."""
    for count in range(1, QUIET + 1):
        seen = unsigned(router)
        until(lambda seen=seen: unsigned(router) > seen, f"segment {count} was refused")  # type: ignore[misc]
        assert not router.established(GATEWAYS[0])


def unsigned(router: Router) -> int:
    """Segments that the tenant's kernel refused for their signature (or for want of one)."""
    rows = router.run("nstat", "-az", "TcpExtTCPMD5NotFound", "TcpExtTCPMD5Unexpected", "TcpExtTCPMD5Failure")
    return sum(int(row.split()[1]) for row in rows.splitlines() if row.startswith("TcpExtTCPMD5"))
