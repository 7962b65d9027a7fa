"""The startup datastore, where one is asked for (RFC 6241 §8.7): what the next start begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nesrv import errors
from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.journal import JournalError
from nesrv.datastore.snapshot import EMPTY, Snapshot


class Startup:
    """``snapshot`` is on disk. One change at a time."""

    def __init__(self, pipeline: Pipeline, snapshot: Snapshot) -> None:
        self._pipeline = pipeline
        self._busy = asyncio.Lock()
        self.snapshot = snapshot

    async def settled(self) -> None:
        """Wait until the changes asked for so far are over."""
        async with self._busy:
            return

    async def change(self, choose: Callable[[], Snapshot], now: float) -> None:
        """Make startup what ``choose`` says when it is its turn; raises what that raises, and operation-failed where
        the disk does not take it, with startup as before."""
        async with self._busy:
            wanted = choose()
            changes = self.snapshot.changes_to(wanted)
            try:
                await self._pipeline.ask(lambda journal: journal.save(changes, now))
            except JournalError as error:
                raise errors.OperationFailed(
                    f"startup could not be written to disk: {error}. Nothing was changed."
                ) from error
            self.snapshot = wanted.settled() if changes else self.snapshot


async def begin(pipeline: Pipeline, now: float) -> Startup:
    """After a start, running is what startup says; where there was none before, startup is what running is."""
    startup = Startup(pipeline, pipeline.running)
    if await pipeline.ask(lambda journal: journal.startup()) is None:
        await pipeline.ask(lambda journal: journal.save(EMPTY.changes_to(pipeline.running), now))
    return startup
