"""NETCONF over TLS with certificates on both sides (RFC 7589): the listener and its connections."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nesrv.settings import Limits, SettingsError
from nesrv.transport.alerts import AlertingContext
from nesrv.transport.cert_to_name import name_of
from nesrv.transport.credentials import Credentials
from nesrv.transport.runner import SessionRunner
from nesrv.transport.stream import DEAD_PEER, Terms, TransportStream
from nesrv.transport.users import UserStore
from nesrv.wire.handler import SessionHandler, TooManySessions

logger = logging.getLogger(__name__)

TRANSPORT = "netconf-tls"
RECORD_BYTES = 4096
"""ncclient reads so much of a record, and then waits for the socket, which has nothing more if OpenSSL holds it."""


class _Stranger(Exception):
    """A client with a good certificate that nobody here knows; the text says why."""


class TlsListener:
    """Clients that come, and clients that were called; ``port`` is the one listened on, if any."""

    def __init__(self, handler: SessionHandler, users: UserStore, limits: Limits, credentials: Credentials) -> None:
        self.connections: set[_Connection] = set()
        self.port = 0
        self._handler = handler
        self._users = users
        self._limits = limits
        self._credentials = credentials
        self._arrivals: dict[asyncio.Task[Any], None] = {}
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """At ``host``:``port`` (empty: every address; 0: a free port); raises OSError."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Arrival(self._arrived), host or None, port, backlog=128, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]
        logger.info("listening for NETCONF over TLS on %s port %d", host or "every address", self.port)

    async def call_home(self, connected: socket.socket, terms: Terms) -> bool:
        """Serve a client that was called (RFC 8071) until it leaves; returns whether it had a session."""
        transport, _ = await asyncio.get_running_loop().create_connection(_Arrival, sock=connected)
        terms.probing.apply(connected)
        connection = await self._admit(transport, replace(self._limits, idle_seconds=terms.idle_seconds))
        if connection is None:
            return False
        await connection.gone.wait()
        return True

    async def stop(self) -> None:
        """Take no more connections; end every session after the reply in hand."""
        if self._server is not None:
            self._server.close()
        arrivals = list(self._arrivals)
        for task in arrivals:
            task.cancel()
        await asyncio.gather(*arrivals, return_exceptions=True)
        runners = [connection.runner for connection in self.connections]
        await asyncio.gather(*(runner.stop() for runner in runners if runner is not None))
        if self._server is not None:
            await self._server.wait_closed()

    def _arrived(self, transport: asyncio.Transport) -> None:
        """Of too many that wait for their handshake the oldest gives way, so that nobody is kept out."""
        DEAD_PEER.apply(transport.get_extra_info("socket"))
        if len(self._arrivals) >= self._limits.pending_logins:
            oldest = next(iter(self._arrivals))
            del self._arrivals[oldest]
            oldest.cancel()
        task = asyncio.get_running_loop().create_task(self._admit(transport, self._limits))
        self._arrivals[task] = None
        task.add_done_callback(lambda done: self._arrivals.pop(done, None))

    async def _admit(self, transport: asyncio.Transport, limits: Limits) -> _Connection | None:
        """A TCP connection to a client becomes a session, or ends."""
        source = str(transport.get_extra_info("peername", ("?",))[0])
        connection = _Connection(transport, self.connections)
        try:
            await connection.secure(self._credentials.context(), limits)
            user = self._user(connection.chain())
            connection.serve(self._handler, limits, user, self._users.groups(user), source)
            return connection
        except (_Stranger, TooManySessions) as error:
            logger.warning("%s turned away: %s", source, error or "too many sessions")
            # In the way of TLS, as far as the client plays along.
            connection.close()
            await connection.gone.wait()
        except SettingsError as error:
            logger.error("%s turned away: %s", source, error)
        except ssl.SSLCertVerificationError as error:
            logger.warning("%s turned away: its certificate: %s", source, error.verify_message)
        except OSError as error:
            logger.info("%s left without TLS: %s", source, getattr(error, "reason", None) or error)
        finally:
            if connection.runner is None:
                transport.abort()
        return None

    def _user(self, chain: list[bytes]) -> str:
        """Raises _Stranger."""
        try:
            user = name_of(self._credentials.entries, chain)
        except ValueError as error:
            raise _Stranger(f"its certificate cannot be read: {error}") from None
        if user is None:
            raise _Stranger("no [[cert-to-name]] entry gives its certificate a name")
        if not self._users.groups(user):
            raise _Stranger(f"its certificate names {user!r}, who is no user here")
        return user


class _Arrival(asyncio.Protocol):
    """A TCP connection that nothing is read from before TLS does."""

    def __init__(self, arrived: Callable[[asyncio.Transport], None] | None = None) -> None:
        self._arrived = arrived

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        if self._arrived is not None:
            self._arrived(transport)


class _Connection(TransportStream):
    """What is inside of TLS; ``gone`` is set when the connection is."""

    def __init__(self, raw: asyncio.Transport, open_ones: set[_Connection]) -> None:
        super().__init__()
        self.gone = asyncio.Event()
        self._raw = raw
        self._transport = raw
        self._open = open_ones
        self._early: list[bytes] = []

    async def secure(self, context: AlertingContext, limits: Limits) -> None:
        """The server's side of the handshake; raises OSError (ssl.SSLError is one)."""
        context.send = self._raw.write
        secured = await asyncio.get_running_loop().start_tls(
            self._raw,
            self,
            context,
            server_side=True,
            ssl_handshake_timeout=limits.login_seconds,
            ssl_shutdown_timeout=limits.stall_seconds,
        )
        if secured is None:
            raise ConnectionResetError("the connection is lost")
        self._transport = secured

    def chain(self) -> list[bytes]:
        """The client's certificates as they were verified, in DER, its own first."""
        # The method is public from Python 3.13 on.
        inside = self._transport.get_extra_info("ssl_object")._sslobj
        return [ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in inside.get_verified_chain()]

    def serve(self, handler: SessionHandler, limits: Limits, user: str, groups: tuple[str, ...], source: str) -> None:
        """Begin the session; raises what ``handler.opened`` raises, ConnectionResetError."""
        if self.gone.is_set():
            raise ConnectionResetError("the connection is lost")
        self.runner = SessionRunner(handler, limits, self, user, source, TRANSPORT, groups)
        self._open.add(self)
        self.runner.start()
        for data in self._early:
            self.runner.data_received(data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        """A hello may come with the end of the handshake, before anybody has looked at the certificate."""
        if self.runner is None:
            self._early.append(data)
        else:
            super().data_received(data)

    def eof_received(self) -> bool:
        """TLS ends in both directions at once (RFC 7589, section 4)."""
        super().eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self.gone.set()
        super().connection_lost(exc)

    # Stream

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            whole = memoryview(data)
            self._transport.writelines(
                [whole[start : start + RECORD_BYTES] for start in range(0, len(data), RECORD_BYTES)]
            )

    def unsent(self) -> int:
        return self._raw.get_write_buffer_size() + super().unsent()

    def close(self) -> None:
        # asyncio takes a second close for the end of the object.
        if not self._transport.is_closing():
            super().close()

    def abort(self) -> None:
        self._raw.abort()
