"""One session over any stream: order, back pressure, time-outs and the end, on top of wire.session."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from nesrv import errors, heap
from nesrv.settings import Limits
from nesrv.wire import messages
from nesrv.wire.handler import SessionEnd, SessionHandler
from nesrv.wire.messages import RpcRequest
from nesrv.wire.session import Event, Fault, HelloReceived, Refused, Request, Session

logger = logging.getLogger(__name__)


class Stream(Protocol):
    """What the runner needs of a connection; the callbacks come to the runner's methods."""

    def write(self, data: bytes) -> None: ...

    def unsent(self) -> int:
        """Bytes that were written and not taken by the network."""

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        """After what is unsent."""

    def abort(self) -> None:
        """Without what is unsent."""


class SessionRunner:
    """Answers one client's requests in their order; is the ``Peer`` of that client.

    Raises what ``handler.opened`` raises when constructed.  ``start`` says hello; then the
    stream's owner calls ``data_received``, ``eof_received``, ``pause_writing``,
    ``resume_writing`` and, last and always, ``connection_lost``.
    """

    def __init__(
        self,
        handler: SessionHandler,
        limits: Limits,
        stream: Stream,
        user: str,
        source_host: str,
        transport: str = "netconf-ssh",
        groups: tuple[str, ...] = (),
    ) -> None:
        self.user = user
        self.groups = groups
        self.source_host = source_host
        self.transport = transport
        self.session_id = handler.opened(self)
        self._handler = handler
        self._limits = limits
        self._stream = stream
        self._session = Session(self.session_id, handler.capabilities, limits)
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Event] = deque()
        self._queued_bytes = 0
        self._reading = True
        self._input_ended = False
        self._waiting: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._busy = False
        self._heard = self._loop.time()
        self._idle_limit: float | None = limits.idle_seconds
        self._timer = self._loop.call_later(limits.hello_seconds, self._hello_is_late)
        self._end: SessionEnd | None = None
        self._end_after_reply: SessionEnd | None = None
        self._over = asyncio.Event()
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __str__(self) -> str:
        return f"session {self.session_id} ({self.user}@{self.source_host})"

    def start(self) -> None:
        """Say hello and serve."""
        logger.info("%s opened", self)
        self._stream.write(self._session.hello())
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """End the session after the reply in hand, or without it if ``stop_seconds`` do not suffice."""
        if self._busy:
            self.close_after_reply(SessionEnd.OTHER)
        else:
            self._finish(SessionEnd.OTHER)
        try:
            await asyncio.wait_for(asyncio.gather(self._over.wait(), self._gone.wait()), self._limits.stop_seconds)
        except TimeoutError:
            self._finish(SessionEnd.OTHER)
            self._stream.abort()

    # Peer

    def close(self, end: SessionEnd) -> None:
        if self._end is None:
            self._finish(end)
            self._stream.abort()

    def close_after_reply(self, end: SessionEnd) -> None:
        self._end_after_reply = end

    async def wait_closed(self) -> None:
        await self._over.wait()

    def notify(self, message: Iterable[bytes]) -> None:
        if self._end is not None:
            return
        if self._stream.unsent() > self._limits.unsent_bytes:
            logger.warning("%s does not read: dropped", self)
            self.close(SessionEnd.DROPPED)
            return
        self._stream.write(self._session.send(message))

    async def drained(self) -> None:
        while not self._writable.is_set():
            before = self._stream.unsent()
            try:
                await asyncio.wait_for(self._writable.wait(), self._limits.stall_seconds)
            except TimeoutError:
                if self._stream.unsent() >= before:
                    logger.warning("%s takes no output for %g s: dropped", self, self._limits.stall_seconds)
                    self.close(SessionEnd.DROPPED)

    def keep_open(self) -> None:
        self._idle_limit = None

    # Called by the stream

    def data_received(self, data: bytes) -> None:
        if self._end is not None:
            return
        self._heard = self._loop.time()
        for event in self._session.receive(data):
            if isinstance(event, HelloReceived):
                self._greeted()
                continue
            self._queue.append(event)
            self._queued_bytes += _size(event)
        if self._queue:
            self._wake()
        if self._reading and self._is_full():
            self._reading = False
            self._stream.pause_reading()

    def eof_received(self) -> None:
        """What is queued is still answered."""
        self._input_ended = True
        self._wake()

    def connection_lost(self) -> None:
        """The stream is gone, with or without the runner's doing."""
        self._gone.set()
        self._finish(SessionEnd.DROPPED)
        if self._task is None:
            self._task = self._loop.create_task(self._run())

    def pause_writing(self) -> None:
        if self._end is None:
            self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # The session's own task

    async def _run(self) -> None:
        try:
            while self._end is None and (size := await self._answer_next()) is not None:
                heap.tidy(size)
                if self._end_after_reply is not None:
                    self._finish(self._end_after_reply)
        finally:
            self._finish(SessionEnd.DROPPED)
            self._stream.close()
            assert self._end is not None
            logger.info("%s ended: %s", self, self._end.value)
            try:
                await self._handler.closed(self.session_id, self._end)
            except Exception:
                logger.exception("%s: the end of the session failed", self)
            self._over.set()

    async def _next(self) -> Event | None:
        """The next event, None when there will be no more."""
        while not self._queue:
            if self._end is not None or self._input_ended:
                return None
            self._waiting = self._loop.create_future()
            await self._waiting
        event = self._queue.popleft()
        self._queued_bytes -= _size(event)
        if not self._reading and not self._is_full():
            self._reading = True
            self._stream.resume_reading()
        return event

    async def _answer_next(self) -> int | None:
        """How many bytes the next event or its answer had, None when there will be no more events."""
        event = await self._next()
        return None if event is None else max(_size(event), await self._answer(event))

    async def _answer(self, event: Event) -> int:
        """Bytes of the answer."""
        if isinstance(event, Fault):
            logger.warning("%s: %s", self, event.reason)
            self._finish(SessionEnd.BAD_HELLO if event.in_hello else SessionEnd.OTHER)
        elif isinstance(event, Refused):
            logger.info("%s: %s", self, event.reason)
            self._handler.refused(self.session_id)
            return await self._send(event.reply)
        elif isinstance(event, Request):
            self._busy = True
            try:
                return await self._send(await self._reply(event.request))
            finally:
                self._busy = False
                self._heard = self._loop.time()
        return 0

    async def _reply(self, request: RpcRequest) -> Iterable[bytes]:
        try:
            return await self._handler.handle(self.session_id, request)
        except Exception:
            logger.exception("%s: <%s> failed inside the server", self, request.name)
            failed = errors.OperationFailed("The server failed; its log has the reason")
            return messages.error_reply(request, (failed,), messages.same_path)

    async def _send(self, message: Iterable[bytes]) -> int:
        """Write, and wait while the peer has too much before it; returns the bytes written."""
        size = self._write(message) if self._end is None else 0
        await self.drained()
        return size

    def _write(self, message: Iterable[bytes]) -> int:
        data = self._session.send(message)
        self._stream.write(data)
        return len(data)

    # Helpers

    def _finish(self, end: SessionEnd) -> None:
        """Decide on the end, once; whatever the task waits for is over."""
        if self._end is not None:
            return
        self._end = end
        self._timer.cancel()
        self._queue.clear()
        self._writable.set()
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _is_full(self) -> bool:
        return len(self._queue) >= self._limits.queued_requests or self._queued_bytes >= self._limits.queued_bytes

    def _hello_is_late(self) -> None:
        logger.warning("%s: no hello within %g s", self, self._limits.hello_seconds)
        self.close(SessionEnd.TIMEOUT)

    def _greeted(self) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(self._limits.idle_seconds, self._check_idle)

    def _check_idle(self) -> None:
        if self._idle_limit is None:
            return
        now = self._loop.time()
        if self._busy:
            self._heard = now
        due = self._heard + self._idle_limit
        if now < due:
            self._timer = self._loop.call_at(due, self._check_idle)
            return
        logger.info("%s: nothing heard for %g s", self, self._idle_limit)
        self.close(SessionEnd.TIMEOUT)


def _size(event: Event) -> int:
    return event.size if isinstance(event, Request) else 0
