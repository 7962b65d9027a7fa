"""``nesrv serve`` with a defect: the first steps that a commit takes end in an exception: ``failing.py STEPS serve …``.

STEPS is how many of them; they count from the ready line on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nesrv import cli, server
from nesrv.facts import AfterStep, Step
from nesrv.settings import Settings
from tests.serving import Serving


class Defect:
    def __init__(self, steps: int) -> None:
        self._left = steps
        self.ready = False

    def after_step(self, step: Step) -> None:
        if self.ready and self._left:
            self._left -= 1
            raise RuntimeError(f"a defect, at {step.fact.path}")


def main(steps: int, arguments: list[str]) -> int:
    defect, serve = Defect(steps), server.serve

    async def serve_with_defect(
        settings: Settings, ready: Callable[[str, int], None], after_step: AfterStep | None = None
    ) -> None:
        def and_begin(host: str, port: int) -> None:
            defect.ready = True
            ready(host, port)

        await serve(settings, and_begin, defect.after_step)

    server.serve = serve_with_defect
    return cli.main(arguments)


@contextmanager
def failing(steps: int) -> Iterator[Serving]:
    """Such a server, over nesrv's own modules."""
    place = Serving()
    at = place.command.index("nesrv")
    place.command[at - 1 : at + 1] = ["-m", "tests.rpc.failing", str(steps)]
    with place:
        yield place


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
