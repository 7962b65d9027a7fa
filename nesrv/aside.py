"""Long work on plain values, out of the event loop's way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

MANY = 1_000
"""Facts, steps or lines that take some milliseconds to go through."""

T = TypeVar("T")


async def aside(count: int, work: Callable[[], T]) -> T:
    """What ``work`` gives; in a thread where it goes through so many things that other sessions would wait for it.

    Python's threads take turns every 5 ms, so sessions are answered meanwhile. ``work`` changes nothing that others
    see.
    """
    return await asyncio.to_thread(work) if count > MANY else work()
