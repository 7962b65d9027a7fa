"""One NETCONF session between bytes and requests (RFC 6241, section 8.1; RFC 6242): no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from nesrv import errors
from nesrv.settings import Limits
from nesrv.wire import messages
from nesrv.wire.framing import Decoder, FramingError, MessageTooBig, frame_chunked, frame_eom
from nesrv.wire.messages import HelloError, Message, RequestRefused, RpcRequest

BASE_1_0 = "urn:ietf:params:netconf:base:1.0"
BASE_1_1 = "urn:ietf:params:netconf:base:1.1"
BASE_1_0_NAMES = frozenset({BASE_1_0, messages.BASE})
"""Clients in the manner of some vendors name the namespace instead of the capability."""


class State(Enum):
    BEFORE_HELLO = auto()
    OPEN = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class HelloReceived:
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Request:
    """``size`` is that of the message, in bytes."""

    request: RpcRequest
    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is no request; ``reply`` is to be sent in its turn."""

    reply: Message
    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The peer broke the protocol; what came before is still answered, then the session ends."""

    reason: str
    in_hello: bool


Event = HelloReceived | Request | Refused | Fault


class Session:
    """The server's side; ``capabilities`` are those of its own hello."""

    def __init__(self, session_id: int, capabilities: Sequence[str], limits: Limits) -> None:
        self.session_id = session_id
        self.capabilities = tuple(capabilities)
        self.state = State.BEFORE_HELLO
        self.chunked = False
        self._limits = limits
        self._decoder = Decoder(limits.hello_bytes)

    def hello(self) -> bytes:
        """The server's hello, which it sends without waiting for the client's."""
        return frame_eom(messages.hello(self.session_id, self.capabilities))

    def send(self, message: Iterable[bytes]) -> bytes:
        """A message in the framing that both sides agreed on."""
        return frame_chunked(message) if self.chunked else frame_eom(message)

    def receive(self, data: bytes) -> list[Event]:
        """What ``data`` completes; after a Fault, nothing more."""
        if self.state is State.CLOSED:
            return []
        self._decoder.add(data)
        events: list[Event] = []
        try:
            while (payload := self._decoder.take()) is not None:
                event = self._request(payload) if self.state is State.OPEN else self._hello(payload)
                events.append(event)
                if isinstance(event, Fault):
                    break
        except FramingError as error:
            events += self._broken(error)
        return events

    def _hello(self, payload: bytes) -> Event:
        try:
            theirs = messages.parse_hello(payload).capabilities
        except HelloError as error:
            return self._fault(str(error))
        if BASE_1_1 in theirs and BASE_1_1 in self.capabilities:
            self.chunked = True
            self._decoder.switch_to_chunked()
        elif not (theirs & BASE_1_0_NAMES and BASE_1_0 in self.capabilities):
            return self._fault("no base capability in common")
        self._decoder.max_size = self._limits.message_bytes
        self.state = State.OPEN
        return HelloReceived(theirs)

    def _request(self, payload: bytes) -> Event:
        try:
            return Request(messages.parse_rpc(payload), len(payload))
        except RequestRefused as refused:
            error = self._as_this_peer_knows_it(refused.error)
            return Refused(messages.error_reply(refused.envelope, (error,), messages.same_path), str(error))

    def _as_this_peer_knows_it(self, error: errors.RpcError) -> errors.RpcError:
        """malformed-message must not be sent to a base:1.0 client (RFC 6241, appendix A)."""
        if self.chunked or not isinstance(error, errors.MalformedMessage):
            return error
        return errors.OperationFailed(error.message, type="rpc")

    def _broken(self, error: FramingError) -> list[Event]:
        """The session cannot go on (RFC 6242, section 4.2); a message too long is at least named as such."""
        fault = self._fault(f"framing: {error}")
        if fault.in_hello or not isinstance(error, MessageTooBig):
            return [fault]
        too_big = errors.TooBig(str(error), type="transport")
        reply = messages.error_reply(messages.NO_REQUEST, (too_big,), messages.same_path)
        return [Refused(reply, str(too_big)), fault]

    def _fault(self, reason: str) -> Fault:
        in_hello = self.state is State.BEFORE_HELLO
        self.state = State.CLOSED
        return Fault(reason, in_hello)
