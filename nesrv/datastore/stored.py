"""Datastores as they were written down, made snapshots again; pure."""

from __future__ import annotations

from collections.abc import Iterable

from nesrv import errors
from nesrv.datastore.shards import Shard
from nesrv.datastore.snapshot import Snapshot
from nesrv.schema.schema import Schema


def stored(schema: Schema, name: str, rows: Iterable[tuple[str, bytes]]) -> Snapshot:
    """The datastore ``name`` from (path, xml) of its shards; raises operation-failed for what no served module has."""
    found: dict[str, Shard] = {}
    for path, xml in rows:
        try:
            found[path] = Shard(path, schema.node(path), xml)
        except (KeyError, ValueError):
            raise errors.OperationFailed(f"{name} holds {path}, which no served YANG module has.", path) from None
    return Snapshot(found)


def changed(snapshot: Snapshot, schema: Schema, contents: Iterable[tuple[str, bytes | None]]) -> Snapshot:
    """``snapshot`` with ``contents`` (path, xml; None: no such shard) in it; raises ``KeyError`` or ``ValueError`` for
    what no served module has."""
    return snapshot.with_changes(
        {path: Shard(path, schema.node(path), xml) if xml is not None else None for path, xml in contents}
    )
