"""What a commit costs over the least that its own plan can cost, with real kernel and FRR.

NESRV_BENCH=short takes fewer VRFs.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bench import machine
from tests.bench.floor import Floor
from tests.server.configurations import INTERFACES, Configuration, Underlay, Vrf, document
from tests.server.element import Element
from tests.server.scenes import tenant

VRFS = 50 if os.environ.get("NESRV_BENCH") == "short" else 200
ONE_MORE = 5
"""Single VNIs added beside the others; their medians are compared."""
RATIO = 1.3
BESIDE_MS = 50.0
"""What one commit may cost over its floor: the session, validation, and two syncs of the disk."""
ANSWER_MS = 100.0
SMALL_FILTER = ("subtree", f'<interfaces xmlns="{INTERFACES}"><interface><name>lo</name></interface></interfaces>')
PAUSE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds; ``answers`` are those of the other session's get-config while the big commit runs."""

    all_nesrv: float
    all_floor: float
    one_nesrv: float
    one_floor: float
    answers: tuple[float, ...]
    kernel_operations: int
    frr_lines: int


def vrfs(element: Element, numbers: range) -> tuple[Vrf, ...]:
    return tuple(tenant(element, f"t{number}", number) for number in numbers)


def sockets(element: Element) -> Path:
    return Path("/run/frr") / element.name


def milliseconds(since: float) -> float:
    return (time.monotonic() - since) * 1000


class Asking(threading.Thread):
    """Another session that asks for one interface, again and again."""

    def __init__(self, element: Element) -> None:
        super().__init__()
        self._session = element.another_session()
        self._over = threading.Event()
        self.answers: list[float] = []

    def run(self) -> None:
        while not self._over.is_set():
            start = time.monotonic()
            self._session.get_config("running", filter=SMALL_FILTER)
            self.answers.append(milliseconds(start))
            time.sleep(PAUSE_SECONDS)

    def end(self) -> None:
        self._over.set()
        self.join()
        self._session.close_session()


def of_nesrv() -> tuple[float, float, list[float]]:
    """The second time, with another session that asks: its questions are not to count as the commit's own time."""
    with Element() as element:
        element.commit(Configuration(Underlay()))
        whole = many(element)
        single = statistics.median(one_more(element))
        element.commit(Configuration(Underlay()))
        asking = Asking(element)
        asking.start()
        try:
            many(element)
        finally:
            asking.end()
        return whole, single, asking.answers


def many(element: Element) -> float:
    element.merge(document(Configuration(vrfs=vrfs(element, range(1, VRFS + 1)))))
    start = time.monotonic()
    element.session.commit()
    return milliseconds(start)


def one_more(element: Element) -> Iterator[float]:
    for number in range(VRFS + 1, VRFS + 1 + ONE_MORE):
        element.merge(document(Configuration(vrfs=vrfs(element, range(number, number + 1)))))
        start = time.monotonic()
        element.session.commit()
        yield milliseconds(start)


def of_floor() -> tuple[float, float, tuple[int, int]]:
    """All plans are asked for first, so that nesrv is not there when they are carried out."""
    with Element() as element:
        element.commit(Configuration(Underlay()))
        plans: list[Floor] = []
        for numbers in (range(1, VRFS + 1), *(range(one, one + 1) for one in range(VRFS + 1, VRFS + 1 + ONE_MORE))):
            element.merge(document(Configuration(vrfs=vrfs(element, numbers))))
            plans.append(Floor(element.plan(), sockets(element)))
            element.session.discard_changes()
        element.stop()
        whole, *single = (plan.run() * 1000 for plan in plans)
        return whole, statistics.median(single), plans[0].operations


def show(found: Figures) -> None:
    rows = (
        (f"{VRFS} L3VNIs in one commit", found.all_nesrv, found.all_floor),
        (f"one more beside {VRFS}", found.one_nesrv, found.one_floor),
        ("worst answer to another session", max(found.answers), 0.0),
    )
    print(f"\n{'milliseconds':<36}{'nesrv':>10}{'floor':>10}{'ratio':>8}")
    for name, ours, floor in rows:
        beside = f"{floor:>10.1f}{ours / floor:>8.2f}" if floor else ""
        print(f"{name:<36}{ours:>10.1f}{beside}")
    print(f"{found.kernel_operations} operations of the kernel, {found.frr_lines} lines of FRR")


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Figures:
    machine.sample()
    whole_floor, one_floor, operations = of_floor()
    machine.sample()
    whole, one, answers = of_nesrv()
    machine.sample()
    found = Figures(whole, whole_floor, one, one_floor, tuple(answers), *operations)
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        show(found)
    return found


def test_many_vnis_cost_little_more_than_their_commands(figures: Figures) -> None:
    assert figures.all_nesrv <= RATIO * figures.all_floor


def test_one_more_vni_costs_little_more_than_its_commands(figures: Figures) -> None:
    assert figures.one_nesrv <= figures.one_floor + BESIDE_MS * machine.slowness()


def test_others_are_answered_while_a_big_commit_runs(figures: Figures) -> None:
    assert len(figures.answers) > 10
    assert max(figures.answers) <= ANSWER_MS * machine.slowness()
