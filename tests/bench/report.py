"""The table of figures at the end of a run, and the same as JSON under .cache/."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / ".cache" / "bench.json"
_found: dict[str, dict[str, float]] = {}
_bounds: dict[str, float] = {}
_slowness: list[float] = []


def add(server: str, figures: dict[str, float]) -> None:
    """What one server (the first one is ours) was measured at."""
    _found[server] = figures


def add_bounds(bounds: dict[str, float], slowness: float) -> None:
    """What ours may be measured at, and how much slower than meant the machine was."""
    _bounds.update(bounds)
    _slowness.append(slowness)


def lines() -> Iterator[str]:
    """The table, nothing when nothing was measured; milliseconds, except requests/s."""
    if not _found:
        return
    columns = {**_found, "bound": _bounds}
    yield f"{'':<38}" + "".join(f"{column:>12}" for column in columns)
    for name in next(iter(_found.values())):
        shown = (f"{figures[name]:12.2f}" if name in figures else f"{'-':>12}" for figures in columns.values())
        yield f"{name + ('' if name.endswith('/s') else ', ms'):<38}" + "".join(shown)
    yield f"slowness of the machine, by which the bounds are scaled: {_slowness[-1]:.2f}"


def save() -> None:
    if _found:
        FILE.parent.mkdir(parents=True, exist_ok=True)
        machine: dict[str, object] = {
            "slowness": _slowness,
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "kernel": platform.release(),
        }
        content = {
            "time": time.time(),
            "load": os.getloadavg(),
            "machine": machine,
            "figures": _found,
            "bounds": _bounds,
        }
        FILE.write_text(json.dumps(content, indent=2) + "\n")
