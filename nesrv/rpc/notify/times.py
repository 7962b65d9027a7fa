"""Points in time: as YANG's date-and-time, and as something to wait for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

_DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
MAX_WAIT = 86_400.0
"""Seconds between two looks at the clock while something far away is waited for."""


def to_text(seconds: float) -> str:
    """``seconds`` since the epoch, to the microsecond, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> float:
    """Seconds since the epoch of a date-and-time (RFC 6991), to the microsecond; raises ``ValueError``."""
    if _DATE_AND_TIME.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no date-and-time such as 2026-11-22T10:00:00Z")
    seconds = whole(datetime.fromisoformat(text).timestamp())
    try:
        to_text(seconds)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is in no year of UTC that can be written") from None
    return seconds


def whole(seconds: float) -> float:
    """What ``from_text(to_text(seconds))`` is: times that were told once compare as they were told."""
    return round(seconds, 6)


class Alarm(Protocol):
    """Something that will happen."""

    def cancel(self) -> None: ...


class Timers(Protocol):
    """A clock, and calls at a time of that clock."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def at(self, when: float, call: Callable[[], None]) -> Alarm:
        """``call`` once ``when`` is there; soon, and never at once, when it is over."""


class _Waiting:
    """A call on the event loop; a wall clock that is set meanwhile counts."""

    def __init__(self, clock: Callable[[], float], when: float, call: Callable[[], None]) -> None:
        self._clock, self._when, self._call = clock, when, call
        self._arm()

    def _arm(self) -> None:
        wait = min(max(self._when - self._clock(), 0.0), MAX_WAIT)
        self._handle = asyncio.get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        if self._clock() < self._when:
            self._arm()
        else:
            self._call()

    def cancel(self) -> None:
        self._handle.cancel()


class LoopTimers:
    """``Timers`` of the running event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock()

    def at(self, when: float, call: Callable[[], None]) -> Alarm:
        return _Waiting(self._clock, when, call)
