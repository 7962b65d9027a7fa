"""Changes from outside are heard, and only those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nesrv.kernel import spaces
from nesrv.kernel.facts import UNDERLAY, Address, Leg, LinkSettings, Place
from tests.kernel.lab import Lab, creation, run, settle, sh, vrf_facts

RED = Place("vrf", "red")

OUTSIDE: dict[str, tuple[Callable[[Lab], str], Callable[[Lab], tuple[Any, ...]]]] = {
    "address gone": (
        lambda lab: f"{lab.inside(RED)}ip addr del 10.100.0.1/24 dev leg100",
        lambda lab: Address(RED, "leg100", "10.100.0.1/24", "").key,
    ),
    "address new": (
        lambda lab: f"{lab.inside(RED)}ip addr add 10.7.7.7/32 dev leg100",
        lambda lab: Address(RED, "leg100", "10.7.7.7/32", "").key,
    ),
    "host end down": (
        lambda lab: f"{lab.inside(lab.host)}ip link set h100 down",
        lambda lab: LinkSettings(RED, "leg100", 0, True, "").key,
    ),
    "host end renamed": (
        lambda lab: f"{lab.inside(lab.host)}ip link set h100 down; {lab.inside(lab.host)}ip link set h100 name h101",
        lambda lab: Leg(RED, "leg100", lab.host, "", "").key,
    ),
    "MAC of the bridge": (
        lambda lab: f"{lab.inside(RED)}ip link set br100 address 02:00:00:00:12:34",
        lambda lab: ("bridge", RED, "br100"),
    ),
    "VXLAN gone": (
        lambda lab: f"{lab.inside(RED)}ip link del vx100",
        lambda lab: ("vxlan", RED, "vx100"),
    ),
    "VXLAN off its bridge": (
        lambda lab: f"{lab.inside(RED)}ip link set vx100 nomaster",
        lambda lab: ("vxlan", UNDERLAY if lab.layout.kind == "device" else RED, "vx100"),
    ),
    "NIC of the underlay": (
        lambda lab: f"{lab.inside(UNDERLAY)}ip link set nic0 mtu 1400",
        lambda lab: LinkSettings(UNDERLAY, "nic0", 0, True, "").key,
    ),
}


@pytest.mark.parametrize("what", OUTSIDE)
def test_a_change_from_outside_is_told(lab: Lab, what: str) -> None:
    command, key = OUTSIDE[what]
    heard: list[frozenset[Any]] = []

    async def body() -> None:
        kernel = lab.kernel(heard.append)
        await kernel.start()
        await kernel.apply(creation(vrf_facts(lab, "red", 100)))
        await settle()
        heard.clear()
        sh(command(lab))
        await settle()
        assert any(key(lab) in keys for keys in heard)
        fresh = lab.kernel()
        await fresh.start()
        assert dict(kernel.actual) == dict(fresh.actual)
        await fresh.stop()
        await kernel.stop()

    run(body)


def test_a_port_that_leaves_a_bridge_keeps_its_addresses(lab: Lab) -> None:
    """The kernel tells of it with the same message type as of a link that is gone, in the bridge's family."""

    async def body() -> None:
        inside = lab.inside(UNDERLAY)
        sh(f"{inside}ip link add theirs type bridge; {inside}ip link set nic0 master theirs")
        sh(f"{inside}ip addr add 10.8.0.1/24 dev nic0")
        kernel = lab.kernel()
        await kernel.start()
        sh(f"{inside}ip link set nic0 nomaster")
        assert ("address", UNDERLAY, "nic0", "10.8.0.1/24") in kernel.actual
        await kernel.stop()

    run(body)


def test_our_own_changes_are_not_told(lab: Lab) -> None:
    heard: list[frozenset[Any]] = []

    async def body() -> None:
        kernel = lab.kernel(heard.append)
        await kernel.start()
        facts = vrf_facts(lab, "red", 100)
        await kernel.apply(creation(facts))
        await settle()
        assert not [keys for keys in heard if keys & {fact.key for fact in facts}]
        await kernel.stop()

    run(body)


def test_lost_news_are_made_up_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A buffer too small for what happens: the kernel drops news, and nesrv reads again."""
    monkeypatch.setattr(spaces, "MONITOR_BYTES", 1)

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation(vrf_facts(lab, "red", 100)))
        commands = "\n".join(f"addr add 10.50.{i}.1/32 dev leg100" for i in range(200))
        sh(f"{lab.inside(RED)}ip -batch - <<'END'\n{commands}\nEND")
        addresses = [key for key in kernel.actual if key[0] == "address" and str(key[3]).startswith("10.50.")]
        assert len(addresses) == 200
        await kernel.stop()

    run(body)
