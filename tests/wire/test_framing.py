"""RFC 6242 framing: any split of the bytes gives the same messages, and what is broken is said to be."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nesrv.wire.framing import (
    END_OF_MESSAGE,
    Decoder,
    FramingError,
    MessageTooBig,
    frame_chunked,
    frame_eom,
)

MAX = 1 << 20
MESSAGES = st.lists(st.binary(min_size=1, max_size=60).filter(lambda data: data == data.strip()), max_size=6)
DELIMITED = MESSAGES.map(lambda found: [data.replace(b"]", b"-") for data in found])


def chunked_decoder(max_size: int = MAX) -> Decoder:
    decoder = Decoder(max_size)
    decoder.switch_to_chunked()
    return decoder


def feed_in_pieces(decoder: Decoder, data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [message for at, to in pairwise(edges) for message in decoder.feed(data[at:to])]


@given(DELIMITED, st.lists(st.integers(0, 10_000), max_size=12))
def test_delimited_messages_survive_any_split(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame_eom([message]) for message in messages)
    assert feed_in_pieces(Decoder(MAX), stream, cuts) == messages


@given(MESSAGES, st.lists(st.integers(0, 10_000), max_size=12))
def test_chunked_messages_survive_any_split(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame_chunked([message]) for message in messages)
    assert feed_in_pieces(chunked_decoder(), stream, cuts) == messages


@given(
    st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=8), st.lists(st.integers(0, 10_000), max_size=8)
)
def test_a_message_in_many_chunks_is_their_concatenation(chunks: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(b"\n#%d\n%b" % (len(chunk), chunk) for chunk in chunks) + b"\n##\n"
    assert feed_in_pieces(chunked_decoder(), stream, cuts) == [b"".join(chunks)]


@settings(max_examples=200)
@given(st.binary(max_size=80), st.booleans())
def test_garbage_gives_messages_or_a_framing_error_and_nothing_else(data: bytes, chunked: bool) -> None:
    decoder = chunked_decoder() if chunked else Decoder(MAX)
    with suppress(FramingError):
        decoder.feed(data)


def test_the_rest_of_the_buffer_follows_a_switch_to_chunks() -> None:
    decoder = Decoder(MAX)
    decoder.add(b"<hello/>]]>]]>\n#6\n<rpc/>\n##\n")
    assert decoder.take() == b"<hello/>"
    decoder.switch_to_chunked()
    assert decoder.take() == b"<rpc/>"
    assert decoder.take() is None


def test_a_delimiter_inside_a_chunk_is_data() -> None:
    assert chunked_decoder().feed(frame_chunked([b"a]]>]]>b"])) == [b"a]]>]]>b"]


def test_a_delimiter_inside_a_delimited_message_is_defused() -> None:
    framed = frame_eom([b'<a b="]]>', b']]>"/>'])
    assert framed.count(END_OF_MESSAGE) == 1
    assert Decoder(MAX).feed(framed) == [b'<a b="]]&gt;]]&gt;"/>']


def test_white_space_around_delimited_messages_is_dropped() -> None:
    assert Decoder(MAX).feed(b"\r\n  <a/>\n]]>]]>\n\n<b/>]]>]]>") == [b"<a/>", b"<b/>"]


@pytest.mark.parametrize("noise", [b"\n", b"\r\n", b"\n\n\n", b" \t\r\n"])
def test_stray_line_feeds_around_chunks_are_tolerated(noise: bytes) -> None:
    stream = noise + b"\n#2\n<a" + noise + b"\n#2\n/>" + noise + b"\n##\n" + noise + b"\n#4\n<b/>\n##\n" + noise
    assert chunked_decoder().feed(stream) == [b"<a/>", b"<b/>"]
    one_by_one = chunked_decoder()
    assert [m for at in range(len(stream)) for m in one_by_one.feed(stream[at : at + 1])] == [b"<a/>", b"<b/>"]


@pytest.mark.parametrize(
    "stream",
    [
        b"garbage",
        b"\n#x",
        b"\n#0",
        b"\n#05\n",
        b"\n#-1\n",
        b"\n##\n",
        b"\n#2\nab#2\nab",
        b"\n#2\nabX",
        b"\n###",
        b"\n#12345678901\n",
        b"\n#4294967296\n",
        b"\n#2 \n",
        b" #2\nab",
    ],
)
def test_broken_chunks_are_the_peers_fault(stream: bytes) -> None:
    with pytest.raises(FramingError):
        chunked_decoder(1 << 40).feed(stream)
    one_by_one = chunked_decoder(1 << 40)
    with pytest.raises(FramingError):
        for at in range(len(stream)):
            one_by_one.feed(stream[at : at + 1])


@pytest.mark.parametrize("header", [b"\n#4294967295\n", b"\n#9\n123456789\n#2\nab"])
def test_a_chunked_message_beyond_the_cap_is_refused_before_its_bytes_come(header: bytes) -> None:
    with pytest.raises(MessageTooBig):
        chunked_decoder(10).feed(header)


def test_the_cap_itself_is_allowed_and_counts_each_message_alone() -> None:
    assert chunked_decoder(4).feed(frame_chunked([b"abcd"]) * 3) == [b"abcd"] * 3
    assert Decoder(4).feed(b"abcd]]>]]>" * 3) == [b"abcd"] * 3


@pytest.mark.parametrize("stream", [b"abcde]]>]]>", b"abcdefghijkl"])
def test_a_delimited_message_beyond_the_cap_is_refused(stream: bytes) -> None:
    with pytest.raises(MessageTooBig):
        Decoder(4).feed(stream)


def test_endless_white_space_is_not_kept() -> None:
    decoder = chunked_decoder()
    for _ in range(100):
        decoder.feed(b"\n" * 1000)
    assert len(decoder._buffer) <= 1


@pytest.mark.parametrize("framed", [frame_chunked([b"x" * 300_000]), frame_eom([b"x" * 300_000])])
def test_bytes_one_by_one_cost_as_many_looks_as_bytes(framed: bytes) -> None:
    """Neither framing may search or copy again what it has seen; done quadratically this would not end."""
    decoder = chunked_decoder() if framed.startswith(b"\n#") else Decoder(MAX)
    messages = [message for at in range(len(framed)) for message in decoder.feed(framed[at : at + 1])]
    assert messages == [b"x" * 300_000]


def test_twenty_megabytes_pass() -> None:
    big = b"y" * 20_000_000
    decoder = chunked_decoder(1 << 25)
    framed = frame_chunked([big])
    messages = [m for at in range(0, len(framed), 32768) for m in decoder.feed(framed[at : at + 32768])]
    assert messages == [big]


def test_an_empty_message_cannot_be_chunked() -> None:
    with pytest.raises(ValueError, match="empty"):
        frame_chunked([])
