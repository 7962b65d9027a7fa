"""Processes of the lab: found by pid file and command line, ended by pid and waited for."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Sequence
from pathlib import Path

END_SECONDS = 20.0


def alive(pid_file: Path, words: Sequence[str]) -> int | None:
    """The pid in the file, if that process was started with all of these words; None otherwise."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if {word.encode() for word in words} <= set(command) else None


def end(pid: int) -> bool:
    """SIGTERM, and SIGKILL where that does not help; returns False if it took SIGKILL."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                signal.pidfd_send_signal(descriptor, number)
            except ProcessLookupError:
                return True
            if select.select([descriptor], [], [], END_SECONDS)[0]:
                return number is signal.SIGTERM
        return False
    finally:
        os.close(descriptor)
