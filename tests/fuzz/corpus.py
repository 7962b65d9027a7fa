"""What real clients send, and ways to spoil it.

``tests/data/messages/`` has the messages of ncclient (each device handler that writes something of its own, and
netconf-console2, which is built on it), netconf-client, scrapli, the package netconf and yangcli, as they came.
Besides, there is a request for every operation.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from lxml import etree

from tests.rpc.every_operation import REQUESTS as OPERATIONS

MESSAGES = Path(__file__).parents[1] / "data" / "messages"
END = b"]]>]]>"
NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
LONG = "NESRV_FUZZ" in os.environ


def bounded(examples: int) -> settings:
    """So many examples, always the same ones; with NESRV_FUZZ, that many times as many, other ones each time."""
    if not LONG:
        return settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    database = DirectoryBasedExampleDatabase(".cache/hypothesis")
    return settings(max_examples=examples * int(os.environ["NESRV_FUZZ"]), deadline=None, database=database)


def _messages() -> tuple[bytes, ...]:
    files = sorted(MESSAGES.glob("*.txt"))
    return tuple(part.strip() for file in files for part in file.read_bytes().split(END) if part.strip())


ALL = _messages()
HELLOS = tuple(message for message in ALL if b"hello" in message[:400])
REQUESTS = (
    *(message for message in ALL if message not in HELLOS),
    *(
        f'<rpc xmlns="{NC}" message-id="1">{text}</rpc>'.encode()
        for request in OPERATIONS.values()
        for text in (*request.before, request.operation)
    ),
)

MODELS = sorted({tag[1:].partition("}")[0] for tag in OPERATIONS})
NAMES = (
    "rpc",
    "get",
    "get-config",
    "edit-config",
    "copy-config",
    "delete-config",
    "lock",
    "unlock",
    "commit",
    "validate",
    "discard-changes",
    "cancel-commit",
    "kill-session",
    "get-schema",
    "get-data",
    "edit-data",
    "compare",
    "create-subscription",
    "partial-lock",
    "plan",
    "source",
    "target",
    "config",
    "filter",
    "url",
    "running",
    "candidate",
    "startup",
    "persist",
    "persist-id",
    "confirmed",
    "confirm-timeout",
    "with-defaults",
    "default-operation",
    "test-option",
    "error-option",
    "session-id",
    "identifier",
    "harbour",
    "berth",
    "name",
    "depth",
    "remark",
    "top",
    "note",
    "item",
    "limit",
    "order",
)
SPACES = ("", NC, "urn:example:harbour", "urn:nesrv:test:kinds", "urn:no", *MODELS)
TEXTS = (
    "", " ", "0", "-1", "1", "4294967296", "9" * 400, "NaN", "true", "none", "replace", "stop-on-error", "/", "//*",
    "/h:harbour/h:berth[h:name=", "'\"", "é東\u0085\ufffd", "%s{}", "a\nb", "x" * 5000, "1970-01-01T00:00:00Z",
)  # fmt: skip
ATTRIBUTES = (
    "operation", f"{{{NC}}}operation", "type", "select", "message-id", "{urn:ietf:params:xml:ns:yang:1}insert",
    "{urn:ietf:params:xml:ns:yang:1}value", "{urn:ietf:params:xml:ns:yang:1}key", "xmlns-like", "{urn:no}a",
)  # fmt: skip
VALUES = (
    "merge",
    "replace",
    "create",
    "delete",
    "remove",
    "xpath",
    "subtree",
    "before",
    "after",
    "first",
    "",
    "zz",
    "[x]",
)


WAYS = ("text", "tail", "rename", "attribute", "add", "drop", "twice", "nest", "move", "empty")


def _spoil(root: etree._Element, draw: st.DrawFn) -> None:
    """One change of the tree."""
    nodes = [node for node in root.iter() if isinstance(node.tag, str)]
    node = draw(st.sampled_from(nodes))
    parent = node.getparent()
    match draw(st.sampled_from(WAYS)):
        case "text":
            node.text = draw(st.sampled_from(TEXTS)) if draw(st.booleans()) else draw(_TEXT)
        case "tail" if parent is not None:
            node.tail = draw(st.sampled_from(TEXTS))
        case "rename":
            space, name = draw(st.sampled_from(SPACES)), draw(st.sampled_from(NAMES))
            node.tag = f"{{{space}}}{name}" if space else name
        case "attribute":
            node.set(draw(st.sampled_from(ATTRIBUTES)), draw(st.sampled_from(VALUES)))
        case "add":
            etree.SubElement(node, f"{{{draw(st.sampled_from(SPACES[1:]))}}}{draw(st.sampled_from(NAMES))}")
        case "drop" if parent is not None:
            parent.remove(node)
        case "twice" if parent is not None:
            parent.append(deepcopy(node))
        case "nest":
            for _ in range(draw(st.sampled_from((1, 3, 300)))):
                node = etree.SubElement(node, node.tag)
        case "move":
            other = draw(st.sampled_from(nodes))
            if other is not root and other is not node and other not in node.iterancestors():
                node.append(other)
        case "empty":
            for child in list(node):
                node.remove(child)


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)


@st.composite
def spoilt(draw: st.DrawFn, seeds: Sequence[bytes] = REQUESTS) -> bytes:
    """Well-formed XML that once was a client's message."""
    root = etree.fromstring(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        _spoil(root, draw)
    return etree.tostring(root, encoding="utf-8")


@st.composite
def broken(draw: st.DrawFn, seeds: Sequence[bytes] = ALL) -> bytes:
    """A client's message with bytes changed, lost or put in; never empty."""
    message = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(message)))
        end = min(len(message), start + draw(st.sampled_from((0, 1, 1, 4, 100))))
        message[start:end] = draw(st.one_of(st.binary(max_size=4), st.sampled_from(_BYTES)))
    return bytes(message) or b"<"


_BYTES = (
    b"<",
    b">",
    b"&",
    b"&#0;",
    b"&lt;",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<?x?>",
    b"\xff",
    b"\x00",
    b'"',
    b"<!DOCTYPE rpc [<!ENTITY a 'aaaa'>]>",
    b"&a;",
    b"\xef\xbb\xbf",
    b"\n#3\n",
    b"\n##\n",
    b"xmlns:a=''",
)


@st.composite
def pieces(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """``data`` as a network might hand it over."""
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
