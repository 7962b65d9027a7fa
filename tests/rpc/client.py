"""A raw NETCONF client over SSH: what is sent and received is visible, nothing is interpreted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncssh
from lxml import etree

from tests.serving import PASSWORD, USER, Serving

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
NC = f"{{{BASE}}}"
PATIENCE = 30.0
END = b"]]>]]>"


@dataclass(frozen=True)
class Refusal:
    """An ``<rpc-error>`` taken apart."""

    type: str
    tag: str
    severity: str
    path: str
    app_tag: str
    message: str
    info: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.type} {self.tag} {self.path} {self.info}"


class Client:
    """base:1.0 framing: messages are what stands between end marks."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.number = 0
        self._asked = 0

    async def greet(self) -> etree._Element:
        self.send(f'<hello xmlns="{BASE}"><capabilities><capability>{BASE[:-3].replace("xml:ns:", "")}1.0</capability>'
                  "</capabilities></hello>")  # fmt: skip
        hello = await self.receive()
        self.number = int(hello.findtext(f"{NC}session-id") or 0)
        return hello

    def send(self, text: str) -> None:
        self._process.stdin.write(text.encode() + END)

    async def receive(self) -> etree._Element:
        text = await asyncio.wait_for(self._process.stdout.readuntil(END), PATIENCE)
        return etree.fromstring(text.removesuffix(END))

    def ask(self, operation: str) -> None:
        self._asked += 1
        self.send(f'<rpc xmlns="{BASE}" message-id="{self._asked}">{operation}</rpc>')

    async def rpc(self, operation: str) -> etree._Element:
        """The reply, whatever it is."""
        self.ask(operation)
        return await self.receive()

    async def ok(self, operation: str) -> None:
        reply = await self.rpc(operation)
        assert reply.find(f"{NC}ok") is not None, etree.tostring(reply).decode()

    async def data(self, operation: str) -> etree._Element:
        """What is inside <data>."""
        reply = await self.rpc(operation)
        found = reply.find("{*}data")
        assert found is not None, etree.tostring(reply).decode()
        return found

    async def text(self, operation: str) -> str:
        """The content of <data> as XML."""
        return "".join(
            etree.tostring(child, method="c14n2", encoding=None).decode() for child in await self.data(operation)
        )

    async def refused(self, operation: str) -> Refusal:
        reply = await self.rpc(operation)
        error = reply.find(f"{NC}rpc-error")
        assert error is not None, etree.tostring(reply).decode()
        texts = {name: error.findtext(f"{NC}error-{name}") or "" for name in ("type", "tag", "severity", "message")}
        info = tuple((etree.QName(item).localname, item.text or "") for item in error.iterfind(f"{NC}error-info/*"))
        return Refusal(
            texts["type"],
            texts["tag"],
            texts["severity"],
            error.findtext(f"{NC}error-path") or "",
            error.findtext(f"{NC}error-app-tag") or "",
            texts["message"],
            info,
        )

    # Short forms of what tests do all the time

    async def edit(self, inner: str, more: str = "") -> None:
        await self.ok(edit(inner, more))

    async def commit(self) -> None:
        await self.ok("<commit/>")

    async def config(self, datastore: str = "running") -> str:
        return await self.text(f"<get-config><source><{datastore}/></source></get-config>")

    async def ended(self) -> bool:
        """Whether the server closes the session now."""
        return bool(await asyncio.wait_for(self._process.stdout.read(), PATIENCE) == b"")


def edit(inner: str, more: str = "") -> str:
    return f"<edit-config><target><candidate/></target>{more}<config>{inner}</config></edit-config>"


@dataclass(frozen=True)
class Address:
    """Where a server listens that is no process of its own."""

    host: str
    port: int


@asynccontextmanager
async def session(server: Serving | Address, user: str = USER, password: str = PASSWORD) -> AsyncIterator[Client]:
    """A session that has exchanged hellos."""
    async with asyncssh.connect(
        server.host,
        server.port,
        username=user,
        password=password,
        known_hosts=None,
        client_keys=None,
        agent_path=None,
        config=None,
    ) as connection:
        process = await connection.create_process(subsystem="netconf", encoding=None)
        client = Client(process)
        await client.greet()
        yield client
        process.close()
