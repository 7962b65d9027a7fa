"""Who may do what: the questions that every operation asks before it answers or changes anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from nesrv.datastore.snapshot import Snapshot

if TYPE_CHECKING:
    from nesrv.rpc.element import SessionState
    from nesrv.rpc.events import Notice


class Guard(Protocol):
    """One rule over changes, such as access control or partial locks."""

    def changes(self, session: SessionState, datastore: str, before: Snapshot, after: Snapshot) -> None:
        """Raise ``RpcError`` when ``session`` may not turn ``before`` into ``after`` in ``datastore``."""

    def receives(self, session: SessionState, notice: Notice) -> bool:
        """Whether ``session`` may be sent ``notice``; one that is replayed has no ``value``."""


class Guards:
    """All of them; without any, everything is allowed and nothing is paid."""

    def __init__(self, guards: Iterable[Guard] = ()) -> None:
        self._guards = list(guards)

    def add(self, guard: Guard) -> None:
        self._guards.append(guard)

    def changes(self, session: SessionState, datastore: str, before: Snapshot, after: Snapshot) -> None:
        """Raises the ``RpcError`` of the first guard that forbids it."""
        for guard in self._guards:
            guard.changes(session, datastore, before, after)

    def receives(self, session: SessionState, notice: Notice) -> bool:
        return all(guard.receives(session, notice) for guard in self._guards)
