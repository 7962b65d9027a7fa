"""TLS: framing, order, back pressure and the end of a session, as over SSH."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import subprocess
import sys

import pytest

from nesrv.settings import Limits
from nesrv.transport import stream
from nesrv.wire.handler import SessionEnd
from nesrv.wire.session import BASE_1_0
from tests.transport.element import BIG, NC, Client, until
from tests.transport.secured import Secured, secured, tls_session


@pytest.mark.parametrize(("capabilities", "chunked"), [((), True), ((BASE_1_0,), False)])
def test_chunks_only_when_both_hellos_have_base_1_1(capabilities: tuple[str, ...], chunked: bool) -> None:
    async def scenario() -> None:
        async with secured() as place, tls_session(place, *capabilities) as client:
            assert client.chunked == chunked
            assert (await client.request("<get-config/>", 7)).get("message-id") == "7"

    asyncio.run(scenario())


def test_a_hello_that_comes_with_the_handshake_is_heard() -> None:
    """The client may send the end of the handshake and its first messages in one packet."""

    def talk(place: Secured, context: ssl.SSLContext) -> bytes:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inside = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        with socket.create_connection(("127.0.0.1", place.listener.port)) as plain:
            plain.settimeout(20)
            while True:
                try:
                    inside.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    incoming.write(plain.recv(65536))
            client = Client(None)
            hello = (
                f'<hello xmlns="{NC[1:-1]}"><capabilities><capability>{BASE_1_0}</capability></capabilities></hello>'
            )
            inside.write(hello.encode() + b"]]>]]>" + client.framed("<ok/>", 9))
            plain.sendall(outgoing.read())
            received = b""
            while received.count(b"]]>]]>") < 2:
                incoming.write(plain.recv(65536))
                with contextlib.suppress(ssl.SSLWantReadError):
                    while True:
                        received += inside.read(65536)
            return received

    async def scenario() -> None:
        async with secured() as place:
            context = place.site.client_context(place.site.admin)
            received = await asyncio.get_running_loop().run_in_executor(None, talk, place, context)
            assert b'message-id="9"' in received

    asyncio.run(scenario())


def test_close_session_is_answered_and_then_closed_in_the_way_of_tls() -> None:
    def talk(place: Secured, context: ssl.SSLContext) -> bytes:
        client = Client(None)
        hello = f'<hello xmlns="{NC[1:-1]}"><capabilities><capability>{BASE_1_0}</capability></capabilities></hello>'
        with (
            socket.create_connection(("127.0.0.1", place.listener.port)) as plain,
            # Without a close_notify before the end of the connection, recv raises.
            context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as connection,
        ):
            connection.settimeout(20)
            connection.sendall(hello.encode() + b"]]>]]>" + client.framed("<close-session/>"))
            received = b""
            while data := connection.recv(65536):
                received += data
            return received

    async def scenario() -> None:
        async with secured() as place:
            context = place.site.client_context(place.site.admin)
            received = await asyncio.get_running_loop().run_in_executor(None, talk, place, context)
            assert received.count(b"]]>]]>") == 2
            assert place.element.ends == [(1, SessionEnd.CLOSED)]
            await until(lambda: not place.listener.connections)

    asyncio.run(scenario())


def test_a_client_that_closes_tls_ends_its_session() -> None:
    async def scenario() -> None:
        async with secured() as place:
            async with tls_session(place):
                pass
            await until(lambda: place.element.ends == [(1, SessionEnd.DROPPED)])
            await until(lambda: not place.listener.connections)

    asyncio.run(scenario())


def test_kill_session_ends_the_other_session() -> None:
    async def scenario() -> None:
        async with secured() as place, tls_session(place) as victim, tls_session(place) as client:
            reply = await client.request("<kill-session><session-id>1</session-id></kill-session>")
            assert reply[0].tag == f"{NC}ok"
            with pytest.raises((asyncio.IncompleteReadError, OSError)):
                await victim.reply()
            assert place.element.ends == [(1, SessionEnd.KILLED)]

    asyncio.run(scenario())


def test_many_requests_at_once_are_answered_in_order() -> None:
    async def scenario() -> None:
        async with secured() as place, tls_session(place) as client:
            client.write(b"".join(client.framed("<get/>" if n % 10 == 0 else "<ok/>", n) for n in range(200)))
            for n in range(200):
                assert (await client.reply()).get("message-id") == str(n)

    asyncio.run(scenario())


def test_a_reader_that_stalls_is_dropped_and_does_not_fill_the_servers_memory() -> None:
    async def scenario() -> None:
        async with secured(limits=Limits(stall_seconds=0.5)) as place, tls_session(place) as client:
            client.process.stdin.transport.pause_reading()
            client.write(b"".join(client.framed("<get/>", n) for n in range(60)))
            (connection,) = place.listener.connections
            most = 0

            def dropped() -> bool:
                nonlocal most
                if place.listener.connections:
                    most = max(most, connection.unsent())
                return bool(place.element.ends)

            await until(dropped)
            assert most < 6 * len(b"".join(BIG))
            assert place.element.ends == [(1, SessionEnd.DROPPED)]

    asyncio.run(scenario())


def test_a_client_that_is_killed_leaves_no_session_behind() -> None:
    async def scenario() -> None:
        async with secured() as place:
            place.site.client_context(place.site.admin)
            program = (
                "import socket, ssl, sys, time\n"
                f"context = ssl.create_default_context(cafile={str(place.site.folder / 'ca.pem')!r})\n"
                f"context.load_cert_chain(*{[str(place.site.folder / f'client.{end}') for end in ('pem', 'key')]!r})\n"
                f"plain = socket.create_connection(('127.0.0.1', {place.listener.port}))\n"
                "client = context.wrap_socket(plain, server_hostname='127.0.0.1')\n"
                "client.recv(10)\n"
                "time.sleep(600)\n"
            )
            process = subprocess.Popen([sys.executable, "-c", program])
            await until(lambda: bool(place.element.peers))
            process.send_signal(signal.SIGKILL)
            process.wait()
            await until(lambda: place.element.ends == [(1, SessionEnd.DROPPED)])

    asyncio.run(scenario())


def test_a_client_that_lost_its_power_is_probed_for() -> None:
    async def scenario() -> None:
        async with secured() as place, tls_session(place):
            (connection,) = place.listener.connections
            probed = connection._raw.get_extra_info("socket")
            assert probed.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert probed.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == stream.DEAD_PEER.idle

    asyncio.run(scenario())


def test_no_hello_in_time_ends_the_session() -> None:
    async def scenario() -> None:
        async with secured(limits=Limits(hello_seconds=0.2)) as place:
            client = await place.connect(place.site.admin)
            with pytest.raises((asyncio.IncompleteReadError, OSError)):
                while True:
                    await client.raw()
            assert place.element.ends == [(1, SessionEnd.TIMEOUT)]

    asyncio.run(scenario())


def test_stopping_answers_what_is_in_hand_and_closes_everything() -> None:
    async def scenario() -> None:
        async with secured() as place, tls_session(place) as idle, tls_session(place) as busy:
            _, waiting = await asyncio.open_connection("127.0.0.1", place.listener.port)
            busy.ask("<hold/>", 5)
            await until(lambda: place.element.held == 1)
            stopping = asyncio.ensure_future(place.listener.stop())
            assert await idle.rest() == b""
            place.element.gate.set()
            assert (await busy.reply()).get("message-id") == "5"
            assert await busy.rest() == b""
            await asyncio.wait_for(stopping, 10)
            assert place.element.ends == [(1, SessionEnd.OTHER), (2, SessionEnd.OTHER)]
            waiting.close()
            with pytest.raises(OSError):
                await place.connect(place.site.admin)

    asyncio.run(scenario())


def test_stopping_does_not_wait_for_ever() -> None:
    async def scenario() -> None:
        async with secured(limits=Limits(stop_seconds=0.2)) as place, tls_session(place) as client:
            client.ask("<hold/>")
            await until(lambda: place.element.held == 1)
            await asyncio.wait_for(place.listener.stop(), 10)
            with pytest.raises((asyncio.IncompleteReadError, OSError)):
                await client.reply()

    asyncio.run(scenario())
