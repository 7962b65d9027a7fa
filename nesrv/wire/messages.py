"""The NETCONF envelope (RFC 6241, sections 4 and 8.1; RFC 5277, section 4), read and written nowhere else.

Read: hellos and requests, by a parser that knows no DTD, no entities and no network.
Written: messages as tuples of byte pieces, ASCII with character references, the envelope in
the default namespace; ``fragments`` are serialised XML, already ASCII, and spliced in as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from lxml import etree

from nesrv import errors

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
NOTIFICATION = "urn:ietf:params:xml:ns:netconf:notification:1.0"
YANG = "urn:ietf:params:xml:ns:yang:1"
XML = "http://www.w3.org/XML/1998/namespace"

Message = tuple[bytes, ...]
"""One message without framing, in pieces."""

XPathOf = Callable[[str], tuple[str, Mapping[str, str]]]
"""An instance path in nesrv's notation to an XPath and the namespaces of its prefixes."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_ATTRIBUTE = _TEXT | {ord('"'): "&quot;", ord("\t"): "&#9;", ord("\n"): "&#10;"}

_PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    load_dtd=False,
    no_network=True,
    remove_comments=True,
    remove_pis=True,
    collect_ids=False,
)

_OPENING_BYTES = 4096
"""How much of a malformed message is searched for its opening tag."""

_INFO_ORDER = (
    "session-id",
    "bad-attribute",
    "bad-element",
    "ok-element",
    "err-element",
    "noop-element",
    "bad-namespace",
)
"""The sequence of RFC 6241, appendix B (errorInfoType); other elements follow."""

_YANG_INFO = frozenset({"non-unique", "missing-choice", "missing-instance"})
"""error-info elements of RFC 7950, section 15."""

_PATH_INFO = frozenset({"non-unique"})
"""error-info elements whose value is an instance path."""


class HelloError(Exception):
    """The peer's first message is no hello that a session can start from."""


class MalformedHello(HelloError):
    """No well-formed ``<hello>`` with a list of capabilities."""


class HelloWithSessionId(HelloError):
    """A client's hello carries no session-id (RFC 6241, section 8.1)."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a reply repeats of its request; ``attributes`` as they are written, each after a space."""

    message_id: str | None
    attributes: bytes


NO_REQUEST = Envelope(None, b"")
"""For a reply to something in which no request could be made out."""


@dataclass(frozen=True, slots=True)
class RpcRequest(Envelope):
    """One well-formed ``<rpc>``; ``operation`` is its only child, still inside its document."""

    operation: etree._Element

    @property
    def namespace(self) -> str:
        """Of the operation; empty if it has none."""
        return etree.QName(self.operation).namespace or ""

    @property
    def name(self) -> str:
        """Of the operation, without prefix."""
        return etree.QName(self.operation).localname


class RequestRefused(Exception):
    """No request came of a message; ``error`` is to be sent in a reply to ``envelope``."""

    def __init__(self, error: errors.RpcError, envelope: Envelope) -> None:
        super().__init__(str(error))
        self.error = error
        self.envelope = envelope


class _NotXml(Exception):
    """Not well-formed, not UTF-8, with a DTD, or beyond libxml2's limits."""


# Reading


def parse_hello(payload: bytes) -> ClientHello:
    """A client's hello; raises MalformedHello, HelloWithSessionId."""
    try:
        root = _parse(payload)
    except _NotXml as error:
        raise MalformedHello(f"the first message is no XML: {error}") from None
    if root.tag != f"{{{BASE}}}hello":
        raise MalformedHello(f"the first message is {root.tag}, not hello in {BASE}")
    if root.find(f"{{{BASE}}}session-id") is not None:
        raise HelloWithSessionId("the hello of a client carries a session-id")
    found = root.iterfind(f"{{{BASE}}}capabilities/{{{BASE}}}capability")
    capabilities = frozenset("".join((element.text or "").split()) for element in found)
    if not capabilities:
        raise MalformedHello("the hello carries no capability")
    return ClientHello(capabilities)


def parse_rpc(payload: bytes) -> RpcRequest:
    """A client's request.

    Raises RequestRefused with MalformedMessage (no XML, no UTF-8, a DTD), MissingAttribute (no
    message-id), UnknownElement or UnknownNamespace (no ``<rpc>``, or something beside the
    operation), MissingElement (no operation).
    """
    try:
        root = _parse(payload)
    except _NotXml as error:
        words = f"The message is not well-formed XML in UTF-8: {error}"
        raise RequestRefused(errors.MalformedMessage(words, type="rpc"), _opening(payload)) from None
    envelope = _envelope(root)
    children = list(root)
    objection = _objection(root, envelope, children)
    if objection is not None:
        raise RequestRefused(objection, envelope)
    return RpcRequest(envelope.message_id, envelope.attributes, children[0])


