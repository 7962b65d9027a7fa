"""What 1,000 L3VNIs cost, and 500 neighbours in one instance, with real kernel and FRR.

One element takes the VNIs, is asked for everything, starts again and gives them up; then its plans are carried out by
their own commands (``floor``), so that ratios are between runs of the same minutes. NESRV_BENCH=short takes fewer.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.bench import machine
from tests.bench.floor import Floor
from tests.bench.measure import seconds
from tests.bench.test_apply import Asking, sockets, vrfs
from tests.server.configurations import V4, Configuration, Neighbor, Underlay, document
from tests.server.element import Element

SHORT = os.environ.get("NESRV_BENCH") == "short"
VRFS, ONE_MORE = (100, 2) if SHORT else (1000, 3)
FEW, MANY, CHANGES = 5, 500, 9
PATIENCE = 600
"""Seconds that the client waits for a reply."""

RATIO = 1.3
BESIDE_MS = 50.0
ANSWER_MS = 100.0
MOST_MEGABYTES = 150
NEIGHBOR_MS = 50.0
"""What one neighbour may cost more beside 499 than beside 4: the instance is read and compared as a whole."""


@dataclass(slots=True)
class Figures:
    """Milliseconds by what took them, ``megabytes`` of nesrv's memory by when."""

    took: dict[str, float] = field(default_factory=dict)
    megabytes: dict[str, float] = field(default_factory=dict)
    answers: tuple[float, ...] = ()
    started: str = ""

    def time(self, what: str, action: Callable[[], object]) -> None:
        machine.sample()
        self.took[what] = seconds(action) * 1000

    def weigh(self, when: str, element: Element) -> None:
        rows = Path(f"/proc/{element.serving.pid}/status").read_text().splitlines()
        self.megabytes[when] = next(int(row.split()[1]) for row in rows if row.startswith("VmRSS:")) / 1024


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Figures:
    found = Figures()
    with Element() as element:
        measure_vrfs(element, found)
    with Element() as element:
        measure_neighbors(element, found)
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        show(found)
    return found


def show(found: Figures) -> None:
    print()
    for name, value in found.took.items():
        print(f"{name:<44}{value:>10.0f} ms")
    print(f"{'worst answer to another session':<44}{max(found.answers):>10.0f} ms")
    for name, value in found.megabytes.items():
        print(f"{f'memory {name}':<44}{value:>10.0f} MB")


def portions() -> Iterator[tuple[str, range]]:
    yield "all", range(1, VRFS + 1)
    for number in range(VRFS + 1, VRFS + 1 + ONE_MORE):
        yield f"one {number}", range(number, number + 1)


def measure_vrfs(element: Element, found: Figures) -> None:
    element.session.timeout = PATIENCE
    element.commit(Configuration(Underlay()))
    floors = [Floor(plan_of(element, numbers), sockets(element)) for _, numbers in portions()]
    start_again(element, found, "empty")
    for name, numbers in portions():
        element.merge(document(Configuration(vrfs=vrfs(element, numbers))))
        found.time(name, element.session.commit)
    found.weigh("after the commits", element)
    found.time("get of everything", element.session.get)
    found.weigh("after get of everything", element)
    found.started = start_again(element, found, "with all")
    found.weigh("after the start", element)
    remove_all(element, found)
    element.stop()
    for (name, _), floor in zip(portions(), floors, strict=True):
        machine.sample()
        found.took[f"{name} by commands"] = floor.run() * 1000


def plan_of(element: Element, numbers: range) -> list[dict[str, list[str]]]:
    element.merge(document(Configuration(vrfs=vrfs(element, numbers))))
    plan = element.plan()
    element.session.discard_changes()
    return plan


def remove_all(element: Element, found: Figures) -> None:
    """With another session that asks: its questions are not to count as the time of what is compared (``test_apply``
    has them while VNIs are made)."""
    element.edit(Configuration(Underlay()))
    asking = Asking(element)
    asking.start()
    try:
        found.time("all removed", element.session.commit)
    finally:
        asking.end()
    found.answers = tuple(asking.answers)


def start_again(element: Element, found: Figures, what: str) -> str:
    """What the start did, by its log."""
    element.stop()
    found.time(f"start {what}", element.serving.start)
    element.connect()
    element.session.timeout = PATIENCE
    return element.starts()[-1]


def neighbors(count: int, changed: str) -> Configuration:
    """The last one's description is ``changed``."""
    addresses = [f"192.0.{2 + number // 250}.{1 + number % 250}" for number in range(count - 1)]
    rows = [(address, "as it was") for address in addresses] + [("203.0.113.1", changed)]
    return Configuration(
        Underlay(neighbors=tuple(Neighbor(address, 64600, (V4,), description=text) for address, text in rows))
    )


def measure_neighbors(element: Element, found: Figures) -> None:
    element.session.timeout = PATIENCE
    for count in (FEW, MANY):
        element.edit(neighbors(count, "first"))
        found.time(f"{count} neighbours", element.session.commit)
        values = []
        for turn in range(CHANGES):
            element.merge(document(neighbors(1, f"turn {turn}")))
            values.append(seconds(element.session.commit) * 1000)
        found.took[one_beside(count)] = statistics.median(values)


def one_beside(count: int) -> str:
    return f"one neighbour changed of {count}"


def medians(found: Figures, ending: str) -> float:
    return statistics.median(found.took[f"{name}{ending}"] for name, _ in list(portions())[1:])


def test_many_vnis_cost_little_more_than_their_commands(figures: Figures) -> None:
    assert figures.took["all"] <= RATIO * figures.took["all by commands"]


def test_one_more_vni_costs_little_more_than_its_commands(figures: Figures) -> None:
    assert medians(figures, "") <= medians(figures, " by commands") + BESIDE_MS * machine.slowness()


def test_others_are_answered_while_the_big_commit_runs(figures: Figures) -> None:
    assert len(figures.answers) > 10
    assert max(figures.answers) <= ANSWER_MS * machine.slowness()


@pytest.mark.parametrize("when", ["after the commits", "after get of everything", "after the start"])
def test_memory_stays_small(figures: Figures, when: str) -> None:
    assert figures.megabytes[when] <= MOST_MEGABYTES


def test_a_start_finds_nothing_to_do(figures: Figures) -> None:
    assert figures.started == "0 steps, 0 refused"


def test_one_neighbor_costs_little_more_beside_many(figures: Figures) -> None:
    beside = figures.took[one_beside(FEW)] + NEIGHBOR_MS * machine.slowness()
    assert figures.took[one_beside(MANY)] <= beside
