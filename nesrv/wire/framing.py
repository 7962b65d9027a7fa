"""NETCONF messages in a byte stream (RFC 6242, sections 4.2 and 4.3); no I/O, no XML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, auto

END_OF_MESSAGE = b"]]>]]>"
MAX_CHUNK = 4294967295
WHITE_SPACE = b" \t\r\n"

_CHUNK_HEADER = re.compile(rb"\n#(?:([1-9][0-9]{0,9})|(#))\n")
_LONGEST_HEADER = len(b"\n#4294967295\n")


class FramingError(Exception):
    """The peer broke the framing: where its next message starts cannot be known any more."""


class MessageTooBig(FramingError):
    """The peer's message is longer than this side accepts."""


class _Mode(Enum):
    END_OF_MESSAGE = auto()
    CHUNK_HEADER = auto()
    CHUNK_DATA = auto()


class Decoder:
    """Bytes in any pieces go in, whole messages come out.

    Starts with end-of-message framing.  ``max_size`` bounds one message in bytes and may be
    changed between messages.  After a FramingError the decoder is of no further use.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self._buffer = bytearray()
        self._scanned = 0
        self._mode = _Mode.END_OF_MESSAGE
        self._chunk_left = 0
        self._message = bytearray()

    def switch_to_chunked(self) -> None:
        """Everything after the last message taken is chunked (both hellos had base:1.1)."""
        self._mode = _Mode.CHUNK_HEADER
        self._scanned = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Add ``data`` and take every message that is complete; raises FramingError."""
        self.add(data)
        messages = []
        while (message := self.take()) is not None:
            messages.append(message)
        return messages

    def add(self, data: bytes) -> None:
        self._buffer += data

    def take(self) -> bytes | None:
        """The next complete message, None until there is one; raises FramingError."""
        if self._mode is _Mode.END_OF_MESSAGE:
            return self._take_delimited()
        while True:
            if self._mode is _Mode.CHUNK_DATA:
                if not self._move_chunk_data():
                    return None
            else:
                header = self._take_header()
                if header is None:
                    return None
                if header == 0:
                    message, self._message = bytes(self._message), bytearray()
                    return message
                self._start_chunk(header)

    def _take_delimited(self) -> bytes | None:
        end = self._buffer.find(END_OF_MESSAGE, self._scanned)
        if end < 0:
            if len(self._buffer) > self.max_size + len(END_OF_MESSAGE):
                raise MessageTooBig(f"a message may have {self.max_size} bytes")
            self._scanned = max(0, len(self._buffer) - len(END_OF_MESSAGE) + 1)
            return None
        if end > self.max_size:
            raise MessageTooBig(f"a message may have {self.max_size} bytes")
        message = bytes(self._buffer[:end]).strip(WHITE_SPACE)
        del self._buffer[: end + len(END_OF_MESSAGE)]
        self._scanned = 0
        return message

    def _take_header(self) -> int | None:
        """Size of the chunk that starts here, 0 at the end of the chunks, None if bytes are missing."""
        buffer = self._buffer
        start = 0
        while start < len(buffer) and buffer[start] in WHITE_SPACE:
            start += 1
        if start > 1:
            del buffer[: start - 1]
        match = _CHUNK_HEADER.match(buffer)
        if match is None:
            if len(buffer) >= _LONGEST_HEADER or not _may_become_header(buffer):
                raise FramingError(f"a chunk was expected, not {bytes(buffer[:20])!r}")
            return None
        end, size = match.end(), match[1]
        if size is None and not self._message:
            raise FramingError("a message without any chunk")
        del buffer[:end]
        return 0 if size is None else int(size)

    def _start_chunk(self, size: int) -> None:
        if size > MAX_CHUNK:
            raise FramingError(f"a chunk may have {MAX_CHUNK} bytes, not {size}")
        if len(self._message) + size > self.max_size:
            raise MessageTooBig(f"a message may have {self.max_size} bytes")
        self._chunk_left = size
        self._mode = _Mode.CHUNK_DATA

    def _move_chunk_data(self) -> bool:
        """Whether the chunk is complete; what there is of it moves on to the message."""
        piece = self._buffer[: self._chunk_left]
        self._message += piece
        del self._buffer[: len(piece)]
        self._chunk_left -= len(piece)
        if self._chunk_left:
            return False
        self._mode = _Mode.CHUNK_HEADER
        return True


def _may_become_header(start: bytes | bytearray) -> bool:
    """Whether more bytes could make a chunk header of ``start``."""
    if start[:1] in (b" ", b"\t", b"\r"):
        return len(start) == 1
    head, rest = start[:2], start[2:]
    if not b"\n#".startswith(head):
        return False
    return not rest or rest == b"#" or (rest.isdigit() and rest[:1] != b"0")


def frame_eom(parts: Iterable[bytes]) -> bytes:
    """One message in end-of-message framing; a delimiter inside it is defused as ``]]&gt;``."""
    message = b"".join(parts)
    if END_OF_MESSAGE in message:
        message = message.replace(END_OF_MESSAGE, b"]]&gt;]]&gt;")
    return message + END_OF_MESSAGE


def frame_chunked(parts: Iterable[bytes]) -> bytes:
    """One message in chunked framing, in as few chunks as there can be."""
    message = b"".join(parts)
    if not message:
        raise ValueError("a chunk cannot be empty")
    if len(message) <= MAX_CHUNK:
        return b"\n#%d\n%b\n##\n" % (len(message), message)
    pieces = (message[at : at + MAX_CHUNK] for at in range(0, len(message), MAX_CHUNK))
    return b"".join(b"\n#%d\n%b" % (len(piece), piece) for piece in pieces) + b"\n##\n"