def _objection(root: etree._Element, envelope: Envelope, children: Sequence[etree._Element]) -> errors.RpcError | None:
    name = etree.QName(root)
    if name.localname != "rpc":
        words = f"<rpc> was expected, not <{name.localname}>"
        return errors.UnknownElement(words, info=(("bad-element", name.localname),), type="protocol")
    if name.namespace != BASE:
        info = (("bad-element", "rpc"), ("bad-namespace", name.namespace or ""))
        return errors.UnknownNamespace(f"<rpc> is not in the namespace {BASE}", info=info, type="protocol")
    if envelope.message_id is None:
        info = (("bad-attribute", "message-id"), ("bad-element", "rpc"))
        return errors.MissingAttribute("<rpc> has no message-id", info=info, type="rpc")
    if not children:
        return errors.MissingElement(
            "<rpc> names no operation", info=(("bad-element", "rpcOperation"),), type="protocol"
        )
    if len(children) > 1:
        second = etree.QName(children[1]).localname
        words = f"<rpc> takes one operation; <{second}> is a second one"
        return errors.UnknownElement(words, info=(("bad-element", second),), type="protocol")
    return None


def _parse(payload: bytes) -> etree._Element:
    """The root of a document; depth and text length are bounded by libxml2's own limits.  Raises _NotXml."""
    if _has_doctype(payload):
        raise _NotXml("a document type declaration is not accepted")
    try:
        return etree.fromstring(payload, _PARSER)
    except etree.XMLSyntaxError as error:
        raise _NotXml(error.msg) from None


def _has_doctype(payload: bytes) -> bool:
    """Whether a DTD stands before the root element, found without parsing any of it."""
    at = 3 if payload.startswith(b"\xef\xbb\xbf") else 0
    while True:
        while payload[at : at + 1].isspace():
            at += 1
        if payload.startswith(b"<?", at):
            end = payload.find(b"?>", at)
        elif payload.startswith(b"<!--", at):
            end = payload.find(b"-->", at + 4)
        else:
            return payload.startswith(b"<!DOCTYPE", at)
        if end < 0:
            return False
        at = end + 2 if payload.startswith(b"?>", end) else end + 3


def _opening(payload: bytes) -> Envelope:
    """The envelope of a malformed message, as far as its opening tag can be read."""
    start = payload[:_OPENING_BYTES]
    if _has_doctype(start):
        return NO_REQUEST
    parser = etree.XMLPullParser(
        events=("start",), resolve_entities=False, load_dtd=False, no_network=True, collect_ids=False
    )
    with suppress(etree.XMLSyntaxError):
        parser.feed(start)
    with suppress(etree.XMLSyntaxError):
        for _, element in parser.read_events():
            if isinstance(element, etree._Element) and element.tag == f"{{{BASE}}}rpc":
                return _repeatable(element)
            break
    return NO_REQUEST


def _repeatable(root: etree._Element) -> Envelope:
    """What the reply to a malformed message can repeat: its prefixes may be undeclared, its namespaces no URIs."""
    try:
        envelope = _envelope(root)
        etree.fromstring(b"<rpc-reply%b/>" % envelope.attributes, _PARSER)
    except (ValueError, etree.XMLSyntaxError):
        message_id = root.get("message-id")
        return NO_REQUEST if message_id is None else Envelope(message_id, _attribute("message-id", message_id))
    return envelope


def _envelope(root: etree._Element) -> Envelope:
    """Prefixes are repeated if an attribute uses them; others but the base namespace's too: values may."""
    used = {etree.QName(name).namespace for name in root.attrib}
    written = [
        _attribute(f"xmlns:{prefix}", uri)
        for prefix, uri in root.nsmap.items()
        if prefix is not None and (uri != BASE or uri in used)
    ]
    prefixes = {uri: prefix for prefix, uri in root.nsmap.items() if prefix is not None}
    prefixes[XML] = "xml"
    for name, value in root.attrib.items():
        qname = etree.QName(name)
        local = f"{prefixes[qname.namespace]}:{qname.localname}" if qname.namespace else qname.localname
        written.append(_attribute(local, str(value)))
    # The client of the PyPI package netconf qualifies its attributes.
    message_id = root.get("message-id", root.get(f"{{{BASE}}}message-id"))
    return Envelope(message_id, b"".join(written))


# Writing


