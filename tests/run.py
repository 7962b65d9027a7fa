"""Runs every check and test of the project in lanes, and sums them up: ``python tests/run.py [LANE...]``.

A lane that fails does not keep the others from running.  The last line is ``N passed, N failed``: each test counts
as one, and so does each check that is not a test.  The exit status is 1 when anything failed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.prefix) / "bin"
RESULTS = ROOT / ".cache" / "test-results"
HUNG = 1800.0
"""Seconds after which a lane is taken for hung, far beyond what any lane needs."""
CLEAN_UP = 60.0
"""Seconds that a stopped lane has to clean up after itself."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One command; with ``folders``, pytest over those of them (beneath tests/) that are there."""

    name: str
    command: tuple[str, ...]
    folders: tuple[str, ...] = ()
    on_request: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts of what a lane ran, and its duration in seconds."""

    lane: str
    passed: int
    failed: int
    skipped: int
    seconds: float


SOURCES = ("nesrv", "lab", "tests", "bindings", ".ci")
PYTEST = ("pytest", "--quiet")
# Worker processes share nothing: what touches the kernel names its namespaces uniquely.
PARALLEL = (*PYTEST, "--numprocesses=2", "--dist=loadfile")

OWN_LANE: tuple[Lane, ...] = (
    Lane("root", PARALLEL, ("kernel", "frr", "server", "lab", "parity")),
    Lane("clients", PYTEST, ("clients",)),
    Lane("uml", PARALLEL, ("uml",)),
    Lane("packaging", PYTEST, ("packaging",)),
    Lane("bench", PYTEST, ("bench",), on_request=True),
)


def unit_folders() -> tuple[str, ...]:
    """Whatever has no lane of its own, so that a new folder is never forgotten."""
    taken = {folder for lane in OWN_LANE for folder in lane.folders}
    found = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    return tuple(sorted(found - taken))


def lanes() -> tuple[Lane, ...]:
    """Every lane, the quickest answers first."""
    return (
        Lane("format", ("ruff", "format", "--check", *SOURCES)),
        Lane("lint", ("ruff", "check", *SOURCES)),
        Lane("types", ("mypy",)),
        Lane("imports", ("lint-imports", "--no-logo")),
        Lane("unit", PARALLEL, unit_folders()),
        *OWN_LANE,
    )


def run(lane: Lane) -> Outcome:
    """Runs one lane, its output going where ours goes."""
    print(f"\n=== {lane.name}", flush=True)
    start = time.monotonic()
    if lane.folders:
        passed, failed, skipped = _run_tests(lane)
    else:
        status = _call(lane.command)
        passed, failed, skipped = (1, 0, 0) if status == 0 else (0, 1, 0)
    return Outcome(lane.name, passed, failed, skipped, time.monotonic() - start)


def _run_tests(lane: Lane) -> tuple[int, int, int]:
    present = [f"tests/{folder}" for folder in lane.folders if (ROOT / "tests" / folder).exists()]
    report = RESULTS / f"{lane.name}.xml"
    report.unlink(missing_ok=True)
    status = _call((*lane.command, f"--junitxml={report}", *present)) if present else 0
    passed, failed, skipped = _counts(report)
    # Found nothing to run, crashed, or was stopped: no test says so, the lane must.
    if (status != 0 and failed == 0) or passed + failed + skipped == 0:
        failed += 1
    return passed, failed, skipped


def _counts(report: Path) -> tuple[int, int, int]:
    """(passed, failed, skipped) of a JUnit report; zeros when there is none."""
    if not report.exists():
        return 0, 0, 0
    passed = failed = skipped = 0
    for case in ElementTree.parse(report).iter("testcase"):
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            failed += 1
        elif "skipped" in outcomes:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def _call(command: Sequence[str]) -> int:
    """The exit status of a command of this environment; a hung one is stopped, with all that it started."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ.get('PATH', os.defpath)}"}
    process = subprocess.Popen([str(BIN / command[0]), *command[1:]], cwd=ROOT, env=environment, start_new_session=True)
    try:
        return process.wait(HUNG)
    except subprocess.TimeoutExpired:
        print(f"no end after {HUNG:.0f} seconds: stopped", flush=True)
        return 1
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a command that runs still, letting its fixtures remove namespaces and daemons first."""
    for how in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(CLEAN_UP)
        except subprocess.TimeoutExpired:
            continue


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The closing lines: one per lane, and the sums."""
    yield ""
    yield f"{'lane':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"
    for outcome in outcomes:
        yield (
            f"{outcome.lane:<12}{outcome.passed:>8}{outcome.failed:>8}{outcome.skipped:>9}{outcome.seconds:>9.1f}"
            + ("  FAILED" if outcome.failed else "")
        )
    yield ""
    yield f"{sum(each.passed for each in outcomes)} passed, {sum(each.failed for each in outcomes)} failed"


def main(names: Sequence[str]) -> int:
    """Runs the lanes named, or all that are not on request; returns the exit status."""
    known = lanes()
    unknown = set(names) - {lane.name for lane in known}
    if unknown:
        print(f"no such lane: {', '.join(sorted(unknown))}; there are {', '.join(lane.name for lane in known)}")
        return 2
    wanted = [lane for lane in known if lane.name in names or (not names and not lane.on_request)]
    RESULTS.mkdir(parents=True, exist_ok=True)
    # As an exception, which stops the lane that runs on its way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    outcomes = [run(lane) for lane in wanted]
    print("\n".join(summary(outcomes)), flush=True)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
