"""partial-lock and partial-unlock (RFC 5717), and what the locks forbid to others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

from nesrv import errors
from nesrv.datastore.build import Plain, build
from nesrv.datastore.partial_locks import PartialLock, denied
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import to_xml
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.guards import Guard
from nesrv.rpc.operation import Answer, Call, Ok, Operations, Output
from nesrv.rpc.xpath import below_wrapper
from nesrv.schema import paths
from nesrv.schema.nodes import SchemaNode

NAMESPACE = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
CAPABILITY = "urn:ietf:params:netconf:capability:partial-lock:1.0"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


class PartialLockGuard(Guard):
    """What one session has locked of running, no other may change by committing."""

    def __init__(self, element: Element) -> None:
        self._element = element

    def changes(self, session: SessionState, datastore: str, before: Snapshot, after: Snapshot) -> None:
        if datastore == "running":
            self._element.partial_locks.check(self._element.shards, session.number, before, after)

    def leave(self, session: int) -> None:
        self._element.partial_locks.release(session)


async def partial_lock(call: Call) -> Answer:
    """Section 2.4.1: nodes that come to match later are not locked, those that come below locked ones are."""
    element, number = call.element, call.session.number
    # A commit that passed the check of locks may still be at work, or wait for its turn.
    await element.pipeline.settled()
    if (holder := element.locks.holder("running")) is not None:
        raise denied(f"Session {holder} holds the lock on running.", holder)
    selects = call.params.many("select")
    if not selects:
        raise call.params.missing("select")
    running = element.guards.visible(call.session, "running", element.pipeline.running)
    top = etree.fromstring(b"<data>" + element.shards.document(running.shards()) + b"</data>", _PARSER)
    nodes = [path for select in selects for path in _selected(element, top, select)]
    if not nodes:
        raise errors.OperationFailed("These expressions select no node of running.", None, "no-matches")
    made = element.partial_locks.lock(number, element.clock(), (select.text.strip() for select in selects), nodes)
    return Output(_output(element, made))


def _output(element: Element, made: PartialLock) -> list[bytes]:
    rpc = element.schema.rpcs[f"{{{NAMESPACE}}}partial-lock"]
    value: dict[str, Plain] = {"lock-id": made.number, "locked-node": identifiers(element, made)}
    output = build(rpc.by_name["output"], value)
    return [to_xml(child, element.schema.namespaces) for child in output.children]


def identifiers(element: Element, lock: PartialLock) -> list[str]:
    """The locked nodes as instance-identifiers, with names of modules for prefixes."""
    prefixes = {name: (name, info.namespace) for name, info in element.schema.modules.items()}
    return [paths.to_xpath(path, prefixes)[0] for path in lock.nodes]


def _selected(element: Element, top: Any, select: Any) -> Iterable[str]:
    """Instance paths of what an expression selects below ``top``."""
    text = (select.text or "").strip()
    try:
        found = etree.XPath(below_wrapper(text), namespaces={p: uri for p, uri in select.nsmap.items() if p})(top)
    except etree.XPathError as error:
        raise _invalid(f'"{text}" is no XPath that can be evaluated: {error}.') from error
    if not isinstance(found, list) or not all(isinstance(one, etree._Element) for one in found):
        raise _invalid(f'"{text}" does not select nodes.', "not-a-node-set")
    for one in found:
        # The root stands for all that there is.
        for node in one if one is top else (one,):
            yield _path(element, top, node)


def _invalid(message: str, app_tag: str | None = None) -> errors.RpcError:
    return errors.InvalidValue(message, None, app_tag, (("bad-element", "select"),), "protocol")


def _path(element: Element, top: Any, node: Any) -> str:
    lineage = [node, *node.iterancestors()][:-1]
    path, schema = "", None
    for one in reversed(lineage):
        schema = element.schema.data[one.tag] if schema is None else schema.children[one.tag]
        path += f"/{schema.step}" + _predicates(element, one, schema)
    return path


def _predicates(element: Element, node: Any, schema: SchemaNode) -> str:
    value = element.shards.reader.value
    if schema.kind == "leaf-list":
        return paths.predicate(".", value(node, schema))
    keys = (schema.by_name[key] for key in schema.keys)
    return "".join(paths.predicate(key.name, value(node.find(key.tag), key)) for key in keys)


async def partial_unlock(call: Call) -> Answer:
    text = call.params.text("lock-id")
    if text is None:
        raise call.params.missing("lock-id")
    # lock-id is a uint32: ten digits.
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0
    call.element.partial_locks.unlock(call.session.number, number)
    return Ok()


OPERATIONS: Operations = {
    f"{{{NAMESPACE}}}partial-lock": partial_lock,
    f"{{{NAMESPACE}}}partial-unlock": partial_unlock,
}
