"""How fast the machine is while it measures: bounds are for one that has nothing else to do."""

from __future__ import annotations

import statistics
import time

NOMINAL_MS = 7.0
"""What ``sample`` takes on the machine for which the bounds were written."""
MOST_SLOWNESS = 3.0
"""Beyond that a figure says nothing, and a bound that grew further would hold nothing."""

_samples: list[float] = []


def sample() -> None:
    """Times a fixed piece of work; called between the things that are measured."""
    start = time.perf_counter()
    total = sum({str(number): number for number in range(60_000)}.values())
    _samples.append((time.perf_counter() - start) * 1000)
    assert total


def slowness() -> float:
    """1 on a machine as fast as it should be, 2 where everything takes twice as long.

    By the lower quartile of the samples, as the figures are those of the quieter rounds too.
    """
    quieter = statistics.quantiles(_samples, n=4)[0]
    return min(MOST_SLOWNESS, max(1.0, quieter / NOMINAL_MS))
