"""From what happens to what each subscriber is sent: numbered, logged, filtered, replayed; in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from nesrv.datastore.build import Plain, build
from nesrv.datastore.tree import to_xml
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.events import Event, Notice, SessionClosed
from nesrv.rpc.notify.base import shown
from nesrv.rpc.notify.filters import Passes
from nesrv.rpc.notify.log import EventLog, Record
from nesrv.rpc.notify.streams import Stream
from nesrv.rpc.notify.times import Alarm, Timers, to_text, whole
from nesrv.wire import messages

logger = logging.getLogger(__name__)

REPLAYED_AT_ONCE = 100
"""Notifications of a replay between two looks at how far the reader is."""


class Publisher:
    """Listens to the element's events, and knows who wants them."""

    def __init__(self, element: Element, log: EventLog, timers: Timers) -> None:
        self.element = element
        self.log = log
        self.timers = timers
        self._feeds: list[Feed] = []
        self._endings: list[Callable[[int], None]] = []
        element.events.listen(self._happened)

    def on_session_end(self, call: Callable[[int], None]) -> None:
        """``call`` with the number of each session that ends."""
        self._endings.append(call)

    def _happened(self, event: Event) -> None:
        if isinstance(event, Notice):
            self._publish(event)
        elif isinstance(event, SessionClosed):
            for feed in self.feeds(event.number):
                feed.drop()
            for call in self._endings:
                call(event.number)

    def _publish(self, notice: Notice) -> None:
        record = self.log.append(whole(notice.time), notice.tag, self.written(notice.tag, notice.value))
        for feed in list(self._feeds):
            if feed.live:
                feed.offer(record, notice)

    def written(self, tag: str, value: Mapping[str, Plain]) -> bytes:
        """A notification's element."""
        schema = self.element.schema
        return to_xml(build(schema.notifications[tag], value), schema.namespaces)

    def tell(self, session: SessionState, tag: str, value: Mapping[str, Plain]) -> None:
        """What is said to one subscriber about its own subscription: never filtered, never logged."""
        self.send(session, self.timers.now(), (self.written(tag, value),))

    def send(self, session: SessionState, time: float, fragments: Iterable[bytes]) -> None:
        for counters in (session.counters, self.element.counters):
            counters.out_notifications += 1
        session.peer.notify(messages.notification(to_text(time), fragments))

    def feeds(self, session: int) -> list[Feed]:
        """Those of one session."""
        return [feed for feed in self._feeds if feed.session.number == session]

    def add(self, feed: Feed) -> None:
        self._feeds.append(feed)

    def remove(self, feed: Feed) -> None:
        if feed in self._feeds:
            self._feeds.remove(feed)


class Feed:
    """One subscription to a stream. ``replayed`` is called when all that was logged is sent, ``finished`` when the
    stop time is reached and the feed is over; neither once it is dropped."""

    def __init__(
        self,
        publisher: Publisher,
        session: SessionState,
        stream: Stream,
        passes: Passes,
        *,
        replayed: Callable[[], None],
        finished: Callable[[], None],
    ) -> None:
        self.session = session
        self.stream = stream
        self.passes = passes
        self.live = False
        self.sent = 0
        self.excluded = 0
        self.stop: float | None = None
        self._publisher = publisher
        self._replayed = replayed
        self._finished = finished
        self._task: asyncio.Task[None] | None = None
        self._alarm: Alarm | None = None

    def start(self, since: float | None = None, until: float | None = None) -> None:
        """``since`` None: no replay. Nothing is sent before the caller has given up control: the reply comes first."""
        self._publisher.add(self)
        self.session.peer.keep_open()
        if since is None:
            self.live = True
        else:
            self._task = asyncio.get_running_loop().create_task(self._replay(since))
        self.end_at(until)

    def end_at(self, until: float | None) -> None:
        """The stop time is another now."""
        if self._alarm is not None:
            self._alarm.cancel()
        self.stop = until
        self._alarm = None if until is None else self._publisher.timers.at(until, self._stop_is_there)

    def drop(self) -> None:
        """Send nothing more."""
        self._publisher.remove(self)
        self.live = False
        if self._alarm is not None:
            self._alarm.cancel()
        if self._task is not None:
            self._task.cancel()

    def offer(self, record: Record, notice: Notice) -> None:
        """Send ``record`` if it is wanted and allowed."""
        if not self.stream.carries(record.tag) or (self.stop is not None and record.time > self.stop):
            return
        if not self.passes(record) or not self._publisher.element.guards.receives(self.session, notice):
            self.excluded += 1
            return
        self.sent += 1
        xml = shown(self._publisher.element.guards, self.session, record)
        self._publisher.send(self.session, record.time, (xml,))

    async def _replay(self, since: float) -> None:
        """What comes meanwhile is logged, hence met at the end of the log."""
        at, log = 0, self._publisher.log
        while records := log.after(at, since, self.stop, REPLAYED_AT_ONCE):
            for record in records:
                self.offer(record, Notice(record.time, record.tag))
            at = records[-1].number
            # Others have their turn even where the network takes everything.
            await asyncio.sleep(0)
            await self.session.peer.drained()
        self.live, self._task = True, None
        self._replayed()
        if self.stop is not None and self.stop <= self._publisher.timers.now():
            self._stop_is_there()

    def _stop_is_there(self) -> None:
        if self.live:
            self.drop()
            self._finished()
