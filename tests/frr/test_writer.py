"""The writer against real daemons: what is written is what is read back, refusals are exact."""

from __future__ import annotations

import asyncio
import json

import pytest

from nesrv.facts import Step, StepRefused
from nesrv.frr.channel import Vtysh
from nesrv.frr.daemons import Attached, Home
from nesrv.frr.text import FrrLine, line
from nesrv.frr.writer import Frr
from tests.frr.engine import AS, EVPN, RED, add_l3vni, creates, delta, drop_l3vni, eventually, lines, on_frr
from tests.frr.slices import EVERYTHING, INSTANCE, KINDS, VRF, D


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_line_reads_back_as_written(home: Home, kind: str) -> None:
    async def body(frr: Frr) -> None:
        await frr.apply(creates(KINDS[kind]))
        assert sorted(f"{fact.context} {fact.text}" for fact in (await frr.read()).values()) == sorted(
            f"{fact.context} {fact.text}" for fact in KINDS[kind]
        )

    on_frr(home, body)


def test_everything_at_once_goes_in_and_out(home: Home) -> None:
    async def body(frr: Frr) -> None:
        await frr.apply(creates(EVERYTHING))
        assert set((await frr.read()).values()) == set(EVERYTHING)
        await frr.clear()
        assert await frr.read() == {}

    on_frr(home, body)


BASE = lines((*INSTANCE, (D, "neighbor 192.0.2.1 remote-as 65001")))


def steps_of(*texts: str) -> list[Step]:
    return [Step(None, line(D, text, "/test:path")) for text in texts]


def test_a_refused_line_says_why_and_done_is_exact(home: Home) -> None:
    async def body(frr: Frr) -> None:
        await frr.apply(creates(BASE))
        steps = steps_of(
            "neighbor 192.0.2.1 passive", "neighbor 192.0.2.1 timers 3 nine", "neighbor 192.0.2.1 description behind"
        )
        with pytest.raises(StepRefused) as refused:
            await frr.apply(steps)
        assert refused.value.step is steps[1]
        assert "Unknown command" in refused.value.words
        assert set(refused.value.done) == {steps[0], steps[2]}
        assert set(frr.actual.values()) == {*BASE, steps[0].fact, steps[2].fact}
        await frr.apply([step.inverse() for step in reversed(refused.value.done)])
        assert set((await frr.read()).values()) == set(BASE)

    on_frr(home, body)


def test_a_refusal_never_shows_a_secret(home: Home) -> None:
    async def body(frr: Frr) -> None:
        await frr.apply(creates(BASE))
        with pytest.raises(StepRefused) as refused:
            await frr.apply(steps_of("neighbor 192.0.2.1 password hush hush hush"))
        assert "***" in refused.value.words
        assert "hush" not in refused.value.words

    on_frr(home, body)


def test_lines_behind_a_refused_context_land_nowhere(home: Home) -> None:
    async def body(frr: Frr) -> None:
        await frr.apply(creates(BASE))
        alien = (f"router bgp {AS + 1}",)
        steps = creates(lines([((), alien[0]), (alien, "neighbor 192.0.2.7 remote-as 65007")]))
        with pytest.raises(StepRefused) as refused:
            await frr.apply(steps)
        assert f"is already running; AS is {AS}" in refused.value.words
        assert refused.value.done == ()
        assert set((await frr.read()).values()) == set(BASE)

    on_frr(home, body)


def test_each_step_is_told_when_it_is_acknowledged(home: Home) -> None:
    async def body(frr: Frr) -> None:
        seen: list[Step] = []
        steps = creates(EVERYTHING)
        await frr.apply(steps, seen.append)
        assert sorted(map(repr, seen)) == sorted(map(repr, steps))
        gone: list[Step] = []
        steps = delta(EVERYTHING, [])
        await frr.apply(steps, gone.append)
        assert sorted(map(repr, gone)) == sorted(map(repr, steps))

    on_frr(home, body)


def test_a_step_that_was_told_is_in_frr_at_that_moment(home: Home) -> None:
    class Stop(Exception):
        pass

    async def body(frr: Frr) -> None:
        taken: list[Step] = []

        def stop_at_fifth(step: Step) -> None:
            taken.append(step)
            if len(taken) == 5:
                raise Stop

        with pytest.raises(Stop):
            await frr.apply(creates(KINDS["vrf"]), stop_at_fifth)
        assert set((await frr.read()).values()) == {step.fact for step in taken}

    on_frr(home, body)


async def has_l3vni(frr: Frr, number: int) -> bool:
    """Without its VRF's line bgpd takes the VNI for one of layer 2."""
    known = json.loads(await frr.show("bgpd", "show bgp l2vpn evpn vni json"))
    return bool(known.get(str(number), {}).get("type") == "L3")


