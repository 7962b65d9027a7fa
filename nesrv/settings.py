"""What an operator decides when the server starts, and every limit by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

NETCONF_SSH_PORT = 830
CONTROL = "control.sock"

MAX_SESSIONS = 256
MAX_PENDING_LOGINS = 64
MAX_LOGIN_FAILURES = 6
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
MAX_HELLO_BYTES = 256 * 1024
MAX_QUEUED_REQUESTS = 64
MAX_QUEUED_BYTES = 1024 * 1024
MAX_UNSENT_BYTES = 16 * 1024 * 1024
MAX_LOGGED_NOTIFICATIONS = 10_000
LOGIN_SECONDS = 30.0
HELLO_SECONDS = 30.0
IDLE_SECONDS = 3600.0
STALL_SECONDS = 60.0
STOP_SECONDS = 10.0


class SettingsError(Exception):
    """The server cannot start as told; the text says what to write instead."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one client can take; sizes in bytes, times in seconds.

    ``unsent_bytes`` bounds the notifications that wait for a slow reader; ``stall_seconds`` is
    how long a reader may take nothing at all while output waits for it. ``logged_notifications``
    are kept on disk for those who ask for earlier ones.
    """

    sessions: int = MAX_SESSIONS
    pending_logins: int = MAX_PENDING_LOGINS
    login_failures: int = MAX_LOGIN_FAILURES
    message_bytes: int = MAX_MESSAGE_BYTES
    hello_bytes: int = MAX_HELLO_BYTES
    queued_requests: int = MAX_QUEUED_REQUESTS
    queued_bytes: int = MAX_QUEUED_BYTES
    unsent_bytes: int = MAX_UNSENT_BYTES
    logged_notifications: int = MAX_LOGGED_NOTIFICATIONS
    login_seconds: float = LOGIN_SECONDS
    hello_seconds: float = HELLO_SECONDS
    idle_seconds: float = IDLE_SECONDS
    stall_seconds: float = STALL_SECONDS
    stop_seconds: float = STOP_SECONDS


HISTORY_KEPT = 1000
"""Commits remembered; older ones are forgotten, so that the state directory does not grow without end."""

VrfBackend = Literal["auto", "device", "netns"]
FrrMode = Literal["managed", "attach", "none"]
Backend = Literal["system", "none"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The command line of ``nesrv serve``.

    ``netns`` None is the namespace the server was started in; ``yang`` are directories whose
    modules are offered as well; ``openconfig`` is a checkout of the published modules to serve in
    the place of our profiles of them; ``startup`` is loaded when the state directory is empty.
    ``startup_datastore``, ``writable_running`` and ``url`` are capabilities that are off unless asked for (RFC 6241
    §8.7, §8.2, §8.8); ``history`` is how many commits are remembered.
    ``tls`` and ``call_home`` are files that say how clients are met besides over SSH.
    """

    listen: tuple[str, int]
    state_dir: Path
    users: Path
    netns: str | None = None
    vrf_backend: VrfBackend = "auto"
    frr: FrrMode = "managed"
    backend: Backend = "system"
    yang: tuple[Path, ...] = ()
    openconfig: Path | None = None
    startup: Path | None = None
    startup_datastore: bool = False
    writable_running: bool = False
    url: bool = False
    history: int = HISTORY_KEPT
    tls: Path | None = None
    call_home: Path | None = None
    log_level: str = "info"
    limits: Limits = field(default_factory=Limits)

    @property
    def host_key(self) -> Path:
        return self.state_dir / "ssh_host_ed25519_key"

    @property
    def releases(self) -> Path:
        """What was found out about releases of the published modules."""
        return self.state_dir / "openconfig"

    @property
    def files(self) -> Path:
        """Where the files are that clients name by URL."""
        return self.state_dir / "files"

    @property
    def netconf_features(self) -> tuple[str, ...]:
        """Features of ietf-netconf that were asked for."""
        asked = {
            "startup": self.startup_datastore,
            "writable-running": self.writable_running,
            "url": self.url,
        }
        return tuple(feature for feature, wanted in asked.items() if wanted)

    @property
    def control(self) -> Path:
        """The socket that commands on this machine use."""
        return self.state_dir / CONTROL


def parse_listen(text: str) -> tuple[str, int]:
    """What ``--listen`` says; see ``parse_address``."""
    return parse_address(text, NETCONF_SSH_PORT, "--listen")


def parse_address(text: str, default_port: int, where: str) -> tuple[str, int]:
    """``HOST:PORT``, ``[IPV6]:PORT``, ``HOST`` or ``:PORT`` (every address) as (host, port).

    Port 0 asks the kernel for a free one.  Raises SettingsError, whose text begins with ``where``.
    """
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(default_port)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise SettingsError(f"{where} {text}: write an IPv6 address in brackets, as in [::1]:{default_port}")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise SettingsError(f"{where} {text}: the port must be a number up to 65535, as in 127.0.0.1:{default_port}")
    return host, int(port)
