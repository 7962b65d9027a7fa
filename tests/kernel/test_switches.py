"""Bridges with tenants' links as ports, in a VRF and in the underlay, seen by iproute2."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from nesrv.facts import Fact, Step, StepRefused
from nesrv.kernel import namespaces
from nesrv.kernel.facts import UNDERLAY, Address, Bridge, BridgePort, Leg, LinkSettings, Place, Vrf, Vxlan
from tests.kernel.lab import BACKEND, Lab, creation, deletion, differences, run, sh
from tests.kernel.test_explain import assert_typed_alike, typed

RED, BLUE = Place("vrf", "red"), Place("vrf", "blue")
MAC = "02:00:5e:00:00:01"


def switch(lab: Lab, place: Place, number: int = 200) -> list[Fact]:
    """An Ethernet with one leg in ``place``, with a gateway where that is a VRF."""
    bridge, name = f"br{number}", f"lan{number}"
    facts: list[Fact] = [Vrf(place.name, "/vrf")] if place.kind == "vrf" else []
    facts += [
        Bridge(place, bridge, MAC, "/bridge", True, 600),
        Vxlan(place, f"vx{number}", number, "192.0.2.1", 4789, bridge, "/vxlan", "arp"),
        Leg(place, name, lab.host, name, "/leg"),
        BridgePort(place, name, bridge, True, "/port"),
        LinkSettings(place, name, 1450, True, "/settings"),
    ]
    if place.kind == "vrf":
        facts += [Address(place, bridge, "10.2.0.1/24", "/v4"), Address(place, bridge, "2001:db8:2::1/64", "/v6")]
    return [*facts, Address(lab.host, name, "10.2.0.2/24", "/host"), Address(lab.host, name, "2001:db8:2::2/64", "/6")]


@pytest.mark.parametrize("place", [UNDERLAY, RED], ids=["apart", "with a gateway"])
def test_a_switch_is_there_whole_and_goes_whole(lab: Lab, place: Place) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        before = lab.snapshot()
        facts = switch(lab, place)
        await kernel.apply(creation(facts))
        assert {fact.key: kernel.actual.get(fact.key) for fact in facts} == {fact.key: fact for fact in facts}
        bridge, port, vxlan = (lab.link(place, name) for name in ("br200", "lan200", "vx200"))
        assert (bridge["address"], bridge["linkinfo"]["info_data"]["ageing_time"]) == (MAC, 60000)
        assert bridge.get("master") == ("red" if BACKEND == "device" and place == RED else None)
        assert port["master"] == vxlan["master"] == "br200"
        assert port["linkinfo"]["info_slave_data"]["learning"] is True
        suppressed = vxlan["linkinfo"]["info_slave_data"]
        assert (suppressed["neigh_suppress"], suppressed["proxy_arp_wifi"]) == (False, True)
        if place == RED:
            lab.reaches(lab.host, "10.2.0.1", "2001:db8:2::1")
        await kernel.stop()

        second = lab.kernel()
        await second.start()
        assert {fact.key: second.actual.get(fact.key) for fact in facts} == {fact.key: fact for fact in facts}
        await second.apply(deletion(facts))
        assert differences(before, lab.snapshot()) == []
        await second.stop()

    run(body)


def test_nothing_of_the_element_is_in_reach_of_a_switch_apart(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        sh(f"{lab.inside(UNDERLAY)}ip addr add 10.2.0.9/24 dev lo")
        await kernel.apply(creation(switch(lab, UNDERLAY)))
        await kernel.stop()

    run(body)
    inside = lab.inside(lab.host)
    assert "0 received" in sh(f"{inside}ping -c 1 -W 1 10.2.0.9 || true")
    sh(f"{inside}ip neigh replace 10.2.0.9 lladdr {MAC} dev lan200")
    with namespaces.inside(lab.layout.namespace(UNDERLAY)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with namespaces.inside(lab.layout.namespace(lab.host)):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with listener, sender:
        listener.bind(("10.2.0.9", 5000))
        sender.sendto(b"in", ("10.2.0.9", 5000))
        listener.settimeout(1)
        with pytest.raises(TimeoutError):
            listener.recv(10)


CHANGES: dict[str, tuple[type, dict[str, object]]] = {
    "mac": (Bridge, {"mac": "02:00:5e:00:00:02"}),
    "ageing": (Bridge, {"ageing": 300}),
    "suppression": (Vxlan, {"suppress": "all"}),
    "no suppression": (Vxlan, {"suppress": "none"}),
    "learning": (BridgePort, {"learning": False}),
    "another host interface": (Leg, {"host_name": "other"}),
    "down": (LinkSettings, {"up": False}),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("by_hand", [False, True], ids=["written", "typed"])
def test_a_change_takes_place_and_its_inverse_restores(lab: Lab, what: str, by_hand: bool) -> None:
    kind, values = CHANGES[what]

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = switch(lab, RED)[:8]
        await kernel.apply(creation(facts))
        before = lab.portable_snapshot()
        fact = next(one for one in facts if isinstance(one, kind))
        step = Step(fact, replace(fact, **values))  # type: ignore[type-var]
        if by_hand and kind is not Leg:
            typed(kernel, [step])
        else:
            await kernel.apply([step])
        assert kernel.actual[fact.key] == step.after
        assert all(kernel.actual.get(one.key) == one for one in facts if one is not fact)
        assert lab.portable_snapshot() != before
        await kernel.apply([step.inverse()])
        assert differences(before, lab.portable_snapshot()) == []
        await kernel.stop()

    run(body)


def test_commands_lead_where_the_writer_leads(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = [*switch(lab, RED), *switch(lab, UNDERLAY, 300)[:-2]]
        empty = lab.portable_snapshot()
        await assert_typed_alike(lab, kernel, facts)
        typed(kernel, deletion(facts))
        assert differences(empty, lab.portable_snapshot()) == []
        await kernel.stop()

    run(body)


def test_an_ethernet_moves_to_another_vrf_and_back(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        old, new = switch(lab, RED), switch(lab, BLUE)
        await kernel.apply([*creation(old), Step(None, new[0])])
        before = lab.portable_snapshot()
        leg = Step(old[3], new[3])
        moving = [1, 2, 4, 5, 6, 7]
        steps = [
            *(Step(old[one], None) for one in reversed(moving)),
            *(Step(None, new[one]) for one in (1, 2)),
            leg,
            *(Step(None, new[one]) for one in (4, 5, 6, 7)),
        ]
        await kernel.apply(steps)
        assert all(kernel.actual.get(fact.key) == fact for fact in new)
        lab.reaches(lab.host, "10.2.0.1", "2001:db8:2::1")
        await kernel.apply([step.inverse() for step in reversed(steps)])
        assert differences(before, lab.portable_snapshot()) == []
        await kernel.stop()

    run(body)


def test_a_nic_as_a_port_is_given_back(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        before = lab.snapshot()
        facts = [*switch(lab, UNDERLAY)[:2], BridgePort(UNDERLAY, "nic0", "br200", False, "")]
        await kernel.apply(creation(facts))
        assert kernel.actual[facts[-1].key] == facts[-1]
        assert lab.link(UNDERLAY, "nic0")["master"] == "br200"
        await kernel.apply(deletion(facts))
        assert differences(before, lab.snapshot()) == []
        await kernel.stop()

    run(body)


def test_a_link_in_a_bridge_of_others_is_left_there(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = switch(lab, UNDERLAY)[:2]
        await kernel.apply(creation(facts))
        inside = lab.inside(UNDERLAY)
        sh(f"{inside}ip link add theirs type bridge; {inside}ip link set nic0 master theirs")
        with pytest.raises(StepRefused, match="belongs to theirs already"):
            await kernel.apply([Step(None, BridgePort(UNDERLAY, "nic0", "br200", True, ""))])
        assert lab.link(UNDERLAY, "nic0")["master"] == "theirs"
        await kernel.stop()

    run(body)
