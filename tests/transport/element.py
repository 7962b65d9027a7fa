"""A dispatcher that answers a few operations with what a test put into it, and a raw client."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
from lxml import etree

from nesrv.settings import Limits
from nesrv.transport.ssh import SshListener, listen
from nesrv.transport.users import User, UserStore
from nesrv.wire import messages
from nesrv.wire.handler import Peer, SessionEnd, TooManySessions
from nesrv.wire.messages import BASE, RpcRequest
from nesrv.wire.session import BASE_1_0, BASE_1_1

NC = f"{{{BASE}}}"
USER, PASSWORD = "admin", "påss"
PATIENCE = 20.0
DATA = (b'<names xmlns="urn:n">', messages.escape("Zoë <ß> 東京"), b"</names>")
BIG = (b'<big xmlns="urn:b">', b"<entry>0123456789</entry>" * 20_000, b"</big>")


@dataclass
class Element:
    """The handler; ``gate`` holds every ``<hold/>`` until it is set."""

    capabilities: Sequence[str] = (BASE_1_0, BASE_1_1)
    most: int = 100
    peers: dict[int, Peer] = field(default_factory=dict)
    handled: list[str] = field(default_factory=list)
    held: int = 0
    bad_requests: int = 0
    ends: list[tuple[int, SessionEnd]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    last_id: int = 0

    def opened(self, peer: Peer) -> int:
        if len(self.peers) >= self.most:
            raise TooManySessions
        self.last_id += 1
        self.peers[self.last_id] = peer
        return self.last_id

    async def handle(self, session_id: int, request: RpcRequest) -> Iterable[bytes]:
        self.handled.append(request.message_id or "")
        if request.name == "hold":
            self.held += 1
            await self.gate.wait()
        if request.name == "break":
            raise RuntimeError("on purpose")
        if request.name == "close-session":
            self.peers[session_id].close_after_reply(SessionEnd.CLOSED)
        if request.name == "kill-session":
            victim = self.peers[int(request.operation[0].text or "")]
            victim.close(SessionEnd.KILLED)
            await victim.wait_closed()
        if request.name == "get-config":
            return messages.data_reply(request, DATA)
        if request.name == "get":
            return messages.data_reply(request, BIG)
        return messages.ok_reply(request)

    def refused(self, session_id: int) -> None:
        self.bad_requests += 1

    async def closed(self, session_id: int, end: SessionEnd) -> None:
        self.ends.append((session_id, end))
        del self.peers[session_id]


@dataclass
class Served:
    element: Element
    listener: SshListener
    users: UserStore

    def connect(self, user: str = USER, password: str | None = PASSWORD, **more: Any) -> Any:
        """An asyncssh connection, to be awaited or entered."""
        options = {"known_hosts": None, "client_keys": None, "agent_path": None, "config": None, **more}
        return asyncssh.connect("127.0.0.1", self.listener.port, username=user, password=password, **options)


@asynccontextmanager
async def served(element: Element | None = None, limits: Limits | None = None) -> AsyncIterator[Served]:
    """A listener on a free loopback port, stopped at the end."""
    element = element or Element()
    users = UserStore([User(USER, PASSWORD)])
    with tempfile.TemporaryDirectory() as directory:
        key = Path(directory) / "key"
        listener = await listen("127.0.0.1", 0, key, users, element, limits or Limits())
        try:
            yield Served(element, listener, users)
        finally:
            element.gate.set()
            await listener.stop()


class Client:
    """A NETCONF client that knows nothing but bytes."""

    def __init__(self, process: Any) -> None:
        """Over a process of asyncssh or of asyncio."""
        self.process = process
        self.chunked = False

    def write(self, data: bytes) -> None:
        self.process.stdin.write(data)

    async def greet(self, *capabilities: str, before: bytes = b"") -> etree._Element:
        listed = "".join(f"<capability>{name}</capability>" for name in capabilities or (BASE_1_0, BASE_1_1))
        text = f'<hello xmlns="{BASE}"><capabilities>{listed}</capabilities></hello>]]>]]>'
        self.write(before + text.encode())
        theirs = etree.fromstring(await self.raw())
        self.chunked = BASE_1_1 in (capabilities or (BASE_1_1,))
        return theirs

    def ask(self, operation: str, message_id: object = 1, attributes: str = "") -> None:
        self.write(self.framed(operation, message_id, attributes))

    def framed(self, operation: str, message_id: object = 1, attributes: str = "") -> bytes:
        payload = f'<rpc xmlns="{BASE}" message-id="{message_id}"{attributes}>{operation}</rpc>'.encode()
        return b"\n#%d\n%b\n##\n" % (len(payload), payload) if self.chunked else payload + b"]]>]]>"

    async def raw(self) -> bytes:
        """One message, unframed."""
        reader = self.process.stdout
        if not self.chunked:
            delimited: bytes = await asyncio.wait_for(reader.readuntil(b"]]>]]>"), PATIENCE)
            return delimited.removesuffix(b"]]>]]>")
        message = b""
        while True:
            header = await asyncio.wait_for(reader.readuntil(b"\n#"), PATIENCE)
            size = await asyncio.wait_for(reader.readuntil(b"\n"), PATIENCE)
            assert header == b"\n#"
            if size == b"#\n":
                return message
            message += await asyncio.wait_for(reader.readexactly(int(size)), PATIENCE)

    async def reply(self) -> etree._Element:
        return etree.fromstring(await self.raw())

    async def request(self, operation: str, message_id: object = 1, attributes: str = "") -> etree._Element:
        self.ask(operation, message_id, attributes)
        return await self.reply()

    async def rest(self) -> bytes:
        """Everything until the server closes the channel."""
        left: bytes = await asyncio.wait_for(self.process.stdout.read(), PATIENCE)
        return left


@asynccontextmanager
async def session(place: Served, *capabilities: str, **more: Any) -> AsyncIterator[Client]:
    """A client that has said hello."""
    async with place.connect() as connection, channel(connection, **more) as client:
        await client.greet(*capabilities)
        yield client


@asynccontextmanager
async def channel(connection: asyncssh.SSHClientConnection, **more: Any) -> AsyncIterator[Client]:
    process = await connection.create_process(subsystem="netconf", encoding=None, **more)
    try:
        yield Client(process)
    finally:
        process.close()


async def until(condition: Callable[[], bool]) -> None:
    async def poll() -> None:
        while not condition():
            await asyncio.sleep(0.005)

    await asyncio.wait_for(poll(), PATIENCE)


def error_tag(reply: etree._Element) -> str | None:
    return reply.findtext(f"{NC}rpc-error/{NC}error-tag")
