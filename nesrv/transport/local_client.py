"""The other end of the local socket: one question, one answer."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from lxml import etree

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
END = b"]]>]]>"
_HELLO = (
    f'<hello xmlns="{BASE}"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability>'
    "</capabilities></hello>"
)


class Refused(Exception):
    """The server answered with an error; the text is the server's."""


def ask(path: Path, operation: str) -> Any:
    """The ``<rpc-reply>`` (lxml) to ``operation``, an element as XML; raises OSError, Refused."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        rpc = f'<rpc xmlns="{BASE}" message-id="1">{operation}</rpc>'
        connection.sendall(_HELLO.encode() + END + rpc.encode() + END)
        received = b""
        while received.count(END) < 2:
            piece = connection.recv(1 << 16)
            if not piece:
                raise Refused("the server closed the connection")
            received += piece
    reply = etree.fromstring(received.split(END)[1], etree.XMLParser(resolve_entities=False, huge_tree=True))
    message = reply.findtext(f"{{{BASE}}}rpc-error/{{{BASE}}}error-message")
    if message is not None:
        where = reply.findtext(f"{{{BASE}}}rpc-error/{{{BASE}}}error-path")
        raise Refused(f"{message} ({where})" if where else message)
    return reply
