"""compare: what differs between any two datastores, as a YANG patch that makes the one the other (RFC 9144)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nesrv.datastore.incoming import parse
from nesrv.datastore.shards import Shards
from nesrv.datastore.tree import MarkedNode, Node, adopt
from nesrv.rpc.monitoring import readable
from nesrv.rpc.nmda import chosen_of, exclude_each_other, identity, invalid, view_of
from nesrv.rpc.notify.differences import between
from nesrv.rpc.notify.patch import both_values, patch
from nesrv.rpc.operation import Answer, Call, Operation, Operations, Output
from nesrv.rpc.origins import INTENDED, ORIGIN, mark
from nesrv.rpc.reply import Limits
from nesrv.rpc.retrieve import Operational
from nesrv.schema.nodes import SchemaNode

COMPARE = "urn:ietf:params:xml:ns:yang:ietf-nmda-compare"


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared, and the origin that holds where none is told; empty: origins are not asked for."""

    fragments: list[bytes]
    origin: str


def operation(read: Operational) -> Operation:
    """<compare> with these sources of state."""

    async def compare(call: Call) -> Answer:
        names = [_datastore(call, parameter) for parameter in ("source", "target")]
        exclude_each_other(call.params)
        # What operational has by default, others have as well where they leave it out (RFC 9144 §4).
        mode = "report-all" if "operational" in names else "explicit"
        with_origin = call.params.element("report-origin") is not None
        limits = Limits() if call.params.element("all") is not None else Limits(accepts=_is_configuration)
        sides = []
        for name in names:
            view = await view_of(call, read, name, mode, with_origin)
            found = await asyncio.to_thread(chosen_of, call, view, limits)
            # What says nothing of its own comes from intended (RFC 8342 §5.3.4).
            sides.append(Side(found, INTENDED if with_origin and name == "operational" else ""))
        return Output([await asyncio.to_thread(_differences, call.element.shards, " to ".join(names), sides)])

    return compare


def _datastore(call: Call, parameter: str) -> str:
    name = identity(call, call.params.need(parameter), parameter, "ietf-datastores")
    known = readable(call.element.schema)
    if name not in known:
        raise invalid(f"{name} cannot be compared here; there are {', '.join(known)}.", parameter)
    return name


def _is_configuration(node: Node) -> bool:
    return node.schema.config


def _differences(shards: Shards, title: str, sides: Iterable[Side]) -> bytes:
    source, target = (
        list(_nodes(shards, parse(b"".join(side.fragments), ""), shards.schema.data, side.origin)) for side in sides
    )
    found = list(between(source, target))
    if not found:
        return b'<no-matches xmlns="%b"/>' % COMPARE.encode()
    body = patch(title, found, shards.schema.namespaces, both_values)
    return b'<differences xmlns="%b">%b</differences>' % (COMPARE.encode(), body)


def _nodes(shards: Shards, elements: Iterable[Any], known: Mapping[str, SchemaNode], outer: str) -> Iterator[Node]:
    """Without the containers above lists, which are never there or not there by themselves; ``outer`` is the origin
    of what the elements stand in."""
    for element in elements:
        schema = known[element.tag]
        if schema in shards.schema.skeleton:
            yield from _nodes(shards, element, schema.children, _origin(element, outer))
        else:
            node = _marked(shards.reader.bare(element, schema), element, outer)
            adopt(node)
            yield node


def _origin(element: Any, outer: str) -> str:
    return element.get(f"{{{ORIGIN}}}origin") or outer


def _marked(node: Node, element: Any, outer: str) -> Node:
    """With its origin, if that is told: any node may be what an edit is about, far from where it is said."""
    origin = _origin(element, outer)
    if node.children:
        node.children = [_marked(child, inner, origin) for child, inner in zip(node.children, element, strict=True)]
    return MarkedNode(node, mark(origin)) if origin else node


def operations(read: Operational) -> Operations:
    return {f"{{{COMPARE}}}compare": operation(read)}
