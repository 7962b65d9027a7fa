"""The figures that the design promises, measured over SSH beside the peer's, and held against their bounds.

The bounds are for a machine with two cores and nothing else to do; a slower or busier one is given as much more time as
it is slower (``machine``).  NESRV_BENCH=short leaves out the peer and the 100,000 entries.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import asyncssh
import pytest

from tests.bench import machine, measure, report
from tests.bench.client import Place, RawSession, session
from tests.bench.peer import netconfd
from tests.serving import Serving

YANG = Path(__file__).parent / "yang"
SHORT = os.environ.get("NESRV_BENCH") == "short"
SIZES = (100, 10_000) if SHORT else (100, 10_000, 100_000)
BESIDE = "one edit + commit beside {:,}"
USER = "bench"

MOST = {
    "open + hello": 30.0,
    "small get-config": 1.0,
    "10k edit-config": 200.0,
    "10k commit": 70.0,
    "10k get all": 15.0,
    "10k get one": 1.0,
    **{BESIDE.format(size): 10.0 for size in SIZES},
}
"""Milliseconds that a figure may have."""
LEAST = {"requests/s": 1500.0}
GROWTH = 1.5
"""How much more one change may cost beside the most entries than beside the fewest."""


@pytest.fixture(scope="module")
def key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture(scope="module")
def figures(key: asyncssh.SSHKey) -> dict[str, float]:
    found = asyncio.run(of_nesrv(key))
    report.add("nesrv", found)
    report.add_bounds(MOST | LEAST, machine.slowness())
    return found


@pytest.fixture(scope="module")
def peers(key: asyncssh.SSHKey) -> dict[str, float]:
    """Measured on the same machine, after nesrv."""
    with netconfd(YANG, key) as place:
        found = asyncio.run(of_peer(place))
    report.add("netconfd", found)
    return found


def nesrv(key: asyncssh.SSHKey) -> Serving:
    public = key.export_public_key().decode().strip()
    return Serving(yang=[YANG], users=f'[[user]]\nname = "{USER}"\nauthorized_keys = ["{public}"]\n')


async def of_nesrv(key: asyncssh.SSHKey) -> dict[str, float]:
    with nesrv(key) as server:
        found = await basics(Place("nesrv", server.port, USER, key), turns=9)
    with ExitStack() as servers:
        places = [Place("nesrv", servers.enter_context(nesrv(key)).port, USER, key) for _ in SIZES]
        return found | await changes(places, SIZES, rounds=5, times=40)


async def of_peer(place: Place) -> dict[str, float]:
    """The peer is asked less often: its changes beside 10,000 entries take seconds."""
    few = await changes([place], SIZES[:1], rounds=3, times=10)
    found = await basics(place, turns=1)
    async with session(place) as raw:
        (beside,) = await measure.one_entry([raw], rounds=1, times=3)
    return few | found | {BESIDE.format(measure.MANY): beside}


async def basics(place: Place, turns: int) -> dict[str, float]:
    opened = await measure.open_and_hello(place)
    return {"open + hello": opened, **await measure.small(place), **await measure.large(place, turns)}


async def changes(places: list[Place], sizes: tuple[int, ...], rounds: int, times: int) -> dict[str, float]:
    async with AsyncExitStack() as stack:
        raws: list[RawSession] = []
        for place, size in zip(places, sizes, strict=True):
            raw = await stack.enter_async_context(session(place))
            await measure.fill(raw, size)
            raws.append(raw)
        found = await measure.one_entry(raws, rounds, times)
    return {BESIDE.format(size): value for size, value in zip(sizes, found, strict=True)}


@pytest.mark.parametrize("name", MOST)
def test_takes_no_longer(figures: dict[str, float], name: str) -> None:
    assert figures[name] <= MOST[name] * machine.slowness()


@pytest.mark.parametrize("name", LEAST)
def test_answers_as_many(figures: dict[str, float], name: str) -> None:
    assert figures[name] >= LEAST[name] / machine.slowness()


def test_cost_follows_the_change(figures: dict[str, float]) -> None:
    assert figures[BESIDE.format(SIZES[-1])] <= GROWTH * figures[BESIDE.format(SIZES[0])]


@pytest.mark.skipif(SHORT, reason="NESRV_BENCH=short")
def test_changes_beside_many_cost_less_than_the_peers(figures: dict[str, float], peers: dict[str, float]) -> None:
    name = BESIDE.format(measure.MANY)
    assert figures[name] * 10 <= peers[name]
    assert figures["open + hello"] <= peers["open + hello"]
    assert figures["10k edit-config"] + figures["10k commit"] <= peers["10k edit-config"] + peers["10k commit"]
