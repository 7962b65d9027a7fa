"""Sessions with a server in which a test writes every byte itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncssh

from tests.serving import PASSWORD, USER, Serving
from tests.transport.element import Client, channel


def connect(server: Serving, **more: Any) -> Any:
    """An asyncssh connection, to be awaited or entered."""
    options = {"known_hosts": None, "client_keys": None, "agent_path": None, "config": None, **more}
    return asyncssh.connect(server.host, server.port, username=USER, password=PASSWORD, **options)


@asynccontextmanager
async def raw(server: Serving, *capabilities: str, **more: Any) -> AsyncIterator[Client]:
    """A client that has said hello, with chunks unless ``capabilities`` are without base:1.1; ``more`` is the
    channel's."""
    async with connect(server) as connection, channel(connection, **more) as client:
        await client.greet(*capabilities)
        yield client
