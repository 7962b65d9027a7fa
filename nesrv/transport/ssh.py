"""NETCONF over SSH (RFC 6242): logins, channels and the listener."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import replace
from pathlib import Path
from typing import Final

import asyncssh

from nesrv.settings import Limits
from nesrv.transport.hostkey import host_key
from nesrv.transport.runner import SessionRunner
from nesrv.transport.stream import DEAD_PEER, Terms
from nesrv.transport.users import UserStore
from nesrv.wire.handler import SessionHandler, TooManySessions

logger = logging.getLogger(__name__)

SUBSYSTEM: Final = "netconf"

KEX = ("curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
       "diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256")  # fmt: skip
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr")
"""The client's order decides, so what is slow here (chacha20-poly1305) is not offered."""
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")

WRITE_HIGH_BYTES = 512 * 1024
"""Unsent output from which on a session waits before its next reply."""


class SshListener:
    """The open listener; ``port`` is the one listened on."""

    def __init__(self, handler: SessionHandler, users: UserStore, limits: Limits, key: asyncssh.SSHKey) -> None:
        self.handler = handler
        self.users = users
        self.limits = limits
        self.connections: set[_Connection] = set()
        self.pending: set[_Login] = set()
        self.port = 0
        self.stopping = False
        self._options = _options(self, key)
        self._server: asyncio.Server

    async def listen(self, host: str, port: int) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            self._connection, host or None, port, backlog=128, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def call_home(self, connected: socket.socket, terms: Terms) -> bool:
        """Serve a client that was called (RFC 8071) until it leaves; returns whether it logged in."""
        _, connection = await asyncio.get_running_loop().create_connection(self._connection, sock=connected)
        connection.terms = terms
        login = connection.get_owner()
        await connection.wait_closed()
        return isinstance(login, _Login) and login.logged_in

    def _connection(self) -> _Connection:
        return _Connection(asyncio.get_running_loop(), self._options)

    async def stop(self) -> None:
        """Take no more connections; end every session after the reply in hand; then the connections."""
        self.stopping = True
        self._server.close()
        runners = [channel.runner for connection in self.connections for channel in connection.channels]
        await asyncio.gather(*(runner.stop() for runner in runners if runner is not None))
        closing = list(self.connections)
        for connection in closing:
            connection.close()
        waits = [asyncio.ensure_future(connection.wait_closed()) for connection in closing]
        if waits:
            _, late = await asyncio.wait(waits, timeout=self.limits.stop_seconds)
            for connection in closing if late else ():
                connection.abort()
        await self._server.wait_closed()


async def listen(
    host: str, port: int, host_key_path: Path, users: UserStore, handler: SessionHandler, limits: Limits
) -> SshListener:
    """Serve NETCONF at ``host``:``port`` (empty: every address; 0: a free port).

    Raises SettingsError (host key), OSError (address).
    """
    asyncssh.set_log_level(logging.WARNING)
    listener = SshListener(handler, users, limits, host_key(host_key_path))
    await listener.listen(host, port)
    logger.info("listening for NETCONF over SSH on %s port %d", host or "every address", listener.port)
    return listener


def _options(listener: SshListener, key: asyncssh.SSHKey) -> asyncssh.SSHServerConnectionOptions:
    return asyncssh.SSHServerConnectionOptions(
        server_factory=lambda: _Login(listener),
        server_host_keys=[key],
        server_version="nesrv",
        encoding=None,
        line_editor=False,
        kex_algs=KEX,
        encryption_algs=CIPHERS,
        mac_algs=MACS,
        compression_algs=("none",),
        login_timeout=listener.limits.login_seconds,
        gss_host=None,
        agent_forwarding=False,
        x11_forwarding=False,
        allow_scp=False,
    )


class _Connection(asyncssh.SSHServerConnection):
    """One TCP connection, which tells its sessions when the network takes no more.

    A client may announce any channel window; what bounds the output is the socket.
    """

    channels: set[_Channel]
    terms: Terms | None = None
    """Of a client that was called."""
    full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.channels = set()
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        self._socket_buffer = transport.get_write_buffer_size
        DEAD_PEER.apply(transport.get_extra_info("socket"))
        super().connection_made(transport)

    def unsent(self) -> int:
        return self._socket_buffer()

    def pause_writing(self) -> None:
        self._set_full(True)

    def resume_writing(self) -> None:
        self._set_full(False)

    def _set_full(self, full: bool) -> None:
        self.full = full
        for channel in self.channels:
            channel.flow_changed()


