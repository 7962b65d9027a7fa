"""Only the lab's own processes are taken for the lab's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import processes

IGNORES_TERM = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); input()"
WAITS = "print('on', flush=True); input()"


def started(program: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, "mine"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"on\n"
    return process


@pytest.fixture
def waiting() -> Iterator[subprocess.Popen[bytes]]:
    process = started(WAITS)
    yield process
    process.kill()
    process.wait()


def test_found_by_pid_file_and_words(tmp_path: Path, waiting: subprocess.Popen[bytes]) -> None:
    file = tmp_path / "pid"
    assert processes.alive(file, ("mine",)) is None
    file.write_text(f"{waiting.pid}\n")
    assert processes.alive(file, ("mine",)) == waiting.pid
    assert processes.alive(file, ("mine", "other")) is None


def test_a_pid_that_is_somebody_else_is_not_ours(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    file.write_text(f"{os.getpid()}\n")
    assert processes.alive(file, ("no such word",)) is None
    file.write_text("nonsense\n")
    assert processes.alive(file, ()) is None


def test_ended_when_it_returns(tmp_path: Path, waiting: subprocess.Popen[bytes]) -> None:
    assert processes.end(waiting.pid)
    waiting.wait()
    file = tmp_path / "pid"
    file.write_text(f"{waiting.pid}\n")
    assert processes.alive(file, ("mine",)) is None
    assert processes.end(waiting.pid)


def test_one_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "END_SECONDS", 0.2)
    process = started(IGNORES_TERM)
    assert not processes.end(process.pid)
    assert process.wait() < 0
