"""A client that dies in the middle of any operation leaves no lock, no session, no subscription and no change of the
candidate behind."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from nesrv.server import Server
from nesrv.settings import Settings
from tests.rpc.client import Client, edit, session
from tests.rpc.conftest import MODULES
from tests.rpc.raw import connect
from tests.serving import USERS, Serving
from tests.transport.element import channel

NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
NOTIFICATION = "urn:ietf:params:xml:ns:netconf:notification:1.0"
PARTIAL = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
SUBSCRIBED = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
PUSH = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
HISTORY = "urn:nesrv:history"
DATASTORES = 'xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"'
KEPT = '<top xmlns="urn:nesrv:test:kinds"><note>kept</note></top>'
LOST = KEPT.replace("kept", "lost")
LOCK = "<lock><target><candidate/></target></lock>"
ESTABLISH = f'<establish-subscription xmlns="{SUBSCRIBED}"><stream>NETCONF</stream></establish-subscription>'


@dataclass(frozen=True)
class Death:
    """The client is gone once ``request`` is sent, after ``before`` was answered."""

    request: str
    before: tuple[str, ...] = ()


DEATHS: dict[str, Death] = {
    f"{{{NC}}}get": Death("<get/>"),
    f"{{{NC}}}get-config": Death("<get-config><source><running/></source></get-config>"),
    f"{{{NC}}}edit-config": Death(edit(LOST)),
    f"{{{NC}}}copy-config": Death(
        f"<copy-config><target><candidate/></target><source><config>{LOST}</config></source></copy-config>"
    ),
    f"{{{NC}}}delete-config": Death("<delete-config><target><candidate/></target></delete-config>"),
    f"{{{NC}}}commit": Death("<commit><confirmed/></commit>", (edit(LOST),)),
    f"{{{NC}}}cancel-commit": Death("<cancel-commit/>", (edit(LOST), "<commit><confirmed/></commit>")),
    f"{{{NC}}}discard-changes": Death("<discard-changes/>", (edit(LOST),)),
    f"{{{NC}}}validate": Death("<validate><source><candidate/></source></validate>", (edit(LOST),)),
    f"{{{NC}}}lock": Death(LOCK),
    f"{{{NC}}}unlock": Death("<unlock><target><candidate/></target></unlock>", (LOCK, edit(LOST))),
    f"{{{NC}}}close-session": Death("<close-session/>", (LOCK, edit(LOST))),
    f"{{{NC}}}kill-session": Death("<kill-session><session-id>4294967295</session-id></kill-session>", (LOCK,)),
    f"{{{NOTIFICATION}}}create-subscription": Death(f'<create-subscription xmlns="{NOTIFICATION}"/>'),
    f"{{{PARTIAL}}}partial-lock": Death(
        f'<partial-lock xmlns="{PARTIAL}" xmlns:k="urn:nesrv:test:kinds"><select>/k:top</select></partial-lock>'
    ),
    f"{{{PARTIAL}}}partial-unlock": Death(
        f'<partial-unlock xmlns="{PARTIAL}"><lock-id>1</lock-id></partial-unlock>', (LOCK,)
    ),
    f"{{{MONITORING}}}get-schema": Death(f'<get-schema xmlns="{MONITORING}"><identifier>kinds</identifier></get-schema>'),
    f"{{{SUBSCRIBED}}}establish-subscription": Death(ESTABLISH),
    f"{{{SUBSCRIBED}}}modify-subscription": Death(
        f'<modify-subscription xmlns="{SUBSCRIBED}"><id>1</id></modify-subscription>', (ESTABLISH,)
    ),
    f"{{{SUBSCRIBED}}}delete-subscription": Death(
        f'<delete-subscription xmlns="{SUBSCRIBED}"><id>1</id></delete-subscription>', (ESTABLISH,)
    ),
    f"{{{SUBSCRIBED}}}kill-subscription": Death(
        f'<kill-subscription xmlns="{SUBSCRIBED}"><id>1</id></kill-subscription>', (ESTABLISH,)
    ),
    f"{{{PUSH}}}resync-subscription": Death(
        f'<resync-subscription xmlns="{PUSH}"><id>1</id></resync-subscription>', (ESTABLISH,)
    ),
    f"{{{NMDA}}}get-data": Death(
        f'<get-data xmlns="{NMDA}"><datastore {DATASTORES}>ds:operational</datastore></get-data>'
    ),
    f"{{{NMDA}}}edit-data": Death(
        f'<edit-data xmlns="{NMDA}"><datastore {DATASTORES}>ds:candidate</datastore><config>{LOST}</config></edit-data>'
    ),
    f"{{{HISTORY}}}list-commits": Death(f'<list-commits xmlns="{HISTORY}"/>'),
    f"{{{HISTORY}}}get-commit": Death(f'<get-commit xmlns="{HISTORY}"><id>1</id></get-commit>'),
    f"{{{HISTORY}}}rollback": Death(f'<rollback xmlns="{HISTORY}"><id>1</id></rollback>'),
}
HELD = (
    f'<get><filter><netconf-state xmlns="{MONITORING}"><datastores/><sessions><session><session-id/></session>'
    f'</sessions></netconf-state><subscriptions xmlns="{SUBSCRIBED}"/></filter></get>'
)


@pytest.mark.parametrize("moment", ["sent", "handled"])
@pytest.mark.parametrize("operation", DEATHS)
def test_nothing_is_left_behind(server: Serving, operation: str, moment: str) -> None:
    death = DEATHS[operation]

    async def run() -> None:
        async with session(server) as watcher:
            await watcher.edit(KEPT)
            await watcher.commit()
            async with connect(server) as connection, channel(connection) as raw:
                client = Client(raw.process)
                await client.greet()
                for step in death.before:
                    reply = await client.rpc(step)
                    assert reply.find("{*}rpc-error") is None
                client.ask(death.request)
                if moment == "handled":
                    await asyncio.wait_for(counted(watcher, client.number, len(death.before) + 1), 30)
                connection.abort()
            await asyncio.wait_for(alone(watcher), 30)
            held = await watcher.data(HELD)
            assert held.findall(".//{*}locks") == [] and held.findall(".//{*}subscription") == []
            assert await watcher.config("candidate") == await watcher.config() == KEPT
            await watcher.ok(LOCK)

    asyncio.run(run())


async def counted(watcher: Client, number: int, requests: int) -> None:
    """Until the session has made so many requests, or is over."""
    session = f"<session><session-id>{number}</session-id><in-rpcs/></session>"
    asked = f'<get><filter><netconf-state xmlns="{MONITORING}"><sessions>{session}</sessions></netconf-state></filter></get>'
    while int((await watcher.data(asked)).findtext(".//{*}in-rpcs") or requests) < requests:
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

    assert asyncio.run(served()) == set(DEATHS)
