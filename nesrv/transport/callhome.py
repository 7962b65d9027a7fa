"""Call home (RFC 8071): the server opens the connection, and is the server on it all the same.

``--call-home FILE`` is TOML::

    [[call-home]]
    name = "nms"
    transport = "ssh"                    # or "tls"
    endpoints = ["nms1.example", "[2001:db8::1]:4334"]   # ports 4334 (SSH) and 4335 (TLS) unless they say so
    start-with = "first-listed"          # or "last-connected"
    max-attempts = 3                     # at one endpoint, before the next one's turn
    max-wait = 5                         # seconds until an attempt to connect has failed
    pause = 5                            # seconds before the next attempt, and before calling a client that left
    keep-alive = 30                      # seconds of silence after which the client must show that it is there
    keep-alive-attempts = 3
    period = 60                          # minutes: call that often instead of staying connected …
    idle-timeout = 180                   # … and hang up after so many seconds without a request
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nesrv.settings import SettingsError, parse_address
from nesrv.transport.stream import Probing, Terms
from nesrv.transport.tables import Table, read

logger = logging.getLogger(__name__)

PORTS = {"ssh": 4334, "tls": 4335}
FIRST_LISTED, LAST_CONNECTED = "first-listed", "last-connected"
MAX_ATTEMPTS = 3
MAX_WAIT_SECONDS = 5
PAUSE_SECONDS = 5
KEEP_ALIVE_SECONDS = 30
KEEP_ALIVE_ATTEMPTS = 3
IDLE_SECONDS = 180

Endpoint = tuple[str, int]
Wait = Callable[[float], Awaitable[None]]


class Caller(Protocol):
    """A transport that serves a client over a connection that was opened to it."""

    async def call_home(self, connected: socket.socket, terms: Terms) -> bool:
        """Until the client leaves; returns whether it came in at all.  Raises OSError."""


@dataclass(frozen=True, slots=True)
class Client:
    """One ``[[call-home]]``; times in seconds, ``period`` None for a connection that is to stay."""

    name: str
    transport: str
    endpoints: tuple[Endpoint, ...]
    start_with: str = FIRST_LISTED
    max_attempts: int = MAX_ATTEMPTS
    max_wait: float = MAX_WAIT_SECONDS
    pause: float = PAUSE_SECONDS
    period: float | None = None
    terms: Terms = field(default_factory=Terms)

    @classmethod
    def read(cls, table: Table) -> Client:
        """Raises SettingsError."""
        name, transport = table.text("name"), table.choice("transport", tuple(PORTS), "ssh")
        interval = table.number("keep-alive", KEEP_ALIVE_SECONDS)
        probing = Probing(interval, interval, table.number("keep-alive-attempts", KEEP_ALIVE_ATTEMPTS, most=127))
        minutes = table.number("period", 0)
        idle = table.number("idle-timeout", IDLE_SECONDS)
        client = cls(
            name,
            transport,
            tuple(_endpoint(text, transport, table.where) for text in table.texts("endpoints")),
            table.choice("start-with", (FIRST_LISTED, LAST_CONNECTED), FIRST_LISTED),
            table.number("max-attempts", MAX_ATTEMPTS),
            table.number("max-wait", MAX_WAIT_SECONDS),
            table.number("pause", PAUSE_SECONDS),
            60.0 * minutes or None,
            Terms(idle if minutes else math.inf, probing),
        )
        table.finish()
        if not client.endpoints:
            raise SettingsError(f'{table.where}: {name!r} cannot be reached; add a line endpoints = ["HOST"]')
        return client


def _endpoint(text: str, transport: str, where: str) -> Endpoint:
    host, port = parse_address(text, PORTS[transport], f"{where}: endpoint")
    if not host or not port:
        raise SettingsError(f"{where}: endpoint {text}: write the client's HOST, or HOST:{PORTS[transport]}")
    return host, port


def load(path: Path) -> tuple[Client, ...]:
    """The clients of the file at ``path``; raises SettingsError."""
    table = read(path, "--call-home")
    clients = tuple(map(Client.read, table.tables("call-home")))
    table.finish()
    if not clients:
        raise SettingsError(f"{table.where}: nobody is to be called; add a table [[call-home]]")
    if len({client.name for client in clients}) < len(clients):
        raise SettingsError(f"{table.where}: two clients have the same name")
    return clients


def attempts(client: Client, last: Endpoint | None) -> Iterator[Endpoint]:
    """The endpoints to try, without end; ``last`` is the one where the client was met last."""
    start = client.endpoints.index(last) if last is not None and client.start_with == LAST_CONNECTED else 0
    for endpoint in itertools.cycle(client.endpoints[start:] + client.endpoints[:start]):
        yield from itertools.repeat(endpoint, client.max_attempts)


class CallHome:
    """Keeps every client connected, or calls it periodically; ``wait`` waits so many seconds."""

    def __init__(self, clients: Iterable[tuple[Client, Caller]], wait: Wait = asyncio.sleep) -> None:
        self._clients = tuple(clients)
        self._wait = wait
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep(client, caller)) for client, caller in self._clients]

    async def stop(self) -> None:
        """Call no more.  The sessions that there are belong to their transports."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, client: Client, caller: Caller) -> None:
        last: Endpoint | None = None
        while True:
            last = await self._meet(client, caller, last)
            await self._wait(client.pause if client.period is None else client.period)

    async def _meet(self, client: Client, caller: Caller, last: Endpoint | None) -> Endpoint:
        """Try until the client comes in somewhere; returns where, once it has left."""
        told: dict[Endpoint, str] = {}
        for endpoint in attempts(client, last):
            failure = await _call(client, caller, endpoint)
            if failure is None:
                break
            # The same again and again is news only once.
            level = logging.DEBUG if told.get(endpoint) == failure else logging.WARNING
            told[endpoint] = failure
            logger.log(level, "%s does not come in at %s port %d: %s", client.name, *endpoint, failure)
            await self._wait(client.pause)
        return endpoint


async def _call(client: Client, caller: Caller, endpoint: Endpoint) -> str | None:
    """Why the client was not served, None when it was, and has left."""
    try:
        async with asyncio.timeout(client.max_wait):
            connected = await _connect(*endpoint)
    except TimeoutError:
        return f"no answer within {client.max_wait:g} s"
    except OSError as error:
        return _words(error)
    logger.info("calling %s at %s port %d", client.name, *endpoint)
    try:
        came_in = await caller.call_home(connected, client.terms)
    except OSError as error:
        return _words(error)
    return None if came_in else "it left without a session"


async def _connect(host: str, port: int) -> socket.socket:
    """A TCP connection to the first address of ``host`` that takes it; raises OSError."""
    loop = asyncio.get_running_loop()
    refused: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connecting = socket.socket(family, kind, protocol)
        try:
            connecting.setblocking(False)
            await loop.sock_connect(connecting, address)
            return connecting
        except BaseException as error:
            connecting.close()
            if not isinstance(error, OSError):
                raise
            refused = error
    raise refused


def _words(error: OSError) -> str:
    """asyncio words the error numbers of the system at length; those of the resolver are negative."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
