"""Of an IPv6 address the kernel tells some time after it took it: nothing may hang on when."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace

from nesrv.facts import Step
from nesrv.kernel.facts import Address, Leg, LinkSettings
from tests.kernel.lab import Lab, creation, run, vrf_facts

ROUNDS = 20
"""In each, the news is late with a probability of about one half."""


@contextlib.contextmanager
def without_giving_way() -> Iterator[None]:
    """The kernel's own threads, which do the late telling, have to wait for this one on its processor."""
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, processors)


def test_a_hosts_address_outlives_a_link_that_goes_down_and_is_replaced(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        address = Address(lab.host, "h7", "2001:db8:7::2/64", "/host-v6")
        facts = [*vrf_facts(lab, "red", 7), address]
        (leg,) = (one for one in facts if isinstance(one, Leg))
        (settings,) = (one for one in facts if isinstance(one, LinkSettings))
        await kernel.apply(creation(facts))
        for _round in range(ROUNDS):
            with without_giving_way():
                await kernel.apply([Step(settings, None), Step(leg, replace(leg))])
            assert address.address in lab.addresses(lab.host, "h7")
            assert kernel.actual.get(address.key) == address
            await kernel.apply([Step(None, settings)])
        await kernel.stop()

    run(body)
