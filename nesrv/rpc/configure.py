"""The operations of RFC 6241 that read and change configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from nesrv import errors
from nesrv.datastore.defaults import MODES, copied
from nesrv.datastore.edit import DEFAULT_OPERATIONS
from nesrv.datastore.incoming import NETCONF, local_name
from nesrv.datastore.journal import CommitRecord
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.rpc.filters import Selection
from nesrv.rpc.operation import Answer, Call, Data, Ok, Operations
from nesrv.rpc.params import Params
from nesrv.rpc.patterns import compile_subtree
from nesrv.rpc.views import Configuration

TEST_OPTIONS = ("test-then-set", "set", "test-only")
ERROR_OPTIONS = ("stop-on-error", "continue-on-error", "rollback-on-error")


async def filtered(selection: Selection, holder: Any | None) -> Iterable[bytes]:
    """What ``<filter>`` leaves of ``selection``; without one, everything. An XPath may have much to look at, so
    others get their turn meanwhile."""
    if holder is None:
        return selection.everything()
    kind = holder.get("type") or holder.get(f"{{{NETCONF}}}type") or "subtree"
    if kind == "subtree":
        return selection.subtree(compile_subtree(holder))
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
    return await asyncio.to_thread(lambda: list(selection.xpath(select, prefixes(holder))))


def prefixes(element: Any) -> dict[str, str]:
    """The namespace declarations in scope, without the default one: XPath has no use for it."""
    return {prefix: uri for prefix, uri in element.nsmap.items() if prefix}


def defaults_mode(params: Params) -> str:
    """The parameter with-defaults (RFC 6243 §4.5.1); raises invalid-value."""
    return params.choice("with-defaults", MODES, "explicit")


async def get_config(call: Call) -> Answer:
    shards, snapshot = call.element.shards, call.element.snapshot(call.params.datastore("source"))
    selection = Selection(shards, Configuration(shards, snapshot, defaults_mode(call.params)))
    return Data(await filtered(selection, call.params.element("filter")), NETCONF)


async def edit_config(call: Call) -> Answer:
    """RFC 6241 §7.2. Constraints of the whole are left to validate and commit (RFC 7950 §8.3.3),
    unless test-option asks for them."""
    params, element = call.params, call.element
    _writable(params.datastore("target"), "edit-config")
    default_operation = params.choice("default-operation", DEFAULT_OPERATIONS, "merge")
    test = params.choice("test-option", TEST_OPTIONS, "set")
    params.choice("error-option", ERROR_OPTIONS, "rollback-on-error")
    config = params.need("config")
    while True:
        element.locks.check("candidate", call.session.number)
        base = element.candidate.snapshot
        edited = element.editor.edit(base, config, default_operation)
        if test == "set":
            break
        await element.pipeline.check(edited)
        # Others had their turn meanwhile: what they did is neither lost nor left out of the test.
        if element.candidate.snapshot is base and element.locks.holder("candidate") in (None, call.session.number):
            break
    if test != "test-only":
        _change_candidate(call, edited)
    return Ok()


def _change_candidate(call: Call, changed: Snapshot) -> None:
    element, before = call.element, call.element.candidate.snapshot
    element.guards.changes(call.session, "candidate", before, changed)
    element.candidate.change(changed, call.session.number)
    element.changed("candidate", before, call.session)


def _writable(target: str, operation: str) -> None:
    if target != "candidate":
        raise errors.OperationNotSupported(
            f"<{operation}> cannot write {target} here: edit the candidate and commit it.", type="protocol"
        )


async def copy_config(call: Call) -> Answer:
    params, element = call.params, call.element
    _writable(params.datastore("target"), "copy-config")
    if local_name(params.inner("source")) == "candidate":
        raise errors.InvalidValue("Source and target are the same datastore.", type="protocol")
    mode = defaults_mode(params)
    await element.pipeline.settled()
    element.locks.check("candidate", call.session.number)
    _change_candidate(call, copied(element.shards, _source(call), mode))
    return Ok()


def _source(call: Call) -> Snapshot:
    """What ``<source>`` names: a datastore, or a configuration that it holds."""
    inner = call.params.inner("source")
    if local_name(inner) == "config":
        return call.element.editor.replace_all(inner)
    return call.element.snapshot(call.params.datastore("source"))


async def delete_config(call: Call) -> Answer:
    target = call.params.datastore("target")
    if target == "running":
        raise errors.OperationNotSupported("running cannot be deleted (RFC 6241, section 7.4).", type="protocol")
    call.element.locks.check("candidate", call.session.number)
    _change_candidate(call, EMPTY)
    return Ok()


async def commit(call: Call) -> Answer:
    element, number = call.element, call.session.number
    element.locks.check("running", number)
    element.locks.check("candidate", number)
    candidate, before = element.candidate.snapshot, element.pipeline.running
    element.guards.changes(call.session, "running", before, candidate)
    await element.pipeline.commit(candidate, CommitRecord(element.clock(), call.session.peer.user, number))
    element.changed("running", before, call.session)
    # Without editors it was discarded meanwhile, to what was running before this commit.
    if element.candidate.snapshot is candidate or not element.candidate.editors:
        element.candidate.reset(element.pipeline.running)
    return Ok()


async def discard_changes(call: Call) -> Answer:
    # The running of before a commit in hand would be the base of edits that take the commit back.
    await call.element.pipeline.settled()
    call.element.locks.check("candidate", call.session.number)
    call.element.candidate.reset(call.element.pipeline.running)
    return Ok()


async def validate(call: Call) -> Answer:
    await call.element.pipeline.check(_source(call))
    return Ok()


async def lock(call: Call) -> Answer:
    element, target = call.element, call.params.datastore("target")
    # A commit that passed the check of locks may still be at work, or wait for its turn.
    await element.pipeline.settled()
    dirty = element.dirty_editors() if target == "candidate" else ()
    element.locks.lock(target, call.session.number, element.clock(), dirty)
    return Ok()


async def unlock(call: Call) -> Answer:
    element, target = call.element, call.params.datastore("target")
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
        "copy-config": copy_config,
        "delete-config": delete_config,
        "commit": commit,
        "discard-changes": discard_changes,
        "validate": validate,
        "lock": lock,
        "unlock": unlock,
    }.items()
}
