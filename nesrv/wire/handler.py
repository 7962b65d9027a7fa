"""What a transport and the server's dispatcher ask of each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Protocol

from nesrv.wire.messages import RpcRequest


class SessionEnd(Enum):
    """Why a session ended: the termination-reason of RFC 6470, section 2.2."""

    CLOSED = "closed"
    KILLED = "killed"
    DROPPED = "dropped"
    TIMEOUT = "timeout"
    BAD_HELLO = "bad-hello"
    OTHER = "other"


class TooManySessions(Exception):
    """The element serves no further session now."""


class Peer(Protocol):
    """The client of one session, as the dispatcher sees it."""

    @property
    def user(self) -> str: ...

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of access control that the user had at login: its role."""

    @property
    def source_host(self) -> str: ...

    @property
    def transport(self) -> str:
        """An identity of RFC 6022's transport: ``netconf-ssh``, ``netconf-tls``."""

    def close(self, end: SessionEnd) -> None:
        """At once: nothing more is read or sent; a request in hand runs to its end unanswered."""

    def close_after_reply(self, end: SessionEnd) -> None:
        """Once the request in hand is answered; for close-session."""

    async def wait_closed(self) -> None:
        """Until ``SessionHandler.closed`` has returned for this session; bound it, as two may kill each other."""

    def notify(self, message: Iterable[bytes]) -> None:
        """Send a notification; a peer with too much unsent output is dropped instead."""

    async def drained(self) -> None:
        """Until the network has taken most of what was sent, or the session is over, as it is for a peer that takes
        nothing for too long: between the pieces of a long replay."""

    def keep_open(self) -> None:
        """No idle time-out from now on (a session with a subscription)."""


class SessionHandler(Protocol):
    """The dispatcher.  Calls for one session come one after the other."""

    @property
    def capabilities(self) -> Sequence[str]:
        """For the hello, asked at each session's start."""

    def opened(self, peer: Peer) -> int:
        """A session-id for a new session; raises TooManySessions."""

    async def handle(self, session_id: int, request: RpcRequest) -> Iterable[bytes]:
        """The whole reply, as ``nesrv.wire.messages`` writes it.  Never cancelled by the transport."""

    def refused(self, session_id: int) -> None:
        """A message that was no request has been answered with an error (in-bad-rpcs, out-rpc-errors)."""

    async def closed(self, session_id: int, end: SessionEnd) -> None:
        """Exactly once for every session that was opened."""
