"""The kernel, FRR and the table of users as domains that carry out steps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_interface
from typing import cast

from nesrv.commit.plan import FactKey
from nesrv.facts import AfterStep, Fact, Step, StepRefused
from nesrv.frr import delta
from nesrv.frr.hearing import LinkAddress, hear, is_link_local
from nesrv.frr.text import BETWEEN_VRFS, FrrLine
from nesrv.frr.vty import VtyLost
from nesrv.frr.writer import Frr
from nesrv.kernel import facts as kernel_facts
from nesrv.kernel.facts import Address, Bridge, LinkSettings, Member
from nesrv.kernel.layout import BackendName
from nesrv.kernel.writer import Kernel

logger = logging.getLogger(__name__)

DEFAULT_VRF = "default"
"""What zebra calls the VRF of the element's own namespace."""


class KernelDomain:
    """``nesrv.kernel`` as a step engine; ``frr`` is who must hear of the kernel's addresses."""

    volatile = False

    def __init__(self, kernel: Kernel, frr: Frr | None = None) -> None:
        self.kernel = kernel
        self._frr = frr

    @property
    def actual(self) -> Mapping[FactKey, Fact]:
        return cast("Mapping[FactKey, Fact]", self.kernel.actual)

    def owned(self) -> Iterable[FactKey]:
        return [key for key in self.kernel.actual if self.kernel.owns(key)]

    def satisfies(self, wanted: Fact, actual: Fact) -> bool:
        return kernel_facts.satisfies(wanted, actual)

    def explain(self, steps: Sequence[Step]) -> list[list[str]]:
        return self.kernel.explain(steps)

    async def apply(self, steps: Sequence[Step], after_step: AfterStep | None = None) -> None:
        await self.kernel.apply(steps, after_step)
        if self._frr is not None:
            await self._be_heard(self._frr, steps)

    async def _be_heard(self, frr: Frr, steps: Sequence[Step]) -> None:
        """Until zebra knows the addresses, no session and no route over them comes up.  Raises StepRefused."""
        told = dict(self._told(steps))
        unheard = await self._unheard(frr, {one: address for one, (address, _step) in told.items()})
        for one in unheard:
            raise StepRefused(told[one][1], f"zebra does not take notice of {one.address} on {one.link}", steps)
        # Next hops and neighbours by their link are link-local; nobody asked for them, so nothing is refused.
        for one in await self._unheard(frr, dict(self._link_locals(steps))):
            logger.warning("zebra does not take notice of %s on %s", one.address, one.link)

    async def _unheard(self, frr: Frr, told: Mapping[LinkAddress, Address]) -> list[LinkAddress]:
        async def repeat(missed: Iterable[LinkAddress]) -> None:
            await self.kernel.announce([told[one] for one in missed])

        try:
            unheard = await hear(frr.show, told, repeat)
        except (VtyLost, ValueError) as error:
            logger.warning("whether zebra knows the new addresses cannot be told: %s", error)
            return []
        return sorted(unheard, key=lambda one: (one.vrf, one.link, one.address))

    def _told(self, steps: Sequence[Step]) -> Iterator[tuple[LinkAddress, tuple[Address, Step]]]:
        """The new addresses within the element that zebra shows, as it calls them."""
        for step in steps:
            fact = step.after
            if isinstance(fact, Address) and fact.place.kind != "host" and _is_shown(fact):
                yield self._as_zebra(fact), (fact, step)

    def _link_locals(self, steps: Sequence[Step]) -> Iterator[tuple[LinkAddress, Address]]:
        """Those of links within the element that came or came up."""
        for step in steps:
            fact = step.after
            if isinstance(fact, (Bridge, LinkSettings, Member)) and fact.place.kind != "host":
                for address in self.kernel.serving(fact.place, fact.name):
                    if is_link_local(address.address):
                        yield self._as_zebra(address), address

    def _as_zebra(self, fact: Address) -> LinkAddress:
        link = self.kernel.layout.link(fact.place, fact.link)
        return LinkAddress(fact.place.name or DEFAULT_VRF, link, fact.address)

    async def refresh(self) -> None:
        """The kernel tells of every change by itself."""


def _is_shown(fact: Address) -> bool:
    """Whether zebra shows the address once it knows of it."""
    return not (ip_interface(fact.address).is_loopback or is_link_local(fact.address))


NO_WAY_BETWEEN = (
    "VRFs are network namespaces here, and no route can lead from one into another: routes can be passed between "
    "instances with VRF devices only"
)


class FrrDomain:
    """``nesrv.frr`` as a step engine; ``managed``: every line that FRR has is ours; ``back_end``: what VRFs are."""

    volatile = False

    def __init__(self, frr: Frr, managed: bool, back_end: BackendName) -> None:
        self.frr = frr
        self._managed = managed
        self._back_end = back_end

    @property
    def actual(self) -> Mapping[FactKey, Fact]:
        return self.frr.actual

    def owned(self) -> Iterable[FactKey]:
        return list(self.frr.actual) if self._managed else ()

    def satisfies(self, wanted: Fact, actual: Fact) -> bool:
        return wanted == actual

    def explain(self, steps: Sequence[Step]) -> list[list[str]]:
        return [delta.explain(step) for step in steps]

    async def apply(self, steps: Sequence[Step], after_step: AfterStep | None = None) -> None:
        if self._back_end == "netns":
            for step in steps:
                if isinstance(step.after, FrrLine) and BETWEEN_VRFS.match(step.after.text):
                    raise StepRefused(step, NO_WAY_BETWEEN, ())
        await self.frr.apply(steps, after_step)

    async def refresh(self) -> None:
        await self.frr.read()


class UserDomain:
    """Who may log in and what they see before, kept by the transport. ``publish`` is told all of it after each
    change, and raises ValueError for what it cannot use."""

    volatile = True

    def __init__(self, publish: Callable[[Iterable[Fact]], None]) -> None:
        self._users: dict[FactKey, Fact] = {}
        self._publish = publish

    @property
    def actual(self) -> Mapping[FactKey, Fact]:
        return self._users

    def owned(self) -> Iterable[FactKey]:
        return list(self._users)

    def satisfies(self, wanted: Fact, actual: Fact) -> bool:
        return wanted == actual

    def explain(self, steps: Sequence[Step]) -> list[list[str]]:
        return [[f"{' '.join(map(str, step.fact.key))}: {step.verb}"] for step in steps]

    async def apply(self, steps: Sequence[Step], after_step: AfterStep | None = None) -> None:
        for number, step in enumerate(steps):
            users = {key: user for key, user in self._users.items() if key != step.fact.key}
            if step.after is not None:
                users[step.fact.key] = step.after
            try:
                self._publish(users.values())
            except ValueError as error:
                raise StepRefused(step, str(error), steps[:number]) from error
            self._users = users
            if after_step is not None:
                after_step(step)

    async def refresh(self) -> None:
        """Nobody else changes the table."""
