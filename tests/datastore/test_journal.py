"""What is on disk after each call, seen by a second opening of the same file."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from nesrv.datastore.journal import CommitRecord, Journal, JournalError
from nesrv.datastore.shards import Shard
from nesrv.schema.nodes import SchemaNode

POINT = SchemaNode("p", "m", "urn:m", "list", True, None)
RECORD = CommitRecord(1.5, "eve", 7, "why")


def shard(path: str, text: str) -> Shard:
    return Shard(path, POINT, text.encode())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "j.db"


def running(place: Path) -> list[tuple[str, bytes]]:
    journal = Journal(place)
    found = list(journal.running())
    journal.close()
    return found


def test_commits_add_change_and_remove(place: Path) -> None:
    journal = Journal(place)
    one, two, three = shard("/a", "<a/>"), shard("/b", "<b/>"), shard("/a", "<a>2</a>")
    assert journal.commit({"/a": (None, one), "/b": (None, two)}, RECORD) == 1
    assert journal.commit({"/a": (one, three), "/b": (two, None)}, RECORD) == 2
    journal.close()
    assert running(place) == [("/a", b"<a>2</a>")]


def test_changed_shards_keep_their_place(place: Path) -> None:
    journal = Journal(place)
    made = {path: shard(path, path) for path in ("/c", "/a", "/b")}
    journal.commit({path: (None, found) for path, found in made.items()}, RECORD)
    journal.commit({"/a": (made["/a"], shard("/a", "new"))}, RECORD)
    journal.close()
    assert [path for path, _ in running(place)] == ["/c", "/a", "/b"]


def test_an_intent_lasts_until_it_is_ended(place: Path) -> None:
    changes = {"/a": (None, shard("/a", "<a/>")), "/b": (shard("/b", "<b/>"), None)}
    journal = Journal(place)
    assert journal.intent() is None
    journal.begin(changes)
    journal.close()
    journal = Journal(place)
    assert journal.intent() == {"/a": (None, b"<a/>"), "/b": (b"<b/>", None)}
    assert list(journal.running()) == []
    journal.abandon()
    assert journal.intent() is None
    journal.begin(changes)
    journal.commit(changes, RECORD)
    assert journal.intent() is None
    journal.close()


def test_a_commit_that_fails_leaves_everything(place: Path) -> None:
    journal = Journal(place)
    changes = {"/a": (None, shard("/a", "<a/>"))}
    journal.begin(changes)
    bad = CommitRecord(1.0, None, 7)  # type: ignore[arg-type]
    with pytest.raises(JournalError, match="NOT NULL"):
        journal.commit(changes, bad)
    assert list(journal.running()) == []
    assert journal.intent() is not None
    assert journal.commit(changes, RECORD) == 1
    journal.close()


def test_one_process_at_a_time(place: Path) -> None:
    journal = Journal(place)
    with pytest.raises(JournalError, match="another nesrv"):
        Journal(place)
    journal.close()
    Journal(place).close()


def test_another_layout_is_left_alone(place: Path) -> None:
    with contextlib.closing(sqlite3.connect(place)) as database:
        database.execute("PRAGMA user_version = 7")
    with pytest.raises(JournalError, match="layout 7"):
        Journal(place)


@pytest.mark.parametrize("where", ["missing/j.db", "."])
def test_a_place_that_holds_no_file(tmp_path: Path, where: str) -> None:
    with pytest.raises(JournalError, match="cannot be used"):
        Journal(tmp_path / where)


def test_a_file_that_is_no_database(place: Path) -> None:
    place.write_bytes(b"x" * 5000)
    with pytest.raises(JournalError, match="damaged"):
        Journal(place)


def test_old_commits_are_forgotten(place: Path) -> None:
    journal = Journal(place, kept=3)
    numbers = [journal.commit({"/a": (None, shard("/a", "<a/>"))}, RECORD) for _ in range(7)]
    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert [row[0] for row in journal._db.execute("SELECT id FROM history")] == [5, 6, 7]
    journal.close()


def test_others_cannot_read_what_is_on_disk(place: Path) -> None:
    place.touch(mode=0o644)
    journal = Journal(place)
    journal.begin({"/a": (None, shard("/a", "<a/>"))})
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.parent.iterdir()}
    assert modes == {"j.db": 0o600, "j.db-wal": 0o600}
    journal.close()


def test_a_transaction_that_sqlite_has_rolled_back_itself(place: Path) -> None:
    journal = Journal(place)
    journal._db.execute("PRAGMA max_page_count = 8")
    big = shard("/a", "x" * 100_000)
    with pytest.raises(JournalError, match="full"):
        journal.commit({"/a": (None, big)}, RECORD)
    journal._db.execute("PRAGMA max_page_count = 100000")
    assert journal.commit({"/a": (None, big)}, RECORD) == 1
    journal.close()
