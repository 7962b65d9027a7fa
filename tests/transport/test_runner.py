"""One session's life: order, back pressure, time-outs, and every way it can end."""

from __future__ import annotations

import asyncio

import pytest

from nesrv.settings import Limits
from nesrv.wire import messages
from nesrv.wire.handler import SessionEnd
from nesrv.wire.session import BASE_1_0
from tests.transport.element import NC, Client, Served, channel, error_tag, served, session, until


async def ended(place: Served, session_id: int, end: SessionEnd) -> None:
    """The session's end was told, once, with this reason."""
    await until(lambda: any(number == session_id for number, _ in place.element.ends))
    await until(lambda: session_id not in place.element.peers)
    assert [reason for number, reason in place.element.ends if number == session_id] == [end]


def test_close_session_is_answered_before_the_channel_closes() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            client.write(client.framed("<close-session/>", 1) + client.framed("<ok/>", 2))
            assert (await client.reply())[0].tag == f"{NC}ok"
            assert await client.rest() == b""
            await ended(place, 1, SessionEnd.CLOSED)
            assert place.element.handled == ["1"]

    asyncio.run(scenario())


def test_a_killed_session_is_gone_when_the_killer_is_answered() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as victim, session(place) as killer:
            await killer.request("<kill-session><session-id>1</session-id></kill-session>")
            assert place.element.ends == [(1, SessionEnd.KILLED)]
            assert await victim.rest() == b""
            assert (await killer.request("<ok/>"))[0].tag == f"{NC}ok"

    asyncio.run(scenario())


def test_a_request_in_hand_runs_to_its_end_when_its_client_has_gone() -> None:
    async def scenario() -> None:
        async with served() as place:
            async with session(place) as client:
                client.ask("<hold/>")
                await until(lambda: place.element.held == 1)
            await until(lambda: not place.listener.connections)
            assert place.element.ends == []
            place.element.gate.set()
            await ended(place, 1, SessionEnd.DROPPED)

    asyncio.run(scenario())


def test_what_was_asked_before_the_end_of_input_is_answered() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            client.write(b"".join(client.framed("<ok/>", number) for number in range(5)))
            client.process.stdin.write_eof()
            assert [(await client.reply()).get("message-id") for _ in range(5)] == list("01234")
            assert await client.rest() == b""
            await ended(place, 1, SessionEnd.DROPPED)

    asyncio.run(scenario())


def test_a_client_without_a_hello_is_closed_in_time() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(hello_seconds=0.2)) as place, place.connect() as connection:
            async with channel(connection) as client:
                assert (await client.rest()).endswith(b"]]>]]>")
            await ended(place, 1, SessionEnd.TIMEOUT)

    asyncio.run(scenario())


def test_an_idle_session_is_closed_but_not_while_it_is_served() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(idle_seconds=0.3)) as place, session(place) as idle, session(place) as busy:
            busy.ask("<hold/>", 3)
            assert await idle.rest() == b""
            await ended(place, 1, SessionEnd.TIMEOUT)
            async with session(place) as later:
                assert await later.rest() == b""
            place.element.gate.set()
            assert (await busy.reply()).get("message-id") == "3"
            assert await busy.rest() == b""
            await ended(place, 2, SessionEnd.TIMEOUT)

    asyncio.run(scenario())


def test_a_session_that_is_kept_open_is_never_idle() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(idle_seconds=0.2)) as place, session(place) as kept, session(place) as idle:
            place.element.peers[1].keep_open()
            await idle.rest()
            await ended(place, 2, SessionEnd.TIMEOUT)
            assert (await kept.request("<ok/>"))[0].tag == f"{NC}ok"

    asyncio.run(scenario())


@pytest.mark.parametrize("garbage", [b"\x00\xff garbage]]>]]>", b"GET / HTTP/1.1\r\n\r\n]]>]]>", b"x" * 300_000])
def test_garbage_before_the_hello_costs_only_its_sender(garbage: bytes) -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as good, place.connect() as connection:
            async with channel(connection) as client:
                client.write(garbage)
                await client.rest()
            await ended(place, 2, SessionEnd.BAD_HELLO)
            assert (await good.request("<ok/>"))[0].tag == f"{NC}ok"

    asyncio.run(scenario())


def test_garbage_in_place_of_a_chunk_ends_the_session_after_the_replies_due() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            client.write(client.framed("<ok/>", 1) + b"garbage" + client.framed("<ok/>", 2))
            assert (await client.reply()).get("message-id") == "1"
            assert await client.rest() == b""
            await ended(place, 1, SessionEnd.OTHER)

    asyncio.run(scenario())


