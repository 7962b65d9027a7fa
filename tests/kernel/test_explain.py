"""The commands that stand for a step do what the writer does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nesrv.facts import Fact, Step
from nesrv.kernel.explain import attempt, explain
from nesrv.kernel.facts import (
    UNDERLAY,
    Address,
    Bridge,
    HostPort,
    Leg,
    LinkSettings,
    Macvlan,
    Member,
    Nic,
    NoIpv6,
    Place,
    Vlan,
    Vrf,
)
from nesrv.kernel.layout import Layout
from nesrv.kernel.writer import Kernel
from tests.kernel.lab import HAS_8021Q, Lab, Snapshot, creation, deletion, differences, run, sh, vrf_facts


def typed(kernel: Kernel, steps: Sequence[Step]) -> None:
    sh("\n".join(line for lines in kernel.explain(steps) for line in lines))


async def assert_typed_alike(
    lab: Lab, kernel: Kernel, facts: Sequence[Fact], seen: Callable[[Lab], Snapshot] = Lab.portable_snapshot
) -> None:
    """The writer makes ``facts``, and once more the commands: what is ``seen`` then is the same."""
    await kernel.apply(creation(facts))
    written = seen(lab)
    await kernel.apply(deletion(facts))
    typed(kernel, creation(facts))
    assert differences(written, seen(lab)) == []


def test_commands_lead_where_the_writer_leads(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        leg = Leg(UNDERLAY, "pass0", Place("host", lab.other), "pass1", "")
        facts: list[Fact] = [*vrf_facts(lab, "red", 100), leg, LinkSettings(UNDERLAY, "pass0", 1400, True, "")]
        empty = lab.portable_snapshot()
        await assert_typed_alike(lab, kernel, facts)
        await kernel.stop()

        second = lab.kernel()
        await second.start()
        assert {fact.key: second.actual.get(fact.key) for fact in facts} == {fact.key: fact for fact in facts}
        bridge = facts[1]
        assert isinstance(bridge, Bridge)
        typed(second, [Step(bridge, replace(bridge, mac="02:00:00:00:be:ef"))])
        assert second.actual[bridge.key] == replace(bridge, mac="02:00:00:00:be:ef")
        typed(second, deletion(facts))
        assert differences(empty, lab.portable_snapshot()) == []
        await second.stop()

    run(body)


def test_commands_move_a_nic_as_the_writer_does(lab: Lab) -> None:
    async def body() -> None:
        place = Place("host", lab.other)
        sh(f"{lab.inside(place)}ip addr add 10.6.0.1/24 dev wire0")
        kernel = lab.kernel()
        await kernel.start()
        before = lab.portable_snapshot()
        nic = Nic("wire0", place, "")
        await kernel.apply([Step(None, nic)])
        written = lab.portable_snapshot()
        await kernel.apply([Step(nic, None)])
        typed(kernel, [Step(None, nic)])
        assert differences(written, lab.portable_snapshot()) == []
        typed(kernel, [Step(nic, None)])
        assert differences(before, lab.portable_snapshot()) == []
        await kernel.stop()

    run(body)


def test_commands_for_what_is_above_beside_and_within(lab: Lab) -> None:
    """Macvlans, VLANs where there are any, ports of host bridges, and links without IPv6."""

    async def body() -> None:
        red = Place("vrf", "red")
        port = HostPort(lab.host, "h1", "lan", True, "")
        facts: list[Fact] = [
            Vrf("red", ""),
            Macvlan(red, "share0", Place("host", lab.other), "wire0", "private", ""),
            Leg(UNDERLAY, "leg1", lab.host, "h1", ""),
            port,
            LinkSettings(red, "share0", 1500, True, ""),
            NoIpv6(red, "share0", ""),
            NoIpv6(UNDERLAY, "leg1", ""),
        ]
        if HAS_8021Q:
            facts.insert(1, Vlan(red, "nic0.7", UNDERLAY, "nic0", 7, ""))
        kernel = lab.kernel()
        await kernel.start()
        empty = lab.portable_snapshot()
        await assert_typed_alike(lab, kernel, facts, _without_macs)
        await kernel.stop()
        second = lab.kernel()
        await second.start()
        assert {fact.key: second.actual.get(fact.key) for fact in facts} == {fact.key: fact for fact in facts}
        typed(second, deletion(facts))
        # Whether it is the last port of its bridge a single command cannot know.
        sh(f"{lab.inside(lab.host)}ip link del lan")
        assert differences(empty, lab.portable_snapshot()) == []
        await second.stop()

    run(body)


def _without_macs(lab: Lab) -> Snapshot:
    """Those of macvlans and of bridges of the host are new each time."""
    return {
        name: [{key: value for key, value in entry.items() if key != "address"} for entry in entries]
        for name, entries in _no_bridge_ids(lab.portable_snapshot()).items()
    }


def _no_bridge_ids(snapshot: Snapshot) -> Snapshot:
    for entries in snapshot.values():
        for entry in entries:
            for part in ("info_data", "info_slave_data"):
                for name in ("bridge_id", "root_id", "designated_bridge", "designated_root"):
                    entry.get("linkinfo", {}).get(part, {}).pop(name, None)
    return snapshot


def test_commands_let_a_nic_in_and_out_of_a_vrf(lab: Lab) -> None:
    async def body() -> None:
        red = Place("vrf", "red")
        sh(f"{lab.inside(UNDERLAY)}ip addr add 10.6.0.1/24 dev nic0")
        sh(f"{lab.inside(UNDERLAY)}ip addr add 2001:db8:6::1/64 dev nic0 nodad")
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation([Vrf("red", "")]))
        before, member = lab.snapshot(), Member(red, "nic0", "")
        await kernel.apply([Step(None, member)])
        written = lab.snapshot()
        await kernel.apply([Step(member, None)])
        typed(kernel, [Step(None, member)])
        assert differences(written, lab.snapshot()) == []
        typed(kernel, [Step(member, None)])
        assert differences(before, lab.snapshot()) == []
        await kernel.stop()

    run(body)


def test_the_own_namespace_needs_no_entering() -> None:
    layout = Layout("netns", Path("/run/nesrv/e"))
    step = Step(None, Address(UNDERLAY, "eth0", "2001:db8::1/64", ""))
    assert explain(step, layout) == ["ip addr add 2001:db8::1/64 dev eth0 nodad"]
    assert explain(step.inverse(), layout) == ["ip addr del 2001:db8::1/64 dev eth0"]


def test_an_attempt_is_named_for_a_person() -> None:
    assert attempt(Step(None, Vrf("red", ""))) == "create VRF red"
    leg = Leg(Place("vrf", "red"), "l", Place("host", "t"), "h", "")
    assert attempt(Step(leg, None)) == "delete leg l in VRF red with h in host namespace t"
