"""The rules of the wire that real clients need, over SSH."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import asyncssh
import pytest
from lxml import etree

from nesrv.transport.users import User
from nesrv.wire import messages
from nesrv.wire.messages import BASE, RpcRequest
from nesrv.wire.session import BASE_1_0, BASE_1_1
from tests.transport.element import NC, Client, Element, channel, error_tag, served, session


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
