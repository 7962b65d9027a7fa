"""NICs in VRFs and out again, also across the end of the process at any point."""

from __future__ import annotations

import asyncio

import pytest

from nesrv.facts import Fact, Step, StepRefused
from nesrv.kernel.facts import UNDERLAY, Address, LinkSettings, Member, Nic, Place, Vrf
from nesrv.kernel.keeping import Keeper
from nesrv.kernel.members import Members
from tests.kernel.ending import Ended, ending_at
from tests.kernel.lab import BACKEND, Lab, creation, deletion, differences, run, sh

RED, BLUE = Place("vrf", "red"), Place("vrf", "blue")
VRFS = [Vrf("red", ""), Vrf("blue", "")]
KEPT = ["10.7.0.1/24", "2001:db8:7::1/64", "fe80::7/64"]


def dress(lab: Lab) -> None:
    """nic0 with addresses, one of them link-local, and routes of an administrator's."""
    inside = lab.inside(UNDERLAY)
    for address in KEPT:
        sh(f"{inside}ip addr add {address} dev nic0{' nodad' if ':' in address else ''}")
    sh(f"{inside}ip route add 198.51.100.0/24 via 10.7.0.9 dev nic0 metric 7 src 10.7.0.1")
    sh(f"{inside}ip route add default dev nic0 scope link metric 9; {inside}ip -6 route add 2001:db8:77::/48 dev nic0")
    sh(f"{inside}ip -6 route add 2001:db8:78::/48 via 2001:db8:7::9 dev nic0")


def all_addresses(lab: Lab, place: Place) -> list[str]:
    (found,) = lab.ip(place, "addr show dev nic0")
    return [address for one in found["addr_info"] if (address := f"{one['local']}/{one['prefixlen']}") in KEPT]


def test_in_and_out_again_with_all_it_had(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        dress(lab)
        await kernel.apply(creation([VRFS[0]]))
        before = lab.snapshot()
        member = Member(RED, "nic0", "")
        await kernel.apply([Step(None, member)])
        assert kernel.actual[member.key] == member and kernel.owns(member.key)
        assert all_addresses(lab, RED) == KEPT
        assert lab.link(RED, "nic0").get("master") == ("red" if BACKEND == "device" else None)
        assert "198.51.100.0" not in sh(f"{lab.inside(UNDERLAY)}ip route")
        extra = Address(RED, "nic0", "10.8.0.1/24", "")
        settings = LinkSettings(RED, "nic0", 1400, True, "")
        await kernel.apply([Step(kernel.actual[settings.key], settings), Step(None, extra)])
        assert lab.link(RED, "nic0")["mtu"] == 1400
        await kernel.apply([Step(extra, None), Step(settings, None), Step(member, None)])
        assert differences(before, lab.snapshot()) == []
        assert not any(lab.state.iterdir())
        await kernel.stop()

    run(body)


def test_from_one_vrf_to_another_and_undone(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        dress(lab)
        before = lab.snapshot()
        await kernel.apply(creation(VRFS))
        first, second = Member(RED, "nic0", ""), Member(BLUE, "nic0", "")
        await kernel.apply([Step(None, first)])
        change = Step(first, second)
        await kernel.apply([change])
        assert kernel.actual[second.key] == second and all_addresses(lab, BLUE) == KEPT
        await kernel.apply([change.inverse()])
        assert kernel.actual[first.key] == first and all_addresses(lab, RED) == KEPT
        await kernel.apply([Step(first, None), *deletion(VRFS)])
        assert differences(before, lab.snapshot()) == []
        await kernel.stop()

    run(body)


def test_an_adopted_nic_goes_home_from_a_vrf_with_its_routes(lab: Lab) -> None:
    async def body() -> None:
        origin = Place("host", lab.other)
        inside = lab.inside(origin)
        sh(f"{inside}ip addr add 10.6.0.1/24 dev wire0")
        sh(f"{inside}ip route add default via 10.6.0.9 proto static metric 50")
        before = lab.portable_snapshot()
        kernel = lab.kernel()
        await kernel.start()
        facts: list[Fact] = [VRFS[0], Nic("wire0", origin, ""), Member(RED, "wire0", "")]
        await kernel.apply(creation(facts))
        assert all(kernel.actual[fact.key] == fact for fact in facts)
        assert lab.addresses(RED, "wire0") == ["10.6.0.1/24"]
        await kernel.stop()
        again = lab.kernel()
        await again.start()
        assert all(again.actual[fact.key] == fact and again.owns(fact.key) for fact in facts)
        await again.clear()
        assert differences(before, lab.portable_snapshot()) == []

    run(body)


def test_a_nic_of_another_origin_is_refused_while_it_is_in_a_vrf(lab: Lab) -> None:
    async def body() -> None:
        nic = Nic("wire0", Place("host", lab.other), "")
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation([VRFS[0], nic, Member(RED, "wire0", "")]))
        with pytest.raises(StepRefused, match="it is in a VRF"):
            await kernel.apply([Step(nic, Nic("wire0", lab.host, ""))])
        await kernel.clear()

    run(body)


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_change_cut_short_is_finished_by_the_next_process(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, direction: str, position: int
) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        dress(lab)
        await kernel.apply(creation([VRFS[0]]))
        before = lab.snapshot()
        member = Member(RED, "nic0", "")
        if direction == "out":
            await kernel.apply([Step(None, member)])
        step = Step(None, member) if direction == "in" else Step(member, None)
        with monkeypatch.context() as cut:
            guard = ending_at(position)
            for name in ("_enter", "_leave"):
                cut.setattr(Members, name, guard(getattr(Members, name)))
            cut.setattr(Keeper, "settle", guard(Keeper.settle))
            with pytest.raises(Ended):
                await kernel.apply([step])
        await kernel.stop()
        kernel = lab.kernel()
        await kernel.start()
        if member.key in kernel.actual:
            assert all_addresses(lab, RED) == KEPT
            await kernel.apply([Step(member, None)])
        assert differences(before, lab.snapshot()) == []
        assert not any(lab.state.iterdir())
        await kernel.stop()

    asyncio.run(body())
