"""What a prefix-set of 2,000 entries costs, and one entry more, over the same lines given to bgpd's own socket.

NESRV_BENCH=short takes fewer. The lines go into one transaction, as nesrv's do: one by one bgpd takes six times as
long for them.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from nesrv.frr.vty import SUCCESS, WINDOW, Reply, Vty
from tests.bench import machine
from tests.bench.measure import seconds
from tests.bench.test_apply import sockets
from tests.features.policies import prefix_set, routing_policy
from tests.server.configurations import BASE, Configuration, Underlay
from tests.server.element import Element

ENTRIES, ONE_MORE = (300, 3) if os.environ.get("NESRV_BENCH") == "short" else (2000, 5)
PATIENCE = 600
RATIO = 1.3
BESIDE_MS = 50.0
"""What one more may cost over its line: the session, validation of its set, and two syncs of the disk."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds, and the lines of the big set."""

    all_nesrv: float
    all_floor: float
    one_nesrv: float
    one_floor: float
    lines: int


def prefixes(numbers: range) -> str:
    made = prefix_set("MANY", *(f"10.{number >> 8}.{number & 255}.0/24" for number in numbers))
    return f'<config xmlns="{BASE}">{routing_policy(made)}</config>'


def lines_of_plan(element: Element) -> list[str]:
    return [line for step in element.plan() for line in step["command"]]


async def feed(socket: Path, lines: Sequence[str]) -> None:
    async with await Vty.connect(socket) as vty:
        for words in ("enable", "configure terminal"):
            assert (await vty.ask(words)).status == SUCCESS
        together = ["XFRR_start_configuration", *lines, "XFRR_end_configuration"]
        replies = await vty.feed(together, WINDOW, _go_on)
        refused = [(line, one.words) for line, one in zip(together, replies, strict=True) if one.status != SUCCESS]
        assert not refused, refused[:3]


def _go_on(command: str, reply: Reply) -> bool:
    return True


def measure() -> Figures:
    """The floor after nesrv has taken all away again, with the lines that its plans were made of."""
    with Element() as element:
        element.session.timeout = PATIENCE
        element.commit(Configuration(Underlay()))
        machine.sample()
        plans, took = [], []
        for numbers in (range(ENTRIES), *(range(one, one + 1) for one in range(ENTRIES, ENTRIES + ONE_MORE))):
            element.merge(prefixes(numbers))
            plans.append(lines_of_plan(element))
            took.append(seconds(element.session.commit) * 1000)
        element.commit(Configuration(Underlay()))
        element.stop()
        machine.sample()
        bgpd = sockets(element) / "bgpd.vty"
        floor = [seconds(partial(asyncio.run, feed(bgpd, lines))) * 1000 for lines in plans]
        machine.sample()
    one_nesrv, one_floor = statistics.median(took[1:]), statistics.median(floor[1:])
    return Figures(took[0], floor[0], one_nesrv, one_floor, len(plans[0]))


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Figures:
    found = measure()
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(
            f"\n{found.lines} lines of prefix-lists: {found.all_nesrv:.0f} ms, by the socket {found.all_floor:.0f} ms"
        )
        print(f"one more entry: {found.one_nesrv:.1f} ms, by the socket {found.one_floor:.1f} ms")
    return found


def test_every_entry_is_a_line(figures: Figures) -> None:
    assert figures.lines == ENTRIES


def test_many_entries_cost_little_more_than_their_lines(figures: Figures) -> None:
    assert figures.all_nesrv <= RATIO * figures.all_floor


def test_one_more_entry_costs_little_more_than_its_line(figures: Figures) -> None:
    assert figures.one_nesrv <= figures.one_floor + BESIDE_MS * machine.slowness()
