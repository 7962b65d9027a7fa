"""A server in a process of its own, and sessions over its local socket that may be sent any bytes at all."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.clients import harbour
from tests.serving import Serving

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
KINDS = Path(__file__).parents[1] / "data" / "yang"
PATIENCE = 30.0
"""Seconds after which an answer is taken for one that never comes."""
END = b"]]>]]>"
_CHUNK = re.compile(rb"\n#(?:([0-9]+)|(#))\n")
_HELLO = (
    f'<hello xmlns="{BASE}"><capabilities><capability>urn:ietf:params:netconf:base:1.%d</capability></capabilities>'
    "</hello>"
)
_LOCKS = (
    '<get><filter><netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><datastores/>'
    "</netconf-state></filter></get>"
)
_STATE = (
    "<get-config><source><candidate/></source></get-config>",
    "<get-config><source><running/></source></get-config>",
    _LOCKS,
)


class Ended(Exception):
    """The server has closed the session."""


class Line:
    """One connection; ``greet`` makes it a session with chunked framing."""

    def __init__(self, path: Path) -> None:
        self.number = 0
        self._chunked = False
        self._received = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(str(path))

    def greet(self) -> None:
        self.write((_HELLO % 1).encode() + END)
        found = re.search(rb"<session-id>([0-9]+)<", self.message())
        assert found is not None
        self.number = int(found[1])
        self._chunked = True

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def send(self, message: bytes) -> None:
        self.write(b"\n#%d\n%b\n##\n" % (len(message), message))

    def message(self) -> bytes:
        """The next message of the server; raises Ended, TimeoutError."""
        if not self._chunked:
            return self._until(END).removesuffix(END)
        message = b""
        while True:
            header = _CHUNK.fullmatch(self._until(b"\n", 3))
            assert header is not None, "the server broke the framing"
            if header[2]:
                return message
            message += self._take(int(header[1]))

    def ask(self, operation: str) -> bytes:
        self.send(f'<rpc xmlns="{BASE}" message-id="1">{operation}</rpc>'.encode())
        return self.message()

    def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        while True:
            try:
                self._fill()
            except Ended:
                return self._received

    def no_more(self) -> None:
        """Nothing further comes from this side."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()

    def _until(self, mark: bytes, least: int = 0) -> bytes:
        while (at := self._received.find(mark, least)) < 0:
            self._fill()
        return self._take(at + len(mark))

    def _take(self, size: int) -> bytes:
        while len(self._received) < size:
            self._fill()
        piece, self._received = self._received[:size], self._received[size:]
        return piece

    def _fill(self) -> None:
        try:
            piece = self._socket.recv(1 << 16)
        except ConnectionResetError:
            piece = b""
        if not piece:
            raise Ended
        self._received += piece


class Place:
    """The server and somebody who watches what holds in it."""

    def __init__(self, server: Serving) -> None:
        self.server = server
        self._path = server.state_dir / "control.sock"
        self._watcher = self._greeted()
        self._read = len(server.log())

    def line(self) -> Line:
        """Before any hello."""
        return Line(self._path)

    @contextmanager
    def session(self) -> Iterator[Line]:
        """Afterwards it is gone with all it held, whatever became of it."""
        made = self._greeted()
        try:
            yield made
        finally:
            made.close()
            self._watch(f"<kill-session><session-id>{made.number}</session-id></kill-session>")

    def state(self) -> tuple[bytes, ...]:
        """The datastores and their locks."""
        return tuple(self._watch(operation) for operation in _STATE)

    def empty(self) -> None:
        """The datastores hold nothing again."""
        for operation in ("<discard-changes/>", "<delete-config><target><candidate/></target></delete-config>"):
            self._watch(operation)
        assert b"<ok/>" in self._watch("<commit/>")

    def quiet(self) -> None:
        """The server runs, and its log has told of no failure inside it since the last time."""
        log = self.server.log()
        told, self._read = log[self._read :], len(log)
        assert self.server.running, told
        assert "Traceback" not in told and " ERROR " not in told, told[-4000:]

    def _watch(self, operation: str) -> bytes:
        try:
            return self._watcher.ask(operation)
        except Ended:  # Somebody guessed its number.
            self._watcher = self._greeted()
            return self._watcher.ask(operation)

    def _greeted(self) -> Line:
        made = self.line()
        made.greet()
        return made


@contextmanager
def serving() -> Iterator[Place]:
    with Serving(yang=[harbour.MODULES, KINDS]) as server:
        yield Place(server)
