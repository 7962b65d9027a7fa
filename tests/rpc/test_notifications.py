"""RFC 5277: subscriptions, filters, streams, replay, and who is disturbed by whom."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncssh
import pytest
from lxml import etree

from nesrv.rpc.events import Notice
from nesrv.rpc.guards import Guard
from nesrv.rpc.notify.log import TRIM_EVERY, EventLog
from nesrv.rpc.notify.times import from_text, to_text
from nesrv.server import Server
from nesrv.settings import Limits, Settings
from nesrv.wire.handler import SessionEnd
from tests.rpc.client import END, NC, Address, session
from tests.rpc.conftest import MODULES
from tests.rpc.world import START, World, run, settle
from tests.serving import PASSWORD, USER, USERS, Serving

KINDS = "urn:nesrv:test:kinds"
BASE_NOTIFICATIONS = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
CREATE = '<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">{}</create-subscription>'
PLAIN = CREATE.format("")


def note(text: str) -> str:
    return f'<top xmlns="{KINDS}"><note>{text}</note></top>'


def at(seconds: float) -> str:
    return to_text(START + seconds)


# Asking for it


@pytest.mark.parametrize(
    ("inside", "refusal"),
    [
        ("<stopTime>2026-01-01T00:00:00Z</stopTime>", ("missing-element", "startTime")),
        (f"<startTime>{at(1)}</startTime>", ("bad-element", "startTime")),
        (f"<startTime>{at(-10)}</startTime><stopTime>{at(-11)}</stopTime>", ("bad-element", "stopTime")),
        ("<startTime>yesterday</startTime>", ("invalid-value", "startTime")),
        ("<startTime>2026-02-30T00:00:00Z</startTime>", ("invalid-value", "startTime")),
        ("<startTime>9999-12-31T23:59:59-14:00</startTime>", ("invalid-value", "startTime")),
        ("<stream>SYSLOG</stream>", ("invalid-value", "stream")),
        ('<filter type="xpath" select="//["/>', ("invalid-value", "filter")),
        ('<filter type="xpath" select="//x:y"/>', ("invalid-value", "filter")),
        ('<filter type="xpath"/>', ("missing-attribute", "filter")),
        ('<filter type="regex"/>', ("bad-attribute", "filter")),
        ("<colour/>", ("unknown-element", "colour")),
    ],
)
def test_what_cannot_be_subscribed_to_is_refused_by_the_letter(
    tmp_path: Path, inside: str, refusal: tuple[str, str]
) -> None:
    async def body(place: World) -> None:
        client = place.client()
        tag, _, bad = await client.refused(CREATE.format(inside))
        assert (tag, bad) == refusal
        assert not place.publisher.feeds(client.number)
        await client.ok(PLAIN)

    run(tmp_path, body)


def test_a_session_has_one_subscription(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        one, other = place.client(), place.client()
        await one.ok(PLAIN)
        assert (await one.refused(PLAIN))[0] == "in-use"
        await other.ok(PLAIN)

    run(tmp_path, body)


def test_an_hour_in_another_zone_is_the_same_point_in_time() -> None:
    assert from_text("2026-11-22T12:00:00+02:00") == from_text("2026-11-22T10:00:00Z")
    assert from_text(to_text(START + 0.123456)) == START + 0.123456


# What comes


def test_notifications_come_in_order_to_whoever_subscribed(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        one, other = place.client("one"), place.client("other")
        await one.ok(PLAIN)
        assert one.kept_open
        assert not other.kept_open
        third = place.client("third")
        await other.edit(note("a"))
        await place.leave(third)
        assert await one.names() == ["netconf-session-start", "netconf-config-change", "netconf-session-end"]
        assert other.got == []

    run(tmp_path, body)


def test_a_notification_carries_the_time_of_its_event(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.ok(PLAIN)
        place.element.events.publish(Notice(START - 5, f"{{{BASE_NOTIFICATIONS}}}netconf-session-start", {}))
        (sent,) = client.got
        assert etree.fromstring(sent)[0].text == at(-5)

    run(tmp_path, body)


SUBTREE = '<filter type="subtree">{}</filter>'
XPATH = f'<filter xmlns:n="{BASE_NOTIFICATIONS}" type="xpath" select="{{}}"/>'


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (SUBTREE.format(f'<netconf-session-start xmlns="{BASE_NOTIFICATIONS}"/>'), ["netconf-session-start"]),
        ('<filter><netconf-session-end xmlns=""/></filter>', ["netconf-session-end"]),
        (
            SUBTREE.format(
                f'<netconf-session-end xmlns="{BASE_NOTIFICATIONS}"><username>bob</username></netconf-session-end>'
            ),
            ["netconf-session-end"],
        ),
        (SUBTREE.format("<netconf-session-end><username>eve</username></netconf-session-end>"), []),
        (SUBTREE.format(""), []),
        (XPATH.format("/n:netconf-session-start"), ["netconf-session-start"]),
        (XPATH.format("//n:username='bob'"), ["netconf-session-start", "netconf-session-end"]),
        (XPATH.format("count(//n:username) > 1"), []),
        (XPATH.format("/n:netconf-session-end[n:termination-reason='killed']"), []),
        ("<stream>nesrv</stream>", []),
    ],
)
def test_a_filter_passes_a_notification_whole_or_not_at_all(tmp_path: Path, chosen: str, names: list[str]) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.ok(CREATE.format(chosen))
        await place.leave(place.client("bob"))
        found = await client.take()
        assert [etree.QName(one).localname for one in found] == names
        assert all(one.find("{*}session-id") is not None for one in found)

    run(tmp_path, body)


def test_a_guard_is_asked_for_each_notification(tmp_path: Path) -> None:
    class NoSessions(Guard):
        def receives(self, session: object, notice: Notice) -> bool:
            return "session" not in notice.tag

    async def body(place: World) -> None:
        place.element.guards.add(NoSessions())
        client = place.client()
        await client.ok(CREATE.format(f"<startTime>{at(-9)}</startTime>"))
        place.client()
        assert await client.names() == ["replayComplete"]
        await client.edit(note("a"))
        assert await client.names() == ["netconf-config-change"]

    run(tmp_path, body)


def test_the_end_of_the_session_is_the_end_of_the_subscription(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.ok(CREATE.format(f"<startTime>{at(-1)}</startTime><stopTime>{at(60)}</stopTime>"))
        await client.take()
        await place.leave(client)
        place.client()
        place.timers.turn(120)
        assert await client.take() == []

    run(tmp_path, body)


# Replay


def test_a_replay_starts_and_stops_in_time_and_says_that_it_is_over(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        for _ in range(5):
            place.client()
            place.timers.turn(10)
        client = place.client()
        await client.ok(CREATE.format(f"<startTime>{at(10)}</startTime><stopTime>{at(30)}</stopTime>"))
        assert client.got == [], "the reply comes first"
        found = await client.take()
        assert [one.findtext("{*}session-id") for one in found] == ["2", "3", "4", None, None]
        assert [etree.QName(one).localname for one in found[3:]] == ["replayComplete", "notificationComplete"]
        assert {etree.QName(one).namespace for one in found[3:]} == {"urn:ietf:params:xml:ns:netmod:notification"}
        place.client()
        assert await client.take() == []
        await client.ok(PLAIN)

    run(tmp_path, body)


def test_without_a_stop_time_a_replay_goes_over_into_what_happens_now(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        many = 250
        for _ in range(many):
            place.element.events.publish(Notice(place.timers.now(), f"{{{BASE_NOTIFICATIONS}}}netconf-session-start"))
        client = place.client()
        await client.ok(CREATE.format(f"<startTime>{at(0)}</startTime>"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert 0 < len(client.got) < many, "the replay is at work"
        place.client("late")
        names = await client.names()
        assert names == ["netconf-session-start"] * (many + 2) + ["replayComplete"]
        place.client()
        assert await client.names() == ["netconf-session-start"]

    run(tmp_path, body)


def test_a_stop_time_in_the_future_ends_the_subscription_then(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.ok(CREATE.format(f"<startTime>{at(0)}</startTime><stopTime>{at(60)}</stopTime>"))
        assert await client.names() == ["netconf-session-start", "replayComplete"]
        place.timers.turn(59)
        place.client()
        place.element.events.publish(Notice(START + 61, f"{{{BASE_NOTIFICATIONS}}}netconf-session-start"))
        assert await client.names() == ["netconf-session-start"], "what is later is not of interest"
        place.timers.turn(2)
        place.client()
        assert await client.names() == ["notificationComplete"]

    run(tmp_path, body)


def test_the_log_is_bounded_and_says_what_it_has_forgotten(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.db", 10, START)
    for number in range(1, TRIM_EVERY + 1):
        log.append(START + number, "{urn:x}y", b'<y xmlns="urn:x"/>')
    assert [record.number for record in log.after(0, 0, None, 100)] == list(range(TRIM_EVERY - 9, TRIM_EVERY + 1))
    assert log.aged == START + TRIM_EVERY - 10
    log.close()
    again = EventLog(tmp_path / "events.db", 10, START + 999)
    assert (again.created, again.aged, again.last) == (START, START + TRIM_EVERY - 10, TRIM_EVERY)
    again.close()


def test_a_damaged_log_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"no database" * 1000)
    log = EventLog(tmp_path / "events.db", 10, START)
    assert log.append(START, "{urn:x}y", b"<y/>").number == 1
    log.close()
    assert (tmp_path / "events.db.damaged").read_bytes().startswith(b"no database")


def test_a_start_time_before_the_log_begins_with_what_there_is(tmp_path: Path) -> None:
    async def body(place: World) -> None:
        client = place.client()
        await client.ok(CREATE.format("<startTime>1999-01-01T00:00:00Z</startTime>"))
        assert await client.names() == ["netconf-session-start", "replayComplete"]

    run(tmp_path, body)


# Over the network


def test_streams_and_capabilities_are_told(server: Serving) -> None:
    async def body() -> None:
        async with session(server) as client:
            await client.ok(PLAIN)
            found = await client.data(
                '<get><filter><netconf xmlns="urn:ietf:params:xml:ns:netmod:notification"/></filter></get>'
            )
            listed = {one.findtext("{*}name"): one for one in found.iterfind(".//{*}stream")}
            assert set(listed) == {"NETCONF", "nesrv"}
            assert listed["NETCONF"].findtext("{*}replaySupport") == "true"
            from_text(listed["NETCONF"].findtext("{*}replayLogCreationTime") or "")
            state = await client.text(
                "<get><filter><netconf-state xmlns='urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring'>"
                "<capabilities/></netconf-state></filter></get>"
            )
            for name in ("notification", "interleave"):
                assert f"urn:ietf:params:netconf:capability:{name}:1.0" in state

    asyncio.run(body())


def test_requests_are_answered_while_notifications_come(server: Serving) -> None:
    async def body() -> None:
        async with session(server) as client:
            await client.ok(PLAIN)
            client.ask(f"<edit-config><target><candidate/></target><config>{note('é')}</config></edit-config>")
            client.ask("<commit/>")
            client.ask("<get-config><source><running/></source></get-config>")
            found = [await client.receive() for _ in range(4)]
            names = [etree.QName(one).localname for one in found]
            assert names == ["rpc-reply", "notification", "rpc-reply", "rpc-reply"]
            assert found[3].findtext(".//{*}note") == "é"
            count = await client.data(
                "<get><filter><netconf-state xmlns='urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring'>"
                f"<sessions><session><session-id>{client.number}</session-id><out-notifications/></session></sessions>"
                "<statistics><out-notifications/></statistics></netconf-state></filter></get>"
            )
            assert [one.text for one in count.iterfind(".//{*}session/{*}out-notifications")] == ["1"]
            assert int(count.findtext(".//{*}statistics/{*}out-notifications") or 0) >= 1

    asyncio.run(body())


def test_the_log_outlives_the_server(tmp_path: Path) -> None:
    state = tmp_path / "state"

    async def sessions_of(server: Serving) -> list[str]:
        async with session(server) as client:
            await client.ok(CREATE.format("<startTime>2020-01-01T00:00:00Z</startTime>"))
            found = []
            while (one := (await client.receive())[1]) is not None and not one.tag.endswith("replayComplete"):
                found.append(etree.QName(one).localname)
            return found

    with Serving(yang=[MODULES], state_dir=state) as server:
        assert asyncio.run(sessions_of(server)) == ["netconf-session-start"]
        server.kill()
        server.start()
        before_and_now = asyncio.run(sessions_of(server))
        # The end of the first session was noticed by the server, or was not any more.
        assert before_and_now in (
            ["netconf-session-start", "netconf-session-end", "netconf-session-start"],
            ["netconf-session-start"] * 2,
        )


def test_a_subscriber_that_does_not_read_delays_nobody_and_is_dropped(tmp_path: Path) -> None:
    async def body() -> None:
        users = tmp_path / "users.toml"
        users.touch(mode=0o600)
        users.write_text(USERS)
        limits = Limits(unsent_bytes=100_000)
        server = Server(
            Settings(("127.0.0.1", 0), tmp_path / "state", users, backend="none", yang=(MODULES,), limits=limits)
        )
        await server.start()
        ended: list[SessionEnd] = []
        server.element.events.listen(lambda event: ended.extend([event.end] if hasattr(event, "end") else []))
        async with asyncssh.connect(
            "127.0.0.1", server.listener.port, username=USER, password=PASSWORD, known_hosts=None, config=None
        ) as connection:
            process = await connection.create_process(subsystem="netconf", encoding=None, window=10_000)
            process.stdin.write(
                f'<hello xmlns="{NC[1:-1]}"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability>'
                f'</capabilities></hello>]]>]]><rpc xmlns="{NC[1:-1]}" message-id="1">{PLAIN}</rpc>]]>]]>'.encode()
            )
            for _ in range(2):
                await process.stdout.readuntil(END)
            process.channel.pause_reading()
            answered = 0
            async with session(Address("127.0.0.1", server.listener.port)) as other:
                while not ended and answered < 100:
                    await other.edit(note("x" * 10 + str(answered)))
                    await other.commit()
                    for _ in range(50):
                        server.element.events.publish(
                            Notice(START, f"{{{BASE_NOTIFICATIONS}}}netconf-session-start", {"username": "x" * 1000})
                        )
                    answered += 1
            assert ended == [SessionEnd.DROPPED]
        await settle()
        await server.stop()

    asyncio.run(body())
