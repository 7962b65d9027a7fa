"""The element's memory on disk: running, what is being committed, and every commit made (SQLite).

Each write is one transaction, synced before the call returns (WAL, synchronous=FULL).
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nesrv.datastore.validate import Changes

_TABLES = """
CREATE TABLE IF NOT EXISTS shard (position INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, xml BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY, time REAL NOT NULL, user TEXT NOT NULL,
    session INTEGER NOT NULL, comment TEXT NOT NULL, changes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS intent (only INTEGER PRIMARY KEY CHECK (only = 1), changes TEXT NOT NULL);
PRAGMA user_version = 1;
"""
_VERSION = 1
HISTORY_KEPT = 1000
"""Commits remembered; older ones are forgotten, so that the state directory does not grow without end."""


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """Who committed, when (seconds since the epoch), and why."""

    time: float
    user: str
    session: int
    comment: str = ""


class JournalError(Exception):
    """The state directory cannot be used, or does not take a write; the text says why."""


def _pack(changes: Changes) -> str:
    return json.dumps(
        {
            path: [before.xml.decode() if before else None, after.xml.decode() if after else None]
            for path, (before, after) in changes.items()
        }
    )


class Journal:
    """One open database; used by one process at a time. What changes it raises ``JournalError``, having changed
    nothing, where the disk does not take the write."""

    def __init__(self, path: Path) -> None:
        """Raises ``JournalError`` when another process holds it, or it is damaged or of another version."""
        try:
            _keep_private(path)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2)
            found = self._open(path)
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
        """Writes to a new database only: an element whose disk is full can start."""
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            raise JournalError(f"{path} was written by another version of nesrv (layout {version}).")
        if version == 0:
            self._db.executescript(_TABLES)
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
        row = self._db.execute("SELECT changes FROM intent").fetchone()
        if row is None:
            return None
        packed: Mapping[str, list[str | None]] = json.loads(row[0])
        return {
            path: (before.encode() if before is not None else None, after.encode() if after is not None else None)
            for path, (before, after) in packed.items()
        }

    def begin(self, changes: Changes) -> None:
        """Write down what is about to be done, before the first step."""
        with _written():
            self._db.execute("INSERT OR REPLACE INTO intent VALUES (1, ?)", (_pack(changes),))

    def abandon(self) -> None:
        """The commit that had begun was undone."""
        with _written():
            if self._db.execute("SELECT EXISTS (SELECT 1 FROM intent)").fetchone()[0]:
                self._db.execute("DELETE FROM intent")

    def commit(self, changes: Changes, record: CommitRecord) -> int:
        """Running becomes the candidate; returns the commit's number. Ends the intent."""
        gone = [(path,) for path, (_, after) in changes.items() if after is None]
        kept = [(path, after.xml) for path, (_, after) in changes.items() if after is not None]
        packed = _pack(changes)
        with _written(), self._transaction():
            self._db.executemany("DELETE FROM shard WHERE path = ?", gone)
            self._upsert(kept)
            cursor = self._db.execute(
                "INSERT INTO history (time, user, session, comment, changes) VALUES (?, ?, ?, ?, ?)",
                (record.time, record.user, record.session, record.comment, packed),
            )
            number = int(cursor.lastrowid or 0)
            self._db.execute("DELETE FROM history WHERE id <= ?", (number - HISTORY_KEPT,))
            self._db.execute("DELETE FROM intent")
        return number

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

    def _upsert(self, shards: Iterable[tuple[str, bytes]]) -> None:
        self._db.executemany(
            "INSERT INTO shard (path, xml) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET xml = excluded.xml", shards
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
