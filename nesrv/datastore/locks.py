"""Locks on whole datastores (RFC 6241 §7.5, §7.6); pure."""

from __future__ import annotations

from collections.abc import Iterable

from nesrv import errors


class Locks:
    """Who holds which datastore; sessions by number."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, float]] = {}

    def holder(self, datastore: str) -> int | None:
        held = self._held.get(datastore)
        return held[0] if held is not None else None

    def since(self, datastore: str) -> float | None:
        """When the lock was taken, in seconds since the epoch."""
        held = self._held.get(datastore)
        return held[1] if held is not None else None

    def lock(self, datastore: str, session: int, now: float, dirty_by: Iterable[int] = ()) -> None:
        """Raise lock-denied, naming the holder, or the session whose changes stand in the way."""
        holder = self.holder(datastore)
        if holder is not None:
            raise _denied(f"Session {holder} holds the lock on {datastore}.", holder)
        editors = sorted(dirty_by)
        if editors:
            raise _denied(
                f"{datastore} holds changes of session {editors[0]} that are neither committed nor discarded.",
                editors[0],
            )
        self._held[datastore] = (session, now)

    def unlock(self, datastore: str, session: int) -> None:
        holder = self.holder(datastore)
        if holder is None:
            raise errors.OperationFailed(f"{datastore} is not locked.", type="protocol")
        if holder != session:
            raise errors.OperationFailed(f"The lock on {datastore} is held by session {holder}.", type="protocol")
        del self._held[datastore]

    def check(self, datastore: str, session: int) -> None:
        """Raise in-use when another session holds ``datastore``."""
        holder = self.holder(datastore)
        if holder is not None and holder != session:
            raise errors.InUse(f"{datastore} is locked by session {holder}.", type="protocol")

    def release(self, session: int) -> list[str]:
        """The session is gone: what it held."""
        freed = [datastore for datastore, held in self._held.items() if held[0] == session]
        for datastore in freed:
            del self._held[datastore]
        return freed


def _denied(message: str, session: int) -> errors.LockDenied:
    return errors.LockDenied(message, info=(("session-id", str(session)),), type="protocol")
