"""YANG-push (RFC 8641): what a datastore holds, at intervals or whenever it changes."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from nesrv.datastore.snapshot import Snapshot
from nesrv.rpc.element import SessionState
from nesrv.rpc.events import Changed, Notice
from nesrv.rpc.filters import Selection
from nesrv.rpc.notify.patch import patch
from nesrv.rpc.notify.publisher import Publisher
from nesrv.rpc.notify.selectors import Configuration, Selector
from nesrv.rpc.notify.times import Alarm
from nesrv.rpc.retrieve import Operational
from nesrv.rpc.views import Overlaid

logger = logging.getLogger(__name__)

PUSH = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
CENTISECOND = 0.01
MIN_PERIOD = 100
"""Centiseconds: operational state is read from FRR and the kernel for each update."""
MAX_PATCH_EDITS = 1000
"""Beyond, an update holds what is there now instead of what has changed."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """``period`` in centiseconds; ``anchor`` is any moment of an update, in seconds since the epoch."""

    period: int
    anchor: float | None = None

    def next(self, now: float, started: float) -> float:
        """The next update's time after ``now``."""
        length, anchor = self.period * CENTISECOND, started if self.anchor is None else self.anchor
        return anchor + (math.floor((now - anchor) / length + 1e-6) + 1) * length


@dataclass(frozen=True, slots=True)
class OnChange:
    """``dampening`` in centiseconds; ``excluded`` change-types are not told."""

    dampening: int = 0
    sync: bool = True
    excluded: frozenset[str] = frozenset()


Trigger = Periodic | OnChange


class Push:
    """The updates of one subscription to a datastore, from ``start`` to ``drop``."""

    def __init__(
        self,
        number: int,
        publisher: Publisher,
        session: SessionState,
        datastore: str,
        selector: Selector,
        trigger: Trigger,
        operational: Operational,
    ) -> None:
        self.datastore = datastore
        self.selector = selector
        self.trigger = trigger
        self.sent = 0
        self.excluded = 0
        self._number = number
        self._publisher = publisher
        self._element = publisher.element
        self._session = session
        self._operational = operational
        self._view = Configuration(publisher.element, session, datastore)
        self._alarm: Alarm | None = None
        self._task: asyncio.Task[None] | None = None
        self._patches = 0
        self._started = publisher.timers.now()
        self._last = -math.inf
        self._known = self._now()

    def start(self) -> None:
        """Nothing is sent before the caller has given up control: the reply comes first."""
        self._session.peer.keep_open()
        if isinstance(self.trigger, Periodic):
            if self.trigger.anchor is None:
                self._soon()
            self._arm()
        elif self.trigger.sync:
            self._soon()

    def drop(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._task is not None:
            self._task.cancel()

    def change(self, selector: Selector, trigger: Trigger) -> None:
        """From now on by these; the receiver is told what they select."""
        self.drop()
        self.selector, self.trigger = selector, trigger
        if isinstance(trigger, Periodic):
            self._arm()
        else:
            self._soon()

    def resync(self) -> None:
        """All that is selected, once the reply is sent."""
        self._soon()

    def happened(self, event: Changed) -> None:
        """A datastore has changed; the update comes once the one who changed it has been answered."""
        if not isinstance(self.trigger, OnChange) or event.datastore != self.datastore or self._alarm is not None:
            return
        timers = self._publisher.timers
        due = max(timers.now(), self._last + self.trigger.dampening * CENTISECOND)
        self._alarm = timers.at(due, self._changed)

    # Updates

    def _now(self) -> Snapshot:
        return self._element.snapshot("running" if self.datastore == "operational" else self.datastore)

    def _arm(self) -> None:
        assert isinstance(self.trigger, Periodic)
        timers = self._publisher.timers
        self._alarm = timers.at(self.trigger.next(timers.now(), self._started), self._period_is_over)

    def _period_is_over(self) -> None:
        self._arm()
        self._soon()

    def _soon(self) -> None:
        """An update that is still being made when the next is due stands for both."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._whole())

    async def _whole(self) -> None:
        try:
            self._known = self._now()
            if self.datastore == "operational":
                wanted = self.selector.wanted(self._element.shards)
                found = await self._operational(self._element, self._session, wanted)
                view = Overlaid(self._element.shards, found.running, found.state)
                content = self.selector.of(Selection(self._element.shards, view))
            else:
                content = self._view.content(self.selector, self._known)
            self._send("push-update", (b"<datastore-contents>", *content, b"</datastore-contents>"))
            if isinstance(self.trigger, Periodic):
                await self._session.peer.drained()
        except Exception:
            logger.exception("subscription %d: an update failed", self._number)

    def _changed(self) -> None:
        self._alarm = None
        if self._task is not None and not self._task.done():
            return  # all of it is on its way
        assert isinstance(self.trigger, OnChange)
        before, self._known = self._known, self._now()
        differences = self._view.differences(self.selector, before, self._known)
        found = list(islice(differences, MAX_PATCH_EDITS + 1))
        if len(found) > MAX_PATCH_EDITS:
            self.resync()
            return
        told = [one for one in found if one.kind not in self.trigger.excluded]
        self.excluded += not told and bool(found)
        if told:
            self._patches += 1
            body = patch(str(self._patches), told, self._element.schema.namespaces)
            self._send("push-change-update", (b"<datastore-changes>", body, b"</datastore-changes>"))

    def _send(self, name: str, content: Iterable[bytes]) -> None:
        now = self._publisher.timers.now()
        self._last = now
        if not self._element.guards.receives(self._session, Notice(now, f"{{{PUSH}}}{name}")):
            self.excluded += 1
            return
        self.sent += 1
        tag = name.encode()
        opening = b'<%b xmlns="%b"><id>%d</id>' % (tag, PUSH.encode(), self._number)
        self._publisher.send(self._session, now, (opening, *content, b"</%b>" % tag))
