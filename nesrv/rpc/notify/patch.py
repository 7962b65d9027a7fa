"""Differences as a YANG patch (RFC 8072 §2), for push-change-update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from nesrv.datastore.tree import Node, to_xml
from nesrv.rpc.notify.differences import Difference
from nesrv.schema import paths
from nesrv.wire import messages

_WITH_VALUE = ("create", "insert", "replace")
_PATCH = b'<yang-patch xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-patch">'


def resource(path: str) -> str:
    """An instance path as a target-resource-offset: ``/m:list=key,key/leaf`` (RFC 8040 §3.5.3)."""
    text, module = "", ""
    for step in paths.split(path):
        text += "/" + (f"{step.module}:" if step.module != module else "") + step.name
        module = step.module
        if step.predicates:
            text += "=" + ",".join(quote(value, safe="") for _, value in step.predicates)
    return text


def patch(number: int, found: Iterable[Difference], namespaces: Mapping[str, str]) -> bytes:
    """``<yang-patch>`` with the patch-id ``number``."""
    edits = (_edit(at, one, dict(namespaces)) for at, one in enumerate(found, 1))
    return b"%b<patch-id>%d</patch-id>%b</yang-patch>" % (_PATCH, number, b"".join(edits))


def _edit(number: int, one: Difference, namespaces: dict[str, str]) -> bytes:
    pieces = [
        b"<edit><edit-id>%d</edit-id><operation>%b</operation>" % (number, one.kind.encode()),
        b"<target>%b</target>" % messages.escape(resource(one.node.path)),
    ]
    if one.kind in ("insert", "move"):
        if one.after is not None:
            pieces.append(b"<point>%b</point>" % messages.escape(resource(one.after.path)))
        pieces.append(b"<where>%b</where>" % (b"first" if one.after is None else b"after"))
    if one.kind in _WITH_VALUE:
        pieces.append(b"<value>%b</value>" % _value(one.node, namespaces))
    return b"".join(pieces) + b"</edit>"


def _value(node: Node, namespaces: dict[str, str]) -> bytes:
    """With its namespace declared: what is around it has another."""
    return to_xml(node, namespaces)
