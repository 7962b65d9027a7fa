"""Dynamic subscriptions (RFC 8639, over NETCONF: RFC 8640): who has which, and their state."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from nesrv.datastore.build import Plain, build
from nesrv.datastore.tree import Node
from nesrv.errors import RpcError
from nesrv.rpc.element import SessionState
from nesrv.rpc.events import Changed, Event
from nesrv.rpc.notify.log import EventLog
from nesrv.rpc.notify.publisher import Feed, Publisher
from nesrv.rpc.notify.push import Periodic, Push
from nesrv.rpc.notify.refusals import refusal
from nesrv.rpc.notify.streams import STREAMS, netconf
from nesrv.rpc.notify.times import Alarm, to_text
from nesrv.schema.schema import Schema

logger = logging.getLogger(__name__)

SUBSCRIBED = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
FIRST_ID = 2**31
"""Lower numbers are those of configured subscriptions."""
MAX_SUBSCRIPTIONS = 64
"""Of one session."""
GONE = "ietf-subscribed-notifications:no-such-subscription"
FILTER_GONE = "ietf-subscribed-notifications:filter-unavailable"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filter of a subscription as it was asked for: ``leaf`` of the request and its text; ``element`` of a filter
    that the request holds, ``named`` (a shard of running) of one that it refers to."""

    leaf: str
    text: str
    element: Any = None
    named: str | None = None

    @property
    def value(self) -> str:
        """As a node's value: anydata is XML."""
        if self.leaf.endswith("subtree-filter"):
            return etree.tostring(self.element, encoding="ascii", with_tail=False).decode()
        return self.text


@dataclass(slots=True)
class Subscription:
    """``work`` is what sends; ``stop`` in seconds since the epoch; ``refilter`` reads a named filter again and raises
    ``RpcError`` when it is of no use any more."""

    number: int
    session: SessionState
    work: Feed | Push
    chosen: Chosen | None = None
    stop: float | None = None
    since: float | None = None
    refilter: Callable[[], None] | None = None
    alarm: Alarm | None = None


class Subscriptions:
    """All of them, by number."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self._all: dict[int, Subscription] = {}
        self._next = FIRST_ID
        publisher.on_session_end(self._session_ended)
        publisher.element.events.listen(self._happened)

    def take_number(self, session: SessionState) -> int:
        """For a new one; raises insufficient-resources."""
        if len(self.of(session.number)) >= MAX_SUBSCRIPTIONS:
            raise refusal("insufficient-resources", f"A session may have {MAX_SUBSCRIPTIONS} subscriptions.")
        self._next += 1
        return self._next - 1

    def add(self, made: Subscription) -> None:
        self._all[made.number] = made

    def of(self, session: int) -> list[Subscription]:
        return [one for one in self._all.values() if one.session.number == session]

    def find(self, number: int, session: int | None, identity: str = "no-such-subscription") -> Subscription:
        """Raises ``identity``; ``session`` None: anybody's."""
        found = self._all.get(number)
        if found is None or session not in (None, found.session.number):
            whose = "" if session is None else " of this session"
            raise refusal(identity, f"There is no subscription {number}{whose}.")
        return found

    def end_at(self, one: Subscription, stop: float | None) -> None:
        """``stop`` is its stop time from now on. A feed keeps its own: what is still replayed counts."""
        one.stop = stop
        if isinstance(one.work, Feed):
            one.work.end_at(stop)
            return
        if one.alarm is not None:
            one.alarm.cancel()
        one.alarm = None if stop is None else self.publisher.timers.at(stop, lambda: self.terminate(one, GONE))

    def drop(self, one: Subscription) -> None:
        """Without a word."""
        del self._all[one.number]
        one.work.drop()
        if one.alarm is not None:
            one.alarm.cancel()

    def terminate(self, one: Subscription, reason: str) -> None:
        """Its receiver is told why."""
        self.drop(one)
        self.tell(one, "subscription-terminated", {"reason": reason})

    def tell(self, one: Subscription, name: str, value: Mapping[str, Plain]) -> None:
        self.publisher.tell(one.session, f"{{{SUBSCRIBED}}}{name}", {"id": one.number, **value})

    def _session_ended(self, session: int) -> None:
        for one in self.of(session):
            self.drop(one)

    def _happened(self, event: Event) -> None:
        if not isinstance(event, Changed):
            return
        for one in list(self._all.values()):
            if isinstance(one.work, Push):
                one.work.happened(event)
        if event.datastore == "running":
            self._filters_changed(event)

    def _filters_changed(self, event: Changed) -> None:
        """Of those that refer to a filter by name (RFC 8639 §2.7.2, §2.7.3)."""
        for one in list(self._all.values()):
            named = one.chosen.named if one.chosen is not None else None
            if named is None or event.before.get(named) is event.after.get(named):
                continue
            try:
                assert one.refilter is not None
                one.refilter()
            except RpcError as error:
                logger.info("subscription %d ends: %s", one.number, error)
                self.terminate(one, FILTER_GONE)
                continue
            self.tell(one, "subscription-modified", _described(one))

    # State

    def state(self) -> Iterator[Node]:
        """Streams as RFC 5277 and RFC 8639 know them, and ``/subscriptions``."""
        schema, log = self.publisher.element.schema, self.publisher.log
        yield netconf(schema, log)
        yield streams(schema, log)
        listed: list[Plain] = []
        for one in self._all.values():
            receiver: Mapping[str, Plain] = {
                "name": f"session {one.session.number}",
                "sent-event-records": one.work.sent,
                "excluded-event-records": one.work.excluded,
                "state": "active",
            }
            listed.append({"id": one.number} | _described(one) | {"receivers": {"receiver": [receiver]}})
        yield build(schema.data[f"{{{SUBSCRIBED}}}subscriptions"], {"subscription": listed})


def _described(one: Subscription) -> dict[str, Plain]:
    """What was asked for."""
    value: dict[str, Plain] = {
        "stop-time": None if one.stop is None else to_text(one.stop),
        "encoding": "ietf-subscribed-notifications:encode-xml",
    }
    if one.chosen is not None:
        value[one.chosen.leaf] = one.chosen.value
    if isinstance(one.work, Feed):
        since = None if one.since is None else to_text(one.since)
        return value | {"stream": one.work.stream.name, "replay-start-time": since}
    value["datastore"] = f"ietf-datastores:{one.work.datastore}"
    trigger = one.work.trigger
    if isinstance(trigger, Periodic):
        anchor = None if trigger.anchor is None else to_text(trigger.anchor)
        return value | {"periodic": {"period": trigger.period, "anchor-time": anchor}}
    how: Mapping[str, Plain] = {
        "dampening-period": trigger.dampening,
        "sync-on-start": trigger.sync,
        "excluded-change": sorted(trigger.excluded),
    }
    return value | {"on-change": how}


def streams(schema: Schema, log: EventLog) -> Node:
    """``/streams`` of RFC 8639."""
    listed: list[Plain] = [
        {
            "name": stream.name,
            "description": stream.description,
            "replay-support": "",
            "replay-log-creation-time": to_text(log.created),
            "replay-log-aged-time": None if log.aged is None else to_text(log.aged),
        }
        for stream in STREAMS.values()
    ]
    return build(schema.data[f"{{{SUBSCRIBED}}}streams"], {"stream": listed})
