"""Configurations that several tests start from."""

from __future__ import annotations

from dataclasses import replace

from tests.server.configurations import EVPN, V4, V6, Configuration, Leg, Neighbor, Underlay, Vrf
from tests.server.element import Element


def leg(element: Element, name: str, number: int, space: str | None = None) -> Leg:
    """Subnet 10.NUMBER.0.0/24 and its IPv6 twin, the host interface named after the leg."""
    here = (f"10.{number & 255}.{number >> 8}.1/24", f"2001:db8:{number:x}::1/64")
    there = (f"10.{number & 255}.{number >> 8}.2/24", f"2001:db8:{number:x}::2/64")
    return Leg(f"pe-{name}", space or element.host, f"{name}0", here, there)


def tenant(element: Element, name: str, number: int) -> Vrf:
    """An L3VRF with VNI NUMBER, a leg, and a neighbour at the leg's other end."""
    return Vrf(
        name,
        legs=(leg(element, name, number),),
        vni=number,
        neighbors=(Neighbor(f"10.{number & 255}.{number >> 8}.2", 64515, (V4, V6), description=f"speaker of {name}"),),
        rd=f"198.51.100.1:{number}",
        target=f"64514:{number}",
    )


def small(element: Element) -> Configuration:
    """A PE with one tenant, red; its NIC is not adopted yet."""
    return Configuration(Underlay(), (tenant(element, "red", 100),), (("bob", "builder"),))


def changed(element: Element) -> Configuration:
    """``small`` with the NIC adopted, blue, and red with another VNI, address, timers and place of its leg."""
    red = tenant(element, "red", 100)
    moved = replace(red.legs[0], space=element.other, addresses=("10.100.0.9/24", "2001:db8:64::1/64"))
    tuned = replace(red.neighbors[0], hold=9, keepalive=3, description=None)
    nic = ("eth1", element.outside, ("192.0.2.1/31",))
    spine = Neighbor("192.0.2.0", 64512, (V4, EVPN))
    return Configuration(
        Underlay(nics=(nic,), neighbors=(spine,)),
        (
            replace(red, vni=111, legs=(moved,), neighbors=(tuned,), rd="198.51.100.1:111"),
            tenant(element, "blue", 200),
        ),
        (("carol", "secret"),),
    )