def test_an_instance_goes_while_its_l3vni_is_up(home: Home) -> None:
    async def body(frr: Frr) -> None:
        evpn = (((*D, EVPN), "advertise-all-vni"), ((*D, EVPN), "neighbor 192.0.2.1 activate"))
        neighbor = (D, "neighbor 192.0.2.1 remote-as 65001")
        base = lines((*INSTANCE, neighbor, *evpn))
        tenant = lines(VRF)
        await frr.apply(creates([*base, *tenant]))
        add_l3vni(home, "red", 100, "10.0.0.1")
        try:

            async def up() -> bool:
                return await has_l3vni(frr, 100)

            assert await eventually(up)
            kept = [fact for fact in tenant if fact.slot == "vni"]
            await frr.apply(delta([*base, *tenant], [*base, *kept]))
            assert set((await frr.read()).values()) == {*base, *kept}
            await frr.apply(delta([*base, *kept], [*base, *tenant]))
            assert await eventually(up)
            await frr.apply(delta([*base, *tenant], base))
            assert set((await frr.read()).values()) == set(base)
        finally:
            drop_l3vni(home, "red", 100)

    on_frr(home, body)


def test_a_refusal_that_passes_is_waited_for(home: Home) -> None:
    """A VNI that nesrv does not know of keeps the instance until it is taken away."""

    async def body(frr: Frr) -> None:
        evpn = (((*D, EVPN), "advertise-all-vni"), ((), RED))
        await frr.apply(creates(lines((*INSTANCE, *evpn))))
        add_l3vni(home, "red", 100, "10.0.0.1")
        somebody = Frr(Attached(home.sockets))
        await somebody.start()
        vni = lines([(("vrf red",), "vni 100")])

        async def up() -> bool:
            return await has_l3vni(frr, 100)

        try:
            await somebody.apply(creates(vni))
            assert await eventually(up)
            gone = delta(lines((*INSTANCE, *evpn)), lines((*INSTANCE, evpn[0])))
            applying = asyncio.create_task(frr.apply(gone))
            await asyncio.wait((applying,), timeout=0.2)
            assert not applying.done()
            await somebody.apply(delta(vni, []))
            await applying
            assert set((await frr.read()).values()) == set(lines((*INSTANCE, evpn[0])))
        finally:
            drop_l3vni(home, "red", 100)

    on_frr(home, body)


def test_the_as_of_the_default_instance_changes_under_vrf_instances(home: Home) -> None:
    async def body(frr: Frr) -> None:
        before = [*lines(INSTANCE), *lines(VRF)]
        after = [line(*moved(fact), "/test:path") for fact in lines(INSTANCE)] + lines(VRF)
        await frr.apply(creates(before))
        await frr.apply(delta(before, after))
        assert set((await frr.read()).values()) == set(after)

    def moved(fact: FrrLine) -> tuple[tuple[str, ...], str]:
        other = f"router bgp {AS + 1}"
        return ((other,), fact.text) if fact.context else ((), other)

    on_frr(home, body)


def test_vtysh_is_a_way_in_too(home: Home) -> None:
    async def body(frr: Frr) -> None:
        channel = Vtysh(("-N", home.element))
        taken = await channel.send("bgpd", [f"router bgp {AS}", "neighbor 192.0.2.1 remote-as 65001", "nonsense"])
        assert [reply.status for reply in taken][:2] == [0, 0]
        assert taken[2].status != 0
        assert "neighbor 192.0.2.1 remote-as 65001" in (await channel.show("bgpd", "show running-config")).text

    on_frr(home, body)


def test_a_distinguisher_like_the_automatic_one_is_kept(home: Home) -> None:
    """bgpd gives an instance one of its own, ROUTER-ID:NUMBER, by the lowest number that is free."""

    async def body(frr: Frr) -> None:
        base = lines((*INSTANCE, (D, "neighbor 192.0.2.1 remote-as 65001"), ((*D, EVPN), "advertise-all-vni")))
        await frr.apply(creates(base))
        add_l3vni(home, "red", 100, "10.0.0.1")
        try:
            for number in range(1, 9):
                mine = lines((((), RED), ((RED,), "bgp router-id 192.0.2.9"), ((RED, EVPN), f"rd 192.0.2.9:{number}")))
                steps = creates(mine)
                await frr.apply(steps)
                assert set((await frr.read()).values()) == {*base, *mine}
                await frr.apply([step.inverse() for step in reversed(steps)])
        finally:
            drop_l3vni(home, "red", 100)

    on_frr(home, body)
