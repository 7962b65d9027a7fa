"""Whole configurations: copy-config, delete-config and validate (RFC 6241 §7.3, §7.4, §8.6.4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from nesrv import errors
from nesrv.datastore.defaults import MODES, copied
from nesrv.datastore.incoming import NETCONF, local_name
from nesrv.datastore.journal import CommitRecord
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.rpc.committing import change_running
from nesrv.rpc.files import Files
from nesrv.rpc.operation import Answer, Call, Ok, Operations
from nesrv.rpc.params import Params


async def source(call: Call) -> Snapshot:
    """What ``<source>`` names: a datastore, a file, or a configuration that it holds."""
    inner = call.params.inner("source")
    if local_name(inner) == "config":
        return call.element.editor.replace_all(inner)
    if (files := _files_of(call, "source")) is not None:
        return call.element.editor.replace_all(await files.read(inner.text or ""))
    return call.element.snapshot(call.params.datastore("source", call.element.datastores))


def defaults_mode(params: Params) -> str:
    """The parameter with-defaults (RFC 6243 §4.5.1); raises invalid-value."""
    return params.choice("with-defaults", MODES, "explicit")


async def _copied(call: Call) -> Snapshot:
    """The source without what the session may not read (RFC 8341 §3.2.5); what the client itself sends is its own."""
    element, mode, name = call.element, defaults_mode(call.params), local_name(call.params.inner("source"))
    wanted = await source(call)
    visible = element.guards.visible(call.session, name, wanted) if name in element.datastores else wanted
    return copied(element.shards, visible, mode)


def _files_of(call: Call, name: str) -> Files | None:
    """The files, where the parameter names a URL and URLs are served."""
    return call.element.files if local_name(call.params.inner(name)) == "url" else None


def _target(call: Call) -> str:
    if _files_of(call, "target") is not None:
        return "url"
    return call.params.datastore("target", call.element.datastores)


def change_candidate(call: Call, changed: Snapshot) -> None:
    """Raises what the guards raise; the lock is the caller's to look at."""
    element, before = call.element, call.element.candidate.snapshot
    element.guards.changes(call.session, "candidate", before, changed)
    element.candidate.change(changed, call.session.number)
    element.changed("candidate", before, call.session)


async def _to_candidate(call: Call) -> None:
    await call.element.pipeline.settled()
    wanted = await _copied(call)
    call.element.locks.check("candidate", call.session.number)
    change_candidate(call, wanted)


async def _to_running(call: Call) -> None:
    """A commit of its own."""
    element, session = call.element, call.session
    if not element.serves("writable-running"):
        raise errors.OperationNotSupported(
            "<copy-config> cannot write running here: copy to the candidate and commit it.", type="protocol"
        )
    wanted = await _copied(call)

    def copied() -> Snapshot:
        element.confirmed.admit_edit()
        return wanted

    await change_running(call, copied, CommitRecord(element.clock(), session.peer.user, session.number))
    element.follow()


async def _to_startup(call: Call) -> None:
    """Refused is what the next start would refuse."""
    wanted = await _copied(call)
    await call.element.pipeline.check(wanted)
    await _change_startup(call, wanted)


async def _change_startup(call: Call, wanted: Snapshot) -> None:
    element, session = call.element, call.session
    startup = element.startup
    assert startup is not None
    before = [startup.snapshot]

    def permitted() -> Snapshot:
        element.locks.check("startup", session.number)
        before[0] = startup.snapshot
        element.guards.changes(session, "startup", before[0], wanted)
        return wanted

    await startup.change(permitted, element.clock())
    element.changed("startup", before[0], session)


async def _to_url(call: Call) -> None:
    files = call.element.files
    assert files is not None
    wanted = await _copied(call)
    await files.write(call.params.inner("target").text or "", call.element.shards.fragments(wanted.shards()))


_COPY: Mapping[str, Callable[[Call], Awaitable[None]]] = {
    "candidate": _to_candidate,
    "running": _to_running,
    "startup": _to_startup,
    "url": _to_url,
}


async def copy_config(call: Call) -> Answer:
    target = _target(call)
    if _is_source(call, target):
        raise errors.InvalidValue("Source and target are the same configuration.", type="protocol")
    await _COPY[target](call)
    return Ok()


def _is_source(call: Call, target: str) -> bool:
    inner = call.params.inner("source")
    if local_name(inner) != target:
        return False
    if target != "url" or call.element.files is None:
        return True
    return call.element.files.name(inner.text or "") == call.element.files.name(call.params.inner("target").text or "")


async def delete_config(call: Call) -> Answer:
    """Of the candidate as well, which becomes empty: the RFC does not name it, and does not forbid it."""
    element, target = call.element, _target(call)
    if target == "running":
        raise errors.OperationNotSupported("running cannot be deleted (RFC 6241, section 7.4).", type="protocol")
    if target == "candidate":
        element.locks.check("candidate", call.session.number)
        change_candidate(call, EMPTY)
    elif target == "startup":
        await _change_startup(call, EMPTY)
    elif element.files is not None:
        await element.files.delete(call.params.inner("target").text or "")
    return Ok()


async def validate(call: Call) -> Answer:
    await call.element.pipeline.check(await source(call))
    return Ok()


OPERATIONS: Operations = {
    f"{{{NETCONF}}}{name}": operation
    for name, operation in {"copy-config": copy_config, "delete-config": delete_config, "validate": validate}.items()
}
