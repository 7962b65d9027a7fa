"""Many clients, large messages, small pieces, and clients that do not read: over SSH, on a whole server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from lxml import etree

from tests.rpc.client import Client, edit, session
from tests.rpc.raw import connect, raw
from tests.serving import Serving
from tests.transport.element import Client as RawClient
from tests.transport.element import channel

KINDS = "urn:nesrv:test:kinds"
CANDIDATE = "<get-config><source><candidate/></source></get-config>"
SESSIONS = 100
LARGE = 20_000_000


def items(count: int, size: int) -> str:
    """So many entries of so many bytes."""
    text = "x" * size
    return (
        f'<top xmlns="{KINDS}">{"".join(f"<item><name>n{n}</name><l1>{text}</l1></item>" for n in range(count))}</top>'
    )


def test_a_hundred_sessions_at_once(server: Serving) -> None:
    """Each adds its entry to the one candidate, all at the same time."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(session(server)) for _ in range(SESSIONS)]
            assert len({client.number for client in clients}) == SESSIONS
            entries = (f'<top xmlns="{KINDS}"><item><name>n{number}</name></item></top>' for number in range(SESSIONS))
            await asyncio.gather(*(client.edit(entry) for client, entry in zip(clients, entries, strict=True)))
            await asyncio.gather(*(client.commit() for client in clients))
            for found in await asyncio.gather(*(client.config() for client in clients)):
                assert found.count("<item>") == SESSIONS

    asyncio.run(run())


def test_chunks_of_one_byte(server: Serving) -> None:
    """Each chunk, and each byte of its frame, comes by itself."""
    text = f'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">{edit(items(1, 3))}</rpc>'

    async def run() -> None:
        async with raw(server) as client:
            stream = b"".join(b"\n#1\n%c" % byte for byte in text.encode()) + b"\n##\n"
            for at in range(len(stream)):
                client.write(stream[at : at + 1])
                await asyncio.sleep(0)
            reply = await client.reply()
            assert etree.QName(reply[0]).localname == "ok"
            assert (await client.request(CANDIDATE, 2)).findtext(".//{*}l1") == "xxx"

    asyncio.run(run())


def test_an_edit_of_twenty_megabytes(server: Serving) -> None:
    config = items(10_000, LARGE // 10_000)
    assert len(config) > LARGE

    async def run() -> None:
        async with raw(server) as client, session(server) as other:
            client.ask(edit(config), 1)
            assert await other.config() == "", "others are answered meanwhile"
            reply = await asyncio.wait_for(client.process.stdout.readuntil(b"\n##\n"), 120)
            assert b"<ok/>" in reply
            found = await client.request(CANDIDATE, 2)
            assert len(etree.tostring(found)) > LARGE
            assert len(found.findall(".//{*}item")) == 10_000
            await other.ok("<validate><source><candidate/></source></validate>")

    asyncio.run(run())


def test_a_client_that_never_reads(server: Serving) -> None:
    """Its answers wait in the server, as few as it will take; others do not, and can end it."""

    async def run() -> None:
        async with session(server) as good, connect(server) as connection:
            await good.edit(items(100, 20_000))
            await good.commit()
            before = server.memory()
            async with channel(connection, window=10_000) as mute:
                numbered = Client(mute.process)
                await numbered.greet()
                mute.process.channel.pause_reading()
                flood = RawClient(mute.process)
                flood.write(
                    b"".join(
                        flood.framed("<get-config><source><running/></source></get-config>", n) for n in range(500)
                    )
                )
                for _ in range(50):
                    await good.data(CANDIDATE)
                assert server.memory() - before < 60_000_000, "of the 1,000 MB that it asked for"
                await good.ok(f"<kill-session><session-id>{numbered.number}</session-id></kill-session>")
            assert "<item>" in await good.config()

    asyncio.run(run())
