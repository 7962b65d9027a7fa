"""A listener for TLS with certificates of its own, and clients that meet it."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

from cryptography import x509

from nesrv.settings import Limits
from nesrv.transport.credentials import Credentials
from nesrv.transport.tls import TlsListener
from nesrv.transport.users import User, UserStore
from tests.transport.certificates import Authority, Issued
from tests.transport.element import PASSWORD, USER, Client, Element

COMMON_NAME = '[[cert-to-name]]\nmap-type = "common-name"\n'


@dataclass
class Site:
    """The files of one server; ``maps`` is what stands below them in its settings."""

    folder: Path
    authority: Authority = field(default_factory=lambda: Authority("clients"))
    maps: str = COMMON_NAME
    above: str = ""

    def __post_init__(self) -> None:
        host = x509.IPAddress(ip_address("127.0.0.1"))
        self.authority.server(host, x509.DNSName("localhost")).write(self.folder, "server")
        self.authority.write(self.folder, "ca")
        self.admin = self.authority.issue(USER)

    def settings(self, listen: str = "127.0.0.1:0") -> Path:
        path = self.folder / "tls.toml"
        files = f'listen = "{listen}"\ncert = "server.pem"\nkey = "server.key"\nca = "ca.pem"\n'
        path.write_text((files if listen else files.partition("\n")[2]) + self.above + self.maps)
        return path

    def client_context(self, client: Issued | None, *more: Issued) -> ssl.SSLContext:
        """For a client with this certificate, or none."""
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if client is not None:
            context.load_cert_chain(*client.write(self.folder, "client", *more))
        return context


@contextmanager
def site(maps: str = COMMON_NAME, above: str = "") -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        yield Site(Path(folder), maps=maps, above=above)


@dataclass
class Secured:
    element: Element
    listener: TlsListener
    users: UserStore
    site: Site

    async def connect(self, client: Issued | None, *more: Issued, context: ssl.SSLContext | None = None) -> Client:
        """A client that has not said hello; OSError where the handshake itself shows the refusal."""
        context = context or self.site.client_context(client, *more)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.port, ssl=context)
        return Client(SimpleNamespace(stdin=writer, stdout=reader))

    async def is_refused(self, client: Issued | None, *more: Issued, context: ssl.SSLContext | None = None) -> bool:
        """Whether the client gets not one byte, and the server had no session."""
        before = self.element.last_id
        try:
            received = await (await self.connect(client, *more, context=context)).rest()
        except OSError:
            received = b""
        return received == b"" and self.element.last_id == before


@asynccontextmanager
async def secured(
    place: Site | None = None, element: Element | None = None, limits: Limits | None = None
) -> AsyncIterator[Secured]:
    """A listener on a free loopback port, stopped at the end."""
    with tempfile.TemporaryDirectory() as folder:
        place = place or Site(Path(folder))
        element = element or Element()
        users = UserStore([User(USER, PASSWORD)])
        listener = TlsListener(element, users, limits or Limits(), Credentials.load(place.settings()))
        await listener.listen("127.0.0.1", 0)
        try:
            yield Secured(element, listener, users, place)
        finally:
            element.gate.set()
            await listener.stop()


@asynccontextmanager
async def tls_session(place: Secured, *capabilities: str, client: Issued | None = None) -> AsyncIterator[Client]:
    """A client that has said hello."""
    connected = await place.connect(client or place.site.admin)
    try:
        await connected.greet(*capabilities)
        yield connected
    finally:
        connected.process.stdin.close()
