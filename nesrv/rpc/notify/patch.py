"""Differences as a YANG patch (RFC 8072 §2): of push-change-update, and of compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from nesrv.datastore.tree import Node, to_xml
from nesrv.rpc.notify.differences import Difference
from nesrv.schema import paths
from nesrv.wire import messages

_WITH_VALUE = ("create", "insert", "replace")

Values = Callable[[Difference], Iterable[tuple[bytes, Node]]]
"""What an edit shows of a difference: (name of the element, what is in it)."""


def value(one: Difference) -> Iterable[tuple[bytes, Node]]:
    """What is there from now on."""
    return [(b"value", one.node)] if one.kind in _WITH_VALUE else []


def both_values(one: Difference) -> Iterable[tuple[bytes, Node]]:
    """With what was there (RFC 9144 §5)."""
    before = one.node if one.kind == "delete" else one.old
    return [*value(one), *([(b"source-value", before)] if before is not None else [])]


def resource(path: str) -> str:
    """An instance path as a target-resource-offset: ``/m:list=key,key/leaf`` (RFC 8040 §3.5.3)."""
    text, module = "", ""
    for step in paths.split(path):
        text += "/" + (f"{step.module}:" if step.module != module else "") + step.name
        module = step.module
        if step.predicates:
            text += "=" + ",".join(quote(value, safe="") for _, value in step.predicates)
    return text


def patch(identifier: str, found: Iterable[Difference], namespaces: Mapping[str, str], values: Values = value) -> bytes:
    """``<yang-patch>`` for a place in the namespace of the module that uses the grouping."""
    edits = (_edit(at, one, dict(namespaces), values) for at, one in enumerate(found, 1))
    return b"<yang-patch><patch-id>%b</patch-id>%b</yang-patch>" % (messages.escape(identifier), b"".join(edits))


def _edit(number: int, one: Difference, namespaces: dict[str, str], values: Values) -> bytes:
    pieces = [
        b"<edit><edit-id>%d</edit-id><operation>%b</operation>" % (number, one.kind.encode()),
        b"<target>%b</target>" % messages.escape(resource(one.node.path)),
    ]
    if one.kind in ("insert", "move"):
        if one.after is not None:
            pieces.append(b"<point>%b</point>" % messages.escape(resource(one.after.path)))
        pieces.append(b"<where>%b</where>" % (b"first" if one.after is None else b"after"))
    # With their namespace declared: what is around them has another.
    pieces += (b"<%b>%b</%b>" % (name, to_xml(node, namespaces), name) for name, node in values(one))
    return b"".join(pieces) + b"</edit>"