class _Login(asyncssh.SSHServer):
    """Who may come in, and which channels they get."""

    def __init__(self, listener: SshListener) -> None:
        self._listener = listener
        self.limits = listener.limits
        self._connection: _Connection
        self._user = ""
        self._source = ""
        self._groups: tuple[str, ...] = ()
        self._greeted = False
        self._failures = 0
        self._open_channels = 0
        self.logged_in = False
        self._linger: asyncio.TimerHandle | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        assert isinstance(conn, _Connection)
        self._connection = conn
        self._source = str(conn.get_extra_info("peername", ("?",))[0])
        self._listener.connections.add(conn)
        self._listener.pending.add(self)
        if len(self._listener.pending) > self.limits.pending_logins:
            logger.warning("%s turned away: too many connections before their login", self._source)
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.connections.discard(self._connection)
        self._listener.pending.discard(self)
        if self._linger is not None:
            self._linger.cancel()
        if not self.logged_in:
            logger.info("%s left without a login%s", self._source, f": {exc}" if exc else "")

    def begin_auth(self, username: str) -> bool:
        self._user = username
        if self._listener.users.banner and not self._greeted:
            self._greeted = True
            self._connection.send_auth_banner(_lines(self._listener.users.banner))
        return True

    def auth_completed(self) -> None:
        self.logged_in = True
        self._groups = self._listener.users.groups(self._user)
        terms = self._connection.terms
        if terms is not None:
            # Not before: asyncssh takes up its options anew when it learns the user's name.
            self._connection.set_keepalive(terms.probing.interval, terms.probing.count)
            self.limits = replace(self.limits, idle_seconds=terms.idle_seconds)
        self._listener.pending.discard(self)
        logger.info("%s logged in from %s", self._user, self._source)
        self._rest()

    def password_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        loop = asyncio.get_running_loop()
        good = await loop.run_in_executor(None, self._listener.users.check_password, username, password)
        if not good:
            self._failures += 1
            logger.warning("wrong password for %r from %s", username, self._source)
            if self._failures >= self.limits.login_failures:
                raise asyncssh.PermissionDenied("Too many failed logins")
        return good

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return any(key == known for known in self._listener.users.keys(username))

    def session_requested(self) -> bool | asyncssh.SSHServerSession[bytes]:
        if self._open_channels >= self.limits.sessions:
            return False
        self._open_channels += 1
        return _Channel(self, self._connection, self._listener)

    def channel_closed(self) -> None:
        self._open_channels -= 1
        if not self._connection.channels:
            self._rest()

    @property
    def user(self) -> str:
        return self._user

    @property
    def source(self) -> str:
        return self._source

    @property
    def groups(self) -> tuple[str, ...]:
        return self._groups

    def _rest(self) -> None:
        """Without a session now: the connection may wait for one as long as a session for its hello."""
        if self._linger is not None:
            self._linger.cancel()
        loop = asyncio.get_running_loop()
        self._linger = loop.call_later(self.limits.hello_seconds, self._close_unused)

    def _close_unused(self) -> None:
        if not self._connection.channels:
            self._connection.close()


def _lines(banner: str) -> str:
    """With the line ends of RFC 4252, section 5.4."""
    return "".join(f"{line}\r\n" for line in banner.splitlines())


class _Channel(asyncssh.SSHServerSession[bytes]):
    """One channel, which becomes a NETCONF session if the client asks for the subsystem; a runner's Stream."""

    def __init__(self, login: _Login, connection: _Connection, listener: SshListener) -> None:
        self._login = login
        self._connection = connection
        self._listener = listener
        self._channel: asyncssh.SSHServerChannel[bytes]
        self.runner: SessionRunner | None = None
        self._full = False

    # Called by asyncssh

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan
        chan.set_write_buffer_limits(high=WRITE_HIGH_BYTES)

    def pty_requested(self, term_type: str, term_size: object, term_modes: object) -> bool:
        return True

    def shell_requested(self) -> bool:
        return False

    def exec_requested(self, command: str) -> bool:
        return False

    def subsystem_requested(self, subsystem: str) -> bool:
        if subsystem != SUBSYSTEM or self._listener.stopping:
            return False
        try:
            self.runner = SessionRunner(
                self._listener.handler,
                self._login.limits,
                self,
                self._login.user,
                self._login.source,
                groups=self._login.groups,
            )
        except TooManySessions:
            logger.warning("no session for %s from %s: too many", self._login.user, self._login.source)
            return False
        self._connection.channels.add(self)
        return True

    def session_started(self) -> None:
        if self.runner is not None:
            self.runner.start()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self.runner is not None and datatype is None:
            self.runner.data_received(data)

    def eof_received(self) -> bool:
        if self.runner is not None:
            self.runner.eof_received()
        return True

    def pause_writing(self) -> None:
        self._full = True
        self.flow_changed()

    def resume_writing(self) -> None:
        self._full = False
        self.flow_changed()

    def flow_changed(self) -> None:
        """Output waits while either the channel's window or the socket is full."""
        if self.runner is None:
            return
        if self._full or self._connection.full:
            self.runner.pause_writing()
        else:
            self.runner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.runner is not None:
            self._connection.channels.discard(self)
            self.runner.connection_lost()
        self._login.channel_closed()

    # Stream

    def write(self, data: bytes) -> None:
        if not self._channel.is_closing():
            self._channel.write(data)

    def unsent(self) -> int:
        return self._channel.get_write_buffer_size() + self._connection.unsent()

    def pause_reading(self) -> None:
        self._channel.pause_reading()

    def resume_reading(self) -> None:
        self._channel.resume_reading()

    def close(self) -> None:
        self._channel.close()

    def abort(self) -> None:
        self._channel.abort()
