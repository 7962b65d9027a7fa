"""NETCONF over a Unix socket in the state directory, for commands run on the machine itself.

Access is that to the socket's file (0600); the session's user is the one who connected.
"""

from __future__ import annotations

import asyncio
import logging
import pwd
import socket
import struct
from pathlib import Path

from nesrv.features.users import ADMIN
from nesrv.settings import Limits
from nesrv.transport.runner import SessionRunner
from nesrv.transport.stream import TransportStream
from nesrv.wire.handler import SessionHandler, TooManySessions

logger = logging.getLogger(__name__)

TRANSPORT = "nesrv:netconf-local"
_CREDENTIALS = struct.Struct("3i")


class _Local(TransportStream):
    """One connection."""

    def __init__(self, handler: SessionHandler, limits: Limits, open_ones: set[_Local]) -> None:
        super().__init__()
        self._handler = handler
        self._limits = limits
        self._open = open_ones

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        user = _user(transport.get_extra_info("socket"))
        try:
            self.runner = SessionRunner(self._handler, self._limits, self, user, "127.0.0.1", TRANSPORT, (ADMIN,))
        except TooManySessions:
            transport.abort()
            return
        self._open.add(self)
        self.runner.start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        super().connection_lost(exc)


def _user(connection: socket.socket) -> str:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


class LocalListener:
    """The socket at ``path``."""

    def __init__(self, path: Path, handler: SessionHandler, limits: Limits) -> None:
        self._path = path
        self._handler = handler
        self._limits = limits
        self._open: set[_Local] = set()
        self._server: asyncio.Server

    async def start(self) -> None:
        """Raises OSError."""
        self._path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: _Local(self._handler, self._limits, self._open), self._path
        )
        self._path.chmod(0o600)

    async def stop(self) -> None:
        self._server.close()
        runners = [connection.runner for connection in self._open]
        await asyncio.gather(*(runner.stop() for runner in runners if runner is not None))
        self._path.unlink(missing_ok=True)
