"""802.1Q links and macvlans above links of this or another namespace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nesrv.facts import Fact, Step, StepRefused
from nesrv.kernel.facts import UNDERLAY, Address, LinkSettings, Macvlan, Member, Nic, Place, Vlan, Vrf
from tests.kernel.lab import BACKEND, HAS_8021Q, Lab, creation, deletion, differences, run, sh

RED = Place("vrf", "red")


needs_8021q = pytest.mark.skipif(not HAS_8021Q, reason="this kernel has no 8021q")


def vlan_facts(place: Place) -> list[Fact]:
    return [
        Vlan(place, "nic0.7", UNDERLAY, "nic0", 7, ""),
        LinkSettings(place, "nic0.7", None, True, ""),
        Address(place, "nic0.7", "10.7.7.1/24", ""),
        Address(place, "nic0.7", "2001:db8:7::1/64", ""),
    ]


@pytest.mark.skipif(HAS_8021Q, reason="this kernel has 8021q")
def test_a_kernel_without_8021q_says_so_and_nothing_is_left(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        before = lab.snapshot()
        with pytest.raises(StepRefused, match=r"VLAN 7 of nic0 in the element's namespace: .*not supported"):
            await kernel.apply(creation(vlan_facts(UNDERLAY)))
        assert differences(before, lab.snapshot()) == []
        await kernel.stop()

    run(body)


@needs_8021q
@pytest.mark.parametrize("place", [UNDERLAY, RED], ids=lambda place: place.kind)
def test_a_vlan_comes_works_and_goes(lab: Lab, place: Place) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation([Vrf("red", "")]))
        before = lab.portable_snapshot()
        facts = vlan_facts(place)
        await kernel.apply(creation(facts))
        assert all(kernel.actual[fact.key] == fact and kernel.owns(fact.key) for fact in facts[::2])
        link = lab.link(place, "nic0.7")
        assert link["linkinfo"]["info_data"]["id"] == 7
        assert link.get("master") == ("red" if BACKEND == "device" and place == RED else None)
        wire = lab.inside(Place("host", lab.other))
        sh(f"{wire}ip link add link wire0 name wire0.7 up type vlan id 7; {wire}ip addr add 10.7.7.2/24 dev wire0.7")
        lab.reaches(Place("host", lab.other), "10.7.7.1")
        sh(f"{wire}ip link del wire0.7")
        await kernel.stop()
        again = lab.kernel()
        await again.start()
        assert all(again.actual[fact.key] == fact for fact in facts[::2])
        await again.apply(deletion(facts))
        assert differences(before, lab.portable_snapshot()) == []
        await again.stop()

    run(body)


@needs_8021q
def test_a_vlan_is_up_or_down_whatever_its_nic_is(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vlan_facts(UNDERLAY)
        found = kernel.actual["settings", UNDERLAY, "nic0"]
        down = LinkSettings(UNDERLAY, "nic0", None, False, "")
        await kernel.apply([Step(found, down), *creation(facts)])
        off = replace(facts[1], up=False)  # type: ignore[type-var]
        await kernel.apply([Step(facts[1], off), Step(down, found)])
        assert "UP" not in lab.link(UNDERLAY, "nic0.7")["flags"]
        await kernel.apply([Step(off, facts[1]), Step(found, down)])
        assert "UP" in lab.link(UNDERLAY, "nic0.7")["flags"]
        await kernel.clear()

    run(body)


@needs_8021q
def test_a_vlan_that_changes_keeps_its_addresses(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vlan_facts(UNDERLAY)
        await kernel.apply(creation(facts))
        before = lab.portable_snapshot()
        step = Step(facts[0], replace(facts[0], vlan=8))  # type: ignore[type-var]
        await kernel.apply([step])
        assert lab.link(UNDERLAY, "nic0.7")["linkinfo"]["info_data"]["id"] == 8
        assert lab.addresses(UNDERLAY, "nic0.7") == ["10.7.7.1/24", "2001:db8:7::1/64"]
        await kernel.apply([step.inverse()])
        assert differences(before, lab.portable_snapshot()) == []
        await kernel.clear()

    run(body)


@needs_8021q
def test_a_nic_goes_into_a_vrf_and_its_vlan_stays(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vlan_facts(UNDERLAY)
        member = Member(RED, "nic0", "")
        await kernel.apply(creation([Vrf("red", ""), *facts, member]))
        assert all(kernel.actual[fact.key] == fact for fact in facts[::2])
        await kernel.stop()
        again = lab.kernel()
        await again.start()
        assert all(again.actual[fact.key] == fact for fact in facts[::2])
        await again.apply([Step(member, None)])
        assert all(again.actual[fact.key] == fact for fact in facts[::2])
        await again.clear()

    run(body)


@needs_8021q
def test_a_nic_below_a_vlan_is_not_exchanged(lab: Lab) -> None:
    async def body() -> None:
        nic = Nic("wire0", Place("host", lab.other), "")
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation([nic, Vlan(UNDERLAY, "wire0.7", UNDERLAY, "wire0", 7, "")]))
        with pytest.raises(StepRefused, match=r"wire0\.7 is above it"):
            await kernel.apply([Step(nic, Nic("wire0", lab.host, ""))])
        await kernel.clear()

    run(body)


@pytest.mark.parametrize("place", [UNDERLAY, RED], ids=lambda place: place.kind)
def test_a_macvlan_comes_changes_and_goes(lab: Lab, place: Place) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation([Vrf("red", "")]))
        before = lab.portable_snapshot()
        made = Macvlan(place, "share0", Place("host", lab.other), "wire0", "bridge", "")
        facts: list[Fact] = [
            made,
            LinkSettings(place, "share0", None, True, ""),
            Address(place, "share0", "10.9.0.1/24", ""),
        ]
        await kernel.apply(creation(facts))
        assert all(kernel.actual[fact.key] == fact and kernel.owns(fact.key) for fact in facts[::2])
        assert lab.link(place, "share0")["linkinfo"]["info_data"]["mode"] == "bridge"
        step = Step(made, replace(made, mode="private"))
        await kernel.apply([step])
        assert lab.link(place, "share0")["linkinfo"]["info_data"]["mode"] == "private"
        await kernel.stop()
        again = lab.kernel()
        await again.start()
        assert again.actual[made.key] == step.after and lab.addresses(place, "share0") == ["10.9.0.1/24"]
        await again.apply([step.inverse(), *deletion(facts)])
        assert differences(before, lab.portable_snapshot()) == []
        await again.stop()

    run(body)


def test_a_macvlan_without_its_parent_is_refused(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        with pytest.raises(StepRefused, match="there is no link nowhere"):
            await kernel.apply([Step(None, Macvlan(UNDERLAY, "m0", lab.host, "nowhere", "bridge", ""))])
        await kernel.stop()

    run(body)
