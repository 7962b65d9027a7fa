"""Who may do what: the questions that every operation asks before it answers or changes anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node
from nesrv.errors import RpcError
from nesrv.rpc.events import Notice
from nesrv.schema.nodes import SchemaNode

if TYPE_CHECKING:
    from nesrv.rpc.element import SessionState


class Guard:
    """One rule over what sessions do, such as access control or partial locks. As it stands, it allows everything."""

    def executes(self, session: SessionState, rpc: SchemaNode) -> None:
        """Raise ``RpcError`` when ``session`` may not invoke the operation."""

    def changes(self, session: SessionState, datastore: str, before: Snapshot, after: Snapshot) -> None:
        """Raise ``RpcError`` when ``session`` may not turn ``before`` into ``after`` in ``datastore``."""

    def visible(self, session: SessionState, datastore: str, snapshot: Snapshot) -> Snapshot:
        """What ``session`` may read of ``datastore``, which is ``snapshot`` now."""
        return snapshot

    def visible_state(self, session: SessionState, state: dict[str, list[Node]]) -> dict[str, list[Node]]:
        """What ``session`` may read of ``state`` (shard path → nodes), which is used up."""
        return state

    def shows(self, session: SessionState, path: str) -> bool:
        """Whether ``session`` may learn that there is something at an instance path."""
        return True

    def tells(self, session: SessionState, error: RpcError) -> RpcError:
        """``error`` without what ``session`` may not read."""
        return error

    def receives(self, session: SessionState, notice: Notice) -> bool:
        """Whether ``session`` may be sent the notification."""
        return True

    def leave(self, session: int) -> None:
        """The session is gone."""


class Guards:
    """All of them; without any, everything is allowed and nothing is paid."""

    def __init__(self, guards: Iterable[Guard] = ()) -> None:
        self._guards = list(guards)

    def add(self, guard: Guard) -> None:
        self._guards.append(guard)

    def executes(self, session: SessionState, rpc: SchemaNode) -> None:
        """Raises the ``RpcError`` of the first guard that forbids it."""
        for guard in self._guards:
            guard.executes(session, rpc)

    def changes(self, session: SessionState, datastore: str, before: Snapshot, after: Snapshot) -> None:
        """Raises the ``RpcError`` of the first guard that forbids it."""
        for guard in self._guards:
            guard.changes(session, datastore, before, after)

    def visible(self, session: SessionState, datastore: str, snapshot: Snapshot) -> Snapshot:
        """What all of them let ``session`` read of a datastore."""
        for guard in self._guards:
            snapshot = guard.visible(session, datastore, snapshot)
        return snapshot

    def visible_state(self, session: SessionState, state: dict[str, list[Node]]) -> dict[str, list[Node]]:
        """What all of them let ``session`` read of state; ``state`` is used up."""
        for guard in self._guards:
            state = guard.visible_state(session, state)
        return state

    def shows(self, session: SessionState, path: str) -> bool:
        """Whether all of them let ``session`` learn of what is at an instance path."""
        return all(guard.shows(session, path) for guard in self._guards)

    def tells(self, session: SessionState, error: RpcError) -> RpcError:
        """``error`` without what any of them hides from ``session``."""
        for guard in self._guards:
            error = guard.tells(session, error)
        return error

    def receives(self, session: SessionState, notice: Notice) -> bool:
        """Whether all of them let ``session`` be sent the notification."""
        return all(guard.receives(session, notice) for guard in self._guards)

    def leave(self, session: int) -> None:
        """The session is gone."""
        for guard in self._guards:
            guard.leave(session)
