"""From requests to replies: the sessions' registry, and one table of operations."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from nesrv import errors
from nesrv.datastore.incoming import NETCONF
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.events import SessionClosed, SessionOpened
from nesrv.rpc.operation import Answer, Call, Data, Ok, Operation, Operations
from nesrv.rpc.params import Params
from nesrv.wire import messages
from nesrv.wire.handler import Peer, SessionEnd, TooManySessions
from nesrv.wire.messages import RpcRequest

logger = logging.getLogger(__name__)


ALIASES = {"commit-configuration": f"{{{NETCONF}}}commit"}
"""Operations under the name that a vendor's clients give them: Junos commits in no namespace."""


class Dispatcher:
    """The server's side of every session (``nesrv.wire.handler.SessionHandler``)."""

    def __init__(
        self, element: Element, operations: Iterable[Operations], capabilities: Sequence[str], max_sessions: int
    ) -> None:
        self._element = element
        self._operations: dict[str, Operation] = {}
        for table in operations:
            self._operations.update(table)
        self._capabilities = tuple(capabilities)
        self._max_sessions = max_sessions
        self._last_session = 0

    @property
    def capabilities(self) -> Sequence[str]:
        return self._capabilities

    def opened(self, peer: Peer) -> int:
        if len(self._element.sessions) >= self._max_sessions:
            raise TooManySessions(f"{self._max_sessions} sessions are open")
        self._last_session += 1
        self._element.in_sessions += 1
        number = self._last_session
        login = self._element.clock()
        self._element.sessions[number] = SessionState(number, peer, login)
        self._element.events.publish(SessionOpened(login, number, peer.user, peer.source_host))
        return number

    def refused(self, session_id: int) -> None:
        for counters in (self._element.sessions[session_id].counters, self._element.counters):
            counters.in_bad_rpcs += 1
            counters.out_rpc_errors += 1

    async def closed(self, session_id: int, end: SessionEnd) -> None:
        session = self._element.sessions.pop(session_id)
        await self._element.leave(session_id)
        peer, now = session.peer, self._element.clock()
        killed_by = session.killed_by if end is SessionEnd.KILLED else None
        self._element.events.publish(SessionClosed(now, session_id, peer.user, peer.source_host, end, killed_by))
        if end is SessionEnd.BAD_HELLO:
            self._element.in_bad_hellos += 1
        elif end not in (SessionEnd.CLOSED, SessionEnd.KILLED):
            self._element.dropped_sessions += 1

    async def handle(self, session_id: int, request: RpcRequest) -> Iterable[bytes]:
        session = self._element.sessions[session_id]
        for counters in (session.counters, self._element.counters):
            counters.in_rpcs += 1
        try:
            return self._reply(request, await self._run(session, request))
        except errors.RpcError as error:
            found: tuple[errors.RpcError, ...] = (error,)
        except errors.RpcErrors as several:
            found = several.errors
        except Exception:
            logger.exception("session %d: %s failed inside the server", session_id, request.name)
            found = (errors.OperationFailed("The server failed to carry this out; its log says why."),)
        for counters in (session.counters, self._element.counters):
            counters.out_rpc_errors += 1
        told = [self._element.guards.tells(session, error) for error in found]
        return messages.error_reply(request, told, self._element.schema.xpath)

    def _reply(self, request: RpcRequest, answer: Answer) -> Iterable[bytes]:
        if isinstance(answer, Ok):
            return messages.ok_reply(request)
        if isinstance(answer, Data):
            return messages.data_reply(request, answer.fragments, answer.namespace)
        return messages.content_reply(request, answer.fragments)

    async def _run(self, session: SessionState, request: RpcRequest) -> Answer:
        tag = ALIASES.get(request.operation.tag, request.operation.tag)
        operation = self._operations.get(tag)
        rpc = self._element.schema.rpcs.get(tag)
        if rpc is not None:
            self._element.guards.executes(session, rpc)
        if operation is None or rpc is None:
            raise self._unknown(request)
        return await operation(Call(self._element, session, Params(request.operation, rpc)))

    def _unknown(self, request: RpcRequest) -> errors.RpcError:
        known = {info.namespace for info in self._element.schema.modules.values()}
        if request.namespace not in known:
            return errors.UnknownNamespace(
                f'No module with the namespace "{request.namespace}" is served here.',
                info=(("bad-element", request.name), ("bad-namespace", request.namespace)),
                type="protocol",
            )
        return errors.OperationNotSupported(f"There is no operation <{request.name}> here.", type="protocol")
