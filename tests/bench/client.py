"""A NETCONF client that knows nothing but bytes, so that what is measured is the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import asyncssh

BASE = b"urn:ietf:params:xml:ns:netconf:base:1.0"
END_1_0, END_1_1 = b"]]>]]>", b"\n##\n"
HELLO = (
    b'<hello xmlns="%b"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability>'
    b"<capability>urn:ietf:params:netconf:base:1.1</capability></capabilities></hello>" % BASE
) + END_1_0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is and how to log in."""

    name: str
    port: int
    user: str
    key: asyncssh.SSHKey
    host: str = "127.0.0.1"


class RawSession(asyncssh.SSHClientSession[bytes]):
    """One session; requests are sent one after the other."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._end = END_1_0
        self._waiting: asyncio.Future[None] | None = None
        self._channel: Any = None
        self._id = 0

    def connection_made(self, chan: Any) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._parts.append(data)
        if self._waiting is not None and self._complete() and not self._waiting.done():
            self._waiting.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("the server closed the session"))

    async def greet(self) -> bytes:
        """The server's hello, ours being sent."""
        self._channel.write(HELLO)
        hello = await self._message()
        self._end = END_1_1
        return hello

    async def request(self, operation: bytes) -> bytes:
        """The reply with its framing, whatever it says."""
        self._id += 1
        message = b'<rpc xmlns="%b" message-id="%d">%b</rpc>' % (BASE, self._id, operation)
        self._channel.write(b"\n#%d\n%b\n##\n" % (len(message), message))
        return await self._message()

    async def do(self, operation: bytes) -> None:
        """A request that must be answered ok."""
        reply = await self.request(operation)
        if b"<ok/>" not in reply:
            raise RuntimeError(f"{operation[:200]!r} was answered {reply[:1000]!r}")

    def unread(self) -> bytes:
        """What came without having been asked for."""
        return b"".join(self._parts)

    async def _message(self) -> bytes:
        if not self._complete():
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
            self._waiting = None
        data = b"".join(self._parts)
        self._parts.clear()
        return data

    def _complete(self) -> bool:
        if not self._parts:
            return False
        last = self._parts[-1]
        if len(last) >= len(self._end):
            return last.endswith(self._end)
        return b"".join(self._parts[-len(self._end) :]).endswith(self._end)


def payload(message: bytes) -> bytes:
    """A message of several chunks (RFC 6242, section 4.2) without its framing."""
    found, start = b"", 0
    while not message.startswith(END_1_1, start):
        header = message.index(b"\n", start + 2)
        end = header + 1 + int(message[start + 2 : header])
        found += message[header + 1 : end]
        start = end
    return found


@asynccontextmanager
async def session(place: Place) -> AsyncIterator[RawSession]:
    """A session that has exchanged hellos; close-session ends it."""
    options: dict[str, Any] = {"known_hosts": None, "agent_path": None, "config": None, "compression_algs": ("none",)}
    async with asyncssh.connect(
        place.host, place.port, username=place.user, client_keys=[place.key], **options
    ) as connection:
        _, made = await connection.create_session(RawSession, subsystem="netconf", encoding=None)
        raw = cast(RawSession, made)
        await raw.greet()
        yield raw
        await raw.do(b"<close-session/>")
