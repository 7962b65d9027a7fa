"""NICs adopted and given back, also across the end of the process at any point."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nesrv.facts import Step, StepRefused
from nesrv.kernel.facts import UNDERLAY, Address, LinkSettings, Nic, Place
from nesrv.kernel.keeping import Keeper
from tests.kernel.ending import Ended, ending_at
from tests.kernel.lab import Lab, differences, run, sh

ADDRESSES = ["10.6.0.1/24", "10.6.0.2/24", "2001:db8:6::1/64"]


def origin(lab: Lab) -> Place:
    return Place("host", lab.other)


def nic(lab: Lab) -> Nic:
    return Nic("wire0", origin(lab), "")


def dress(lab: Lab) -> None:
    """A NIC as an administrator left it: MTU, state, addresses with a label, a metric and a secondary one."""
    inside = lab.inside(origin(lab))
    sh(f"{inside}ip link set wire0 mtu 1600 up")
    sh(f"{inside}ip addr add 10.6.0.1/24 brd + label wire0:0 metric 77 dev wire0")
    sh(f"{inside}ip addr add 10.6.0.2/24 dev wire0; {inside}ip addr add 2001:db8:6::1/64 nodad dev wire0")


def seen(lab: Lab, place: Place) -> Any:
    (found,) = lab.ip(place, "addr show dev wire0")
    info = [
        {key: value for key, value in address.items() if key != "nodad"}
        for address in found["addr_info"]
        if address["scope"] == "global"
    ]
    return found["mtu"], "UP" in found["flags"], info


def test_adopted_with_all_it_had_and_given_back(lab: Lab) -> None:
    async def body() -> None:
        dress(lab)
        before, was = lab.portable_snapshot(), seen(lab, origin(lab))
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply([Step(None, nic(lab))])
        assert seen(lab, UNDERLAY) == was
        assert kernel.actual[nic(lab).key] == nic(lab)
        assert all(kernel.actual.get(("address", UNDERLAY, "wire0", one)) for one in ADDRESSES)
        await kernel.apply([Step(nic(lab), None)])
        assert differences(before, lab.portable_snapshot()) == []
        assert not any(lab.state.iterdir())
        await kernel.stop()

    run(body)


def test_what_was_configured_on_it_here_does_not_go_back_with_it(lab: Lab) -> None:
    async def body() -> None:
        dress(lab)
        was = seen(lab, origin(lab))
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply([Step(None, nic(lab))])
        settings = kernel.actual["settings", UNDERLAY, "wire0"]
        extra, own = Address(UNDERLAY, "wire0", "10.1.0.1/24", ""), Address(UNDERLAY, "wire0", "10.6.0.1/24", "")
        await kernel.apply(
            [Step(settings, LinkSettings(UNDERLAY, "wire0", 1300, True, "")), Step(None, extra), Step(own, None)]
        )
        there = kernel.actual[nic(lab).key]
        inside = seen(lab, UNDERLAY)
        give = Step(there, None)
        await kernel.apply([give])
        assert seen(lab, origin(lab)) == was
        await kernel.apply([give.inverse()])
        assert seen(lab, UNDERLAY) == inside
        await kernel.apply([Step(kernel.actual[nic(lab).key], None)])
        assert seen(lab, origin(lab)) == was
        await kernel.stop()

    run(body)


def test_refused_where_the_name_is_taken(lab: Lab) -> None:
    async def body() -> None:
        dress(lab)
        sh(f"{lab.inside(UNDERLAY)}ip link add wire0 type bridge")
        before = lab.snapshot()
        kernel = lab.kernel()
        await kernel.start()
        with pytest.raises(StepRefused, match="has a link named wire0 already"):
            await kernel.apply([Step(None, nic(lab))])
        assert differences(before, lab.snapshot()) == []
        assert not any(lab.state.iterdir())
        await kernel.stop()

    run(body)


def test_a_nic_whose_name_was_taken_at_home_stays(lab: Lab) -> None:
    async def body() -> None:
        dress(lab)
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply([Step(None, nic(lab))])
        sh(f"{lab.inside(origin(lab))}ip link add wire0 type bridge")
        before = lab.snapshot()
        with pytest.raises(StepRefused, match="has a link named wire0 already"):
            await kernel.apply([Step(nic(lab), None)])
        assert differences(before, lab.snapshot()) == []
        await kernel.stop()

    run(body)


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("direction", ["adopting", "returning"])
def test_a_move_cut_short_is_finished_by_the_next_process(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, direction: str, position: int
) -> None:
    async def body() -> None:
        dress(lab)
        before, was = lab.portable_snapshot(), seen(lab, origin(lab))
        kernel = lab.kernel()
        await kernel.start()
        if direction == "returning":
            await kernel.apply([Step(None, nic(lab))])
        step = Step(None, nic(lab)) if direction == "adopting" else Step(nic(lab), None)
        with monkeypatch.context() as cut:
            guard = ending_at(position)
            cut.setattr(Keeper, "move", guard(Keeper.move))
            cut.setattr(Keeper, "settle", guard(Keeper.settle))
            with pytest.raises(Ended):
                await kernel.apply([step])
        await kernel.stop()
        kernel = lab.kernel()
        await kernel.start()
        if nic(lab).key in kernel.actual:
            assert seen(lab, UNDERLAY) == was
            await kernel.apply([Step(nic(lab), None)])
        assert differences(before, lab.portable_snapshot()) == []
        assert not any(lab.state.iterdir())
        await kernel.stop()

    asyncio.run(body())


def test_a_restarted_element_still_knows_it(lab: Lab) -> None:
    async def body() -> None:
        dress(lab)
        was = seen(lab, origin(lab))
        first, second = lab.kernel(), lab.kernel()
        await first.start()
        await first.apply([Step(None, nic(lab))])
        known = dict(first.actual)
        await first.stop()
        await second.start()
        assert dict(second.actual) == known
        await second.clear()
        assert seen(lab, origin(lab)) == was

    run(body)
