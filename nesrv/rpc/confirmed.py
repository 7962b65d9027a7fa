"""Confirmed commits (RFC 6241 §8.4): running goes back to what it was, unless somebody says in time that it is good.

No timer runs in here: ``later`` is passed in. What has to outlive the process is in the journal, written with the
commits themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from nesrv import errors
from nesrv.datastore.journal import CommitRecord
from nesrv.datastore.snapshot import Snapshot
from nesrv.rpc.events import Changed, Notice

if TYPE_CHECKING:
    from nesrv.rpc.element import Element, SessionState

logger = logging.getLogger(__name__)

NOTICE = "{urn:ietf:params:xml:ns:yang:ietf-netconf-notifications}netconf-confirmed-commit"
DEFAULT_SECONDS = 600
RETRY_SECONDS = 30.0
"""Between attempts to go back where kernel or FRR refuse it."""


class Alarm(Protocol):
    def cancel(self) -> None:
        """It does not go off any more."""


Later = Callable[[float, Callable[[], None]], Alarm]
"""Call in so many seconds."""


def on_the_loop(seconds: float, call: Callable[[], None]) -> Alarm:
    return asyncio.get_running_loop().call_later(seconds, call)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a <commit> says of confirmation; ``timeout`` in seconds."""

    confirmed: bool = False
    timeout: int = DEFAULT_SECONDS
    persist: str | None = None
    persist_id: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """The confirmed commit that is pending: who may confirm it, and ``before``, where running goes back to.

    ``persist`` is the token with which any session may confirm; None: only ``session`` may. ``overdue``: going back
    was refused, which is tried again; anybody may put an end to that by a commit.
    """

    session: SessionState
    persist: str | None
    before: Snapshot
    overdue: bool = False

    @property
    def user(self) -> str:
        return self.session.peer.user

    def is_of(self, session: int) -> bool:
        return self.session.number == session


