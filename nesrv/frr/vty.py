"""Client of one FRR daemon's vty socket.

A command goes out with a closing NUL; the answer is its text, three NULs and one status
byte.  Answers come in order, so many commands may be under way (FRR ``lib/vty.c``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

SUCCESS = 0
WARNING = 1
WINDOW = 256
"""Commands under way at most: their answers fit the socket's buffer, so neither side can block the other."""
ANSWER_SECONDS = 60.0
"""How long a daemon may say nothing; the slowest single answer measured is of the order of a second."""
CHUNK = 1 << 16
CONNECT_SECONDS = 5.0
STATUS_WORDS = {
    2: "no such command here",
    3: "ambiguous command",
    4: "incomplete command",
    5: "too many words",
    6: "nothing to do",
    13: "configuration refused",
}


Accepts = Callable[[str, "Reply"], bool]
"""Whether an answer to a command counts as taken."""


class VtyLost(ConnectionError):
    """The daemon closed its socket, or has none."""


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    status: int

    @property
    def words(self) -> str:
        """What FRR said, in one line; the meaning of the status byte where it said nothing."""
        spoken = " ".join(part.strip() for part in self.text.splitlines() if part.strip())
        return spoken or STATUS_WORDS.get(self.status, f"status {self.status}")


class Vty:
    """One connection; use as ``async with await Vty.connect(path)``."""

    def __init__(self, path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.path = path
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()

    @classmethod
    async def connect(cls, path: Path) -> Vty:
        """Raises VtyLost if nothing listens there."""
        try:
            opening = asyncio.open_unix_connection(str(path), limit=CHUNK)
            reader, writer = await asyncio.wait_for(opening, CONNECT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise VtyLost(f"{path.stem} does not answer: {error}") from error
        return cls(path, reader, writer)

    async def __aenter__(self) -> Vty:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._writer.close()

    async def ask(self, command: str) -> Reply:
        """One command, one answer.  Raises VtyLost."""
        return (await self.feed((command,), 1, succeeded))[0]

    async def feed(self, commands: Sequence[str], window: int, accepts: Accepts) -> list[Reply]:
        """Sends the commands with at most ``window`` unanswered; stops sending at the first that is not accepted.

        Returns the answers of all commands that were sent, which may be more than up to the
        refused one.  Raises VtyLost when the daemon goes away.
        """
        replies: list[Reply] = []
        sent = 0
        stopped = False
        while len(replies) < sent or (sent < len(commands) and not stopped):
            if not stopped and sent - len(replies) <= window // 2:
                batch = commands[sent : len(replies) + window]
                self._write(batch)
                sent += len(batch)
            for reply in await self._some():
                stopped = stopped or not accepts(commands[len(replies)], reply)
                replies.append(reply)
        return replies

    def _write(self, commands: Sequence[str]) -> None:
        if commands:
            self._writer.write(b"".join(command.encode() + b"\0" for command in commands))

    async def _some(self) -> list[Reply]:
        """The answers that are complete after the next chunk, maybe none."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                chunk = await self._reader.read(CHUNK)
        except TimeoutError:
            raise VtyLost(f"{self.path.stem} did not answer for {ANSWER_SECONDS:.0f} s") from None
        except OSError as error:
            raise VtyLost(f"{self.path.stem}: {error}") from error
        if not chunk:
            raise VtyLost(f"{self.path.stem} closed its vty socket")
        self._buffer += chunk
        replies, used = split_replies(self._buffer)
        del self._buffer[:used]
        return replies


def succeeded(command: str, reply: Reply) -> bool:
    return reply.status == SUCCESS


def split_replies(buffer: bytes | bytearray) -> tuple[list[Reply], int]:
    """The complete answers at the head of ``buffer`` and how many bytes they took."""
    replies: list[Reply] = []
    start = 0
    while True:
        end = buffer.find(b"\0\0\0", start)
        if end < 0 or end + 3 >= len(buffer):
            return replies, start
        text = bytes(buffer[start:end]).decode(errors="replace")
        replies.append(Reply(text, buffer[end + 3]))
        start = end + 4
