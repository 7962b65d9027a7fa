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


LAYOUT_1 = """
CREATE TABLE shard (position INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, xml BLOB NOT NULL);
CREATE TABLE history (id INTEGER PRIMARY KEY, time REAL NOT NULL, user TEXT NOT NULL,
    session INTEGER NOT NULL, comment TEXT NOT NULL, changes TEXT NOT NULL);
CREATE TABLE intent (only INTEGER PRIMARY KEY CHECK (only = 1), changes TEXT NOT NULL);
PRAGMA user_version = 1;
INSERT INTO shard VALUES (3, '/b', x'3c622f3e'), (5, '/a', x'3c613e323c2f613e');
INSERT INTO history VALUES (7, 1.5, 'eve', 4, 'why', '{"/a": ["<a/>", "<a>2</a>"]}');
INSERT INTO intent VALUES (1, '{"/c": [null, "<c/>"]}');
"""


def test_the_first_layout_becomes_the_present_one_with_all_that_is_in_it(place: Path) -> None:
    with contextlib.closing(sqlite3.connect(place)) as database:
        database.executescript(LAYOUT_1)
    for _ in range(2):
        journal = Journal(place)
        assert list(journal.running()) == [("/b", b"<b/>"), ("/a", b"<a>2</a>")]
        assert journal.commits(9) == [(7, CommitRecord(1.5, "eve", 4, "why"))]
        assert journal.changes_of(7) == {"/a": (b"<a/>", b"<a>2</a>")}
        assert journal.intent() == {"/c": (None, b"<c/>")}
        assert (journal.left(), journal.unconfirmed(), journal.startup()) == (None, None, None)
        journal.close()
    journal = Journal(place)
    assert journal.commit({"/a": (shard("/a", "<a>2</a>"), None)}, RECORD) == 8
    assert journal.back_to(6) == {"/a": b"<a/>"}
    journal.close()


def test_a_layout_that_the_disk_does_not_take_is_the_one_before(place: Path) -> None:
    with contextlib.closing(sqlite3.connect(place)) as database:
        database.executescript(LAYOUT_1)
        database.execute("CREATE TABLE startup (other TEXT)")
    with pytest.raises(JournalError, match="cannot be used"):
        Journal(place)
    with contextlib.closing(sqlite3.connect(place)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert database.execute("SELECT only FROM intent").fetchall() == [(1,)]


def test_what_a_start_takes_back_is_remembered_until_it_is_undone(place: Path) -> None:
    journal = Journal(place)
    one, two = shard("/a", "<a/>"), shard("/a", "<a>2</a>")
    journal.commit({"/a": (None, one)}, RECORD)
    journal.commit({"/a": (one, two), "/b": (None, shard("/b", "<b/>"))}, CommitRecord(2.0, "bob", 3, confirmed=True))
    journal.begin({"/c": (None, shard("/c", "<c/>"))})
    found = journal.unconfirmed()
    assert found is not None
    assert (found.base, found.user) == (1, "bob")
    assert journal.replace(journal.back_to(1), RECORD)
    journal.close()
    journal = Journal(place)
    assert list(journal.running()) == [("/a", b"<a/>")]
    assert journal.unconfirmed() is None
    assert journal.left() == {"/a": (b"<a/>", b"<a>2</a>"), "/b": (None, b"<b/>")}
    assert journal.intent() == {"/c": (None, b"<c/>")}
    assert journal.changes_of(3) == {"/a": (b"<a>2</a>", b"<a/>"), "/b": (b"<b/>", None)}
    journal.abandon()
    assert (journal.left(), journal.intent()) == (None, None)
    assert not journal.replace({"/a": b"<a/>"}, RECORD)
    assert (journal.left(), journal.last()) == (None, 3)
    journal.close()


def test_startup_is_written_beside_running(place: Path) -> None:
    journal = Journal(place)
    one = shard("/a", "<a/>")
    assert journal.startup() is None
    journal.save({}, 1.0)
    assert journal.startup() == []
    journal.save({"/b": (None, shard("/b", "<b/>")), "/a": (None, one)}, 2.0)
    journal.save({"/b": (shard("/b", "<b/>"), None)}, 3.0)
    journal.close()
    journal = Journal(place)
    assert journal.startup() == [("/a", b"<a/>")]
    assert list(journal.running()) == []
    journal.close()
