"""The kernel as a thing that takes steps of kernel facts, and says exactly what it took."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nesrv.facts import AfterStep, Fact, Step, StepRefused
from nesrv.kernel import requests
from nesrv.kernel.backends import backend_for
from nesrv.kernel.explain import Known, attempt, explain
from nesrv.kernel.facts import (
    Address,
    Bridge,
    BridgePort,
    HostPort,
    KernelFact,
    Leg,
    LinkSettings,
    Macvlan,
    Member,
    Nic,
    NoIpv6,
    Place,
    Vlan,
    Vrf,
    Vxlan,
    satisfies,
)
from nesrv.kernel.hosts import Hosts, supported
from nesrv.kernel.layout import Layout
from nesrv.kernel.links import Links, remove_together, system_words
from nesrv.kernel.members import Members
from nesrv.kernel.message import Link
from nesrv.kernel.nics import Nics
from nesrv.kernel.reader import Key, Reader, half_made
from nesrv.kernel.records import Records
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces

logger = logging.getLogger(__name__)

CONFIRM_SECONDS, CONFIRM_PAUSE_SECONDS = 0.2, 0.005
BREATH_SECONDS = 0.005
"""How long steps may hold the event loop before others get a turn."""

OnChange = Callable[[frozenset[Key]], None]


class Kernel:
    """One element's kernel objects.  ``on_change`` is told the keys whose facts changed without our doing."""

    def __init__(self, layout: Layout, state: Path, on_change: OnChange | None = None) -> None:
        self.layout = layout
        self.on_change = on_change
        self._state = state
        self._spaces = Spaces(layout)
        self._lock = asyncio.Lock()
        self._hosts: Hosts | None = None

    async def start(self) -> None:
        """Reads what is there; finishes what an earlier nesrv left half done.  Raises OSError, Refused."""
        _raise_file_limit()
        self._records = Records(self._state)
        self._spaces.open()
        self._reader = Reader(self._spaces, self.layout, self._records)
        self._backend = backend_for(self.layout, self._spaces, self._reader)
        self._links = Links(self.layout, self._spaces, self._reader, self._records)
        self._nics = Nics(self._spaces, self._reader, self._records, self._links.overlay)
        self._members = Members(self.layout, self._spaces, self._reader, self._records, self._links.overlay)
        self._carriers = _carriers(self)
        self._backend.prepare()
        self._reader.load()
        self._nics.recover()
        self._members.recover()
        self._sweep()
        self._spaces.release()
        assert self._spaces.monitor is not None
        loop = asyncio.get_running_loop()
        loop.add_reader(self._spaces.monitor, self._heard)
        if supported():
            self._hosts = Hosts(self._spaces)
            loop.add_reader(self._hosts.monitor, self._hosts.heard)

    async def stop(self) -> None:
        """Stops listening; everything stays in place."""
        if self._spaces.monitor is not None:
            asyncio.get_running_loop().remove_reader(self._spaces.monitor)
        if self._hosts is not None:
            asyncio.get_running_loop().remove_reader(self._hosts.monitor)
            self._hosts.close()
            self._hosts = None
        self._spaces.close()

    async def clear(self) -> None:
        """Removes all that nesrv made, gives back what it took, and stops."""
        facts = [fact for key, fact in self.actual.items() if self._reader.owns(key)]
        facts.sort(key=lambda fact: fact.rank, reverse=True)
        try:
            await self.apply([Step(fact, None) for fact in facts])
        finally:
            await self.stop()
        self._backend.clear()

    @property
    def actual(self) -> Mapping[Key, KernelFact]:
        """What the kernel has now; beside nesrv's own also addresses and settings of the underlay's other links."""
        self._take_in()
        return self._reader.actual

    def owns(self, key: Key) -> bool:
        """Whether the fact is about something that nesrv made or took, so that it may go when nobody wants it."""
        return self._reader.owns(key)

    async def apply(self, steps: Sequence[Step], after_step: AfterStep | None = None) -> None:
        """Carries out the steps in order; raises StepRefused with those that stand.  A refused step leaves nothing."""
        async with self._lock:
            self._take_in()
            done: list[Step] = []
            breath = time.monotonic()
            try:
                for some in _together(steps) if after_step is None else ([step] for step in steps):
                    if len(some) > 1:
                        await self._remove_together(some, done)
                        continue
                    self._carry_out(some[0], done)
                    done.append(some[0])
                    if after_step is not None:
                        after_step(some[0])
                    if time.monotonic() - breath > BREATH_SECONDS:
                        await asyncio.sleep(0)
                        breath = time.monotonic()
            finally:
                self._spaces.release()
            await self._confirm(done)

    async def announce(self, addresses: Iterable[Address]) -> None:
        """Has the kernel tell of addresses of ours once more, for whoever has missed them."""
        async with self._lock:
            self._take_in()
            try:
                for address in addresses:
                    with contextlib.suppress(Refused):
                        self._links.addresses.announce(address)
            finally:
                self._spaces.release()

    def serving(self, place: Place, name: str) -> list[Address]:
        """All addresses that serve on a link, also those that the kernel makes itself, which are nobody's facts."""
        self._take_in()
        try:
            space, link = self._spaces.find(place, name)
        except Refused:
            return []
        found = space.addresses.get(link.index, {}).values() if link is not None else ()
        return [Address(place, name, one.address, "") for one in found if one.serves]

    def explain(self, steps: Sequence[Step]) -> list[list[str]]:
        """The commands that a person would type for each step, knowing what the kernel has now."""
        facts: list[Fact | None] = [*self.actual.values(), *(step.after for step in steps)]
        legs = {fact.name: fact for fact in facts if isinstance(fact, Leg)}
        links = self._spaces.underlay.links.values()
        tables = {link.name: link.table for link in links if link.kind == "vrf"}
        stacked = {fact.name: fact for fact in facts if isinstance(fact, (Vlan, Macvlan))}
        known = Known(legs, stacked, tables, self._links.overlay.mtu_below())
        return [explain(step, self.layout, known) for step in steps]

    def _carry_out(self, step: Step, done: Sequence[Step]) -> None:
        try:
            self._carriers[type(step.fact), step.verb](step)
        except Refused as refused:
            raise StepRefused(step, f"{attempt(step)}: {refused.words}", done) from None
        except OSError as error:
            raise StepRefused(step, f"{attempt(step)}: {system_words(error)}", done) from None
        finally:
            self._reader.refresh(self._spaces.drain())

    async def _remove_together(self, steps: Sequence[Step], done: list[Step]) -> None:
        """Removes links namespace by namespace, with all that is on them; ``done`` gets what went, also where one
        is refused. The kernel's grace periods, some 40 ms a namespace, are waited for in a thread."""
        carried = _carried(steps)
        spaces: dict[Space, list[tuple[Step, Link]]] = {}
        for step in steps:
            if not _removes_link(step):
                if id(step) not in carried:
                    self._carry_out(step, done)
                    done.append(step)
                continue
            try:
                found = self._links.removable(step.before)  # type: ignore[arg-type]
            except Refused as error:
                raise StepRefused(step, f"{attempt(step)}: {error.words}", done) from None
            if found is None:
                done.extend(_with_carried(step, carried))
            else:
                spaces.setdefault(found[0], []).append((step, found[1]))
        for space, pairs in spaces.items():
            try:
                with self._spaces.socket_apart(space) as socket:
                    await asyncio.to_thread(remove_together, socket, [link for _step, link in pairs])
            except Refused as error:
                raise StepRefused(pairs[0][0], f"{attempt(pairs[0][0])}: {error.words}", done) from None
            finally:
                self._reader.refresh(self._spaces.drain())
            done.extend(one for step, _link in pairs for one in _with_carried(step, carried))

    async def _confirm(self, done: Sequence[Step]) -> None:
        """The kernel acknowledged every step; what it then tells of itself must agree, or the steps do not count.

        Some news (an IPv6 address) come a moment after the acknowledgement, and some are lost.  Raises StepRefused.
        """
        deadline = time.monotonic() + CONFIRM_SECONDS
        while self._unlike(done) and time.monotonic() < deadline:
            await asyncio.sleep(CONFIRM_PAUSE_SECONDS)
            self._take_in()
        if self._unlike(done):
            self._reader.refresh(self._spaces.read_again())
        for step in self._unlike(done):
            raise StepRefused(step, f"{attempt(step)}: acknowledged by the kernel, but it is not so", done)

    def _unlike(self, steps: Sequence[Step]) -> list[Step]:
        """The steps whose outcome is not what the kernel has, the last of each key counting."""
        last = {step.fact.key: step for step in steps}
        actual = self._reader.actual
        return [
            step
            for key, step in last.items()
            if step.after is not None and ((there := actual.get(key)) is None or not satisfies(step.after, there))
        ]

    def _heard(self) -> None:
        with contextlib.suppress(OSError):
            if self._lock.locked():
                self._reader.refresh(self._spaces.drain())
            else:
                self._take_in()

    def _take_in(self) -> None:
        """Follows what others did."""
        changed = self._reader.refresh(self._spaces.drain())
        for space in self._spaces.taken_away():
            if space.place.kind == "vrf":
                self._reader.drop_vrf(space.place.name)
                changed.add(("vrf", space.place.name))
        if not self._lock.locked():
            self._spaces.release()
        if changed and self.on_change is not None:
            self.on_change(frozenset(changed))

    def _sweep(self) -> None:
        """Removes links that a nesrv which ended in the middle had made but not completed."""
        for space in self._spaces:
            for link in tuple(space.links.values()):
                if half_made(link):
                    logger.warning("removing %s, which was left half made", link.name)
                    with contextlib.suppress(Refused):
                        self._spaces.socket(space).do(requests.delete_link(link.index))
        self._reader.refresh(self._spaces.drain())


