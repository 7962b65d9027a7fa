"""The session's states: hello, the choice of framing, refusals that keep it, faults that end it."""

from __future__ import annotations

import pytest
from lxml import etree

from nesrv.settings import Limits
from nesrv.wire.messages import BASE
from nesrv.wire.session import BASE_1_0, BASE_1_1, Fault, HelloReceived, Refused, Request, Session, State

END = b"]]>]]>"
BOTH = (BASE_1_0, BASE_1_1)


def hello(*capabilities: str, more: str = "") -> bytes:
    listed = "".join(f"<capability>{capability}</capability>" for capability in capabilities)
    return f'<hello xmlns="{BASE}"><capabilities>{listed}</capabilities>{more}</hello>'.encode() + END


def rpc(number: int, operation: bytes = b"<get/>") -> bytes:
    return b'<rpc xmlns="%b" message-id="%d">%b</rpc>' % (BASE.encode(), number, operation)


def chunked(payload: bytes) -> bytes:
    return b"\n#%d\n%b\n##\n" % (len(payload), payload)


def opened(*capabilities: str, limits: Limits | None = None) -> Session:
    session = Session(1, BOTH, limits or Limits())
    session.receive(hello(*capabilities))
    assert session.state is State.OPEN
    return session


@pytest.mark.parametrize(
    ("ours", "theirs", "is_chunked"),
    [
        (BOTH, BOTH, True),
        (BOTH, (BASE_1_1,), True),
        (BOTH, (BASE_1_0,), False),
        ((BASE_1_0,), BOTH, False),
        (BOTH, (BASE, "urn:x"), False),
        (BOTH, (BASE, BASE_1_1), True),
    ],
)
def test_chunks_are_used_only_when_both_hellos_have_base_1_1(
    ours: tuple[str, ...], theirs: tuple[str, ...], is_chunked: bool
) -> None:
    session = Session(1, ours, Limits())
    (event,) = session.receive(hello(*theirs))
    assert isinstance(event, HelloReceived)
    assert event.capabilities == set(theirs)
    assert session.chunked is is_chunked
    assert session.send((b"<a", b"/>")) == (b"\n#4\n<a/>\n##\n" if is_chunked else b"<a/>]]>]]>")
    payload = rpc(1)
    (request,) = session.receive(chunked(payload) if is_chunked else payload + END)
    assert isinstance(request, Request)
    assert request.size == len(payload)


@pytest.mark.parametrize(
    "first",
    [
        hello("urn:x"),
        hello(*BOTH, more="<session-id>3</session-id>"),
        hello(),
        b"garbage" + END,
        rpc(1) + END,
        b"x" * (Limits().hello_bytes + 10),
    ],
)
def test_a_bad_hello_ends_the_session(first: bytes) -> None:
    session = Session(1, BOTH, Limits())
    (event,) = session.receive(first)
    assert isinstance(event, Fault)
    assert event.in_hello
    assert session.state is State.CLOSED
    assert session.receive(hello(*BOTH)) == []


def test_nothing_in_the_same_piece_follows_a_bad_hello() -> None:
    events = Session(1, BOTH, Limits()).receive(hello("urn:x") + hello(*BOTH) + chunked(rpc(1)))
    assert [type(event) for event in events] == [Fault]


def test_no_base_in_common_ends_the_session() -> None:
    session = Session(1, (BASE_1_1,), Limits())
    assert isinstance(session.receive(hello(BASE_1_0))[0], Fault)


def test_hello_and_requests_may_come_in_one_piece() -> None:
    session = Session(1, BOTH, Limits())
    events = session.receive(b"\n \r\n" + hello(*BOTH) + chunked(rpc(1)) + chunked(rpc(2)))
    assert isinstance(events[0], HelloReceived)
    assert [event.request.message_id for event in events[1:] if isinstance(event, Request)] == ["1", "2"]


def test_bytes_one_by_one_give_the_same_events() -> None:
    session = Session(1, BOTH, Limits())
    stream = hello(*BOTH) + chunked(rpc(1))
    events = [event for at in range(len(stream)) for event in session.receive(stream[at : at + 1])]
    assert [type(event) for event in events] == [HelloReceived, Request]


@pytest.mark.parametrize(
    ("base", "tag"),
    [((BASE_1_1,), "malformed-message"), ((BASE_1_0,), "operation-failed")],
)
def test_malformed_xml_is_answered_and_the_session_stays(base: tuple[str, ...], tag: str) -> None:
    """malformed-message is new in base:1.1 and never sent to an older client (RFC 6241, appendix A)."""
    session = opened(*base)
    frame = chunked if session.chunked else lambda payload: payload + END
    (refused, request) = session.receive(frame(b"<rpc") + frame(rpc(2)))
    assert isinstance(refused, Refused)
    assert isinstance(request, Request)
    reply = etree.fromstring(b"".join(refused.reply))
    assert reply.findtext(f"{{{BASE}}}rpc-error/{{{BASE}}}error-tag") == tag
    assert reply.findtext(f"{{{BASE}}}rpc-error/{{{BASE}}}error-type") == "rpc"


def test_a_second_hello_is_refused_and_the_session_stays() -> None:
    session = opened(BASE_1_0)
    (refused,) = session.receive(hello(BASE_1_0))
    assert isinstance(refused, Refused)
    assert session.state is State.OPEN


def test_broken_framing_ends_the_session_after_what_came_before() -> None:
    session = opened(BASE_1_1)
    events = session.receive(chunked(rpc(1)) + b"garbage" + chunked(rpc(2)))
    assert [type(event) for event in events] == [Request, Fault]
    fault = events[1]
    assert isinstance(fault, Fault)
    assert not fault.in_hello
    assert session.receive(chunked(rpc(3))) == []


def test_a_message_too_long_is_named_before_the_session_ends() -> None:
    session = opened(BASE_1_1, limits=Limits(message_bytes=1000))
    (refused, fault) = session.receive(b"\n#1001\n")
    assert isinstance(refused, Refused)
    assert b"<error-tag>too-big</error-tag>" in b"".join(refused.reply)
    assert isinstance(fault, Fault)


def test_our_hello_is_delimited_and_names_the_session() -> None:
    sent = Session(42, BOTH, Limits()).hello()
    assert sent.endswith(END)
    root = etree.fromstring(sent.removesuffix(END))
    assert root.findtext(f"{{{BASE}}}session-id") == "42"
