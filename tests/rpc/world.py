"""An element without a network: sessions that keep what they are sent, and a clock that a test turns."""

from __future__ import annotations

import asyncio
import functools
import heapq
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from lxml import etree

from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.journal import Journal
from nesrv.datastore.shards import Shards
from nesrv.rpc import committing, configure, monitoring, retrieve, sessions
from nesrv.rpc.dispatch import Dispatcher
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.notify import create, dynamic
from nesrv.rpc.notify.base import BaseNotifications, since_last_start
from nesrv.rpc.notify.log import EventLog
from nesrv.rpc.notify.publisher import Publisher
from nesrv.rpc.notify.subscriptions import Subscriptions
from nesrv.schema.modules import module_set
from nesrv.schema.schema import Schema, load
from nesrv.wire import messages
from nesrv.wire.handler import SessionEnd

KINDS = "urn:nesrv:test:kinds"

MODULES = Path(__file__).parents[1] / "data" / "yang"
NOTIFICATION = f"{{{messages.NOTIFICATION}}}notification"
START = 1_800_000_000.0


@functools.cache
def schema() -> Schema:
    return load(module_set((MODULES,), False))


class Turned:
    """``Timers`` of a clock that stands still between two calls of ``turn``."""

    def __init__(self) -> None:
        self.time = START
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._count = count()

    def now(self) -> float:
        return self.time

    def at(self, when: float, call: Callable[[], None]) -> _Alarm:
        number = next(self._count)
        heapq.heappush(self._due, (max(when, self.time), number, call))
        return _Alarm(self._cancelled, number)

    def turn(self, seconds: float) -> None:
        end = self.time + seconds
        while self._due and self._due[0][0] <= end:
            self.time, number, call = heapq.heappop(self._due)
            if number not in self._cancelled:
                call()
        self.time = end


@dataclass
class _Alarm:
    cancelled: set[int]
    number: int

    def cancel(self) -> None:
        self.cancelled.add(self.number)


@dataclass
class Client:
    """A ``Peer`` that keeps what it is sent, until ``take``."""

    world: World
    user: str = "admin"
    groups: tuple[str, ...] = ()
    source_host: str = "192.0.2.1"
    transport: str = "netconf-ssh"
    number: int = 0
    got: list[bytes] = field(default_factory=list)
    kept_open: bool = False
    end: SessionEnd | None = None

    def close(self, end: SessionEnd) -> None:
        self.end = end

    def close_after_reply(self, end: SessionEnd) -> None:
        self.end = end

    async def wait_closed(self) -> None:
        await self.world.leave(self, self.end or SessionEnd.CLOSED)

    def notify(self, message: Iterable[bytes]) -> None:
        self.got.append(b"".join(message))

    async def drained(self) -> None:
        return

    def keep_open(self) -> None:
        self.kept_open = True

    async def rpc(self, operation: str) -> Any:
        """The reply."""
        text = f'<rpc xmlns="{messages.BASE}" message-id="1">{operation}</rpc>'.encode()
        reply = await self.world.dispatcher.handle(self.number, messages.parse_rpc(text))
        return etree.fromstring(b"".join(reply))

    async def ok(self, operation: str) -> None:
        reply = await self.rpc(operation)
        assert reply.find("{*}ok") is not None, etree.tostring(reply).decode()

    async def refused(self, operation: str) -> tuple[str, str, str]:
        """(tag, app-tag, bad-element)."""
        reply = await self.rpc(operation)
        found = reply.find("{*}rpc-error")
        assert found is not None, etree.tostring(reply).decode()
        names = ("error-tag", "error-app-tag", "error-info/{*}bad-element")
        tag, app_tag, bad = (found.findtext("{*}" + name) or "" for name in names)
        return tag, app_tag, bad

    async def edit(self, inner: str, commit: bool = True) -> None:
        await self.ok(f"<edit-config><target><candidate/></target><config>{inner}</config></edit-config>")
        if commit:
            await self.ok("<commit/>")

    async def take(self) -> list[Any]:
        """The contents of the notifications that have come since the last time."""
        await settle()
        found = [etree.fromstring(text) for text in self.got]
        self.got.clear()
        assert all(one.tag == NOTIFICATION and one[0].tag.endswith("}eventTime") for one in found)
        return [one[1] for one in found]

    async def names(self) -> list[str]:
        return [etree.QName(one).localname for one in await self.take()]


async def settle() -> None:
    """Whatever the event loop has to do without waiting for time or the network."""
    for _ in range(20):
        await asyncio.sleep(0)


class World:
    """Opened by ``world``."""

    def __init__(self, folder: Path, kept: int) -> None:
        self.timers = Turned()
        shards = Shards(schema())
        self.journal = Journal(folder / "nesrv.db")
        pipeline = Pipeline(shards, (), self.journal, {})
        pipeline.load()
        self.element = Element(shards, pipeline, self.timers.now)
        self.log = EventLog(folder / "events.db", kept, self.timers.now())
        self.publisher = Publisher(self.element, self.log, self.timers)
        BaseNotifications(self.element)
        self.capabilities = monitoring.capabilities(schema())
        subscriptions = Subscriptions(self.publisher)
        own = retrieve.OwnState(self.capabilities, subscriptions.state)
        read = retrieve.operational(own, ())
        tables = (
            configure.OPERATIONS,
            committing.OPERATIONS,
            sessions.OPERATIONS,
            create.operations(self.publisher, subscriptions.of),
            dynamic.operations(subscriptions, read),
            retrieve.operations(read),
        )
        self.dispatcher = Dispatcher(self.element, tables, self.capabilities, 100)

    def started(self, capabilities: list[str], content_id: str) -> None:
        since_last_start(self.element, self.log, capabilities, content_id)

    def client(self, user: str = "admin") -> Client:
        made = Client(self, user)
        made.number = self.dispatcher.opened(made)
        return made

    async def leave(self, client: Client, end: SessionEnd = SessionEnd.CLOSED) -> None:
        await self.dispatcher.closed(client.number, end)

    def session(self, client: Client) -> SessionState:
        return self.element.sessions[client.number]


@contextmanager
def world(folder: Path, kept: int = 1000) -> Iterator[World]:
    made = World(folder, kept)
    try:
        yield made
    finally:
        made.log.close()
        made.journal.close()


def run(folder: Path, body: Callable[[World], Awaitable[None]], kept: int = 1000) -> None:
    """``body`` in a world of its own."""

    async def inside() -> None:
        with world(folder, kept) as place:
            await body(place)

    asyncio.run(inside())


def top(inner: str) -> str:
    """The test module's container, as an edit may need it."""
    return f'<top xmlns="{KINDS}" xmlns:nc="{messages.BASE}">{inner}</top>'


def item(name: str, inner: str = "") -> str:
    return f"<item><name>{name}</name>{inner}</item>"
