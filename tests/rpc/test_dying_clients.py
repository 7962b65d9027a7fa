"""A client that dies in the middle of any operation leaves no lock, no session, no subscription and no change of the
candidate behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nesrv.server import Server
from nesrv.settings import Settings
from tests.rpc.client import Client, session
from tests.rpc.conftest import MODULES
from tests.rpc.every_operation import KEPT, LOCK, MONITORING, REQUESTS, SUBSCRIBED
from tests.rpc.raw import connect
from tests.serving import USERS, Serving
from tests.transport.element import channel

HELD = (
    f'<get><filter><netconf-state xmlns="{MONITORING}"><datastores/><sessions><session><session-id/></session>'
    f'</sessions></netconf-state><subscriptions xmlns="{SUBSCRIBED}"/></filter></get>'
)


@pytest.mark.parametrize("moment", ["sent", "handled"])
@pytest.mark.parametrize("operation", REQUESTS)
def test_nothing_is_left_behind(server: Serving, operation: str, moment: str) -> None:
    request = REQUESTS[operation]

    async def run() -> None:
        async with session(server) as watcher:
            await watcher.edit(KEPT)
            await watcher.commit()
            async with connect(server) as connection, channel(connection) as raw:
                client = Client(raw.process)
                await client.greet()
                for step in request.before:
                    reply = await client.rpc(step)
                    assert reply.find("{*}rpc-error") is None
                client.ask(request.operation)
                if moment == "handled":
                    await asyncio.wait_for(counted(watcher, client.number, len(request.before) + 1), 30)
                connection.abort()
            await asyncio.wait_for(alone(watcher), 30)
            # A confirmed commit goes back to what was before after the session's end.
            await asyncio.wait_for(back(watcher), 30)
            held = await watcher.data(HELD)
            assert held.findall(".//{*}locks") == [] and held.findall(".//{*}subscription") == []
            await watcher.ok(LOCK)

    asyncio.run(run())


async def counted(watcher: Client, number: int, requests: int) -> None:
    """Until the session has made so many requests, or is over."""
    session = f"<session><session-id>{number}</session-id><in-rpcs/></session>"
    state = f'<netconf-state xmlns="{MONITORING}"><sessions>{session}</sessions></netconf-state>'
    while (
        int((await watcher.data(f"<get><filter>{state}</filter></get>")).findtext(".//{*}in-rpcs") or requests)
        < requests
    ):
        await asyncio.sleep(0.005)


async def back(watcher: Client) -> None:
    while {await watcher.config("candidate"), await watcher.config()} != {KEPT}:
        await asyncio.sleep(0.005)


async def alone(watcher: Client) -> None:
    while len((await watcher.data(HELD)).findall(".//{*}session")) > 1:
        await asyncio.sleep(0.005)


def test_no_operation_is_forgotten(tmp_path: Path) -> None:
    """All that a server with its default settings carries out, but ``plan``, which only looks."""
    users = tmp_path / "users.toml"
    users.touch(mode=0o600)
    users.write_text(USERS)
    settings = Settings(("127.0.0.1", 0), tmp_path / "state", users, backend="none", yang=(MODULES,))

    async def served() -> set[str]:
        server = Server(settings)
        await server.start()
        try:
            return set(server.dispatcher._operations) & set(server.element.schema.rpcs)
        finally:
            await server.stop()

    assert asyncio.run(served()) == set(REQUESTS)
