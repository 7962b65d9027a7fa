"""SSH: who comes in, and which channels there are."""

from __future__ import annotations

import asyncio
import socket

import asyncssh
import pytest

from nesrv.settings import Limits
from nesrv.transport.stream import Terms
from nesrv.transport.users import User
from tests.transport.element import NC, PASSWORD, USER, Element, channel, served, session, until

# Logins


def test_a_wrong_password_and_an_unknown_user_are_refused() -> None:
    async def scenario() -> None:
        async with served() as place:
            for user, password in ((USER, "wrong"), ("nobody", "wrong"), ("", "")):
                with pytest.raises(asyncssh.PermissionDenied):
                    await place.connect(user, password)
            assert place.element.last_id == 0

    asyncio.run(scenario())


def test_a_public_key_opens_and_another_does_not() -> None:
    async def scenario() -> None:
        good, bad = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        async with served() as place:
            place.users.replace_source("table", [User("key", None, (good.export_public_key().decode(),))])
            async with place.connect("key", None, client_keys=[good]) as connection, channel(connection) as client:
                await client.greet()
                assert place.element.peers[1].user == "key"
            with pytest.raises(asyncssh.PermissionDenied):
                await place.connect("key", None, client_keys=[bad])

    asyncio.run(scenario())


def test_too_many_wrong_passwords_end_the_connection() -> None:
    class Guessing(asyncssh.SSHClient):
        tried = 0

        def password_auth_requested(self) -> str:
            self.tried += 1
            return f"guess {self.tried}"

    guessing = Guessing()

    async def scenario() -> None:
        async with served(limits=Limits(login_failures=3)) as place:
            with pytest.raises(asyncssh.PermissionDenied, match="Too many"):
                await place.connect(password=None, client_factory=lambda: guessing, preferred_auth=["password"])

    asyncio.run(scenario())
    assert guessing.tried == 3


def test_a_connection_without_login_is_closed_in_time() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(login_seconds=0.2)) as place:
            reader, writer = await asyncio.open_connection("127.0.0.1", place.listener.port)
            await asyncio.wait_for(reader.read(), 10)
            writer.close()

    asyncio.run(scenario())


def test_only_so_many_connections_wait_for_their_login() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(pending_logins=2)) as place:
            streams = [await asyncio.open_connection("127.0.0.1", place.listener.port) for _ in range(2)]
            greetings = [await asyncio.wait_for(reader.readline(), 10) for reader, _ in streams]
            assert all(greeting.startswith(b"SSH-2.0-") for greeting in greetings)
            third, writer = await asyncio.open_connection("127.0.0.1", place.listener.port)
            streams.append((third, writer))
            with pytest.raises((asyncssh.Error, OSError)):
                await place.connect()
            for _, open_writer in streams:
                open_writer.close()
            await until(lambda: not place.listener.pending)
            async with session(place):
                pass

    asyncio.run(scenario())


def test_a_connection_without_any_session_is_closed_in_time() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(hello_seconds=0.2)) as place, place.connect() as connection:
            await asyncio.wait_for(connection.wait_closed(), 10)

    asyncio.run(scenario())


# Channels


def test_nothing_but_the_subsystem_is_served() -> None:
    async def scenario() -> None:
        async with served() as place, place.connect() as connection:
            for refused in ({"command": "id"}, {"subsystem": "sftp"}, {}):
                with pytest.raises(asyncssh.ChannelOpenError):
                    await connection.create_process(**refused)
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("127.0.0.1", place.listener.port)
            with pytest.raises(asyncssh.ChannelListenError):
                await connection.forward_remote_port("", 0, "127.0.0.1", 1)
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.create_process(subsystem="netconf", x11_forwarding=True, x11_display="h:0")
            async with channel(connection) as client:
                await client.greet()

    asyncio.run(scenario())


def test_a_client_that_asks_for_a_terminal_gets_no_echo_and_no_line_editor() -> None:
    async def scenario() -> None:
        async with served() as place, session(place, term_type="xterm", term_size=(80, 24)) as client:
            client.ask("<get-config/>", 1)
            assert (await client.raw()).startswith(b"<rpc-reply")
            assert (await client.request(f"<ok>{'x' * 5000}</ok>", 2)).get("message-id") == "2"

    asyncio.run(scenario())


