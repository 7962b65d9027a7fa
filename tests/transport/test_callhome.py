"""Call home: whom the server calls, in which order, when again, and how the connection is watched."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import asyncssh
import pytest

from nesrv.settings import Limits, SettingsError
from nesrv.transport import callhome
from nesrv.transport.callhome import CallHome, Client, attempts
from nesrv.transport.ssh import _Connection
from nesrv.transport.stream import Probing, Terms
from nesrv.wire.handler import SessionEnd
from tests.transport.element import PASSWORD, USER, Element, Served, channel, served, until
from tests.transport.element import Client as Manager
from tests.transport.secured import Secured, secured

A, B = ("192.0.2.1", 4334), ("192.0.2.2", 4334)
HOST = "127.0.0.1"


# The order of attempts


def first(count: int, client: Client, last: tuple[str, int] | None = None) -> list[tuple[str, int]]:
    tried = attempts(client, last)
    return [next(tried) for _ in range(count)]


def test_each_endpoint_has_its_attempts_and_then_the_next_one_has_its_turn() -> None:
    client = Client("nms", "ssh", (A, B), max_attempts=2)
    assert first(6, client) == [A, A, B, B, A, A]
    assert first(2, client, B) == [A, A]


def test_the_endpoint_that_served_last_may_be_the_first_again() -> None:
    client = Client("nms", "ssh", (A, B), start_with="last-connected", max_attempts=1)
    assert first(3, client) == [A, B, A]
    assert first(3, client, B) == [B, A, B]


# Calls.  A stub of the transport says what became of each; the connections are real.


@dataclass
class Script:
    """``outcomes`` says whether the client comes in; the wait after the last one never ends."""

    outcomes: list[bool]
    ports: list[int] = field(default_factory=list)
    terms: list[Terms] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    limit: int = 100

    async def call_home(self, connected: socket.socket, terms: Terms) -> bool:
        self.ports.append(connected.getpeername()[1])
        self.terms.append(terms)
        connected.close()
        return self.outcomes.pop(0)

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if not self.outcomes or len(self.waits) >= self.limit:
            self.done.set()
            await asyncio.Event().wait()


@asynccontextmanager
async def ports(count: int) -> AsyncIterator[list[int]]:
    servers = [await asyncio.start_server(lambda r, w: w.close(), HOST, 0) for _ in range(count)]
    yield [server.sockets[0].getsockname()[1] for server in servers]
    for server in servers:
        server.close()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port: int = taken.getsockname()[1]
        return port


async def run(client: Client, script: Script) -> None:
    calls = CallHome([(client, script)], script.wait)
    calls.start()
    await asyncio.wait_for(script.done.wait(), 20)
    await calls.stop()


def home(*to: int, **more: object) -> Client:
    return replace(Client("nms", "ssh", tuple((HOST, port) for port in to), pause=5, max_attempts=2), **more)  # type: ignore[arg-type]


def test_a_client_that_left_is_called_again_after_the_pause() -> None:
    async def scenario() -> None:
        async with ports(1) as (port,):
            script = Script([True, True, True])
            await run(home(port), script)
            assert script.ports == [port] * 3
            assert script.waits == [5, 5, 5]

    asyncio.run(scenario())


def test_a_client_that_does_not_come_in_costs_an_attempt_and_the_next_endpoint_is_tried() -> None:
    async def scenario() -> None:
        async with ports(2) as (one, other):
            script = Script([False, False, True, True])
            await run(home(one, other, start_with="last-connected"), script)
            assert script.ports == [one, one, other, other]
            assert script.waits == [5, 5, 5, 5]

    asyncio.run(scenario())


def test_endpoints_that_cannot_be_reached_are_tried_in_turn_with_a_pause_before_each(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        async with ports(1) as (port,):
            script = Script([True])
            await run(home(free_port(), free_port(), port), script)
            assert script.waits == [5, 5, 5, 5, 5]
            nobody = Script([True], limit=50)
            await run(home(free_port()), nobody)
            assert nobody.waits == [5] * 50

    asyncio.run(scenario())
    assert caplog.text.count("Connection refused") == 3, "the same failure is told once for each endpoint"


def test_an_endpoint_that_does_not_answer_has_its_time_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        with socket.socket() as deaf, socket.socket() as before:
            deaf.bind((HOST, 0))
            deaf.listen(0)
            # The one place in the queue is taken: the kernel drops what comes after.
            before.connect(deaf.getsockname())
            script = Script([True], limit=1)
            await run(home(deaf.getsockname()[1], max_wait=0.2), script)

    asyncio.run(scenario())
    assert "no answer within 0.2 s" in caplog.text


def test_a_name_that_does_not_resolve_is_an_attempt_like_any_other() -> None:
    async def scenario() -> None:
        script = Script([True], limit=2)
        await run(Client("nms", "ssh", (("nowhere.invalid", 4334),)), script)
        assert script.waits == [5, 5]

    asyncio.run(scenario())


def test_a_periodic_client_is_called_again_after_its_period_and_hung_up_on_when_idle() -> None:
    async def scenario() -> None:
        async with ports(1) as (port,):
            script = Script([False, True, True])
            await run(home(port, period=3600.0, terms=Terms(180)), script)
            assert script.waits == [5, 3600, 3600]
            assert script.terms[0].idle_seconds == 180

    asyncio.run(scenario())


# Over the real transports


@asynccontextmanager
async def ssh_manager() -> AsyncIterator[tuple[int, asyncio.Queue[asyncssh.SSHClientConnection]]]:
    """A manager that waits for calls, as (port, connections)."""
    arrived: asyncio.Queue[asyncssh.SSHClientConnection] = asyncio.Queue()
    waiting = await asyncssh.listen_reverse(
        HOST, 0, acceptor=arrived.put_nowait, username=USER, password=PASSWORD,
        known_hosts=None, client_keys=None, agent_path=None, config=None,
    )  # fmt: skip
    yield waiting.get_port(), arrived
    waiting.close()


@asynccontextmanager
async def calling(place: Served | Secured, transport: str, to: Sequence[int], **more: object) -> AsyncIterator[Script]:
    """The server calls; each wait is noted and over at once."""
    script = Script([])

    async def wait(seconds: float) -> None:
        script.waits.append(seconds)
        await asyncio.sleep(0)

    calls = CallHome([(home(*to, transport=transport, **more), place.listener)], wait)
    calls.start()
    try:
        yield script
    finally:
        await calls.stop()


def test_over_ssh_the_client_is_served_and_called_again_when_it_left() -> None:
    async def scenario() -> None:
        async with served() as place, ssh_manager() as (port, arrived), calling(place, "ssh", [port]) as script:
            for number in (1, 2, 3):
                connection = await asyncio.wait_for(arrived.get(), 20)
                async with channel(connection) as client:
                    await client.greet()
                    peer = place.element.peers[number]
                    assert (peer.user, peer.source_host, peer.transport) == (USER, HOST, "netconf-ssh")
                    assert not script.waits[number - 1 :]
                connection.close()
            await until(lambda: len(script.waits) >= 3)

    asyncio.run(scenario())


def test_over_ssh_the_host_key_is_that_of_the_listener() -> None:
    async def scenario() -> None:
        async with served() as place, ssh_manager() as (port, arrived):
            async with place.connect() as connection:
                listening = connection.get_server_host_key()
            async with calling(place, "ssh", [port]):
                called = await asyncio.wait_for(arrived.get(), 20)
                assert called.get_server_host_key() == listening
                called.close()

    asyncio.run(scenario())


def test_over_ssh_a_client_that_does_not_log_in_is_no_success() -> None:
    async def scenario() -> None:
        silent, met = socket.create_server((HOST, 0)), asyncio.Event()

        async def deny(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.close()
            met.set()

        server = await asyncio.start_server(deny, sock=silent)
        async with (
            served() as place,
            ssh_manager() as (port, arrived),
            calling(place, "ssh", [silent.getsockname()[1], port], max_attempts=1) as script,
        ):
            connection = await asyncio.wait_for(arrived.get(), 20)
            assert met.is_set()
            assert script.waits == [5]
            connection.close()
        server.close()

    asyncio.run(scenario())


def test_over_ssh_a_client_that_answers_no_keep_alive_is_given_up_and_called_again() -> None:
    async def scenario() -> None:
        async with (
            served() as place,
            ssh_manager() as (port, arrived),
            calling(place, "ssh", [port], terms=Terms(math.inf, Probing(1, 1, 1))),
        ):
            connection = await asyncio.wait_for(arrived.get(), 20)
            async with channel(connection) as client:
                await client.greet()
                # It is there, and its TCP acknowledges; but nothing is read any more.
                reading = connection._transport
                assert reading is not None
                reading.pause_reading()
                again = await asyncio.wait_for(arrived.get(), 20)
                await until(lambda: place.element.ends == [(1, SessionEnd.DROPPED)])
            connection.abort()
            again.close()

    asyncio.run(scenario())


def test_a_connection_that_is_to_stay_has_no_idle_time_out_and_a_periodic_one_its_own() -> None:
    async def scenario() -> None:
        limits = Limits(idle_seconds=0.05)
        async with (
            served(limits=limits) as place,
            ssh_manager() as (port, arrived),
            calling(place, "ssh", [port]),
        ):
            connection = await asyncio.wait_for(arrived.get(), 20)
            async with channel(connection) as client:
                await client.greet()
                (ours,) = place.listener.connections
                assert isinstance(ours, _Connection)
                (session,) = ours.channels
                assert session.runner is not None
                assert session.runner._idle_limit == math.inf
                async with place.connect() as listened, channel(listened) as other:
                    await other.greet()
                    assert await other.rest() == b""
                assert place.element.ends == [(2, SessionEnd.TIMEOUT)]
                await client.request("<ok/>")
            connection.close()
        async with (
            served() as place,
            ssh_manager() as (port, arrived),
            calling(place, "ssh", [port], terms=Terms(0.05), period=60.0) as script,
        ):
            connection = await asyncio.wait_for(arrived.get(), 20)
            async with channel(connection) as client:
                await client.greet()
                assert await client.rest() == b""
                assert place.element.ends == [(1, SessionEnd.TIMEOUT)]
            connection.close()
            await until(lambda: 60 in script.waits)

    asyncio.run(scenario())


@asynccontextmanager
async def tls_manager(place: Secured) -> AsyncIterator[tuple[int, asyncio.Queue[Manager]]]:
    """A manager that is the TLS client on connections that the server opens."""
    arrived: asyncio.Queue[Manager] = asyncio.Queue()
    context = place.site.client_context(place.site.admin)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        protocol = writer.transport.get_protocol()
        secure = await loop.start_tls(writer.transport, protocol, context, server_hostname=HOST)
        assert isinstance(protocol, asyncio.StreamReaderProtocol) and secure is not None
        inside = asyncio.StreamWriter(secure, protocol, reader, loop)
        arrived.put_nowait(Manager(SimpleNamespace(stdin=inside, stdout=reader)))

    server = await asyncio.start_server(meet, HOST, 0)
    yield server.sockets[0].getsockname()[1], arrived
    server.close()


def test_over_tls_the_client_is_served_and_called_again_when_it_left() -> None:
    async def scenario() -> None:
        async with (
            secured() as place,
            tls_manager(place) as (port, arrived),
            calling(place, "tls", [port], terms=Terms(math.inf, Probing(7, 7, 2))),
        ):
            for number in (1, 2):
                client = await asyncio.wait_for(arrived.get(), 20)
                await client.greet()
                peer = place.element.peers[number]
                assert (peer.user, peer.source_host, peer.transport) == (USER, HOST, "netconf-tls")
                (ours,) = place.listener.connections
                probed = ours._raw.get_extra_info("socket")
                assert probed.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 7
                assert probed.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 21_000
                client.process.stdin.close()
            last = await asyncio.wait_for(arrived.get(), 20)
            last.process.stdin.close()

    asyncio.run(scenario())


def test_over_tls_a_client_with_a_bad_certificate_is_no_success() -> None:
    async def scenario() -> None:
        async with secured() as place, tls_manager(place) as (port, arrived):
            good = place.site.admin
            place.site.admin = place.site.authority.issue("nobody")
            async with tls_manager(place) as (strange, refused):
                place.site.admin = good
                async with calling(place, "tls", [strange, port], max_attempts=1) as script:
                    client = await asyncio.wait_for(arrived.get(), 20)
                    await client.greet()
                    assert script.waits == [5]
                    assert refused.qsize() == 1
                    assert place.element.last_id == 1
                    client.process.stdin.close()

    asyncio.run(scenario())


def test_a_client_that_does_not_log_in_in_time_is_left() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(silent, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        limits = Limits(login_seconds=0.1)
        async with (
            served(limits=limits) as over_ssh,
            secured(limits=limits) as over_tls,
            calling(over_ssh, "ssh", [port]) as one,
            calling(over_tls, "tls", [port]) as other,
        ):
            await until(lambda: bool(one.waits and other.waits))
        server.close()

    asyncio.run(scenario())


def test_stopping_calls_no_more_and_leaves_the_session_to_its_transport() -> None:
    async def scenario() -> None:
        async with secured(element=Element()) as place, tls_manager(place) as (port, arrived):
            async with calling(place, "tls", [port]):
                client = await asyncio.wait_for(arrived.get(), 20)
                await client.greet()
            await client.request("<ok/>")
            await place.listener.stop()
            assert await client.rest() == b""
            assert place.element.ends == [(1, SessionEnd.OTHER)]
            assert arrived.empty()

    asyncio.run(scenario())


# The file

FULL = """
[[call-home]]
name = "nms"
transport = "tls"
endpoints = ["nms1.example", "[2001:db8::1]:14335"]
start-with = "last-connected"
max-attempts = 4
max-wait = 6
pause = 7
keep-alive = 8
keep-alive-attempts = 9
period = 10
idle-timeout = 11
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "home.toml"
    path.write_text(text)
    return path