def escape(text: str) -> bytes:
    """Text as the content of an element: ASCII, and U+FFFD for what XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text).translate(_TEXT).encode("ascii", "xmlcharrefreplace")


def hello(session_id: int, capabilities: Iterable[str]) -> Message:
    listed = tuple(_element("capability", capability) for capability in capabilities)
    return (
        b'<hello xmlns="%b"><capabilities>' % BASE.encode(),
        *listed,
        b"</capabilities>",
        _element("session-id", str(session_id)),
        b"</hello>",
    )


def ok_reply(request: Envelope) -> Message:
    return _reply(request, (b"<ok/>",))


def content_reply(request: Envelope, fragments: Iterable[bytes]) -> Message:
    """The output of an operation; without any, RFC 7950 (section 7.14.4) wants ``<ok/>``."""
    pieces = tuple(fragments)
    return _reply(request, pieces or (b"<ok/>",))


def data_reply(request: Envelope, fragments: Iterable[bytes], namespace: str = BASE) -> Message:
    """``<data>`` in ``namespace``: the base one for get and get-config, the module's own for others."""
    pieces = tuple(fragments)
    declared = b"" if namespace == BASE else _attribute("xmlns", namespace)
    if not pieces:
        return _reply(request, (b"<data%b/>" % declared,))
    return _reply(request, (b"<data%b>" % declared, *pieces, b"</data>"))


def error_reply(request: Envelope, refusals: Sequence[errors.RpcError], xpath_of: XPathOf) -> Message:
    return _reply(request, tuple(_rpc_error(refusal, xpath_of) for refusal in refusals))


def notification(event_time: str, fragments: Iterable[bytes]) -> Message:
    """RFC 5277, section 4; ``event_time`` is a date-and-time with its zone."""
    return (
        b'<notification xmlns="%b">' % NOTIFICATION.encode(),
        _element("eventTime", event_time),
        *fragments,
        b"</notification>",
    )


def same_path(path: str) -> tuple[str, Mapping[str, str]]:
    """The XPathOf for errors that carry no path."""
    return path, {}


def _reply(request: Envelope, content: Iterable[bytes]) -> Message:
    opening = b'<rpc-reply xmlns="%b"%b>' % (BASE.encode(), request.attributes)
    return (opening, *content, b"</rpc-reply>")


def _rpc_error(error: errors.RpcError, xpath_of: XPathOf) -> bytes:
    pieces = [
        _element("error-type", error.type),
        _element("error-tag", error.tag),
        _element("error-severity", error.severity),
    ]
    if error.app_tag:
        pieces.append(_element("error-app-tag", error.app_tag))
    if error.path:
        pieces.append(_path_element("error-path", error.path, xpath_of))
    message = error.message.strip() or f"The operation was refused: {error.tag}"
    pieces.append(_element("error-message", message, _attribute("xml:lang", "en")))
    if error.info:
        pieces += [b"<error-info>", *(_info(name, text, xpath_of) for name, text in _in_order(error.info))]
        pieces.append(b"</error-info>")
    return b"<rpc-error>%b</rpc-error>" % b"".join(pieces)


def _in_order(info: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    ranks = {name: rank for rank, name in enumerate(_INFO_ORDER)}
    return sorted(info, key=lambda pair: ranks.get(pair[0], len(ranks)))


def _info(name: str, text: str, xpath_of: XPathOf) -> bytes:
    """``name`` may be ``{namespace}local``; those of RFC 7950 get their namespace here."""
    qname = etree.QName(name)
    namespace = qname.namespace or (YANG if name in _YANG_INFO else BASE)
    declared = b"" if namespace == BASE else _attribute("xmlns", namespace)
    if name in _PATH_INFO:
        return _path_element(name, text, xpath_of, declared)
    return _element(qname.localname, text, declared)


def _path_element(name: str, path: str, xpath_of: XPathOf, declared: bytes = b"") -> bytes:
    xpath, prefixes = xpath_of(path)
    namespaces = b"".join(_attribute(f"xmlns:{prefix}", uri) for prefix, uri in prefixes.items())
    return _element(name, xpath, declared + namespaces)


def _element(name: str, text: str, attributes: bytes = b"") -> bytes:
    tag = name.encode("ascii")
    return b"<%b%b>%b</%b>" % (tag, attributes, escape(text), tag)


def _attribute(name: str, value: str) -> bytes:
    written = _NOT_XML.sub("\ufffd", value).translate(_ATTRIBUTE).encode("ascii", "xmlcharrefreplace")
    return b' %b="%b"' % (name.encode("utf-8"), written)
