"""Changes under traffic: which sessions flap for which leaf, and that another VRF loses no packet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tests.server.configurations import AS, V4, Configuration, Neighbor, Vrf
from tests.server.element import Element, until
from tests.server.scenes import leg, tenant
from tests.server.speaker import session, speaker
from tests.server.test_restart import lost, pinging, route_between_hosts, two_legs

PEER = "10.100.0.2"
BLUE = "10.200.0.2"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the VRF blue; ``flaps``: whether its session with the tenant starts anew."""

    what: str
    make: Callable[[Vrf], Vrf]
    flaps: bool = False


def own(**values: object) -> Callable[[Vrf], Vrf]:
    """A change of blue's neighbour."""
    return lambda vrf: replace(vrf, neighbors=(replace(vrf.neighbors[0], **values),))  # type: ignore[arg-type]


def link(**values: object) -> Callable[[Vrf], Vrf]:
    """A change of blue's leg."""
    return lambda vrf: replace(vrf, legs=(replace(vrf.legs[0], **values),))  # type: ignore[arg-type]


def with_address(vrf: Vrf) -> Vrf:
    first = vrf.legs[0]
    return replace(vrf, legs=(replace(first, addresses=(*first.addresses, "10.210.0.1/24")),))


CHANGES = (
    Change("description", own(description="another text")),
    Change("timers", own(hold=30, keepalive=10)),
    Change("connect-retry", own(hold=30, keepalive=10, retry=2)),
    Change("MTU of the leg", link(mtu=1300)),
    Change("an address beside the others", with_address),
    Change("another neighbour", lambda vrf: replace(vrf, neighbors=(*vrf.neighbors, Neighbor("10.200.0.9", 64999)))),
    Change("a route target", lambda vrf: replace(vrf, target="64514:201")),
    Change("the first again", lambda vrf: vrf),
    Change("password", own(password="secret"), flaps=True),
)


@contextmanager
def running(element: Element) -> Iterator[Configuration]:
    """Red carries pings between two hosts, blue has a session with its tenant."""
    origin = two_legs(element)
    blue = tenant(element, "blue", 200)
    blue = replace(blue, neighbors=(Neighbor(BLUE, 64516, (V4,), retry=1),))
    origin = replace(origin, vrfs=(*origin.vrfs, replace(blue, legs=(leg(element, "blue", 200, element.other),))))
    element.commit(origin)
    route_between_hosts(element)
    with (
        speaker(element, element.host, 64515, "10.100.0.1", AS),
        speaker(element, element.other, 64516, "10.200.0.1", AS),
    ):
        until(lambda: session(element, "red", PEER).prefixes == 1, "red has a route")
        until(lambda: session(element, "blue", BLUE).prefixes == 1, "blue has a route")
        yield origin


def test_only_what_must_flap_does_and_no_other_vrf_notices() -> None:
    with Element() as element, running(element) as origin:
        red, blue = session(element, "red", PEER), session(element, "blue", BLUE)
        with pinging(element) as process:
            for change in CHANGES:
                element.commit(replace(origin, vrfs=(origin.vrfs[0], change.make(origin.vrfs[1]))))
                assert session(element, "red", PEER) == red, change.what
                if change.flaps:
                    assert not session(element, "blue", BLUE).established, change.what
                else:
                    assert session(element, "blue", BLUE) == blue, change.what
            sent, missing = lost(process)
        assert sent > 10
        assert missing == 0


def test_a_moved_address_of_a_leg_ends_only_its_own_session() -> None:
    """bgpd notices by its hold time alone."""
    with Element() as element, running(element) as origin:
        quick = own(hold=3, keepalive=1)(origin.vrfs[1])
        moved = link(addresses=("10.200.0.7/24", *quick.legs[0].addresses[1:]))(quick)
        element.commit(replace(origin, vrfs=(origin.vrfs[0], quick)))
        element.vtysh("clear bgp vrf blue *")
        until(lambda: session(element, "blue", BLUE).established, "the session has its short hold time")
        red = session(element, "red", PEER)
        with pinging(element) as process:
            element.commit(replace(origin, vrfs=(origin.vrfs[0], moved)))
            until(lambda: not session(element, "blue", BLUE).established, "the address of the session is gone")
            element.commit(replace(origin, vrfs=(origin.vrfs[0], quick)))
            until(lambda: session(element, "blue", BLUE).established, "with the address the session is back")
            assert lost(process)[1] == 0
        assert session(element, "red", PEER) == red
