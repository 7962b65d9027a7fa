"""An element in the test's own process: no socket, no back end, a clock that stands still until it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from lxml import etree

from nesrv.commit.engines import Engines
from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.incoming import NETCONF
from nesrv.datastore.journal import Journal
from nesrv.datastore.shards import Shards
from nesrv.features.feature import Feature
from nesrv.rpc import committing, configure, copying
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.events import Changed, Event, Notice
from nesrv.rpc.operation import Call, Operations
from nesrv.rpc.params import Params
from nesrv.schema.modules import module_set
from nesrv.schema.schema import Schema, load

MODULES = Path(__file__).parents[1] / "data" / "yang"
KINDS = "urn:nesrv:test:kinds"
STATE = '<get><filter><netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"/></filter></get>'


def schema(*features: str) -> Schema:
    return load(module_set([MODULES], with_model=False, features=features))


@dataclass
class Peer:
    user: str
    source_host: str = "192.0.2.1"
    transport: str = "netconf-ssh"
    groups: tuple[str, ...] = ()


@dataclass
class Alarm:
    at: float
    call: Callable[[], None]
    off: bool = False

    def cancel(self) -> None:
        self.off = True


@dataclass
class Clock:
    """``later`` is the loop's; time passes in ``wait`` alone."""

    now: float = 1000.0
    alarms: list[Alarm] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        self.alarms.append(Alarm(self.now + seconds, call))
        return self.alarms[-1]

    @property
    def due(self) -> list[float]:
        """When alarms go off."""
        return [alarm.at for alarm in self.alarms if not alarm.off]


class Inside:
    """One life of the element; another one with the same ``place`` is the next start."""

    def __init__(
        self,
        place: Path,
        served: Schema,
        operations: Iterable[Operations] = (),
        engines: Engines | None = None,
        features: Iterable[Feature] = (),
    ) -> None:
        self.clock = Clock()
        self.shards = Shards(served)
        self.journal = Journal(place / "j.db")
        self.pipeline = Pipeline(self.shards, features, self.journal, engines or {})
        self.pipeline.load()
        self.element = Element(self.shards, self.pipeline, self.clock, self.clock.later)
        self.operations = {**configure.OPERATIONS, **committing.OPERATIONS, **copying.OPERATIONS}
        for table in operations:
            self.operations |= table
        self.events: list[Event] = []
        self.element.events.listen(self.events.append)
        for number, user in ((1, "eve"), (2, "bob")):
            self.element.sessions[number] = SessionState(number, cast("Any", Peer(user)), 0.0)

    async def call(self, session: int, text: str) -> Any:
        """Carry out an operation in the namespace of NETCONF, such as ``<commit/>``; raises its error."""
        name = text[1:].split(">")[0].split("/")[0].split()[0]
        operation = etree.fromstring(f'<rpc xmlns="{NETCONF}">{text}</rpc>')[0]
        tag = operation.tag
        rpc = self.element.schema.rpcs[tag]
        assert tag.endswith(f"}}{name}")
        return await self.operations[tag](Call(self.element, self.element.sessions[session], Params(operation, rpc)))

    async def note(self, session: int, text: str) -> None:
        await self.call(session, edit(note(text)))

    async def end(self, session: int) -> None:
        """The session is over, as the dispatcher sees it."""
        self.element.sessions.pop(session)
        await self.element.leave(session)

    async def wait(self, seconds: float) -> None:
        """Time passes; what it brings about is over."""
        self.clock.now += seconds
        for alarm in list(self.clock.alarms):
            if not alarm.off and alarm.at <= self.clock.now:
                alarm.off = True
                alarm.call()
        await asyncio.gather(*self.element.confirmed.going_back)

    def config(self, datastore: str = "running") -> str:
        return self.shards.document(self.element.snapshot(datastore).shards()).decode()

    def notices(self) -> list[dict[str, Any]]:
        """What RFC 6470's netconf-confirmed-commit said, in order."""
        return [dict(event.value) for event in self.events if isinstance(event, Notice)]

    def changes(self) -> list[tuple[str, str, int]]:
        """(datastore, user, session) of each change."""
        return [(event.datastore, event.user, event.session) for event in self.events if isinstance(event, Changed)]


def note(text: str) -> str:
    return f'<top xmlns="{KINDS}"><note>{text}</note></top>'


def edit(inner: str, target: str = "candidate", more: str = "") -> str:
    return f"<edit-config><target><{target}/></target>{more}<config>{inner}</config></edit-config>"
