"""The ways in besides SSH and the local socket: TLS and call home, as far as the settings want them."""

from __future__ import annotations

from nesrv.settings import Settings, SettingsError
from nesrv.transport import callhome
from nesrv.transport.callhome import Caller, CallHome
from nesrv.transport.credentials import Credentials
from nesrv.transport.ssh import SshListener
from nesrv.transport.tls import TlsListener
from nesrv.transport.users import UserStore
from nesrv.wire.handler import SessionHandler


class Doors:
    """Raises SettingsError when constructed, before anything has been touched."""

    def __init__(self, settings: Settings, users: UserStore) -> None:
        self._users = users
        self._limits = settings.limits
        self._credentials = None if settings.tls is None else Credentials.load(settings.tls)
        self._clients = () if settings.call_home is None else callhome.load(settings.call_home)
        self._calls = CallHome(())
        self._tls: TlsListener | None = None
        over_tls = [client.name for client in self._clients if client.transport == "tls"]
        if over_tls and self._credentials is None:
            raise SettingsError(f"--call-home: {over_tls[0]!r} is called over TLS, which needs --tls FILE")
        if self._credentials is not None and self._credentials.listen is None and not over_tls:
            raise SettingsError(
                f'--tls {settings.tls}: nobody would be served over TLS; add a line listen = "127.0.0.1:6513"'
            )

    async def open(self, ssh: SshListener, handler: SessionHandler) -> None:
        """Listen, and begin to call; raises OSError."""
        callers: dict[str, Caller] = {"ssh": ssh}
        if self._credentials is not None:
            callers["tls"] = self._tls = TlsListener(handler, self._users, self._limits, self._credentials)
            if self._credentials.listen is not None:
                await self._tls.listen(*self._credentials.listen)
        self._calls = CallHome((client, callers[client.transport]) for client in self._clients)
        self._calls.start()

    async def stop(self) -> None:
        """Call nobody any more, and end the sessions over TLS."""
        await self._calls.stop()
        if self._tls is not None:
            await self._tls.stop()
