"""Lines that make one transaction of bgpd's: all or none, and whose fault it was is still told."""

from __future__ import annotations

import pytest

from nesrv.facts import StepRefused
from nesrv.frr.daemons import Home
from nesrv.frr.writer import Frr
from tests.frr.engine import creates, delta, lines, on_frr

M = "route-map M permit 10"
GOOD = lines([((), M), ((M,), "match metric 5"), ((M,), "set local-preference 7")])
BAD = lines([((M,), "set metric +0")])
LISTS = lines([((), f"ip prefix-list S seq {number} permit 10.0.{number}.0/24") for number in range(1, 40)])
NEIGHBOR = lines([((), "router bgp 64514"), (("router bgp 64514",), "neighbor 192.0.2.1 remote-as 64515")])


def test_the_line_that_a_group_was_refused_for(home: Home) -> None:
    async def body(frr: Frr) -> None:
        with pytest.raises(StepRefused, match="zero") as caught:
            await frr.apply(creates([*LISTS, *GOOD, *BAD, *NEIGHBOR]))
        assert caught.value.step.after == BAD[0]
        assert BAD[0] not in [step.after for step in caught.value.done]
        assert {step.after for step in caught.value.done} == set(frr.actual.values())
        assert set(LISTS) <= set(frr.actual.values())

    on_frr(home, body)


def test_a_group_among_other_lines(home: Home) -> None:
    """What the group is opened and closed with leads neither into nor out of another block."""

    async def body(frr: Frr) -> None:
        every = {*LISTS, *GOOD, *NEIGHBOR}
        await frr.apply(creates(every))
        assert set((await frr.read()).values()) == every
        fewer = {*LISTS[::2], *GOOD[:2], NEIGHBOR[0]}
        await frr.apply(delta(every, fewer))
        assert set((await frr.read()).values()) == fewer

    on_frr(home, body)
