"""What every operation works on: the datastores, their locks, and the sessions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.edit import Editor
from nesrv.datastore.locks import Locks
from nesrv.datastore.partial_locks import PartialLocks
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.rpc.confirmed import Confirmed, Later, on_the_loop
from nesrv.rpc.events import Changed, Events
from nesrv.rpc.files import Files
from nesrv.rpc.guards import Guards
from nesrv.rpc.params import datastores
from nesrv.rpc.startup import Startup
from nesrv.schema.schema import Schema
from nesrv.wire.handler import Peer


@dataclass(slots=True)
class Counters:
    """RFC 6022's statistics, for a session or for the server."""

    in_rpcs: int = 0
    in_bad_rpcs: int = 0
    out_rpc_errors: int = 0
    out_notifications: int = 0


@dataclass(slots=True)
class SessionState:
    """One open session; ``login`` in seconds since the epoch."""

    number: int
    peer: Peer
    login: float
    counters: Counters = field(default_factory=Counters)
    killed_by: int | None = None
    """The session that ended this one."""


class Candidate:
    """The shared candidate: a snapshot, and who has changed it since it was last running."""

    def __init__(self, running: Snapshot) -> None:
        self.snapshot = running
        self.editors: set[int] = set()

    def change(self, snapshot: Snapshot, session: int) -> None:
        if snapshot is not self.snapshot:
            self.snapshot = snapshot
            self.editors.add(session)

    def reset(self, running: Snapshot) -> None:
        self.snapshot = running
        self.editors.clear()


class Element:
    """The network element as NETCONF sees it."""

    def __init__(
        self,
        shards: Shards,
        pipeline: Pipeline,
        clock: Callable[[], float] = time.time,
        later: Later = on_the_loop,
    ) -> None:
        self.shards = shards
        self.datastores = datastores(shards.schema)
        self.editor = Editor(shards)
        self.pipeline = pipeline
        self.candidate = Candidate(pipeline.running)
        self.locks = Locks()
        self.partial_locks = PartialLocks()
        self.guards = Guards()
        self.events = Events()
        self.sessions: dict[int, SessionState] = {}
        self.counters = Counters()
        self.in_sessions = 0
        self.dropped_sessions = 0
        self.in_bad_hellos = 0
        self.confirmed = Confirmed(self, later)
        self.startup: Startup | None = None
        self.files: Files | None = None
        self.clock = clock
        self.started = clock()

    @property
    def schema(self) -> Schema:
        return self.shards.schema

    def serves(self, feature: str) -> bool:
        """Whether this feature of ietf-netconf was asked for."""
        return feature in self.schema.modules["ietf-netconf"].features

    def snapshot(self, datastore: str) -> Snapshot:
        if datastore == "startup" and self.startup is not None:
            return self.startup.snapshot
        return self.candidate.snapshot if datastore == "candidate" else self.pipeline.running

    def changed(self, datastore: str, before: Snapshot, session: SessionState) -> None:
        """Tell that ``session`` has made ``datastore`` another; not when it is what it was."""
        after = self.snapshot(datastore)
        if after is not before:
            self.events.publish(Changed(self.clock(), datastore, before, after, session.peer.user, session.number))

    def follow(self) -> None:
        """Running is another: a candidate that nobody has edited is what running is."""
        if not self.candidate.editors:
            self.candidate.reset(self.pipeline.running)

    def dirty_editors(self) -> set[int]:
        """Who has changes in the candidate that are neither committed nor discarded."""
        return self.candidate.editors if self.pipeline.changes(self.candidate.snapshot) else set()

    async def leave(self, session: int) -> None:
        """The session is gone: its locks are released, its changes of the candidate die with it, and so does what it
        alone could have confirmed."""
        await self.pipeline.settled()
        await self.confirmed.leave(session)
        self.guards.leave(session)
        if "candidate" in self.locks.release(session) or self.candidate.editors == {session}:
            self.candidate.reset(self.pipeline.running)
        self.candidate.editors.discard(session)
