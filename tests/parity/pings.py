"""Pings that go on while something happens, and how many of them were lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import IO

from tests.server.element import until

INTERVAL = 0.02
FIRST = 3
MOST_BYTES = 1 << 22
ANSWERED = re.compile(r"icmp_seq=(\d+).* time=")
SUMMARY = re.compile(r"(\d+) packets transmitted")


@dataclass
class Pings:
    """``sent`` and ``lost`` once the ``with`` block has ended; ``gap`` is the longest run of lost ones, in seconds."""

    sent: int = 0
    lost: int = 0
    gap: float = 0.0


@contextmanager
def pinging(space: str, address: str, source: str | None = None) -> Iterator[Pings]:
    """Pings from the namespace ``space`` every 20 ms, from the third answer on until the block ends.

    The one under way when it ends is not lost.
    """
    words = ["ip", "netns", "exec", space, "ping", "-n", "-i", str(INTERVAL)]
    words += [*(("-I", source) if source is not None else ()), address]
    found = Pings()
    # Into a file: what was read from a pipe before would be missing in the end.
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(words, stdout=said, stderr=subprocess.STDOUT)
        try:
            until(lambda: len(_answered(said)) >= FIRST, f"{address} answers")
            yield found
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)
            _count(found, said)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def _text(said: IO[str]) -> str:
    return os.pread(said.fileno(), MOST_BYTES, 0).decode()


def _answered(said: IO[str]) -> list[int]:
    return sorted({int(number) for number in ANSWERED.findall(_text(said))})


def _count(found: Pings, said: IO[str]) -> None:
    answered, summary = _answered(said), SUMMARY.search(_text(said))
    assert summary is not None, _text(said)
    found.sent = int(summary[1])
    edges = [*answered, found.sent] if found.sent - answered[-1] > 1 else answered
    holes = [later - earlier - 1 for earlier, later in pairwise(edges)]
    found.lost, found.gap = sum(holes), max(holes) * INTERVAL
