"""The element's memory on disk: running, what is being committed, and every commit made (SQLite).

Each write is one transaction, synced before the call returns (WAL, synchronous=FULL).
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nesrv.datastore.shards import Shard
from nesrv.datastore.validate import Changes
from nesrv.settings import HISTORY_KEPT

_LAYOUTS = (
    """
BEGIN;
CREATE TABLE shard (position INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, xml BLOB NOT NULL);
CREATE TABLE history (id INTEGER PRIMARY KEY, time REAL NOT NULL, user TEXT NOT NULL,
    session INTEGER NOT NULL, comment TEXT NOT NULL, changes TEXT NOT NULL);
CREATE TABLE intent (only INTEGER PRIMARY KEY CHECK (only = 1), changes TEXT NOT NULL);
PRAGMA user_version = 1;
COMMIT;
""",
    """
BEGIN;
ALTER TABLE intent RENAME TO intent_before;
CREATE TABLE intent (id INTEGER PRIMARY KEY, changes TEXT NOT NULL);
INSERT INTO intent SELECT only, changes FROM intent_before;
DROP TABLE intent_before;
CREATE TABLE pending (only INTEGER PRIMARY KEY CHECK (only = 1), base INTEGER NOT NULL, user TEXT NOT NULL);
CREATE TABLE startup (position INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, xml BLOB NOT NULL);
CREATE TABLE saved (only INTEGER PRIMARY KEY CHECK (only = 1), time REAL NOT NULL);
PRAGMA user_version = 2;
COMMIT;
""",
)
"""Each makes the layout of its own number plus one out of the one before."""

_COMMITTING, _LEFT = 1, 2
"""Rows of ``intent``: the commit in hand, and what running was before a start took it back."""

Contents = dict[str, bytes | None]
"""Shard path → its XML, None: no such shard."""


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """Who committed, when (seconds since the epoch), and why; ``confirmed``: until it is confirmed, it is to be
    taken back (RFC 6241 §8.4). Without it, a commit ends the confirmed ones before it."""

    time: float
    user: str
    session: int
    comment: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Commits that nobody has confirmed: those after the commit ``base``, of ``user``."""

    base: int
    user: str


class Forgotten(Exception):
    """The commit was never made, or is no longer remembered."""


class JournalError(Exception):
    """The state directory cannot be used, or does not take a write; the text says why."""


def _pack(changes: Changes) -> str:
    return _packed({path: (_xml(before), _xml(after)) for path, (before, after) in changes.items()})


def _xml(shard: Shard | None) -> bytes | None:
    return shard.xml if shard is not None else None


def _packed(changes: Mapping[str, tuple[bytes | None, bytes | None]]) -> str:
    return json.dumps({path: [xml if xml is None else xml.decode() for xml in pair] for path, pair in changes.items()})


def _unpack(packed: str) -> dict[str, tuple[bytes | None, bytes | None]]:
    found: Mapping[str, list[str | None]] = json.loads(packed)
    return {
        path: (before.encode() if before is not None else None, after.encode() if after is not None else None)
        for path, (before, after) in found.items()
    }


