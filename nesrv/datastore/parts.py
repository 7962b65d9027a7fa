"""One edit taken apart, so that what is right in it can be told from what is not; pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from lxml import etree

from nesrv import errors
from nesrv.datastore.edit import Editor
from nesrv.datastore.incoming import OPERATION, Element
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.schema.nodes import SchemaNode


def edit_in_parts(
    editor: Editor, shards: Shards, snapshot: Snapshot, config: Element, default_operation: str
) -> tuple[Snapshot, tuple[errors.RpcError, ...]]:
    """``snapshot`` with every part of ``config`` that can be applied, in their order, and the errors of the others.

    A part is an entry of an outermost list, or what stands beside such lists; what replaces or removes a container
    with such lists in it is one part with all that it holds, and so is an edit that replaces everything.
    """
    try:
        return editor.edit(snapshot, config, default_operation), ()
    except errors.RpcError as error:
        whole = error
    if default_operation == "replace":
        return snapshot, (whole,)
    found: list[errors.RpcError] = []
    edited = snapshot
    for part in _parts(shards, config):
        try:
            edited = editor.edit(edited, part, default_operation)
        except errors.RpcError as error:
            found.append(error)
    # What is wrong with the parts together is wrong with the whole: an entry that is given twice.
    return (edited, tuple(found)) if found else (snapshot, (whole,))


def _parts(shards: Shards, config: Element) -> Iterator[Element]:
    for child in _elements(config):
        try:
            schema: SchemaNode | None = shards.reader.top(child)
        except errors.RpcError:
            schema = None
        yield from _below(shards, schema, child, [config])


def _below(shards: Shards, schema: SchemaNode | None, element: Element, above: list[Element]) -> Iterator[Element]:
    """``schema`` None: unknown, which the edit of the part will say."""
    divided = schema is not None and schema in shards.schema.skeleton
    if schema is None or not divided or element.get(OPERATION) not in (None, "merge") or not len(element):
        yield _alone(element, above)
        return
    for child in _elements(element):
        try:
            found: SchemaNode | None = shards.reader.child(schema, child, schema.path)
        except errors.RpcError:
            found = None
        yield from _below(shards, found, child, [*above, element])


def _alone(element: Element, above: list[Element]) -> Element:
    """``element`` without its siblings, in copies of what it stands in."""
    made = copy.deepcopy(element)
    for holder in reversed(above):
        around = etree.Element(holder.tag, dict(holder.attrib), nsmap=holder.nsmap)
        around.append(made)
        made = around
    return made


def _elements(parent: Element) -> Iterator[Element]:
    return (child for child in parent if isinstance(child.tag, str))
