"""SSH: who comes in, which channels there are, and the rules that real clients need."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import asyncssh
import pytest
from lxml import etree

from nesrv.settings import Limits
from nesrv.transport import ssh
from nesrv.transport.users import User
from nesrv.wire import messages
from nesrv.wire.handler import SessionEnd
from nesrv.wire.messages import BASE, RpcRequest
from nesrv.wire.session import BASE_1_0, BASE_1_1
from tests.transport.element import NC, PASSWORD, USER, Client, Element, channel, error_tag, served, session, until

# The wire rules


def test_rule_1_replies_carry_no_xml_declaration() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            for operation in ("<get-config/>", "<ok/>", "<break/>"):
                client.ask(operation)
                assert (await client.raw()).startswith(b"<rpc-reply ")

    asyncio.run(scenario())


def test_rule_2_replies_are_ascii() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            client.ask("<get-config/>", "é東")
            raw = await client.raw()
            assert raw.isascii()
            reply = etree.fromstring(raw)
            assert reply.get("message-id") == "é東"
            assert reply.findtext(f"{NC}data/{{urn:n}}names") == "Zoë <ß> 東京"

    asyncio.run(scenario())


def test_rule_3_reply_elements_are_never_prefixed() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            payload = f'<nc:rpc xmlns:nc="{BASE}" message-id="1"><nc:break/></nc:rpc>'.encode()
            client.write(b"\n#%d\n%b\n##\n" % (len(payload), payload))
            raw = await client.raw()
            assert b"</rpc-error>" in raw
            assert b"nc:" not in raw

    asyncio.run(scenario())


def test_rule_4_an_unnamespaced_config_reaches_the_handler_as_it_is() -> None:
    seen: list[object] = []

    class Seeing(Element):
        async def handle(self, session_id: int, request: RpcRequest) -> Iterable[bytes]:
            seen.extend(child.tag for child in request.operation)
            return messages.ok_reply(request)

    async def scenario() -> None:
        async with served(Seeing()) as place, session(place) as client:
            await client.request(f'<nc:edit-config xmlns:nc="{BASE}"><config xmlns=""/></nc:edit-config>')

    asyncio.run(scenario())
    assert seen == ["config"]


@pytest.mark.parametrize("noise", [b"\n", b"\r\n\r\n", b" \t\n"])
def test_rule_5_white_space_before_the_hello_and_around_chunks(noise: bytes) -> None:
    async def scenario() -> None:
        async with served() as place, place.connect() as connection, channel(connection) as client:
            await client.greet(before=noise)
            for number in range(3):
                client.write(noise)
                assert (await client.request("<ok/>", number)).get("message-id") == str(number)

    asyncio.run(scenario())


@pytest.mark.parametrize("capabilities", [(BASE_1_0,), (BASE, "urn:x"), (BASE_1_0, BASE_1_1), (BASE, BASE_1_1)])
def test_rule_6_chunks_only_when_both_hellos_have_base_1_1(capabilities: tuple[str, ...]) -> None:
    async def scenario() -> None:
        async with served() as place, session(place, *capabilities) as client:
            assert client.chunked is (BASE_1_1 in capabilities)
            assert (await client.request("<ok/>", 9)).get("message-id") == "9"

    asyncio.run(scenario())


def test_rule_7_attributes_are_echoed_and_fifty_pipelined_requests_answered_in_order() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            asked = [
                client.framed("<get-config/>" if n % 3 else "<ok/>", n, f' xmlns:x="urn:x" x:n="{n}"')
                for n in range(50)
            ]
            client.write(b"".join(asked))
            replies = [await client.reply() for _ in range(50)]
            assert [reply.get("message-id") for reply in replies] == [str(n) for n in range(50)]
            assert [reply.get("{urn:x}n") for reply in replies] == [str(n) for n in range(50)]

    asyncio.run(scenario())


def test_rule_8_errors_have_severity_and_a_message() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            reply = await client.request("<break/>")
            assert error_tag(reply) == "operation-failed"
            assert reply.findtext(f"{NC}rpc-error/{NC}error-severity") == "error"
            assert reply.findtext(f"{NC}rpc-error/{NC}error-message")
            assert (await client.request("<ok/>", 2))[0].tag == f"{NC}ok"

    asyncio.run(scenario())


def test_rule_9_the_same_question_gets_the_same_bytes() -> None:
    async def scenario() -> None:
        async with served() as place, session(place) as client:
            client.ask("<get-config/>")
            first = await client.raw()
            client.ask("<get-config/>")
            assert await client.raw() == first

    asyncio.run(scenario())


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
            call = asyncio.ensure_future(place.listener.call_home("127.0.0.1", waiting.get_port()))
            connection = await asyncio.wait_for(arrived.get(), 10)
            async with channel(connection) as client:
                await client.greet()
                assert (await client.request("<ok/>"))[0].tag == f"{NC}ok"
            connection.close()
            await asyncio.wait_for(call, 10)
        waiting.close()

    asyncio.run(scenario())


# Stopping


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


# OpenSSH


def test_openssh_with_a_forced_terminal_speaks_netconf(tmp_path: Path) -> None:
    """As scrapli's system transport starts it: ``-tt``, with pipes for streams."""

    async def scenario() -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(tmp_path / "key")
        (tmp_path / "key").chmod(0o600)
        async with served() as place:
            place.users.replace_source("table", [User("key", None, (key.export_public_key().decode(),))])
            options = ("BatchMode=yes", "StrictHostKeyChecking=no", f"UserKnownHostsFile={tmp_path / 'known'}")
            process = await asyncio.create_subprocess_exec(
                *("ssh", "-F", "none", "-tt", "-i", str(tmp_path / "key"), "-p", str(place.listener.port)),
                *(word for option in options for word in ("-o", option)),
                *("-s", "key@127.0.0.1", "netconf"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=1 << 24,
            )
            client = Client(process)
            assert (await client.greet()).tag == f"{NC}hello"
            for number in range(5):
                assert (await client.request("<get/>", number)).get("message-id") == str(number)
            await client.request("<close-session/>")
            assert await client.rest() == b""
            await asyncio.wait_for(process.wait(), 10)

    asyncio.run(scenario())