class Confirmed:
    """At most one trial at a time, and its timer."""

    def __init__(self, element: Element, later: Later = on_the_loop) -> None:
        self._element = element
        self._later = later
        self._alarm: Alarm | None = None
        self.going_back: set[asyncio.Task[None]] = set()
        self.trial: Trial | None = None

    # Who may do what while a trial is pending

    def admit(self, session: int, persist_id: str | None) -> None:
        """Whether ``session`` may commit now; raises invalid-value for a persist-id that does not fit, in-use for
        the commit of somebody else, which would be taken back with the trial."""
        trial = self.trial
        if persist_id is not None and (trial is None or trial.persist != persist_id):
            raise _wrong_id("There is no persistent confirmed commit with this persist-id.")
        if trial is None or trial.overdue:
            return
        if trial.persist is not None and persist_id is None:
            raise errors.InUse(
                f"A persistent confirmed commit of {trial.user} is pending: give its persist-id, or wait for its end.",
                type="protocol",
            )
        if trial.persist is None and not trial.is_of(session):
            raise errors.InUse(
                f"A confirmed commit of session {trial.session.number} ({trial.user}) is pending: what is committed "
                "now would be taken back with it.",
                type="protocol",
            )

    def admit_edit(self) -> None:
        """Whether running may be edited directly; raises in-use: such an edit neither confirms nor would it last."""
        if self.trial is not None:
            raise errors.InUse(
                f"A confirmed commit of {self.trial.user} is pending: confirm or cancel it first.", type="protocol"
            )

    def admit_lock(self, session: int) -> None:
        """Whether ``session`` may lock running (RFC 6241 §7.5); raises lock-denied."""
        trial = self.trial
        if trial is not None and not trial.is_of(session):
            holder = trial.session.number if trial.session.number in self._element.sessions else 0
            raise errors.LockDenied(
                f"A confirmed commit of {trial.user} is pending.", info=(("session-id", str(holder)),), type="protocol"
            )

    def _admit_cancel(self, session: int, persist_id: str | None) -> Trial:
        trial = self.trial
        if trial is None:
            if persist_id is not None:
                raise _wrong_id("There is no confirmed commit to cancel.")
            raise errors.OperationFailed("There is no confirmed commit to cancel.", type="protocol")
        if persist_id is not None and trial.persist != persist_id:
            raise _wrong_id("The confirmed commit that is pending has another persist-id.")
        if trial.overdue:
            return trial
        if trial.persist != persist_id:
            raise _wrong_id("The confirmed commit that is pending is persistent: give its persist-id.")
        if trial.persist is None and not trial.is_of(session):
            raise errors.OperationFailed(
                f"The confirmed commit is that of session {trial.session.number}: only that can cancel it.",
                type="protocol",
            )
        return trial

    # From commit to confirmation

    def committed(self, session: SessionState, asked: Asked, before: Snapshot) -> None:
        """A commit of ``session`` has turned ``before`` into running, and the journal knows what was ``asked``."""
        trial = self.trial
        if asked.confirmed:
            persist = asked.persist if asked.persist is not None else trial.persist if trial is not None else None
            first = trial.before if trial is not None else before
            self.trial = Trial(session, persist, first)
            self._set(asked.timeout)
            self._tell("start" if trial is None else "extend", session, asked.timeout)
        elif trial is not None:
            self._end()
            self._tell("complete", session)

    async def cancel(self, session: SessionState, persist_id: str | None) -> None:
        """<cancel-commit>; raises what the way back raises, and then the trial goes on as it was."""
        trial = self._admit_cancel(session.number, persist_id)
        await self._go_back(trial, "cancelled")
        self._tell("cancel", session)

    async def leave(self, session: int) -> None:
        """The session is gone, and with it a trial that only it could confirm."""
        trial = self.trial
        if trial is not None and trial.persist is None and trial.is_of(session) and not trial.overdue:
            await self._must_go_back(trial, "the session ended", lambda: self._tell("cancel", trial.session))

    def _expired(self) -> None:
        if self.trial is not None:
            going = asyncio.ensure_future(
                self._must_go_back(self.trial, "not confirmed in time", lambda: self._tell("timeout"))
            )
            self.going_back.add(going)
            going.add_done_callback(self.going_back.discard)

    # Back

    async def _must_go_back(self, trial: Trial, why: str, tell: Callable[[], None]) -> None:
        """Without a client that could be told: what refuses it is logged, and tried again."""
        try:
            await self._go_back(trial, why)
        except Exception as error:
            if self.trial is not trial:
                return
            words = "the confirmed commit of %s (%s) cannot be taken back, next attempt in %g s: %s"
            logger.critical(words, trial.user, why, RETRY_SECONDS, error)
            self.trial = replace(trial, overdue=True)
            self._set(RETRY_SECONDS)
        else:
            tell()

    async def _go_back(self, trial: Trial, why: str) -> None:
        """A commit of the server's own; raises ``RpcError`` with everything as it was."""
        element = self._element
        running = [element.pipeline.running]

        def before() -> Snapshot:
            if self.trial is not trial:
                raise errors.OperationFailed("The confirmed commit is no longer pending.", type="protocol")
            running[0] = element.pipeline.running
            back = running[0].changes_to(trial.before)
            return running[0].with_changes({path: there for path, (_, there) in back.items()})

        record = CommitRecord(element.clock(), trial.user, 0, f"confirmed commit taken back: {why}")
        await element.pipeline.change(before, record)
        logger.warning("the confirmed commit of %s is taken back: %s", trial.user, why)
        self._end()
        after = element.pipeline.running
        if after is not running[0]:
            element.events.publish(Changed(element.clock(), "running", running[0], after, trial.user, 0))
        element.follow()

    # Timer and notices

    def _set(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._later(seconds, self._expired)

    def _end(self) -> None:
        self.trial = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _tell(self, event: str, session: SessionState | None = None, timeout: int | None = None) -> None:
        """RFC 6470 §2.2: the parameters of the session are left out where the time ran out."""
        by: dict[str, str | int] = {}
        if session is not None:
            by = {"username": session.peer.user, "session-id": session.number, "source-host": session.peer.source_host}
        value = {**by, "confirm-event": event, "timeout": timeout}
        self._element.events.publish(Notice(self._element.clock(), NOTICE, value))


def _wrong_id(message: str) -> errors.RpcError:
    return errors.InvalidValue(message, info=(("bad-element", "persist-id"),), type="protocol")
