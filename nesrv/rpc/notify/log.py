"""The log that replays are read from: an SQLite file of its own, bounded by count, kept over restarts.

Not synced at each write: a crash of the server loses nothing, a power cut may lose the newest notifications.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

_TABLES = """
CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY, time REAL NOT NULL, tag TEXT NOT NULL, xml BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
PRAGMA user_version = 1;
"""
_VERSION = 1
TRIM_EVERY = 64
"""Records between two looks at what is too old: so many more than the bound there may be."""


@dataclass(frozen=True, slots=True)
class Record:
    """One notification; ``number`` counts up from 1, ``time`` in seconds since the epoch, ``xml`` is its element
    (with its namespace declared) in ASCII."""

    number: int
    time: float
    tag: str
    xml: bytes


class EventLog:
    """``kept`` notifications at least, unless there were fewer; ``created`` and ``aged`` (the time of the newest one
    that is forgotten) are those of RFC 5277's streams. A disk that fails costs the replay, never the notification."""

    def __init__(self, path: Path, kept: int, now: float) -> None:
        """A file that cannot be read is put aside; raises ``OSError`` where none can be made."""
        self._kept = kept
        self._db = _opened(path)
        if self.fact("created") is None:
            self.remember("created", repr(now))
        self.created = float(self.fact("created") or now)
        self.aged = float(found) if (found := self.fact("aged")) is not None else None
        self._last = int(self._db.execute("SELECT COALESCE(MAX(id), 0) FROM record").fetchone()[0])

    def close(self) -> None:
        self._db.close()

    @property
    def last(self) -> int:
        """The number of the newest record, 0 without any."""
        return self._last

    def append(self, time: float, tag: str, xml: bytes) -> Record:
        """Number and keep it."""
        self._last += 1
        made = Record(self._last, time, tag, xml)
        try:
            self._db.execute("INSERT INTO record VALUES (?, ?, ?, ?)", (made.number, time, tag, xml))
            if made.number % TRIM_EVERY == 0:
                self._trim(made.number - self._kept)
        except sqlite3.Error as error:
            logger.error("the log of notifications does not take one: %s", error)
        return made

    def _trim(self, oldest: int) -> None:
        row = self._db.execute("SELECT time FROM record WHERE id <= ? ORDER BY id DESC LIMIT 1", (oldest,)).fetchone()
        if row is not None:
            self._db.execute("DELETE FROM record WHERE id <= ?", (oldest,))
            self.aged = float(row[0])
            self.remember("aged", repr(self.aged))

    def after(self, number: int, since: float, until: float | None, limit: int) -> list[Record]:
        """The first ``limit`` records beyond ``number`` with a time from ``since`` to ``until``, in order; none where
        the disk does not give them."""
        try:
            rows = self._db.execute(
                "SELECT id, time, tag, xml FROM record WHERE id > ? AND time >= ? AND (? IS NULL OR time <= ?)"
                " ORDER BY id LIMIT ?",
                (number, since, until, until, limit),
            ).fetchall()
        except sqlite3.Error as error:
            logger.error("the log of notifications cannot be read: %s", error)
            return []
        return [Record(*row) for row in rows]

    # What one start tells the next

    def fact(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str) -> None:
        with suppress(sqlite3.Error):
            self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))


def _opened(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        aside = path.with_name(f"{path.name}.damaged")
        logger.error("the log of notifications cannot be read (%s): it is put aside as %s", error, aside.name)
        path.replace(aside)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, timeout=2)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"layout {version} is that of another version of nesrv")
        if version == 0:
            connection.executescript(_TABLES)
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("its pages are damaged")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