class Journal:
    """One open database; used by one process at a time. What changes it raises ``JournalError``, having changed
    nothing, where the disk does not take the write."""

    def __init__(self, path: Path, kept: int = HISTORY_KEPT) -> None:
        """``kept`` commits are remembered, at least one. Raises ``JournalError`` when another process holds the
        file, or it is damaged or of another version."""
        self._kept = kept
        try:
            _keep_private(path)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2)
            try:
                found = self._open(path)
            except BaseException:
                self._db.close()
                raise
        except OSError as error:
            raise JournalError(f"{path} cannot be used: {error.strerror}.") from error
        except sqlite3.OperationalError as error:
            locked = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            why = "another nesrv runs on this state directory" if locked else str(error)
            raise JournalError(f"{path} cannot be used: {why}.") from error
        except sqlite3.DatabaseError as error:
            raise JournalError(f"{path} is damaged ({error}); restore it, or start without it.") from error
        if found != "ok":
            raise JournalError(f"{path} is damaged ({found}); restore it, or start without it.")

    def _open(self, path: Path) -> str:
        """Writes to a new database, or to one of an older layout: an element whose disk is full can start."""
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_LAYOUTS):
            raise JournalError(f"{path} was written by another version of nesrv (layout {version}).")
        for script in _LAYOUTS[version:]:
            self._db.executescript(script)
        return str(self._db.execute("PRAGMA quick_check(1)").fetchone()[0])

    def close(self) -> None:
        self._db.close()

    def running(self) -> Iterator[tuple[str, bytes]]:
        """(path, xml) of every shard of running, in order."""
        yield from self._db.execute("SELECT path, xml FROM shard ORDER BY position")

    def has_commits(self) -> bool:
        """Whether anything was ever committed, even if nothing is left of it."""
        return bool(self._db.execute("SELECT EXISTS (SELECT 1 FROM history)").fetchone()[0])

    def intent(self) -> dict[str, tuple[bytes | None, bytes | None]] | None:
        """The commit that had begun and was neither finished nor undone: path → (before, after)."""
        return self._intent(_COMMITTING)

    def left(self) -> dict[str, tuple[bytes | None, bytes | None]] | None:
        """What ``replace`` took running back from: path → (running, what may still be in kernel and FRR)."""
        return self._intent(_LEFT)

    def _intent(self, row: int) -> dict[str, tuple[bytes | None, bytes | None]] | None:
        found = self._db.execute("SELECT changes FROM intent WHERE id = ?", (row,)).fetchone()
        return None if found is None else _unpack(found[0])

    def begin(self, changes: Changes) -> None:
        """Write down what is about to be done, before the first step."""
        with _written():
            self._db.execute("INSERT OR REPLACE INTO intent VALUES (?, ?)", (_COMMITTING, _pack(changes)))

    def abandon(self) -> None:
        """The commit that had begun was undone."""
        with _written():
            if self._db.execute("SELECT EXISTS (SELECT 1 FROM intent)").fetchone()[0]:
                self._db.execute("DELETE FROM intent")

    def commit(self, changes: Changes, record: CommitRecord) -> int:
        """Running becomes the candidate; returns the commit's number. Ends the intent."""
        wanted = {path: _xml(after) for path, (_, after) in changes.items()}
        packed = _pack(changes)
        with _written(), self._transaction():
            number = self._record(wanted, packed, record)
            self._db.execute("DELETE FROM intent")
        return number

    def mark(self, record: CommitRecord) -> None:
        """A commit that changes nothing may begin, or end, what is to be confirmed."""
        with _written(), self._transaction():
            self._await_confirmation(self.last(), record)

    def _record(self, wanted: Contents, packed: str, record: CommitRecord) -> int:
        """Within a transaction: ``wanted`` as part of running, and a line of history."""
        self._write("shard", wanted)
        cursor = self._db.execute(
            "INSERT INTO history (time, user, session, comment, changes) VALUES (?, ?, ?, ?, ?)",
            (record.time, record.user, record.session, record.comment, packed),
        )
        number = int(cursor.lastrowid or 0)
        self._await_confirmation(number - 1, record)
        # What may have to be taken back is not forgotten.
        self._db.execute(
            "DELETE FROM history WHERE id <= min(?1, coalesce((SELECT base FROM pending), ?1))", (number - self._kept,)
        )
        return number

    def _await_confirmation(self, base: int, record: CommitRecord) -> None:
        if record.confirmed:
            self._db.execute("INSERT OR IGNORE INTO pending VALUES (1, ?, ?)", (base, record.user))
        else:
            self._db.execute("DELETE FROM pending")

    # Taking back, before anything of running is in force

    def unconfirmed(self) -> Unconfirmed | None:
        row = self._db.execute("SELECT base, user FROM pending").fetchone()
        return Unconfirmed(int(row[0]), str(row[1])) if row is not None else None

    def replace(self, wanted: Contents, record: CommitRecord) -> bool:
        """``wanted`` becomes part of running with nothing carried out: for a start, whose reconciliation makes it
        so. Whether running is another then; what it was is in ``left``."""
        with _written(), self._transaction():
            now = dict(self.running())
            changes = {path: (now.get(path), xml) for path, xml in wanted.items() if now.get(path) != xml}
            self._db.execute("DELETE FROM pending")
            if changes:
                left = {path: (after, before) for path, (before, after) in changes.items()}
                self._record({path: after for path, (_, after) in changes.items()}, _packed(changes), record)
                self._db.execute("INSERT OR REPLACE INTO intent VALUES (?, ?)", (_LEFT, _packed(left)))
        return bool(changes)

    # History

    def last(self) -> int:
        """The number of the last commit, 0 before the first."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM history").fetchone()[0])

    def commits(self, limit: int, below: int | None = None) -> list[tuple[int, CommitRecord]]:
        """The last ``limit`` commits (of those with numbers ``below`` that one), newest first."""
        rows = self._db.execute(
            "SELECT id, time, user, session, comment FROM history WHERE id < coalesce(?, id + 1) "
            "ORDER BY id DESC LIMIT ?",
            (below, limit),
        )
        return [(int(row[0]), CommitRecord(*row[1:])) for row in rows]

    def changes_of(self, number: int) -> dict[str, tuple[bytes | None, bytes | None]]:
        """Path → (before, after) of a commit; raises ``Forgotten``."""
        row = self._db.execute("SELECT changes FROM history WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise Forgotten(number)
        return _unpack(row[0])

    def back_to(self, number: int) -> Contents:
        """What the shards that were changed since the commit ``number`` were after it (0: before the first commit);
        raises ``Forgotten``."""
        oldest, newest = self._db.execute("SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM history").fetchone()
        if not oldest - 1 <= number <= newest:
            raise Forgotten(number)
        found: Contents = {}
        for (packed,) in self._db.execute("SELECT changes FROM history WHERE id > ? ORDER BY id DESC", (number,)):
            found.update((path, before) for path, (before, _) in _unpack(packed).items())
        return found

    # Startup

    def startup(self) -> list[tuple[str, bytes]] | None:
        """(path, xml) of every shard of startup, in order; None when it was never written."""
        if not self._db.execute("SELECT EXISTS (SELECT 1 FROM saved)").fetchone()[0]:
            return None
        return list(self._db.execute("SELECT path, xml FROM startup ORDER BY position"))

    def save(self, changes: Changes, time: float) -> None:
        """``changes`` become part of startup."""
        wanted = {path: _xml(after) for path, (_, after) in changes.items()}
        with _written(), self._transaction():
            self._write("startup", wanted)
            self._db.execute("INSERT OR REPLACE INTO saved VALUES (1, ?)", (time,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # A full disk has SQLite roll back by itself.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _write(self, table: str, wanted: Contents) -> None:
        """What is written anew comes last; what changes stays where it is."""
        gone = ((path,) for path, xml in wanted.items() if xml is None)
        kept = ((path, xml) for path, xml in wanted.items() if xml is not None)
        self._db.executemany(f"DELETE FROM {table} WHERE path = ?", gone)
        self._db.executemany(
            f"INSERT INTO {table} (path, xml) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET xml = excluded.xml", kept
        )


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(str(error)) from error


def _keep_private(path: Path) -> None:
    """Passwords are in it; SQLite gives its other files the mode of this one."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