def _together(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """Single steps, and runs of removals of links and of what is on them, which go faster together."""
    for removals, run in itertools.groupby(steps, _removes_at_link):
        if removals:
            yield list(run)
        else:
            yield from ([step] for step in run)


def _removes_link(step: Step) -> bool:
    return step.after is None and isinstance(step.before, (Bridge, Vxlan, Leg, Vlan, Macvlan))


def _removes_at_link(step: Step) -> bool:
    return _removes_link(step) or (step.after is None and isinstance(step.before, (Address, LinkSettings)))


Carried = Mapping[int, Sequence[Step]]
"""By id of a step that removes a link: the removals of what is on it; by id of such a removal: nothing."""


def _carried(steps: Sequence[Step]) -> Carried:
    """What goes by itself with a link that is removed in ``steps``."""
    ends: dict[tuple[Place, str], list[Step]] = {}
    found: dict[int, list[Step]] = {}
    for step in steps:
        fact = step.before
        if isinstance(fact, (Bridge, Vxlan, Leg, Vlan, Macvlan)):
            ends[fact.place, fact.name] = found[id(step)] = []
        if isinstance(fact, Leg):
            ends[fact.host, fact.host_name] = found[id(step)]
    for step in steps:
        fact = step.before
        if isinstance(fact, (Address, LinkSettings)):
            name = fact.link if isinstance(fact, Address) else fact.name
            if (link := ends.get((fact.place, name))) is not None:
                link.append(step)
                found[id(step)] = []
    return found


def _with_carried(step: Step, carried: Carried) -> list[Step]:
    return [*carried[id(step)], step]


Carrier = Callable[[Step], None]


def _carriers(kernel: Kernel) -> dict[tuple[type, str], Carrier]:
    """Who carries out which verb of which fact."""
    links, nics, backend = kernel._links, kernel._nics, kernel._backend
    members = kernel._members

    def on_after(act: Callable[[Any], None]) -> Carrier:
        return lambda step: act(step.after)

    def on_before(act: Callable[[Any], None]) -> Carrier:
        return lambda step: act(step.before)

    def on_both(act: Callable[[Any, Any], None]) -> Carrier:
        return lambda step: act(step.before, step.after)

    def on_name(act: Callable[[str], None]) -> Carrier:
        return lambda step: act(step.fact.name)  # type: ignore[attr-defined]

    def nothing(_step: Step) -> None:
        return

    return {
        (Vrf, "create"): on_name(backend.make),
        (Vrf, "change"): nothing,
        (Vrf, "delete"): on_name(backend.remove),
        (Nic, "create"): on_after(nics.adopt),
        (Nic, "change"): on_both(nics.change_origin),
        (Nic, "delete"): on_before(nics.give_back),
        (Member, "create"): on_after(members.let_in),
        (Member, "change"): on_both(members.change_vrf),
        (Member, "delete"): on_before(members.let_out),
        (Bridge, "create"): on_after(links.make_bridge),
        (Bridge, "change"): on_both(links.change_bridge),
        (Bridge, "delete"): on_before(links.remove),
        (Vxlan, "create"): on_after(links.make_vxlan),
        (Vxlan, "change"): on_both(links.change_vxlan),
        (Vxlan, "delete"): on_before(links.remove),
        (Leg, "create"): on_after(links.make_leg),
        (Leg, "change"): on_both(links.change_by_replacing),
        (Leg, "delete"): on_before(links.remove),
        (Vlan, "create"): on_after(links.make_vlan),
        (Vlan, "change"): on_both(links.change_by_replacing),
        (Vlan, "delete"): on_before(links.remove),
        (Macvlan, "create"): on_after(links.make_macvlan),
        (Macvlan, "change"): on_both(links.change_by_replacing),
        (Macvlan, "delete"): on_before(links.remove),
        (HostPort, "create"): on_after(links.host_bridges.attach),
        (HostPort, "change"): on_both(links.host_bridges.change),
        (HostPort, "delete"): on_before(links.host_bridges.detach),
        (BridgePort, "create"): on_after(links.join),
        (BridgePort, "change"): on_after(links.join),
        (BridgePort, "delete"): on_before(links.leave),
        (LinkSettings, "create"): on_after(links.settings.put),
        (LinkSettings, "change"): on_after(links.settings.put),
        (LinkSettings, "delete"): on_before(links.settings.drop),
        (NoIpv6, "create"): on_after(links.ipv6.switch_off),
        (NoIpv6, "change"): nothing,
        (NoIpv6, "delete"): on_before(links.ipv6.switch_on),
        (Address, "create"): on_after(links.addresses.add),
        (Address, "change"): nothing,
        (Address, "delete"): on_before(links.addresses.remove),
    }


def _raise_file_limit() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
