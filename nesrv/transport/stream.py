"""A transport of asyncio as the stream of a session, and what notices that its peer has gone."""

from __future__ import annotations

import asyncio
import math
import socket
from dataclasses import dataclass

from nesrv.transport.runner import SessionRunner


@dataclass(frozen=True, slots=True)
class Probing:
    """TCP's keep-alive, in seconds: the first probe after ``idle``, ``count`` of them ``interval`` apart."""

    idle: int = 60
    interval: int = 10
    count: int = 6

    def apply(self, connection: socket.socket) -> None:
        """Probe; output that nobody acknowledges ends the connection in the same time."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        milliseconds = 1000 * (self.idle + self.interval * self.count)
        for option, value in (
            (socket.TCP_KEEPIDLE, self.idle),
            (socket.TCP_KEEPINTVL, self.interval),
            (socket.TCP_KEEPCNT, self.count),
            (socket.TCP_USER_TIMEOUT, milliseconds),
        ):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


DEAD_PEER = Probing()
"""A client that lost its power must not hold its locks for the two hours that are TCP's default."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a client that was called is served; ``idle_seconds`` may be infinite."""

    idle_seconds: float = math.inf
    probing: Probing = DEAD_PEER


class TransportStream(asyncio.Protocol):
    """The protocol of one connection, and the ``Stream`` of its session; ``runner`` is None before there is one."""

    def __init__(self) -> None:
        self.runner: SessionRunner | None = None
        self._transport: asyncio.Transport

    def data_received(self, data: bytes) -> None:
        if self.runner is not None:
            self.runner.data_received(data)

    def eof_received(self) -> bool:
        """True: what is queued is still answered."""
        if self.runner is not None:
            self.runner.eof_received()
        return True

    def pause_writing(self) -> None:
        if self.runner is not None:
            self.runner.pause_writing()

    def resume_writing(self) -> None:
        if self.runner is not None:
            self.runner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.runner is not None:
            self.runner.connection_lost()

    # Stream

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()
