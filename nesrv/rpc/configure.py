"""get-config, edit-config and locks (RFC 6241 §7.1, §7.2, §7.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from nesrv import errors
from nesrv.datastore.edit import DEFAULT_OPERATIONS
from nesrv.datastore.incoming import NETCONF
from nesrv.datastore.journal import CommitRecord
from nesrv.datastore.partial_locks import denied
from nesrv.datastore.parts import edit_in_parts
from nesrv.datastore.snapshot import Snapshot
from nesrv.rpc.committing import change_running
from nesrv.rpc.copying import change_candidate, defaults_mode
from nesrv.rpc.filters import Selection
from nesrv.rpc.operation import Answer, Call, Data, Ok, Operations
from nesrv.rpc.patterns import compile_subtree
from nesrv.rpc.views import Configuration

TEST_OPTIONS = ("test-then-set", "set", "test-only")
ERROR_OPTIONS = ("stop-on-error", "continue-on-error", "rollback-on-error")


async def filtered(selection: Selection, holder: Any | None) -> Iterable[bytes]:
    """What ``<filter>`` leaves of ``selection``; without one, everything. An XPath may have much to look at, so
    others get their turn meanwhile."""
    if holder is None:
        return selection.everything()
    by_xpath = xpath_of(holder)
    if by_xpath is None:
        return selection.subtree(compile_subtree(holder))
    return await asyncio.to_thread(lambda: list(selection.xpath(*by_xpath)))


def xpath_of(holder: Any) -> tuple[str, dict[str, str]] | None:
    """Expression and prefixes of a ``<filter>`` of the type xpath; None for one of the type subtree."""
    kind = holder.get("type") or holder.get(f"{{{NETCONF}}}type") or "subtree"
    if kind == "subtree":
        return None
    if kind != "xpath":
        raise errors.BadAttribute(
            f'A filter of type "{kind}" is not known; subtree and xpath are.',
            info=(("bad-attribute", "type"), ("bad-element", "filter")),
            type="protocol",
        )
    select = holder.get("select") or holder.get(f"{{{NETCONF}}}select")
    if not select:
        raise errors.MissingAttribute(
            "An XPath filter needs the attribute select.",
            info=(("bad-attribute", "select"), ("bad-element", "filter")),
            type="protocol",
        )
    return select, prefixes(holder)


def prefixes(element: Any) -> dict[str, str]:
    """The namespace declarations in scope, without the default one: XPath has no use for it."""
    return {prefix: uri for prefix, uri in element.nsmap.items() if prefix}


async def get_config(call: Call) -> Answer:
    element, source = call.element, call.params.datastore("source", call.element.datastores)
    snapshot = element.guards.visible(call.session, source, element.snapshot(source))
    selection = Selection(element.shards, Configuration(element.shards, snapshot, defaults_mode(call.params)))
    return Data(await filtered(selection, call.params.element("filter")), NETCONF)


async def edit_config(call: Call) -> Answer:
    """RFC 6241 §7.2. Constraints of the whole are left to validate and commit (RFC 7950 §8.3.3), unless test-option
    asks for them; an edit of running is a commit, which never does without."""
    params, element = call.params, call.element
    target = params.datastore("target", element.datastores)
    _check_editable(call, target)
    default_operation = params.choice("default-operation", DEFAULT_OPERATIONS, "merge")
    test = params.choice("test-option", TEST_OPTIONS, "set")
    error_option = params.choice("error-option", ERROR_OPTIONS, "stop-on-error")
    config = await _content(call)

    def edited(base: Snapshot) -> Edited:
        if error_option == "continue-on-error":
            return Edited(*edit_in_parts(element.editor, element.shards, base, config, default_operation))
        return Edited(element.editor.edit(base, config, default_operation))

    await (_edit_running if target == "running" else _edit_candidate)(call, edited, test)
    return Ok()


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit comes to, and what of it could not be done: errors only where the client asked to go on."""

    snapshot: Snapshot
    failed: tuple[errors.RpcError, ...] = ()


def _check_editable(call: Call, target: str) -> None:
    if target == "startup":
        raise errors.OperationNotSupported(
            "startup is not edited: copy running to it when running is as it should be.", type="protocol"
        )
    if target == "running" and not call.element.serves("writable-running"):
        raise errors.OperationNotSupported(
            "<edit-config> cannot write running here: edit the candidate and commit it.", type="protocol"
        )


async def _content(call: Call) -> Any:
    """``<config>``, or what is in the file that ``<url>`` names."""
    config, url, files = call.params.element("config"), call.params.text("url"), call.element.files
    if config is not None and url is not None:
        raise errors.BadElement(
            "<edit-config> takes <config> or <url>, not both.", info=(("bad-element", "url"),), type="protocol"
        )
    return await files.read(url) if url is not None and files is not None else call.params.need("config")


async def _edit_candidate(call: Call, edit: Callable[[Snapshot], Edited], test: str) -> None:
    """What could be done stays done (continue-on-error), the rest is raised."""
    element, number = call.element, call.session.number
    while True:
        element.locks.check("candidate", number)
        base = element.candidate.snapshot
        edited = edit(base)
        if test == "set":
            break
        await element.pipeline.check(edited.snapshot)
        # Others had their turn meanwhile: what they did is neither lost nor left out of the test.
        if element.candidate.snapshot is base and element.locks.holder("candidate") in (None, number):
            break
    if test == "test-only":
        element.guards.changes(call.session, "candidate", element.candidate.snapshot, edited.snapshot)
    else:
        change_candidate(call, edited.snapshot)
    if edited.failed:
        raise errors.RpcErrors(edited.failed)


async def _edit_running(call: Call, edit: Callable[[Snapshot], Edited], test: str) -> None:
    """A commit of its own: all of it or nothing, whatever the error-option, and every error of it."""
    element, session = call.element, call.session

    def edited() -> Snapshot:
        found = edit(element.pipeline.running)
        if found.failed:
            raise errors.RpcErrors(found.failed)
        return found.snapshot

    def permitted() -> Snapshot:
        element.confirmed.admit_edit()
        return edited()

    if test == "test-only":
        element.locks.check("running", session.number)
        tested = edited()
        await element.pipeline.check(tested)
        element.guards.changes(session, "running", element.pipeline.running, tested)
        return
    await change_running(call, permitted, CommitRecord(element.clock(), session.peer.user, session.number))
    element.follow()


async def lock(call: Call) -> Answer:
    element, target = call.element, call.params.datastore("target", call.element.datastores)
    # A commit that passed the check of locks may still be at work.
    await element.pipeline.settled()
    if target == "startup" and element.startup is not None:
        await element.startup.settled()
    if target == "running":
        element.confirmed.admit_lock(call.session.number)
    if target == "running" and (partial := element.partial_locks.held()):
        raise denied(f"Session {partial[0].session} holds a partial lock on running.", partial[0].session)
    dirty = element.dirty_editors() if target == "candidate" else ()
    element.locks.lock(target, call.session.number, element.clock(), dirty)
    return Ok()


async def unlock(call: Call) -> Answer:
    element, target = call.element, call.params.datastore("target", call.element.datastores)
    await element.pipeline.settled()
    element.locks.unlock(target, call.session.number)
    if target == "candidate":
        element.candidate.reset(element.pipeline.running)
    return Ok()


OPERATIONS: Operations = {
    f"{{{NETCONF}}}{name}": operation
    for name, operation in {
        "get-config": get_config,
        "edit-config": edit_config,
        "lock": lock,
        "unlock": unlock,
    }.items()
}
