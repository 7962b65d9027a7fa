"""How the server stops, and what a client that does not read costs it."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest

from nesrv.settings import Limits
from nesrv.transport import ssh
from nesrv.wire.handler import SessionEnd
from tests.transport.element import Client, channel, served, session, until


def test_stopping_answers_what_is_in_hand_and_closes_everything() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as idle, session(place) as busy:
            busy.ask("<hold/>", 5)
            await until(lambda: place.element.held == 1)
            stopping = asyncio.ensure_future(place.listener.stop())
            assert await idle.rest() == b""
            place.element.gate.set()
            assert (await busy.reply()).get("message-id") == "5"
            assert await busy.rest() == b""
            await asyncio.wait_for(stopping, 10)
            assert place.element.ends == [(1, SessionEnd.OTHER), (2, SessionEnd.OTHER)]
            with pytest.raises(OSError):
                await place.connect()

    asyncio.run(scenario())


def test_stopping_lets_a_slow_reader_have_its_reply() -> None:
    async def scenario() -> None:
        async with served() as place, session(place, window=20_000) as client:
            client.ask("<get/>", 8)
            await until(lambda: place.element.handled == ["8"])
            stopping = asyncio.ensure_future(place.listener.stop())
            assert (await client.reply()).get("message-id") == "8"
            await asyncio.wait_for(stopping, 10)

    asyncio.run(scenario())


def test_no_session_begins_while_the_server_stops() -> None:
    async def scenario() -> None:
        async with served() as place, place.connect() as connection, channel(connection) as busy:
            await busy.greet()
            busy.ask("<hold/>")
            await until(lambda: place.element.held == 1)
            stopping = asyncio.ensure_future(place.listener.stop())
            await until(lambda: place.listener.stopping)
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.create_process(subsystem="netconf", encoding=None)
            place.element.gate.set()
            await asyncio.wait_for(stopping, 10)

    asyncio.run(scenario())


def test_stopping_does_not_wait_for_ever() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(stop_seconds=0.2)) as place, session(place) as client:
            client.ask("<hold/>")
            await until(lambda: place.element.held == 1)
            await asyncio.wait_for(place.listener.stop(), 10)
            assert await client.rest() == b""

    asyncio.run(scenario())


def test_a_window_without_end_does_not_fill_the_servers_memory() -> None:
    """A client may announce any window and then not read its socket."""

    async def scenario() -> None:
        async with served(limits=Limits(stall_seconds=0.5)) as place, place.connect() as connection:
            process = await connection.create_process(subsystem="netconf", encoding=None, window=1 << 30)
            client = Client(process)
            await client.greet()
            connection._transport.pause_reading()
            client.write(b"".join(client.framed("<get/>", n) for n in range(60)))
            (served_connection,) = place.listener.connections
            most = 0

            def dropped() -> bool:
                nonlocal most
                most = max(most, served_connection.unsent())
                return bool(place.element.ends)

            await until(dropped)
            assert most < 3 * ssh.WRITE_HIGH_BYTES
            assert place.element.ends == [(1, SessionEnd.DROPPED)]
            connection.abort()

    asyncio.run(scenario())
