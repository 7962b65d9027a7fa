"""``nesrv serve`` that ends by SIGKILL at a chosen point of the first commit: ``crashing.py POINT serve …``.

POINT is a number (after that step), ``begin`` (the intent is on disk, no step was taken) or ``sealed`` (the commit is
on disk, nobody was told).  Steps count from the ready line on.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from nesrv import cli, server
from nesrv.datastore.journal import CommitRecord, Journal
from nesrv.datastore.validate import Changes
from nesrv.facts import AfterStep, Step
from nesrv.settings import Settings


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Fuse:
    """Burns from the ready line on."""

    def __init__(self, point: str) -> None:
        self._point = point
        self._lit = False
        self._steps = 0

    def light(self) -> None:
        self._lit = True

    def at(self, point: str) -> None:
        if self._lit and point == self._point:
            die()

    def after_step(self, step: Step) -> None:
        if self._lit:
            self._steps += 1
            self.at(str(self._steps))


def main(point: str, arguments: list[str]) -> int:
    fuse = Fuse(point)
    serve, begin, commit = server.serve, Journal.begin, Journal.commit

    async def serve_with_fuse(
        settings: Settings, ready: Callable[[str, int], None], after_step: AfterStep | None = None
    ) -> None:
        def and_light(host: str, port: int) -> None:
            fuse.light()
            ready(host, port)

        await serve(settings, and_light, fuse.after_step)

    def begin_with_fuse(journal: Journal, changes: Changes) -> None:
        begin(journal, changes)
        fuse.at("begin")

    def commit_with_fuse(journal: Journal, changes: Changes, record: CommitRecord) -> int:
        number = commit(journal, changes, record)
        fuse.at("sealed")
        return number

    server.serve = serve_with_fuse
    for name, replacement in (("begin", begin_with_fuse), ("commit", commit_with_fuse)):
        setattr(Journal, name, replacement)
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
