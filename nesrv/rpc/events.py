"""What happens in the element, told to whoever listens; publishing never waits and never fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nesrv.datastore.build import Plain
from nesrv.datastore.snapshot import Snapshot
from nesrv.wire.handler import SessionEnd

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification of a YANG module: its tag (``{namespace}name``) and its content; ``time`` in seconds since
    the epoch."""

    time: float
    tag: str
    value: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """A datastore became another; ``session`` 0 is the server itself."""

    time: float
    datastore: str
    before: Snapshot
    after: Snapshot
    user: str
    session: int


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A client has connected; ``number`` is the session-id."""

    time: float
    number: int
    user: str
    source_host: str


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """A session is over and what it held is released; ``killed_by`` is the session that killed it."""

    time: float
    number: int
    user: str
    source_host: str
    end: SessionEnd
    killed_by: int | None


Event = Notice | Changed | SessionOpened | SessionClosed
Listener = Callable[[Event], None]


class Events:
    """The one place that events pass through, in the order in which they happened."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def publish(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("a listener failed at %s", type(event).__name__)
