"""What access control and a subscriber cost: the figures of test_bench.py again, for a tenant whose rules decide about
its entries and with somebody who is told of each commit, beside those of an administrator whom nobody watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import asyncssh
import pytest

from tests.bench import machine, measure, report
from tests.bench.client import Place, RawSession, session
from tests.serving import Serving

YANG = Path(__file__).parent / "yang"
BESIDE = "one edit + commit beside 10,000"
MOST = {"small get-config": 1.0, "10k edit-config": 200.0, "10k commit": 70.0, "10k get all": 15.0, "10k get one": 1.0,
        BESIDE: 10.0}  # fmt: skip
"""Milliseconds that a figure may have, watched or not."""
RULES = (
    b"<edit-config><target><candidate/></target><config>"
    b'<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><rule-list><name>tenant</name><group>tenants</group>'
    b"<rule><name>not-this</name><path xmlns:b=\"urn:bench\">/b:x/b:y[b:a='another']</path><action>deny</action></rule>"
    b'<rule><name>own</name><path xmlns:b="urn:bench">/b:x</path><action>permit</action></rule>'
    b"</rule-list></nacm></config></edit-config>"
)
SUBSCRIBE = b'<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"/>'


@pytest.fixture(scope="module")
def key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


def users(key: asyncssh.SSHKey) -> str:
    """An administrator and a tenant."""
    entry = f'authorized_keys = ["{key.export_public_key().decode().strip()}"]\n'
    return f'[[user]]\nname = "admin"\n{entry}[[user]]\nname = "tenant"\nrole = "tenants"\n{entry}'


@asynccontextmanager
async def subscriber(place: Place) -> AsyncIterator[RawSession]:
    """Takes every notification and answers nothing."""
    async with asyncssh.connect(
        place.host, place.port, username=place.user, client_keys=[place.key], known_hosts=None, config=None
    ) as connection:
        _, made = await connection.create_session(cast(Any, RawSession), subsystem="netconf", encoding=None)
        raw = cast(RawSession, made)
        await raw.greet()
        await raw.do(SUBSCRIBE)
        yield raw


async def figures(place: Place) -> dict[str, float]:
    found = {**await measure.small(place), **await measure.large(place, turns=5)}
    async with session(place) as raw:
        (beside,) = await measure.one_entry([raw], rounds=5, times=40)
    return found | {BESIDE: beside}


async def plain(key: asyncssh.SSHKey) -> dict[str, float]:
    with Serving(yang=[YANG], users=users(key)) as server:
        return await figures(Place("plain", server.port, "admin", key))


async def watched(key: asyncssh.SSHKey) -> dict[str, float]:
    with Serving(yang=[YANG], users=users(key)) as server:
        admin = Place("admin", server.port, "admin", key)
        async with session(admin) as raw:
            await raw.do(RULES)
            await raw.do(measure.COMMIT)
        async with subscriber(admin) as told:
            found = await figures(Place("tenant", server.port, "tenant", key))
            assert b"netconf-config-change" in told.unread()
        return found


@pytest.fixture(scope="module")
def both(key: asyncssh.SSHKey) -> tuple[dict[str, float], dict[str, float]]:
    alone, beside = asyncio.run(plain(key)), asyncio.run(watched(key))
    report.add("nobody watches", alone)
    report.add("rules and subscriber", beside)
    report.add_bounds(MOST, machine.slowness())
    return alone, beside


@pytest.mark.parametrize("name", MOST)
def test_takes_no_longer(both: tuple[dict[str, float], dict[str, float]], name: str) -> None:
    assert both[1][name] <= MOST[name] * machine.slowness()
