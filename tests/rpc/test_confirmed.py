"""Confirmed commits (RFC 6241 §8.4): what goes back, when, and who may prevent it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from nesrv import errors
from nesrv.datastore.journal import CommitRecord, Journal
from nesrv.rpc.confirmed import RETRY_SECONDS
from tests.commit.test_pipeline import Items, Table
from tests.rpc.client import Client, edit, session
from tests.rpc.inside import KINDS, Inside, note, schema
from tests.serving import NONE, Serving

CONFIRMED = "<commit><confirmed/></commit>"
PERSIST = "<commit><confirmed/><persist>tok</persist></commit>"
SERVED = schema()
Play = Callable[[Inside], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Play], None]:
    """Plays on an element whose running is ``old`` and whose candidate is ``new``, by session 1 (eve)."""

    def played(scene: Play) -> None:
        async def run() -> None:
            inside = Inside(tmp_path, SERVED)
            await inside.note(1, "old")
            await inside.call(1, "<commit/>")
            await inside.note(1, "new")
            inside.events.clear()
            await scene(inside)

        asyncio.run(run())

    return played


async def refused(inside: Inside, number: int, text: str) -> errors.RpcError:
    before, trial, due = inside.config(), inside.element.confirmed.trial, inside.clock.due
    with pytest.raises(errors.RpcError) as found:
        await inside.call(number, text)
    assert (inside.config(), inside.element.confirmed.trial, inside.clock.due) == (before, trial, due)
    return found.value


def test_what_is_not_confirmed_in_time_goes_back(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, CONFIRMED)
        assert inside.config() == note("new")
        await inside.wait(599)
        assert inside.config() == note("new")
        await inside.wait(1)
        assert inside.config() == note("old")
        assert inside.config("candidate") == note("old")
        assert (inside.clock.due, inside.journal.unconfirmed()) == ([], None)
        assert inside.changes() == [("running", "eve", 1), ("running", "eve", 0)]
        assert inside.notices() == [
            {"username": "eve", "session-id": 1, "source-host": "192.0.2.1", "confirm-event": "start", "timeout": 600},
            {"confirm-event": "timeout", "timeout": None},
        ]

    play(scene)


def test_a_commit_confirms(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, CONFIRMED)
        await inside.call(1, "<commit/>")
        await inside.wait(10_000)
        assert inside.config() == note("new")
        assert (inside.clock.due, inside.journal.unconfirmed()) == ([], None)
        assert [(one["confirm-event"], one["timeout"]) for one in inside.notices()] == [
            ("start", 600),
            ("complete", None),
        ]

    play(scene)


def test_the_confirming_commit_takes_the_candidate_along(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, CONFIRMED)
        await inside.note(1, "newer")
        await inside.call(1, "<commit/>")
        await inside.wait(10_000)
        assert inside.config() == note("newer")

    play(scene)


def test_a_confirmed_commit_after_another_starts_the_time_anew(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, "<commit><confirmed/><confirm-timeout>20</confirm-timeout></commit>")
        await inside.wait(15)
        await inside.note(1, "newer")
        await inside.call(1, "<commit><confirmed/><confirm-timeout>30</confirm-timeout></commit>")
        assert inside.clock.due == [1045.0]
        await inside.wait(29)
        assert inside.config() == note("newer")
        await inside.wait(1)
        assert inside.config() == note("old"), "all of it goes back, not the last part"
        assert [(one["confirm-event"], one["timeout"]) for one in inside.notices()] == [
            ("start", 20),
            ("extend", 30),
            ("timeout", None),
        ]

    play(scene)


def test_a_confirmed_commit_of_nothing_is_one(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, "<discard-changes/>")
        await inside.call(1, CONFIRMED)
        assert inside.journal.unconfirmed() is not None
        await inside.note(1, "newer")
        await inside.call(1, CONFIRMED)
        await inside.wait(600)
        assert inside.config() == note("old")
        assert inside.journal.unconfirmed() is None
        await inside.call(1, CONFIRMED)
        await inside.call(1, "<commit/>")
        assert (inside.clock.due, inside.journal.unconfirmed()) == ([], None)

    play(scene)


@pytest.mark.parametrize("text", ["0", "-1", "4294967296", "", "x", "9" * 40])
def test_a_timeout_that_is_none(play: Callable[[Play], None], text: str) -> None:
    async def scene(inside: Inside) -> None:
        asked = f"<commit><confirmed/><confirm-timeout>{text}</confirm-timeout></commit>"
        error = await refused(inside, 1, asked)
        assert (error.tag, error.info) == ("invalid-value", (("bad-element", "confirm-timeout"),))

    play(scene)


@pytest.mark.parametrize("parameter", ["<confirm-timeout>5</confirm-timeout>", "<persist>t</persist>"])
def test_what_belongs_to_a_confirmed_commit_is_not_taken_for_a_plain_one(
    play: Callable[[Play], None], parameter: str
) -> None:
    async def scene(inside: Inside) -> None:
        error = await refused(inside, 1, f"<commit>{parameter}</commit>")
        assert (error.tag, error.info) == ("missing-element", (("bad-element", "confirmed"),))

    play(scene)


# Who


def test_the_end_of_the_session_takes_back(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, CONFIRMED)
        await inside.end(2)
        assert inside.config() == note("new")
        await inside.end(1)
        assert inside.config() == note("old")
        assert (inside.clock.due, inside.journal.unconfirmed()) == ([], None)
        assert [(one["confirm-event"], one.get("session-id")) for one in inside.notices()] == [
            ("start", 1),
            ("cancel", 1),
        ]

    play(scene)


def test_a_persistent_one_outlives_its_session(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, PERSIST)
        await inside.end(1)
        assert inside.config() == note("new")
        await inside.call(2, "<commit><persist-id>tok</persist-id></commit>")
        await inside.wait(10_000)
        assert inside.config() == note("new")
        assert inside.notices()[-1]["session-id"] == 2

    play(scene)


def test_a_persistent_one_goes_back_in_the_end(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, PERSIST)
        await inside.end(1)
        await inside.wait(600)
        assert inside.config() == note("old")

    play(scene)


def test_it_stays_persistent_until_it_gets_another_token(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, PERSIST)
        await inside.call(2, "<commit><confirmed/><persist-id>tok</persist-id></commit>")
        await inside.end(2)
        assert inside.config() == note("new")
        await inside.call(1, "<commit><confirmed/><persist-id>tok</persist-id><persist>other</persist></commit>")
        assert (await refused(inside, 1, "<commit><persist-id>tok</persist-id></commit>")).tag == "invalid-value"
        await inside.call(1, "<commit><persist-id>other</persist-id></commit>")
        assert inside.element.confirmed.trial is None

    play(scene)


@pytest.mark.parametrize(
    ("first", "number", "then", "tag"),
    [
        (CONFIRMED, 2, "<commit/>", "in-use"),
        (CONFIRMED, 2, CONFIRMED, "in-use"),
        (CONFIRMED, 1, "<commit><persist-id>tok</persist-id></commit>", "invalid-value"),
        (PERSIST, 2, "<commit/>", "in-use"),
        (PERSIST, 1, "<commit/>", "in-use"),
        (PERSIST, 1, PERSIST, "in-use"),
        (PERSIST, 1, "<commit><persist-id>to</persist-id></commit>", "invalid-value"),
        (PERSIST, 2, "<commit><confirmed/><persist-id/></commit>", "invalid-value"),
        (CONFIRMED, 2, "<cancel-commit/>", "operation-failed"),
        (CONFIRMED, 1, "<cancel-commit><persist-id>tok</persist-id></cancel-commit>", "invalid-value"),
        (PERSIST, 1, "<cancel-commit/>", "invalid-value"),
        (PERSIST, 2, "<cancel-commit><persist-id>x</persist-id></cancel-commit>", "invalid-value"),
    ],
)
def test_who_may_not(play: Callable[[Play], None], first: str, number: int, then: str, tag: str) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, first)
        error = await refused(inside, number, then)
        assert (error.tag, error.type) == (tag, "protocol")
        await inside.wait(600)
        assert inside.config() == note("old"), "and it goes back as if nobody had asked"

    play(scene)


def test_what_there_is_not_cannot_be_confirmed_or_cancelled(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        assert (await refused(inside, 1, "<cancel-commit/>")).tag == "operation-failed"
        for text in ("cancel-commit", "commit"):
            error = await refused(inside, 1, f"<{text}><persist-id>tok</persist-id></{text}>")
            assert (error.tag, error.info) == ("invalid-value", (("bad-element", "persist-id"),))

    play(scene)


@pytest.mark.parametrize(
    ("first", "number", "cancel"),
    [
        (CONFIRMED, 1, "<cancel-commit/>"),
        (PERSIST, 2, "<cancel-commit><persist-id>tok</persist-id></cancel-commit>"),
    ],
)
def test_cancelling(play: Callable[[Play], None], first: str, number: int, cancel: str) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, first)
        await inside.call(number, cancel)
        assert inside.config() == note("old")
        assert (inside.clock.due, inside.journal.unconfirmed()) == ([], None)
        assert [(one["confirm-event"], one["session-id"]) for one in inside.notices()] == [
            ("start", 1),
            ("cancel", number),
        ]

    play(scene)


def test_running_is_not_locked_while_another_session_may_have_to_give_it_back(play: Callable[[Play], None]) -> None:
    lock = "<lock><target><running/></target></lock>"

    async def scene(inside: Inside) -> None:
        await inside.call(1, PERSIST)
        error = await refused(inside, 2, lock)
        assert (error.tag, error.info) == ("lock-denied", (("session-id", "1"),))
        await inside.call(1, lock)
        await inside.end(1)
        assert (await refused(inside, 2, lock)).info == (("session-id", "0"),)
        await inside.call(2, "<lock><target><candidate/></target></lock>")
        await inside.wait(600)
        await inside.call(2, lock)

    play(scene)


def test_a_lock_of_its_own_does_not_keep_it_from_going_back(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        for datastore in ("running", "candidate"):
            if datastore == "candidate":
                await inside.call(1, "<commit/>")
                await inside.call(1, "<discard-changes/>")
            await inside.call(1, f"<lock><target><{datastore}/></target></lock>")
        await inside.note(1, "newer")
        await inside.call(1, CONFIRMED)
        await inside.wait(600)
        assert inside.config() == note("new")

    play(scene)


def test_a_candidate_that_somebody_edits_is_left_alone(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, CONFIRMED)
        await inside.note(2, "mine")
        await inside.wait(600)
        assert (inside.config(), inside.config("candidate")) == (note("old"), note("mine"))

    play(scene)


# Refusals


async def wrong(inside: Inside, number: int) -> None:
    """The candidate becomes one that commit refuses."""
    top = f'<top xmlns="{KINDS}"><chosen>nobody</chosen></top>'
    await inside.call(number, edit(top))


def test_a_confirmed_commit_that_fails_arms_nothing(play: Callable[[Play], None]) -> None:
    async def scene(inside: Inside) -> None:
        await wrong(inside, 1)
        await refused(inside, 1, CONFIRMED)
        assert (inside.element.confirmed.trial, inside.clock.due, inside.journal.unconfirmed()) == (None, [], None)
        assert inside.notices() == []

    play(scene)


@pytest.mark.parametrize("then", [CONFIRMED, "<commit/>"])
def test_a_commit_that_fails_leaves_the_earlier_one_armed(play: Callable[[Play], None], then: str) -> None:
    async def scene(inside: Inside) -> None:
        await inside.call(1, CONFIRMED)
        await wrong(inside, 1)
        await inside.wait(100)
        await refused(inside, 1, then)
        assert inside.clock.due == [1600.0]
        await inside.wait(500)
        assert inside.config() == note("old")

    play(scene)


class Stubborn:
    """An element whose kernel does not let go of the item ``b``."""

    def __init__(self, place: Path) -> None:
        self.table = Table()
        self.inside = Inside(place, SERVED, (), {"kernel": self.table}, (Items(),))

    async def committed(self) -> None:
        await self.inside.call(1, edit(f'<top xmlns="{KINDS}"><item><name>b</name></item></top>'))
        await self.inside.call(1, CONFIRMED)
        self.table.refused = {"delete b"}

    @property
    def names(self) -> set[object]:
        return self.table.names()


def test_a_way_back_that_is_refused_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        stubborn = Stubborn(tmp_path)
        await stubborn.committed()
        inside = stubborn.inside
        await inside.wait(600)
        assert "cannot be taken back, next attempt in 30 s" in caplog.text
        assert stubborn.names == {"b"}
        assert inside.journal.unconfirmed() is not None, "a restart would take it back as well"
        assert inside.clock.due == [1600.0 + RETRY_SECONDS]
        await inside.wait(RETRY_SECONDS)
        stubborn.table.refused.clear()
        await inside.wait(RETRY_SECONDS)
        assert (stubborn.names, inside.config(), inside.clock.due) == (set(), "", [])
        assert inside.notices()[-1]["confirm-event"] == "timeout"

    asyncio.run(run())


@pytest.mark.parametrize("end", ["<commit/>", "<cancel-commit/>"])
def test_anybody_may_end_the_attempts(tmp_path: Path, end: str) -> None:
    async def run() -> None:
        stubborn = Stubborn(tmp_path)
        await stubborn.committed()
        inside = stubborn.inside
        await inside.end(1)
        assert stubborn.names == {"b"}
        if end == "<cancel-commit/>":
            with pytest.raises(errors.OperationFailed):
                await inside.call(2, end)
            stubborn.table.refused.clear()
        await inside.call(2, end)
        assert stubborn.names == ({"b"} if end == "<commit/>" else set())
        assert (inside.clock.due, inside.journal.unconfirmed()) == ([], None)

    asyncio.run(run())


def test_a_cancel_that_is_refused_says_so_and_the_time_runs_on(tmp_path: Path) -> None:
    async def run() -> None:
        stubborn = Stubborn(tmp_path)
        await stubborn.committed()
        inside = stubborn.inside
        assert (await refused(inside, 1, "<cancel-commit/>")).app_tag == "kernel-refused"
        stubborn.table.refused.clear()
        await inside.wait(600)
        assert stubborn.names == set()

    asyncio.run(run())


# At the same moment


def test_the_time_is_over_while_the_confirming_commit_is_at_work(tmp_path: Path) -> None:
    async def run() -> None:
        stubborn = Stubborn(tmp_path)
        await stubborn.committed()
        inside, gate = stubborn.inside, asyncio.Event()
        stubborn.table.refused.clear()
        stubborn.table.gate = gate
        await inside.call(1, edit(f'<top xmlns="{KINDS}"><item><name>c</name></item></top>'))
        confirming = asyncio.ensure_future(inside.call(1, "<commit/>"))
        expiring = asyncio.ensure_future(inside.wait(600))
        for _ in range(50):
            await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(confirming, expiring)
        assert stubborn.names == {"b", "c"}
        assert (inside.element.confirmed.trial, inside.clock.due) == (None, [])
        assert inside.notices()[-1]["confirm-event"] == "complete"

    asyncio.run(run())


def test_a_commit_that_waited_for_the_confirmed_one_is_refused_with_its_turn(tmp_path: Path) -> None:
    async def run() -> None:
        stubborn = Stubborn(tmp_path)
        inside, gate = stubborn.inside, asyncio.Event()
        stubborn.table.gate = gate
        await inside.call(1, edit(f'<top xmlns="{KINDS}"><item><name>c</name></item></top>'))
        first = asyncio.ensure_future(inside.call(1, CONFIRMED))
        second = asyncio.ensure_future(inside.call(2, "<commit/>"))
        for _ in range(50):
            await asyncio.sleep(0)
        gate.set()
        await first
        with pytest.raises(errors.InUse):
            await second
        assert inside.journal.unconfirmed() is not None

    asyncio.run(run())


# Over a restart


def test_an_old_state_is_remembered_however_many_commits_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db", kept=1)
    record = CommitRecord(1.0, "eve", 1)
    journal.commit({}, record)
    journal.commit({}, CommitRecord(1.0, "eve", 1, confirmed=True))
    for _ in range(3):
        journal.commit({}, CommitRecord(1.0, "eve", 1, confirmed=True))
    assert [number for number, _ in journal.commits(9)] == [5, 4, 3, 2]
    assert journal.back_to(1) == {}
    journal.commit({}, record)
    assert [number for number, _ in journal.commits(9)] == [6]
    journal.close()


def scene_on(server: Serving, body: Callable[[Client], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with session(server) as client:
            return await body(client)

    return asyncio.run(run())


@pytest.mark.parametrize("commit", [CONFIRMED, PERSIST])
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_restart_takes_back(commit: str, end: str) -> None:
    with Serving(options=NONE, yang=[Path(__file__).parents[1] / "data" / "yang"]) as server:

        async def body(client: Client) -> None:
            await client.edit(note("old"))
            await client.commit()
            for text in ("new", "newer"):
                await client.edit(note(text))
                more = "<persist-id>tok</persist-id></commit>" if text == "newer" and commit == PERSIST else "</commit>"
                await client.ok(commit.replace("</commit>", more))
            (server.kill if end == "kill" else server.stop)()

        scene_on(server, body)
        server.start()
        assert scene_on(server, lambda client: client.config()) == note("old")
        server.stop()
        server.start()
        assert scene_on(server, lambda client: client.config()) == note("old")
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("way", ["close", "drop", "kill"])
def test_sessions_that_end_for_real(server: Serving, way: str) -> None:
    async def run() -> None:
        async with session(server) as other:
            async with session(server) as one:
                await one.edit(note("new"))
                await one.ok(CONFIRMED)
                assert await other.config() == note("new")
                if way == "close":
                    await one.ok("<close-session/>")
                    assert await one.ended()
                elif way == "kill":
                    await other.ok(f"<kill-session><session-id>{one.number}</session-id></kill-session>")
                    assert await other.config() == "", "when the kill is answered it is over"
            await back(other)

    asyncio.run(run())


async def back(client: Client) -> None:
    async def poll() -> None:
        while await client.config() != "":
            await asyncio.sleep(0.005)

    await asyncio.wait_for(poll(), 30)


def test_a_second_on_the_real_clock(server: Serving) -> None:
    async def run() -> None:
        async with session(server) as client:
            await client.edit(note("new"))
            await client.ok("<commit><confirmed/><confirm-timeout>1</confirm-timeout></commit>")
            assert await client.config() == note("new")
            await back(client)
            await client.ok("<lock><target><running/></target></lock>")

    asyncio.run(run())


def test_the_capability(server: Serving) -> None:
    async def run() -> None:
        async with session(server) as client:
            state = await client.data(
                '<get><filter><netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring">'
                "<capabilities/></netconf-state></filter></get>"
            )
            listed = {entry.text for entry in state.iterfind(".//{*}capability")}
            assert "urn:ietf:params:netconf:capability:confirmed-commit:1.1" in listed
            off = ("startup", "writable-running", "url")
            assert not [one for one in listed if any(f":capability:{name}:" in str(one) for name in off)]

    asyncio.run(run())
