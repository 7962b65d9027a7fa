"""<get>: running and operational state together (RFC 6241 §7.7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from nesrv.datastore.incoming import NETCONF
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node
from nesrv.rpc.configure import filtered, prefixes
from nesrv.rpc.copying import defaults_mode
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.filters import Selection
from nesrv.rpc.monitoring import netconf_state, yang_library
from nesrv.rpc.operation import Answer, Call, Data, Operation, Operations
from nesrv.rpc.patterns import compile_subtree
from nesrv.rpc.views import Overlaid, State
from nesrv.rpc.wanted import Wanted
from nesrv.rpc.xpath import reached


class StateReader(Protocol):
    """Reads operational state below one shard point (or top-level container)."""

    @property
    def point(self) -> str:
        """Schema path of the list entries (or the node) below which the state stands."""

    async def read(self, element: Element, wanted: Wanted) -> dict[str, list[Node]]:
        """Shard path → nodes with state, of what ``wanted`` can reach at least."""


class OwnState:
    """The server's monitoring data as one more state reader."""

    def __init__(self, capabilities: Sequence[str], more: Callable[[], Iterable[Node]] = tuple) -> None:
        """``more`` makes further top-level nodes."""
        self._capabilities = tuple(capabilities)
        self._more = more

    def nodes(self, element: Element) -> Iterable[Node]:
        yield netconf_state(element, self._capabilities)
        yield from yang_library(element.schema)
        yield from self._more()


@dataclass(frozen=True, slots=True)
class Readable:
    """What a session may read of running, and of the state over it."""

    running: Snapshot
    state: State


Operational = Callable[[Element, SessionState, Wanted], Awaitable[Readable]]


def operational(own: OwnState, readers: Sequence[StateReader]) -> Operational:
    """Running with operational state from these sources: what ``wanted`` can reach at least."""

    async def read(element: Element, session: SessionState, wanted: Wanted) -> Readable:
        state: dict[str, list[Node]] = {}
        for node in own.nodes(element):
            if wanted.reaches(node.schema.path):
                state[node.path] = [node]
        for reader in readers:
            if wanted.reaches(reader.point):
                for path, nodes in (await reader.read(element, wanted)).items():
                    state.setdefault(path, []).extend(nodes)
        running = element.guards.visible(session, "running", element.pipeline.running)
        return Readable(running, element.guards.visible_state(session, state))

    return read


def operation(read: Operational) -> Operation:
    """<get> over these sources of state."""

    async def get(call: Call) -> Answer:
        element, holder = call.element, call.params.element("filter")
        mode = defaults_mode(call.params)
        found = await read(element, call.session, _wanted(element, holder))
        view = Overlaid(element.shards, found.running, found.state, mode)
        return Data(await filtered(Selection(element.shards, view), holder), NETCONF)

    return get


def _wanted(element: Element, holder: Any | None) -> Wanted:
    """What the filter can select."""
    kind = holder.get("type") or holder.get(f"{{{NETCONF}}}type") or "subtree" if holder is not None else ""
    if holder is not None and kind == "subtree":
        return Wanted(element.shards, compile_subtree(holder))
    select = holder.get("select") or holder.get(f"{{{NETCONF}}}select") if holder is not None else None
    return Wanted(element.shards, reached(select, prefixes(holder)) if select is not None else None)


def operations(read: Operational) -> Operations:
    return {f"{{{NETCONF}}}get": operation(read)}