def test_a_file_says_it_all_or_next_to_nothing(tmp_path: Path) -> None:
    endpoints = (("nms1.example", 4335), ("2001:db8::1", 14335))
    terms = Terms(11, Probing(8, 8, 9))
    full = Client("nms", "tls", endpoints, "last-connected", 4, 6, 7, 600.0, terms)
    assert callhome.load(written(tmp_path, FULL)) == (full,)
    short = '[[call-home]]\nname = "a"\nendpoints = "x"\n[[call-home]]\nname = "b"\nendpoints = ["y:1"]\n'
    kept = Terms(math.inf, Probing(30, 30, 3))
    assert callhome.load(written(tmp_path, short)) == (
        Client("a", "ssh", (("x", 4334),), terms=kept),
        Client("b", "ssh", (("y", 1),), terms=kept),
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('name = "nms"', ""), r"\[\[call-home\]\] 1: name is missing"),
        (('"tls"', '"telnet"'), "'telnet' is no transport; write one of ssh, tls"),
        (('"nms1.example"', '""'), "write endpoints as"),
        (('"nms1.example"', '":4335"'), "write the client's HOST"),
        (('"nms1.example"', '"nms1:0"'), "write the client's HOST"),
        (('"nms1.example"', '"nms1:port"'), "the port must be a number"),
        (('"nms1.example"', '"::1"'), "in brackets"),
        (("endpoints", "end-points"), "'end-points' is not known here; known are name, "),
        (("last-connected", "random"), "write one of first-listed, last-connected"),
        (("pause = 7", "pause = 0"), "pause must be a whole number from 1"),
        (("pause = 7", "pause = 0.5"), "pause must be a whole number from 1"),
        (("keep-alive = 8", "keep-alive = true"), "keep-alive must be a whole number"),
        (("[[call-home]]", "[call-home]"), r"written as a table of its own: \[\[call-home\]\]"),
        (("[[call-home]]", "[[callhome]]"), "'callhome' is not known here|nobody is to be called"),
        (("[[call-home]]", "call-home"), "this is no TOML"),
        (("\n[[call-home]]", FULL + "\n[[call-home]]"), "two clients have the same name"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        callhome.load(written(tmp_path, FULL.replace(*change)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--call-home .*nowhere.toml: No such file"):
        callhome.load(tmp_path / "nowhere.toml")