def test_one_connection_carries_many_sessions() -> None:
    async def scenario() -> None:
        async with served() as place, place.connect() as link, channel(link) as one, channel(link) as other:
            ids = [(await client.greet()).findtext(f"{NC}session-id") for client in (one, other)]
            assert ids == ["1", "2"]
            assert (await one.request("<ok/>", 5)).get("message-id") == "5"
            assert (await other.request("<ok/>", 6)).get("message-id") == "6"

    asyncio.run(scenario())


def test_one_session_too_many_is_refused_and_the_next_has_room_again() -> None:
    async def scenario() -> None:
        async with served(Element(most=1)) as place:
            async with session(place) as client, place.connect() as connection:
                with pytest.raises(asyncssh.ChannelOpenError):
                    await connection.create_process(subsystem="netconf", encoding=None)
                await client.request("<ok/>")
            await until(lambda: not place.element.peers)
            async with session(place) as client:
                await client.request("<ok/>")

    asyncio.run(scenario())


def test_the_peer_is_known_by_user_and_host() -> None:
    async def scenario() -> None:
        async with served() as place, session(place):
            peer = place.element.peers[1]
            assert (peer.user, peer.source_host, peer.transport) == (USER, "127.0.0.1", "netconf-ssh")

    asyncio.run(scenario())


def test_the_groups_are_those_at_login() -> None:
    async def scenario() -> None:
        async with served() as place, session(place):
            place.users.replace_source("table", [User("ann", "x", role="builders")])
            async with place.connect("ann", "x") as connection:
                await connection.create_process(subsystem="netconf", encoding=None)
                place.users.replace_source("table", [])
                await connection.create_process(subsystem="netconf", encoding=None)
                groups = [peer.groups for peer in place.element.peers.values()]
                assert groups == [("SYSTEM_ROLE_ADMIN",), ("builders",), ("builders",)]

    asyncio.run(scenario())


class Greeted(asyncssh.SSHClient):
    """A client that keeps the banners it is shown."""

    def __init__(self) -> None:
        self.banners: list[str] = []

    def auth_banner_received(self, msg: str, lang: str) -> None:
        self.banners.append(msg)


def test_the_banner_comes_before_the_login_and_follows_its_configuration() -> None:
    async def scenario() -> None:
        async with served() as place:

            async def shown(password: str = PASSWORD) -> list[str]:
                client = Greeted()
                try:
                    async with place.connect(password=password, client_factory=lambda: client):
                        return client.banners
                except asyncssh.PermissionDenied:
                    return client.banners

            assert await shown() == []
            place.users.banner = "Müller AG\nKeep out."
            assert await shown() == ["Müller AG\r\nKeep out.\r\n"]
            assert await shown("wrong") == ["Müller AG\r\nKeep out.\r\n"]
            place.users.banner = ""
            assert await shown() == []

    asyncio.run(scenario())


def test_channels_that_never_become_sessions_are_counted_too() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(sessions=3)) as place, place.connect() as connection:
            for _ in range(5):
                with pytest.raises(asyncssh.ChannelOpenError):
                    await connection.create_process(subsystem="other")
            clients = [await connection.create_process(subsystem="netconf", encoding=None) for _ in range(3)]
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.create_process(subsystem="netconf", encoding=None)
            clients[0].close()
            await clients[0].wait_closed()
            await connection.create_process(subsystem="netconf", encoding=None)

    asyncio.run(scenario())


def test_the_server_calls_a_client_home() -> None:
    async def scenario() -> None:
        arrived: asyncio.Queue[asyncssh.SSHClientConnection] = asyncio.Queue()
        waiting = await asyncssh.listen_reverse(
            "127.0.0.1", 0, acceptor=arrived.put_nowait, username=USER, password=PASSWORD,
            known_hosts=None, client_keys=None, agent_path=None, config=None,
        )  # fmt: skip
        async with served() as place:
            connected = socket.create_connection(("127.0.0.1", waiting.get_port()))
            call = asyncio.ensure_future(place.listener.call_home(connected, Terms()))
            connection = await asyncio.wait_for(arrived.get(), 10)
            async with channel(connection) as client:
                await client.greet()
                assert (await client.request("<ok/>"))[0].tag == f"{NC}ok"
            connection.close()
            assert await asyncio.wait_for(call, 10)
        waiting.close()

    asyncio.run(scenario())
