"""A new process finds everything again, and what an ended one left half done."""

from __future__ import annotations

import pytest

from nesrv.facts import Fact, Step, StepRefused
from nesrv.kernel.facts import UNDERLAY, Address, Bridge, Leg, LinkSettings, Place, Vrf, Vxlan
from nesrv.kernel.layout import OUR_GROUP
from nesrv.kernel.reader import LOST
from tests.kernel.lab import BACKEND, Lab, creation, differences, run, sh, vrf_facts

RED = Place("vrf", "red")


def facts_of_all_kinds(lab: Lab) -> list[Fact]:
    six = Place("vrf", "six")
    return [
        *vrf_facts(lab, "red", 100),
        Vrf("six", ""),
        Bridge(six, "br6", "02:00:00:00:06:06", ""),
        Vxlan(six, "vx6", 6, "2001:db8::1", 8472, "br6", ""),
        Leg(six, "leg6", Place("host", ""), f"h{lab.name}", ""),
        LinkSettings(six, "leg6", 1430, True, ""),
        Leg(UNDERLAY, "pass0", Place("host", lab.other), "pass1", ""),
        LinkSettings(UNDERLAY, "pass0", None, False, ""),
        Address(six, "leg6", "fe80::1/64", ""),
        Address(RED, "lo", "192.0.2.200/32", ""),
    ]


def test_a_restarted_element_has_the_same_facts(lab: Lab) -> None:
    async def body() -> None:
        first, second = lab.kernel(), lab.kernel()
        await first.start()
        facts = facts_of_all_kinds(lab)
        await first.apply(creation(facts))
        known = dict(first.actual)
        await first.stop()
        before = lab.snapshot()
        await second.start()
        assert dict(second.actual) == known
        wanted = {fact.key for fact in facts}
        assert {key for key in second.actual if second.owns(key)} == wanted
        assert differences(before, lab.snapshot()) == []
        await second.clear()

    run(body)


def test_half_made_links_are_swept(lab: Lab) -> None:
    async def body() -> None:
        sh(f"{lab.inside(UNDERLAY)}ip link add half group {OUR_GROUP} type bridge")
        sh(f"{lab.inside(UNDERLAY)}ip link add theirs type bridge")
        kernel = lab.kernel()
        await kernel.start()
        await kernel.stop()

    run(body)
    names = [link["ifname"] for link in lab.ip(UNDERLAY, "link")]
    assert "half" not in names and "theirs" in names


@pytest.mark.skipif(BACKEND != "netns", reason="namespaces are the other back end's VRFs")
def test_a_file_that_never_became_a_namespace_is_swept(lab: Lab) -> None:
    async def body() -> None:
        first, second = lab.kernel(), lab.kernel()
        await first.start()
        await first.stop()
        (lab.layout.vrf_directory / "red").touch()
        await second.start()
        assert ("vrf", "red") not in second.actual
        await second.apply([Step(None, Vrf("red", ""))])
        await second.clear()

    run(body)


def test_a_leg_whose_host_namespace_went_is_made_again(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await kernel.apply(creation(facts))
        sh(f"{lab.inside(lab.host)}ip link set h100 netns {lab.other}")
        leg = facts[3]
        assert isinstance(leg, Leg)
        there = kernel.actual[leg.key]
        assert isinstance(there, Leg) and there != leg and there.host_name == LOST
        await kernel.apply([Step(there, leg)])
        assert kernel.actual[leg.key] == leg
        await kernel.stop()

    run(body)
    assert lab.link(lab.host, "h100")


def test_a_process_that_ends_after_any_step_leaves_facts_that_can_be_read(lab: Lab) -> None:
    async def body() -> None:
        facts = vrf_facts(lab, "red", 100)
        for position, fact in enumerate(facts):
            kernel = lab.kernel()
            await kernel.start()
            assert {key for key in kernel.actual if kernel.owns(key)} == {f.key for f in facts[:position]}
            await kernel.apply([Step(None, fact)])
            await kernel.stop()

    run(body)


def test_a_link_cut_off_before_its_mark_is_made_again(lab: Lab) -> None:
    """The process ends between the two messages that make a bridge."""

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply([Step(None, Vrf("red", ""))])
        links = kernel._links
        links._set = cut_off  # type: ignore[method-assign]
        fact = Bridge(RED, "br1", "02:00:00:00:00:01", "")
        with pytest.raises(KeyboardInterrupt):
            await kernel.apply([Step(None, fact)])
        await kernel.stop()
        kernel = lab.kernel()
        await kernel.start()
        assert fact.key not in kernel.actual
        await kernel.apply([Step(None, fact)])
        await kernel.stop()

    run(body)
    assert lab.link(RED, "br1")["inet6_addr_gen_mode"] == "none"


def cut_off(*_arguments: object, **_more: object) -> None:
    raise KeyboardInterrupt


def test_a_host_namespace_is_not_kept_alive(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await kernel.apply(creation(facts))
        sh(f"ip netns del {lab.tenant}")
        for _attempt in range(500):
            if facts[3].key not in kernel.actual:
                break
            sh("sleep 0.02")
        assert "leg100" not in str(lab.ip(RED, "link"))
        with pytest.raises(StepRefused, match="does not exist"):
            await kernel.apply([Step(None, facts[3])])
        await kernel.stop()

    run(body)