def test_malformed_xml_and_a_missing_message_id_leave_the_session_open() -> None:
    async def scenario() -> None:
        async with served() as place, session(place, BASE_1_0) as old, session(place) as client:
            client.write(b"\n#4\n<rpc\n##\n")
            assert error_tag(await client.reply()) == "malformed-message"
            payload = f"<rpc xmlns='{messages.BASE}'><ok/></rpc>".encode()
            client.write(b"\n#%d\n%b\n##\n" % (len(payload), payload))
            assert error_tag(await client.reply()) == "missing-attribute"
            assert (await client.request("<ok/>"))[0].tag == f"{NC}ok"
            old.write(b"<rpc]]>]]>")
            assert error_tag(await old.reply()) == "operation-failed"
            assert (await old.request("<ok/>"))[0].tag == f"{NC}ok"
            assert place.element.bad_requests == 3

    asyncio.run(scenario())


def test_a_refusal_keeps_its_place_among_the_replies() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            bad = f'<rpc xmlns="{messages.BASE}" message-id="2"/>'.encode()
            framed = b"\n#%d\n%b\n##\n" % (len(bad), bad)
            client.write(client.framed("<hold/>", 1) + framed + client.framed("<ok/>", 3))
            await until(lambda: place.element.held == 1)
            assert place.element.bad_requests == 0
            place.element.gate.set()
            assert [(await client.reply()).get("message-id") for _ in range(3)] == ["1", "2", "3"]

    asyncio.run(scenario())


def test_a_message_beyond_the_limit_is_named_and_costs_only_its_sender() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(message_bytes=10_000)) as place, session(place) as good, session(place) as bad:
            bad.ask(f"<ok>{'x' * 20_000}</ok>")
            assert error_tag(await bad.reply()) == "too-big"
            await bad.rest()
            await ended(place, 2, SessionEnd.OTHER)
            assert (await good.request(f"<ok>{'x' * 9_000}</ok>"))[0].tag == f"{NC}ok"

    asyncio.run(scenario())


def test_a_flood_of_requests_is_read_no_faster_than_it_is_answered() -> None:
    async def scenario() -> None:
        limits = Limits(queued_requests=8, queued_bytes=100_000)
        async with served(limits=limits) as place, session(place) as client, session(place) as other:
            padding = f"<ok>{'x' * 20_000}</ok>"
            client.write(client.framed("<hold/>", 0) + b"".join(client.framed(padding, n) for n in range(1, 400)))
            await until(lambda: place.element.held == 1)
            for _ in range(20):
                await other.request("<ok/>")
            assert client.process.channel.get_write_buffer_size() > 4_000_000
            place.element.gate.set()
            assert [(await client.reply()).get("message-id") for _ in range(400)] == [str(n) for n in range(400)]

    asyncio.run(scenario())


def test_a_reader_that_stalls_delays_nobody_and_is_dropped() -> None:
    async def scenario() -> None:
        limits = Limits(stall_seconds=0.5)
        async with served(limits=limits) as place, session(place) as good, place.connect() as connection:
            client = Client(await connection.create_process(subsystem="netconf", encoding=None, window=100_000))
            await client.greet()
            client.process.channel.pause_reading()
            client.write(b"".join(client.framed("<get/>", number) for number in range(30)))
            await until(lambda: len(place.element.handled) > 0)
            while not place.element.ends:
                await good.request("<get-config/>")
            await ended(place, 2, SessionEnd.DROPPED)
            assert "29" not in place.element.handled

    asyncio.run(scenario())


def test_a_slow_reader_is_not_a_stalled_one() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(stall_seconds=0.2)) as place, place.connect() as connection:
            client = Client(await connection.create_process(subsystem="netconf", encoding=None, window=20_000))
            await client.greet()
            client.write(b"".join(client.framed("<get/>", number) for number in range(3)))
            for _ in range(15):
                await client.process.stdout.readexactly(50_000)
                await asyncio.sleep(0.05)
            assert place.element.ends == []

    asyncio.run(scenario())


def test_notifications_reach_the_client_between_replies() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            client.ask("<hold/>")
            await until(lambda: place.element.held == 1)
            place.element.peers[1].notify(messages.notification("2026-01-01T00:00:00Z", (b'<e xmlns="urn:e"/>',)))
            assert (await client.reply()).tag == f"{{{messages.NOTIFICATION}}}notification"
            place.element.gate.set()
            assert (await client.reply()).tag == f"{NC}rpc-reply"

    asyncio.run(scenario())


def test_a_client_that_does_not_read_its_notifications_is_dropped() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(unsent_bytes=100_000)) as place, place.connect() as connection:
            client = Client(await connection.create_process(subsystem="netconf", encoding=None, window=10_000))
            await client.greet()
            client.process.channel.pause_reading()
            peer = place.element.peers[1]
            for _ in range(30):
                peer.notify((b"<n>", b"x" * 10_000, b"</n>"))
            await ended(place, 1, SessionEnd.DROPPED)

    asyncio.run(scenario())
