"""The commits of the past: listed, shown, and the way back (yang/nesrv/nesrv-history.yang)."""

from __future__ import annotations

from collections.abc import Mapping

from nesrv import errors
from nesrv.datastore.build import Plain, build
from nesrv.datastore.journal import CommitRecord, Forgotten, Journal
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.stored import changed, stored
from nesrv.datastore.tree import to_xml
from nesrv.rpc.copying import change_candidate
from nesrv.rpc.monitoring import date_and_time
from nesrv.rpc.operation import Answer, Call, Ok, Operations, Output

HISTORY = "urn:nesrv:history"
LIMIT, MAX_NUMBER = 20, 2**32 - 1


def _number(call: Call, name: str, least: int) -> int | None:
    """An uint32 parameter; raises invalid-value."""
    text = call.params.text(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= MAX_NUMBER):
        raise errors.InvalidValue(
            f'<{name}> is "{text}"; it takes a number from {least} on.', info=(("bad-element", name),), type="protocol"
        )
    return int(text)


def _wanted(call: Call) -> int:
    number = _number(call, "id", 0)
    if number is None:
        raise call.params.missing("id")
    return number


def _forgotten(number: int) -> errors.RpcError:
    return errors.DataMissing(
        f"Commit {number} is not remembered; list-commits shows those that are.", info=(("bad-element", "id"),)
    )


def _plain(number: int, record: CommitRecord) -> dict[str, Plain]:
    return {
        "id": number,
        "time": date_and_time(record.time),
        "user": record.user,
        "session-id": record.session,
        "comment": record.comment or None,
    }


def _output(call: Call, name: str, value: Mapping[str, Plain]) -> Answer:
    schema = call.element.schema
    output = build(schema.rpcs[f"{{{HISTORY}}}{name}"].by_name["output"], value)
    return Output([to_xml(child, schema.namespaces) for child in output.children])


async def list_commits(call: Call) -> Answer:
    limit, before = _number(call, "limit", 1) or LIMIT, _number(call, "before", 0)
    found = await call.element.pipeline.ask(lambda journal: journal.commits(limit, before))
    return _output(call, "list-commits", {"commit": [_plain(number, record) for number, record in found]})


async def get_commit(call: Call) -> Answer:
    wanted = _wanted(call)

    def found(journal: Journal) -> tuple[CommitRecord, dict[str, tuple[bytes | None, bytes | None]]]:
        changes = journal.changes_of(wanted)
        return journal.commits(1, wanted + 1)[0][1], changes

    try:
        record, changes = await call.element.pipeline.ask(found)
    except Forgotten:
        raise _forgotten(wanted) from None
    shown = [_change(call.element.shards, path, *pair) for path, pair in changes.items()]
    return _output(call, "get-commit", _plain(wanted, record) | {"change": shown})


def _change(shards: Shards, path: str, before: bytes | None, after: bytes | None) -> Plain:
    return {
        "path": path,
        "operation": "create" if before is None else "delete" if after is None else "change",
        "before": _shown(shards, "before", path, before),
        "after": _shown(shards, "after", path, after),
    }


def _shown(shards: Shards, name: str, path: str, xml: bytes | None) -> str | None:
    """The shard in its containers, within an element called ``name``; None under modules that do not have it."""
    if xml is None:
        return None
    try:
        document = shards.document(stored(shards.schema, "History", [(path, xml)]).shards())
    except errors.RpcError:
        return None
    return f'<{name} xmlns="{HISTORY}">{document.decode()}</{name}>'


async def rollback(call: Call) -> Answer:
    element, wanted = call.element, _wanted(call)

    def back(journal: Journal) -> Snapshot:
        # Asked between two commits: running is what the last one has made.
        return changed(element.pipeline.running, element.schema, journal.back_to(wanted).items())

    try:
        candidate = await element.pipeline.ask(back)
    except Forgotten:
        raise _forgotten(wanted) from None
    except (KeyError, ValueError) as error:
        raise errors.OperationFailed(f"Running after commit {wanted} had what no served YANG module has.") from error
    element.locks.check("candidate", call.session.number)
    change_candidate(call, candidate)
    return Ok()


OPERATIONS: Operations = {
    f"{{{HISTORY}}}list-commits": list_commits,
    f"{{{HISTORY}}}get-commit": get_commit,
    f"{{{HISTORY}}}rollback": rollback,
}
