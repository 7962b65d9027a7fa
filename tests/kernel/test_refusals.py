"""What the kernel refuses, and what is not for nesrv to touch: nothing is left half done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nesrv.facts import Fact, Step, StepRefused
from nesrv.kernel import requests
from nesrv.kernel.facts import UNDERLAY, Address, Bridge, Leg, LinkSettings, Place, Vrf, Vxlan
from tests.kernel.lab import BACKEND, Lab, creation, differences, run, sh, vrf_facts

TOO_SMALL = 1
"""An MTU that every link refuses."""


REFUSALS = {
    "name taken on the host": ("leg", "File exists"),
    "VNI in use": ("vxlan", "already exists"),
    "host namespace missing": ("ghost", "does not exist"),
    "VRF missing": ("vrf", "does not exist" if BACKEND == "netns" else "there is no link"),
    "link missing": ("link", "there is no link nosuch"),
    "MTU impossible": ("mtu", "Invalid argument"),
    "VRF there already": ("twice", "File exists"),
}


def refused_fact(lab: Lab, which: str) -> Fact:
    red = Place("vrf", "red")
    facts: dict[str, Fact] = {
        "leg": Leg(red, "leg7", lab.host, "taken", ""),
        "vxlan": Vxlan(red, "vx7", 55, "192.0.2.1", 4789, "br100", ""),
        "ghost": Leg(red, "leg7", Place("host", "nowhere"), "h7", ""),
        "vrf": Bridge(Place("vrf", "grey"), "br7", "02:00:00:00:00:07", ""),
        "link": Address(red, "nosuch", "10.0.0.1/24", ""),
        "mtu": LinkSettings(red, "leg100", 1, True, ""),
        "twice": Vrf("green", ""),
    }
    return facts[which]


@pytest.mark.parametrize("why", REFUSALS)
def test_a_refusal_names_what_was_done_and_leaves_nothing_of_its_own(lab: Lab, why: str) -> None:
    which, words = REFUSALS[why]

    async def body() -> None:
        sh(f"{lab.inside(lab.host)}ip link add taken type bridge")
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation([*vrf_facts(lab, "green", 55), Vrf("red", "")]))
        before = lab.snapshot()
        facts = vrf_facts(lab, "red", 100)[1:]
        steps = [*creation(facts), Step(None, refused_fact(lab, which)), *creation([Vrf("late", "")])]
        with pytest.raises(StepRefused) as caught:
            await kernel.apply(steps)
        assert words in caught.value.words
        assert caught.value.done == tuple(creation(facts))
        assert caught.value.step is steps[len(facts)]
        await kernel.apply([step.inverse() for step in reversed(caught.value.done)])
        assert differences(before, lab.snapshot()) == []
        await kernel.stop()

    run(body)


@pytest.mark.parametrize("kind", ["bridge", "vxlan", "leg"])
def test_a_step_refused_half_way_takes_its_own_part_back(lab: Lab, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The kernel takes the link and refuses what is said of it next."""

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        which = ("bridge", "vxlan", "leg").index(kind) + 1
        await kernel.apply(creation(facts[:which]))
        before = lab.snapshot()
        with monkeypatch.context() as patch:
            right = requests.change_link

            def wrong(name: str, *attributes: requests.Attribute, up: bool | None = None) -> bytes:
                return right(name, *attributes, ("IFLA_MTU", TOO_SMALL), up=up)

            patch.setattr(requests, "change_link", wrong)
            with pytest.raises(StepRefused) as caught:
                await kernel.apply([Step(None, facts[which])])
        assert caught.value.done == ()
        assert differences(before, lab.snapshot()) == []
        await kernel.apply([Step(None, facts[which])])
        await kernel.stop()

    run(body)


def test_a_refused_replacement_puts_the_old_link_back(lab: Lab) -> None:
    async def body() -> None:
        sh(f"{lab.inside(lab.host)}ip link add taken type bridge")
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await kernel.apply(creation(facts))
        before = lab.portable_snapshot()
        leg = facts[3]
        assert isinstance(leg, Leg)
        with pytest.raises(StepRefused, match="File exists"):
            await kernel.apply([Step(leg, replace(leg, host_name="taken"))])
        assert differences(before, lab.portable_snapshot()) == []
        assert all(kernel.actual[fact.key] == fact for fact in facts)
        await kernel.stop()

    run(body)


def test_a_link_of_someone_else_is_not_removed(lab: Lab) -> None:
    async def body() -> None:
        sh(f"{lab.inside(UNDERLAY)}ip link add theirs type bridge")
        kernel = lab.kernel()
        await kernel.start()
        fact = Bridge(UNDERLAY, "theirs", "02:00:00:00:00:01", "")
        with pytest.raises(StepRefused, match="not made by nesrv"):
            await kernel.apply([Step(fact, None)])
        await kernel.stop()

    run(body)
    assert lab.link(UNDERLAY, "theirs")
