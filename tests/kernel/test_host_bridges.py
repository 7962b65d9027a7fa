"""Host ends of legs as ports of bridges of the host."""

from __future__ import annotations

import pytest

from nesrv.facts import Fact, Step, StepRefused
from nesrv.kernel import requests
from nesrv.kernel.facts import UNDERLAY, HostPort, Leg, LinkSettings, Place
from nesrv.kernel.sockets import RouteSocket
from tests.kernel.lab import Lab, creation, deletion, differences, run, sh


def legs(lab: Lab, create: bool = True) -> list[Fact]:
    """Two legs in one bridge."""
    made: list[Fact] = []
    for number in (1, 2):
        made.append(Leg(UNDERLAY, f"leg{number}", lab.host, f"h{number}", ""))
        made.append(HostPort(lab.host, f"h{number}", "lan", create, ""))
        made.append(LinkSettings(UNDERLAY, f"leg{number}", 1500, True, ""))
    return made


def ports(lab: Lab, place: Place) -> set[str]:
    return {link["ifname"] for link in lab.ip(place, "link show") if link.get("master") == "lan"}


def test_a_bridge_that_is_made_goes_with_its_last_port(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        before = lab.portable_snapshot()
        facts = legs(lab)
        await kernel.apply(creation(facts))
        assert all(kernel.actual[fact.key] == fact and kernel.owns(fact.key) for fact in facts)
        assert ports(lab, lab.host) == {"h1", "h2"} and "UP" in lab.link(lab.host, "lan")["flags"]
        await kernel.apply(deletion(facts[3:]))
        assert ports(lab, lab.host) == {"h1"}
        await kernel.stop()
        again = lab.kernel()
        await again.start()
        assert all(again.actual[fact.key] == fact for fact in facts[:3])
        await again.apply(deletion(facts[:3]))
        assert differences(before, lab.portable_snapshot()) == []
        await again.stop()

    run(body)


def test_a_bridge_that_was_there_stays(lab: Lab) -> None:
    async def body() -> None:
        sh(f"{lab.inside(lab.host)}ip link add lan address 02:00:00:00:00:07 type bridge")
        kernel = lab.kernel()
        await kernel.start()
        before = lab.portable_snapshot()
        facts = legs(lab)
        await kernel.apply(creation(facts))
        assert ports(lab, lab.host) == {"h1", "h2"}
        await kernel.apply(deletion(facts))
        assert differences(before, lab.portable_snapshot()) == []
        await kernel.stop()

    run(body)


def test_a_bridge_that_is_not_there_is_refused(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = legs(lab, create=False)
        with pytest.raises(StepRefused, match=f"there is no bridge lan in host namespace {lab.tenant}"):
            await kernel.apply(creation(facts[:2]))
        sh(f"{lab.inside(lab.host)}ip link add lan type veth")
        with pytest.raises(StepRefused, match=r"lan in .* is no bridge"):
            await kernel.apply(creation(facts[1:2]))
        await kernel.clear()

    run(body)


def test_from_bridge_to_bridge_and_out(lab: Lab) -> None:
    async def body() -> None:
        sh(f"{lab.inside(lab.host)}ip link add wan type bridge")
        kernel = lab.kernel()
        await kernel.start()
        leg, port, settings = legs(lab)[:3]
        await kernel.apply(creation([leg, port, settings]))
        other = HostPort(lab.host, "h1", "wan", False, "")
        await kernel.apply([Step(port, other)])
        assert lab.link(lab.host, "h1")["master"] == "wan"
        assert not sh(f"{lab.inside(lab.host)}ip link show lan 2>/dev/null || true")
        await kernel.apply([Step(other, None)])
        assert "master" not in lab.link(lab.host, "h1") and not lab.link(lab.host, "h1").get("ifalias")
        await kernel.clear()

    run(body)


def test_a_leg_that_is_replaced_stays_a_port(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = legs(lab)[:3]
        await kernel.apply(creation(facts))
        was = lab.link(lab.host, "h1")["ifindex"]
        await kernel.apply([Step(facts[0], Leg(UNDERLAY, "leg1", lab.host, "h1", "other"))])
        assert lab.link(lab.host, "h1")["ifindex"] != was and ports(lab, lab.host) == {"h1"}
        assert all(kernel.actual[fact.key] == fact for fact in facts)
        await kernel.clear()

    run(body)


def test_a_bridge_that_was_left_half_made_is_swept(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation(legs(lab)[:1]))
        await kernel.stop()
        socket = RouteSocket(lab.layout.namespace(lab.host))
        socket.do(requests.make_link("lan", requests.bridge(300), ("IFLA_GROUP", 0x6E657372)))
        socket.close()
        again = lab.kernel()
        await again.start()
        assert not sh(f"{lab.inside(lab.host)}ip link show lan 2>/dev/null || true")
        await again.clear()

    run(body)
