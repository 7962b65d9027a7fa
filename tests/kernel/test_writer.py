"""Each fact created, changed, deleted and undone, seen by iproute2."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from nesrv.facts import Fact, Step
from nesrv.kernel.facts import UNDERLAY, Address, Bridge, Leg, LinkSettings, Place, Vxlan
from nesrv.kernel.layout import FIRST_TABLE, TABLES, UNREACHABLE_METRIC
from nesrv.kernel.writer import Kernel
from tests.kernel.lab import BACKEND, Lab, creation, deletion, differences, run, sh, vrf_facts

RED = Place("vrf", "red")


async def applied(kernel: Kernel, facts: list[Fact]) -> None:
    await kernel.apply(creation(facts))


def test_a_vrf_with_everything_is_what_type_5_needs(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await applied(kernel, facts)
        assert {fact.key: kernel.actual[fact.key] for fact in facts} == {fact.key: fact for fact in facts}
        await kernel.stop()

    run(body)
    bridge, vxlan = lab.link(RED, "br100"), lab.link(RED, "vx100")
    leg, host = lab.link(RED, "leg100"), lab.link(lab.host, "h100")
    assert bridge["address"] == "02:00:00:00:00:64"
    assert bridge["inet6_addr_gen_mode"] == vxlan["inet6_addr_gen_mode"] == "none"
    assert bridge["linkinfo"]["info_data"]["stp_state"] == 0
    assert vxlan["master"] == "br100"
    data, port = vxlan["linkinfo"]["info_data"], vxlan["linkinfo"]["info_slave_data"]
    assert (data["id"], data["local"], data["port"], data["learning"]) == (100, "192.0.2.1", 4789, False)
    assert (port["learning"], port["neigh_suppress"]) == (False, True)
    assert all("UP" in link["flags"] for link in (bridge, vxlan, leg, host))
    assert vxlan["mtu"] == bridge["mtu"] == leg["mtu"] == host["mtu"] == 1450
    assert lab.addresses(RED, "leg100") == ["10.100.0.1/24", "2001:db8:64::1/64"]
    assert lab.addresses(lab.host, "h100") == ["10.100.0.2/24"]
    assert "fe80" not in sh(f"{lab.inside(RED)}ip -6 addr show dev br100")
    assert leg.get("master") == bridge.get("master") == ("red" if BACKEND == "device" else None)


def test_tenants_reach_their_vrf_across_the_leg(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await applied(kernel, vrf_facts(lab, "red", 100))
        await kernel.stop()

    run(body)
    lab.reaches(lab.host, "10.100.0.1")


@pytest.mark.skipif(BACKEND != "device", reason="tables belong to VRF devices")
def test_a_vrf_device_refuses_what_its_table_does_not_have(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await applied(kernel, vrf_facts(lab, "red", 100))
        await kernel.stop()

    run(body)
    table = lab.link(RED, "red")["linkinfo"]["info_data"]["table"]
    assert FIRST_TABLE <= table < FIRST_TABLE + TABLES
    for version in ("-4", "-6"):
        route = sh(f"{lab.inside(RED)}ip {version} route show table {table} default")
        assert "unreachable" in route and str(UNREACHABLE_METRIC) in route
    sh(f"{lab.inside(UNDERLAY)}ip route add default dev nic0")
    assert sh(f"{lab.inside(RED)}ip route get 203.0.113.1 vrf red 2>&1 || true").find("nic0") < 0


def test_deleting_everything_leaves_nothing(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        before = lab.snapshot()
        facts = vrf_facts(lab, "red", 100)
        await applied(kernel, facts)
        assert lab.snapshot() != before
        await kernel.apply(deletion(facts))
        assert differences(before, lab.snapshot()) == []
        assert not any(kernel.owns(key) for key in kernel.actual)
        await kernel.stop()

    run(body)


def test_undoing_a_deletion_brings_everything_back(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await applied(kernel, facts)
        before = lab.portable_snapshot()
        steps = deletion(facts)
        await kernel.apply(steps)
        await kernel.apply([step.inverse() for step in reversed(steps)])
        assert differences(before, lab.portable_snapshot()) == []
        await kernel.stop()

    run(body)


def change_bridge(lab: Lab, facts: list[Fact]) -> Step:
    before = facts[1]
    assert isinstance(before, Bridge)
    return Step(before, replace(before, mac="02:00:00:00:aa:aa"))


def change_vni(lab: Lab, facts: list[Fact]) -> Step:
    before = facts[2]
    assert isinstance(before, Vxlan)
    return Step(before, replace(before, vni=4242, local="2001:db8::9", port=8472))


def change_host_name(lab: Lab, facts: list[Fact]) -> Step:
    before = facts[3]
    assert isinstance(before, Leg)
    return Step(before, replace(before, host_name="other"))


def change_settings(lab: Lab, facts: list[Fact]) -> Step:
    before = facts[4]
    assert isinstance(before, LinkSettings)
    return Step(before, replace(before, mtu=1400, up=False))


@pytest.mark.parametrize("change", [change_bridge, change_vni, change_host_name, change_settings])
def test_a_change_takes_place_and_its_inverse_restores(lab: Lab, change) -> None:  # type: ignore[no-untyped-def]
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)[:7]
        await applied(kernel, facts)
        before = lab.portable_snapshot()
        step = change(lab, facts)
        await kernel.apply([step])
        assert kernel.actual[step.fact.key] == step.after
        kept = [fact for fact in facts[4:] if fact.key != step.fact.key]
        assert all(kernel.actual[fact.key] == fact for fact in kept)
        assert lab.portable_snapshot() != before
        await kernel.apply([step.inverse()])
        assert differences(before, lab.portable_snapshot()) == []
        await kernel.stop()

    run(body)


def test_addresses_survive_a_link_that_goes_down(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await applied(kernel, facts)
        await kernel.apply([change_settings(lab, facts)])
        assert all(kernel.actual.get(fact.key) == fact for fact in facts[5:7])
        await kernel.stop()

    run(body)
    assert lab.addresses(RED, "leg100") == ["10.100.0.1/24", "2001:db8:64::1/64"]


def test_a_secondary_address_outlives_the_first(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        second = Address(RED, "leg100", "10.100.0.9/24", "")
        await applied(kernel, [*facts, second])
        await kernel.apply([Step(facts[5], None)])
        assert kernel.actual[second.key] == second
        await kernel.stop()

    run(body)
    assert lab.addresses(RED, "leg100") == ["10.100.0.9/24", "2001:db8:64::1/64"]


def test_a_leg_of_the_underlay(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        leg = Leg(UNDERLAY, "pass0", lab.host, "up0", "")
        facts: list[Fact] = [
            leg,
            LinkSettings(UNDERLAY, "pass0", 1500, True, ""),
            Address(UNDERLAY, "pass0", "10.0.0.1/30", ""),
        ]
        await applied(kernel, facts)
        assert all(kernel.actual[fact.key] == fact and kernel.owns(fact.key) for fact in facts)
        await kernel.apply(deletion(facts))
        await kernel.stop()

    run(body)
    assert "pass0" not in str(lab.ip(UNDERLAY, "link"))


def underlay_settings_and_address() -> list[Fact]:
    return [LinkSettings(UNDERLAY, "nic0", 1400, False, ""), Address(UNDERLAY, "nic0", "10.9.0.1/24", "")]


def test_a_nic_that_was_there_gets_back_what_it_had(lab: Lab) -> None:
    async def body() -> None:
        sh(f"{lab.inside(UNDERLAY)}ip addr add 10.8.0.1/24 dev nic0")
        kernel = lab.kernel()
        await kernel.start()
        before = lab.snapshot()
        there = kernel.actual["settings", UNDERLAY, "nic0"]
        settings, address = underlay_settings_and_address()
        await kernel.apply([Step(there, settings), Step(None, address)])
        assert lab.link(UNDERLAY, "nic0")["mtu"] == 1400
        await kernel.stop()
        kernel = lab.kernel()
        await kernel.start()
        assert kernel.owns(settings.key)
        assert not kernel.owns(("address", UNDERLAY, "nic0", "10.8.0.1/24"))
        await kernel.apply([Step(address, None), Step(settings, None)])
        assert differences(before, lab.snapshot()) == []
        await kernel.stop()

    run(body)


def test_jumbo_underlay_gives_a_jumbo_overlay(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await applied(kernel, facts)
        there = kernel.actual["settings", UNDERLAY, "nic0"]
        await kernel.apply([Step(there, LinkSettings(UNDERLAY, "nic0", 9000, True, ""))])
        await kernel.stop()

    run(body)
    assert lab.link(RED, "vx100")["mtu"] == lab.link(RED, "br100")["mtu"] == 8950


def test_host_ends_in_the_underlay_itself_are_no_underlay(lab: Lab) -> None:
    """Without a namespace of its own, the element's NICs and the tenants' ends of legs are neighbours."""

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        here = Place("host", lab.underlay)
        for number, name in ((100, "red"), (200, "blue")):
            facts = vrf_facts(lab, name, number)
            leg, host_address = facts[3], facts[-1]
            assert isinstance(leg, Leg) and isinstance(host_address, Address)
            facts[3], facts[-1] = replace(leg, host=here), replace(host_address, place=here)
            await applied(kernel, facts)
            assert all(kernel.actual[fact.key] == fact for fact in facts)
        await kernel.stop()

    run(body)
    assert lab.link(Place("vrf", "blue"), "vx200")["mtu"] == 1450


def test_a_second_writing_of_the_same_changes_nothing(lab: Lab) -> None:
    """Needless link messages make zebra flush neighbours."""

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await applied(kernel, facts)
        monitor = kernel._spaces.monitor
        assert monitor is not None
        kernel.actual  # noqa: B018 (takes in what is still to be heard)
        await kernel.apply([Step(fact, fact) for fact in (facts[1], *facts[4:])])
        with pytest.raises(BlockingIOError) as silent:
            monitor.recv(1)
        assert silent.value.errno == errno.EAGAIN
        await kernel.stop()

    run(body)


def test_clear_removes_all_that_is_ours_and_only_that(lab: Lab) -> None:
    async def body() -> None:
        sh(f"{lab.inside(UNDERLAY)}ip link add theirs type bridge")
        kernel = lab.kernel()
        before = lab.snapshot()
        await kernel.start()
        await applied(kernel, [*vrf_facts(lab, "red", 100), *vrf_facts(lab, "blue", 200)])
        await kernel.clear()
        assert differences(before, lab.snapshot()) == []
        assert not lab.layout.run.exists()

    run(body)


def test_after_step_hears_each_step(lab: Lab) -> None:
    heard: list[Step] = []

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await kernel.apply(creation(facts), heard.append)
        assert heard == creation(facts)
        await kernel.stop()

    run(body)
