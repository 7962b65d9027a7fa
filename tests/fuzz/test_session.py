"""Whatever bytes come in, the pure side of a session answers with events, the same ones however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from nesrv.settings import Limits
from nesrv.wire import messages
from nesrv.wire.messages import HelloError, RequestRefused
from nesrv.wire.session import BASE_1_0, BASE_1_1, Event, Fault, Refused, Request, Session
from tests.fuzz.corpus import ALL, END, HELLOS, REQUESTS, bounded, broken, pieces, spoilt

HELLO = next(hello for hello in HELLOS if BASE_1_1.encode() in hello)
LIMITS = Limits(message_bytes=20_000)


def chunked(message: bytes) -> bytes:
    return b"\n#%d\n%b\n##\n" % (len(message), message)


def said(events: list[Event]) -> list[object]:
    """The events by what can be compared of them; a fault's reason shows the bytes that were there by then."""
    return [
        (event.size, etree.tostring(event.request.operation))
        if isinstance(event, Request)
        else (Fault, event.in_hello)
        if isinstance(event, Fault)
        else event
        for event in events
    ]


def heard(parts: list[bytes]) -> list[object]:
    session = Session(1, (BASE_1_0, BASE_1_1), LIMITS)
    events = [event for part in parts for event in session.receive(part)]
    faults = [event for event in events if isinstance(event, Fault)]
    assert faults in ([], events[-1:]), "nothing comes after a fault"
    for event in events:
        if isinstance(event, Refused):
            etree.fromstring(b"".join(event.reply))
    return said(events)


@bounded(300)
@given(data=st.data())
def test_bytes_in_any_pieces(data: st.DataObject) -> None:
    before = data.draw(st.sampled_from((b"", HELLO + END)))
    framed = st.one_of(st.sampled_from(ALL), broken(), st.binary(max_size=60)).flatmap(
        lambda message: st.sampled_from((message, chunked(message), message + END))
    )
    stream = before + b"".join(data.draw(st.lists(framed, max_size=4)))
    assert heard(data.draw(pieces(stream))) == heard([stream])


@bounded(300)
@given(st.one_of(broken(), spoilt(HELLOS), st.binary(max_size=200)))
def test_a_hello_is_taken_or_refused_with_a_reason(message: bytes) -> None:
    try:
        assert messages.parse_hello(message).capabilities
    except HelloError as error:
        assert str(error)


@bounded(300)
@given(st.one_of(broken(REQUESTS), spoilt(), st.binary(max_size=200)))
def test_a_request_is_taken_or_refused_with_an_error(message: bytes) -> None:
    try:
        request = messages.parse_rpc(message)
    except RequestRefused as refused:
        reply = messages.error_reply(refused.envelope, (refused.error,), messages.same_path)
    else:
        reply = messages.ok_reply(request)
    assert etree.fromstring(b"".join(reply)).tag == f"{{{messages.BASE}}}rpc-reply"


@pytest.mark.parametrize("message", ALL)
def test_what_clients_send_is_taken_as_it_is(message: bytes) -> None:
    (messages.parse_hello if message in HELLOS else messages.parse_rpc)(message)
