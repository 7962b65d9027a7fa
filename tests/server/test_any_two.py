"""Any two configurations: the way to one never shows in the element, and every way back is an identity."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies
from hypothesis.strategies import DrawFn, composite, sampled_from

from tests.server.configurations import EVPN, V4, V6, Configuration, Leg, Neighbor, Underlay, Vrf, text
from tests.server.element import Element, same

EXAMPLES = int(os.environ.get("NESRV_TEST_EXAMPLES", "16"))
"""More for a longer search; the order of examples is the same each time unless this is set."""

NAMES = ("red", "blue", "a tenant of a very long name")
VNIS = (1, 100, 16777215)
LOOPBACKS = (
    ("198.51.100.1/32",),
    ("198.51.100.1/24",),
    ("198.51.100.2/32", "2001:db8:ffff::2/64"),
)
SPACES = ("host", "other")
"""Stand for the namespaces of the element that an example runs on."""


@composite
def neighbors(draw: DrawFn, address: str) -> Neighbor:
    hold = draw(sampled_from((None, 0, 3, 9, 240)))
    return Neighbor(
        address=address,
        asn=draw(sampled_from((64514, 64515, 4200000000))),
        families=draw(sampled_from(((), (V4,), (V6,), (V4, V6)))),
        description=draw(sampled_from((None, "x", "a tenant, two  words"))),
        password=draw(sampled_from((None, "secret", "other"))),
        hold=hold,
        keepalive=draw(sampled_from((None, 0, 1, 3))) if hold is not None and hold > 30 else hold and 1,
        retry=draw(sampled_from((None, 1, 65535))),
        passive=draw(sampled_from((None, True, False))),
        enabled=draw(sampled_from((None, True, False))),
        multihop=draw(sampled_from((None, 1, 2, 255))),
        allow_own_as=draw(sampled_from((None, 0, 1, 3, 10))),
    )


@composite
def legs(draw: DrawFn, number: int) -> Leg:
    versions = draw(sampled_from(((), (4,), (6,), (4, 6))))
    subnets = {4: f"10.{number}.0.{{}}/24", 6: f"2001:db8:{number:x}::{{}}/64"}
    return Leg(
        name=draw(sampled_from((f"leg{number}", f"leg number {number} of the tenant"))),
        space=draw(sampled_from(SPACES)),
        host_interface=f"far{number}",
        addresses=tuple(subnets[version].format(1) for version in versions),
        host_addresses=tuple(subnets[version].format(2) for version in versions if draw(strategies.booleans())),
        mtu=draw(sampled_from((None, 1400))),
        enabled=draw(sampled_from((None, False))),
    )


@composite
def vrfs(draw: DrawFn, number: int, overlay: bool) -> Vrf:
    vni = VNIS[number] if overlay and draw(strategies.booleans()) else None
    asn = draw(sampled_from((None, 64514, 65001)))
    peers = [draw(neighbors(address)) for address in (f"10.{number + 1}1.0.7", "2001:db8:7::7")]
    return Vrf(
        name=NAMES[number],
        legs=tuple(draw(legs(10 * (number + 1) + one)) for one in range(draw(sampled_from((0, 1, 2))))),
        vni=vni,
        asn=asn,
        families=draw(sampled_from(((), (V4,), (V6,), (V4, V6)))),
        neighbors=tuple(peers[: draw(sampled_from((0, 1, 2)))]) if asn else (),
        router_id=draw(sampled_from((None, "198.51.100.1", "192.0.2.33"))),
        rd=draw(sampled_from((None, "198.51.100.1:7", "64514:8"))),
        target=draw(sampled_from((None, "64514:100"))),
        udp_port=draw(sampled_from((None, 4790))),
    )


@composite
def configurations(draw: DrawFn) -> Configuration:
    underlay: Underlay | None = None
    if draw(sampled_from((True, True, True, False))):
        asn = draw(sampled_from((None, 64514, 64514, 65010)))
        underlay = Underlay(
            loopback=draw(sampled_from(LOOPBACKS)),
            nics=draw(sampled_from(((), (("eth1", "outside", ("192.0.2.1/31",)),)))),
            vtep=draw(sampled_from((True, True, False))),
            asn=asn,
            families=draw(sampled_from(((V4, EVPN), (V4, V6, EVPN), (V4,), ()))),
            neighbors=(draw(neighbors("192.0.2.0")),) if asn and draw(strategies.booleans()) else (),
            legs=(draw(legs(90)),) if draw(strategies.booleans()) else (),
        )
    overlay = underlay is not None and underlay.vtep and underlay.asn is not None and EVPN in underlay.families
    tenants = tuple(draw(vrfs(number, overlay)) for number in range(3) if draw(strategies.booleans()))
    users = draw(sampled_from(((), (("bob", "builder"),), (("bob", "other"), ("eve", "dropper")))))
    return Configuration(underlay, tenants, users)


def placed(element: Element, configuration: Configuration) -> str:
    """The configuration's XML with the namespaces that this element's example runs with."""
    xml = text(configuration)
    for space, name in (("host", element.host), ("other", element.other)):
        xml = xml.replace(f"<host-namespace>{space}<", f"<host-namespace>{name}<")
    return xml.replace("<from-namespace>outside<", f"<from-namespace>{element.outside}<")


@pytest.fixture(scope="module")
def element() -> Iterator[Element]:
    with Element() as made:
        yield made


@settings(
    max_examples=EXAMPLES,
    derandomize="NESRV_TEST_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink) if "NESRV_TEST_EXAMPLES" in os.environ else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(first=configurations(), second=configurations())
def test_the_way_to_a_configuration_does_not_show(
    element: Element, first: Configuration, second: Configuration
) -> None:
    one, two = placed(element, first), placed(element, second)
    element.commit_text("<config/>")
    empty = element.applied()
    element.commit_text(two)
    alone = element.applied()
    element.commit_text(one)
    origin = element.applied()
    element.commit_text(two)
    same(alone, element.applied)
    element.kill()
    element.start()
    assert element.starts()[-1] == "0 steps, 0 refused", "applying it again"
    same(alone, element.applied)
    element.commit_text(one)
    same(origin, element.applied)
    element.commit_text("<config/>")
    same(empty, element.applied)
