"""Where a running lab keeps its things: everything below one run directory, and FRR's own below /run/frr."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.topology import Topology, load

ROOT = Path(__file__).resolve().parent.parent
NAMESPACES = Path("/run/netns")
FRR_RUN = Path("/run/frr")
ELEMENT_RUN = Path("/run/nesrv")


class LabError(Exception):
    """The lab cannot go on; the text says why, and what to do where that is known."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A topology and the directory of its run."""

    topology: Topology
    run: Path

    @property
    def kept_topology(self) -> Path:
        """What the lab was started from; the file it came from may change meanwhile."""
        return self.run / "topology.toml"

    @property
    def endpoints(self) -> Path:
        return self.run / "endpoints.json"

    @property
    def key(self) -> Path:
        return self.run / "id_ed25519"

    @property
    def users(self) -> Path:
        return self.run / "users.toml"

    def space(self, node: str) -> str:
        return self.topology.space(node)

    def file(self, node: str, suffix: str) -> Path:
        """A file of one node, e.g. ``spine.conf``."""
        return self.run / f"{node}.{suffix}"

    def state(self, pe: str) -> Path:
        """The state directory of a PE's nesrv."""
        return self.run / f"{pe}.state"


def open_lab(topology_file: Path) -> Lab:
    """The lab of a topology file, as it was started where it is up; raises TopologyError."""
    run = topology_file.resolve().parent / ".run"
    kept = run / "topology.toml"
    return Lab(load(kept if kept.exists() else topology_file), run)


@contextmanager
def alone(lab: Lab) -> Iterator[None]:
    """One ``up`` or ``down`` at a time; raises LabError where another is at work."""
    lock = os.open(lab.run.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise LabError(f"another lab/lab is at work on {lab.run}") from None
    finally:
        os.close(lock)


def python() -> str:
    """The interpreter that has nesrv and what it needs."""
    own = ROOT / ".venv" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def run(words: Sequence[str]) -> str:
    """Runs a command to its end and returns its output; raises LabError with its words."""
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    _check(words, done.returncode, done.stderr.strip() or done.stdout.strip())
    return done.stdout


def launch(words: Sequence[str]) -> None:
    """Runs a command that leaves a daemon behind; raises LabError with its words.

    FRR 10's daemons hold on to their output for as long as they run, so it is a file: a pipe would not end.
    """
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=ROOT)
        said.seek(0)
        _check(words, done.returncode, said.read().strip())


def _check(words: Sequence[str], status: int, said: str) -> None:
    if status != 0:
        raise LabError(f"{' '.join(words)}: {said[-2000:] or f'status {status}'}")


def within(space: str, words: Sequence[str]) -> list[str]:
    """The command line that runs ``words`` in a network namespace."""
    return ["ip", "netns", "exec", space, *words]


def need_tools() -> None:
    """Raises LabError with what is missing."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces: run it as root")
    missing = [tool for tool in ("ip", "vtysh", "ssh-keygen", "ping") if shutil.which(tool) is None]
    missing += [path for path in ("/usr/lib/frr/zebra", "/usr/lib/frr/bgpd") if not Path(path).exists()]
    if missing:
        raise LabError(f"missing: {', '.join(missing)} (make setup installs them)")
