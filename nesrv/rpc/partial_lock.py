"""partial-lock and partial-unlock (RFC 5717), and what the locks forbid to others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nesrv import errors
from nesrv.datastore.build import Plain, build
from nesrv.datastore.partial_locks import PartialLock, denied
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import to_xml
from nesrv.datastore.xpath.evaluate import Evaluator
from nesrv.datastore.xpath_values import with_modules
from nesrv.rpc.configure import prefixes
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.guards import Guard
from nesrv.rpc.operation import Answer, Call, Ok, Operations, Output
from nesrv.rpc.views import Configuration
from nesrv.rpc.xpath import nodes_of
from nesrv.schema import paths

NAMESPACE = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
CAPABILITY = "urn:ietf:params:netconf:capability:partial-lock:1.0"


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
    nodes = [path for select in selects for path in _selected(element, running, select)]
    if not nodes:
        raise errors.OperationFailed("These expressions select no node of running.", None, "no-matches")
    made = element.partial_locks.lock(number, element.clock(), (_named(element, select) for select in selects), nodes)
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


def _selected(element: Element, running: Snapshot, select: Any) -> Iterator[str]:
    """Instance paths of what an expression selects."""
    namespaces = prefixes(select)
    evaluator = Evaluator(element.shards, Configuration(element.shards, running), namespaces)
    for node in nodes_of(evaluator, (select.text or "").strip(), namespaces, "select"):
        # The root stands for all that there is.
        tops = evaluator.forest.children(node) if node is evaluator.forest.root else (node,)
        yield from (top.path for top in tops)


def _named(element: Element, select: Any) -> str:
    """The expression with names of modules for prefixes, as the state shows it to clients with others."""
    known, modules = prefixes(select), {info.namespace: name for name, info in element.schema.modules.items()}
    text = (select.text or "").strip()
    return with_modules(text, lambda prefix: modules.get(known.get(prefix, "")), element.schema)


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
