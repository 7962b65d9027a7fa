"""A commit does not answer ok while zebra has not taken notice of what the kernel has."""

from __future__ import annotations

import asyncio

import pytest

from nesrv.commit.domains import KernelDomain
from nesrv.facts import Step, StepRefused
from nesrv.frr import hearing, writer
from nesrv.frr.daemons import Home
from nesrv.frr.text import line
from nesrv.frr.writer import Frr
from nesrv.kernel.facts import UNDERLAY, Address, Leg
from tests.frr.engine import frr_of, on_frr
from tests.kernel.lab import Lab


def test_an_address_that_zebra_never_hears_of_is_refused(home: Home, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel works in one namespace, this zebra lives in another: it cannot know the link."""
    monkeypatch.setattr(hearing, "WAIT_SECONDS", 0.2)
    there = Step(None, Address(UNDERLAY, "nic0", "192.0.2.1/24", "/other"))
    leg = Step(None, Leg(UNDERLAY, "leg", lab.host, "h0", "/leg"))
    host = Step(None, Address(lab.host, "h0", "192.0.2.9/32", "/host"))

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        try:
            async with frr_of(home) as frr:
                domain = KernelDomain(kernel, frr)
                await domain.apply([leg, host])
                with pytest.raises(StepRefused, match=r"192\.0\.2\.1/24 on nic0") as refusal:
                    await domain.apply([there])
                assert (refusal.value.step, refusal.value.done) == (there, (there,))
                await domain.apply([there.inverse(), host.inverse(), leg.inverse()])
        finally:
            await kernel.stop()

    asyncio.run(body())
    assert lab.addresses(UNDERLAY, "nic0") == []


def test_a_vrf_that_zebra_never_notices_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAIT_SECONDS", 0.2)
    vni = Step(None, line(("vrf nowhere",), "vni 4711", "/vni"))

    async def body(frr: Frr) -> None:
        with pytest.raises(StepRefused, match="vrf nowhere") as refusal:
            await frr.apply([vni])
        assert (refusal.value.step, refusal.value.done) == (vni, (vni,))
        await frr.apply([vni.inverse()])

    on_frr(home, body)
