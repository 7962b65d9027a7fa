"""Neighbours of a gateway: probed by the kernel for as long as they answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nesrv.kernel.facts import UNDERLAY, Place
from nesrv.kernel.hosts import supported
from tests.kernel.lab import POLL_SECONDS, POLLS, Lab, creation, run, sh
from tests.kernel.test_switches import RED, switch

pytestmark = pytest.mark.skipif(not supported(), reason="this kernel does not probe neighbours by itself")


def neighbor(lab: Lab, place: Place, address: str) -> dict[str, Any]:
    rows = [row for row in lab.ip(place, "neigh show dev br200") if row["dst"] == address]
    return dict(rows[0]) if rows else {}


async def managed(lab: Lab, address: str) -> None:
    for _attempt in range(POLLS):
        if "managed" in neighbor(lab, RED, address):
            return
        await asyncio.sleep(POLL_SECONDS)
    raise AssertionError(f"{address} is left to itself: {neighbor(lab, RED, address)}")


def test_who_answered_is_asked_again_and_who_does_not_is_forgotten(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation(switch(lab, RED)))
        inside = lab.inside(lab.host)
        lab.reaches(lab.host, "10.2.0.1", "2001:db8:2::1")
        await managed(lab, "10.2.0.2")
        await managed(lab, "2001:db8:2::2")
        for key in ("base_reachable_time_ms=500", "delay_first_probe_time=1"):
            sh(f"{lab.inside(RED)}sysctl -qw net.ipv4.neigh.br200.{key}")
        sh(f"{inside}ip link set lan200 down")
        for _attempt in range(4 * POLLS):
            if not neighbor(lab, RED, "10.2.0.2"):
                break
            await asyncio.sleep(POLL_SECONDS)
        else:
            raise AssertionError("who does not answer is asked for ever")
        await kernel.stop()

    run(body)


def test_those_known_before_a_start_count_too_and_others_are_left_alone(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply([*creation(switch(lab, RED)), *creation(switch(lab, UNDERLAY, 300)[:2])])
        await kernel.stop()
        told = "lladdr 02:00:00:00:00:09 dev br200 nud noarp extern_learn"
        sh(f"{lab.inside(RED)}ip neigh add 10.2.0.9 {told}")
        lab.reaches(lab.host, "10.2.0.1")
        assert "managed" not in neighbor(lab, RED, "10.2.0.2")
        await kernel.start()
        await managed(lab, "10.2.0.2")
        assert "managed" not in neighbor(lab, RED, "10.2.0.9")
        await kernel.stop()

    run(body)
