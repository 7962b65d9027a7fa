"""The kernel gives the number of a namespace that ended to the next one: late news is not about the new one."""

from __future__ import annotations

from nesrv.facts import Step
from nesrv.kernel.facts import Vrf
from tests.kernel.lab import BACKEND, Lab, run, sh, until


def test_a_new_vrf_survives_the_news_of_the_end_of_an_old_one() -> None:
    if BACKEND != "netns":
        return

    async def body() -> None:
        with Lab() as lab:
            kernel = lab.kernel()
            await kernel.start()
            old, new = Vrf("old", "/old"), Vrf("new", "/new")
            await kernel.apply([Step(None, old)])
            numbers = set(kernel._spaces._numbers)
            await kernel.apply([Step(old, None)])
            until(lambda: _free(lab, numbers), "the namespace has ended")
            kernel._backend.make("new")
            assert set(kernel._spaces._numbers) & numbers, "the number is used again"
            assert new.key in kernel.actual
            await kernel.apply([Step(new, None)])
            await kernel.clear()

    run(body)


def _free(lab: Lab, numbers: set[int]) -> bool:
    """Whether the underlay's kernel tables have let go of one of the numbers."""
    listed = sh(f"ip -n {lab.underlay} netns list-id")
    known = {int(row.split()[1]) for row in listed.splitlines()}
    return bool(numbers - known)
