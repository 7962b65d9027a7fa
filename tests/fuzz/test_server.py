"""A whole server under spoilt messages: each is answered or ends its session, none that is refused changes anything,
the log tells of no failure, and the memory stays what it was."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.fuzz import grammar
from tests.fuzz.corpus import ALL, END, HELLOS, LONG, REQUESTS, bounded, broken, spoilt
from tests.fuzz.wire import BASE, Ended, Line, Place

REPLY = f"{{{BASE}}}rpc-reply"
NOTIFICATION = "{urn:ietf:params:xml:ns:netconf:notification:1.0}notification"
ERROR = f"{{{BASE}}}rpc-error"
GROWTH = 30_000_000
"""Bytes by which a server may be larger after thousands of messages: its caches, and what the allocator keeps."""


def answered(line: Line, message: bytes) -> etree._Element | None:
    """The reply, None where the session is over instead."""
    line.send(message)
    while True:
        try:
            reply = etree.fromstring(line.message(), etree.XMLParser(huge_tree=True))
        except Ended:
            return None
        if reply.tag == NOTIFICATION:
            continue
        assert reply.tag == REPLY
        return reply


def hold(place: Place, sent: Iterable[bytes]) -> None:
    with place.session() as line:
        before = place.state()
        for message in sent:
            reply = answered(line, message)
            if reply is None:
                break
            if reply.find(ERROR) is None:
                before = place.state()
            elif b"continue-on-error" not in message:
                assert place.state() == before, "a request that was refused changed something"
    place.quiet()
    if sum(map(len, place.state())) > 50_000:
        place.empty()


@bounded(150)
@given(sent=st.lists(st.one_of(spoilt(), broken(REQUESTS), st.sampled_from(REQUESTS)), min_size=1, max_size=5))
def test_messages_of_clients(place: Place, sent: list[bytes]) -> None:
    hold(place, sent)


@bounded(100)
@given(sent=st.lists(grammar.requests(), min_size=1, max_size=6))
def test_edits_and_filters(place: Place, sent: list[bytes]) -> None:
    hold(place, sent)


@bounded(100)
@given(
    first=st.one_of(broken(), spoilt(HELLOS), st.binary(max_size=100)), then=st.one_of(broken(), st.binary(max_size=60))
)
def test_before_and_around_the_hello(place: Place, first: bytes, then: bytes) -> None:
    """Whatever comes first, and whatever framing: the other side's end is the end of the session."""
    line = place.line()
    line.write(first + END + then)
    line.no_more()
    line.rest()
    line.close()
    place.quiet()


def test_memory_stays_what_it_was(place: Place) -> None:
    chance = random.Random(1)

    def round_of(messages: int) -> None:
        for _ in range(messages // 20):
            with place.session() as line:
                for message in chance.choices(ALL, k=20):
                    at = chance.randrange(len(message))
                    if answered(line, message[:at] + bytes([chance.randrange(256)]) + message[at + 1 :]) is None:
                        break
        place.empty()

    round_of(1_000)
    before = place.server.memory()
    round_of(40_000 if LONG else 3_000)
    grown = place.server.memory() - before
    place.quiet()
    assert grown < GROWTH, f"{grown / 1e6:.1f} MB more"
