"""What is measured, the same for every server: figures in milliseconds, or requests a second."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from tests.bench import machine
from tests.bench.client import Place, RawSession, payload, session

NS = b"urn:bench"
MANY = 10_000
SESSIONS, REQUESTS = 20, 50
COMMIT = b"<commit/>"
# Everything, which is little or much.
GET = b'<get-config><source><running/></source><filter type="subtree"><x xmlns="urn:bench"/></filter></get-config>'
ONE = (
    b'<get-config><source><running/></source><filter type="subtree"><x xmlns="urn:bench"><y><a>%b</a></y></x></filter>'
    b"</get-config>"
)
DELETE_ALL = (
    b"<edit-config><target><candidate/></target><config>"
    b'<x xmlns="urn:bench" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="remove"/>'
    b"</config></edit-config>"
)


def edit(entries: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Merges the entries (key, value) into the candidate."""
    listed = b"".join(b"<y><a>%b</a><b>%b</b></y>" % entry for entry in entries)
    return b'<edit-config><target><candidate/></target><config><x xmlns="%b">%b</x></config></edit-config>' % (
        NS,
        listed,
    )


def entries(count: int) -> list[tuple[bytes, bytes]]:
    return [(b"k%06d" % index, b"value %d" % index) for index in range(count)]


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


async def timed(action: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    await action()
    return (time.perf_counter() - start) * 1000


def best_of_medians(values: Sequence[float], size: int = 3) -> float:
    """The lowest median of rounds of ``size``; see ``best_median``."""
    return min(statistics.median(values[start : start + size]) for start in range(0, len(values), size))


async def best_median(action: Callable[[], Awaitable[object]], *, rounds: int, times: int) -> float:
    """The lowest of the rounds' medians: what others on the machine do in one round is not the server's doing."""
    medians = []
    for _ in range(rounds):
        machine.sample()
        medians.append(statistics.median([await timed(action) for _ in range(times)]))
    return min(medians)


async def empty(raw: RawSession) -> None:
    await raw.do(DELETE_ALL)
    await raw.do(COMMIT)


async def fill(raw: RawSession, count: int, portion: int = MANY) -> None:
    """``count`` entries, committed in portions."""
    every = entries(count)
    for start in range(0, count, portion):
        await raw.do(edit(every[start : start + portion]))
        await raw.do(COMMIT)


async def count(raw: RawSession, request: bytes) -> int:
    """Entries in the reply: a server that answers something else is not to be measured."""
    return payload(await raw.request(request)).count(b"</y>")


async def open_and_hello(place: Place, times: int = 10) -> float:
    async def one() -> float:
        start = time.perf_counter()
        async with session(place):
            return (time.perf_counter() - start) * 1000

    return min([statistics.median([await one() for _ in range(times)]) for _ in range(3)])


async def small(place: Place) -> dict[str, float]:
    """Beside one entry: reading it, and the throughput of many sessions that do."""
    async with session(place) as raw:
        await empty(raw)
        await fill(raw, 1)
        assert await count(raw, GET) == 1
        latency = await best_median(lambda: raw.request(GET), rounds=3, times=200)
    return {"small get-config": latency, "requests/s": max([await throughput(place) for _ in range(3)])}


async def throughput(place: Place) -> float:
    """Requests a second over all sessions together, all of them open before the first request."""
    async with AsyncExitStack() as stack:
        raws = [await stack.enter_async_context(session(place)) for _ in range(SESSIONS)]

        async def ask(raw: RawSession) -> None:
            for _ in range(REQUESTS):
                assert b"</y>" in await raw.request(GET)

        start = time.perf_counter()
        await asyncio.gather(*(ask(raw) for raw in raws))
        return SESSIONS * REQUESTS / (time.perf_counter() - start)


async def large(place: Place, turns: int) -> dict[str, float]:
    """Creating 10,000 entries, and reading all or one of them."""
    edits, commits = [], []
    request = edit(entries(MANY))
    async with session(place) as raw:
        for _ in range(turns):
            machine.sample()
            await empty(raw)
            edits.append(await timed(lambda: raw.do(request)))
            commits.append(await timed(lambda: raw.do(COMMIT)))
        assert await count(raw, GET) == MANY
        one = ONE % b"k005000"
        assert await count(raw, one) == 1
        return {
            "10k edit-config": best_of_medians(edits),
            "10k commit": best_of_medians(commits),
            "10k get all": await best_median(lambda: raw.request(GET), rounds=3, times=5),
            "10k get one": await best_median(lambda: raw.request(one), rounds=3, times=50),
        }


async def one_entry(raws: Sequence[RawSession], rounds: int, times: int) -> list[float]:
    """Milliseconds of edit-config and commit of one leaf, by session; taken in turns, so that noise hits all alike."""
    found: list[list[float]] = [[] for _ in raws]
    for turn in range(rounds):
        machine.sample()
        for raw, medians in zip(raws, found, strict=True):
            medians.append(statistics.median([await _change(raw, turn * times + index) for index in range(times)]))
    return [min(medians) for medians in found]


async def _change(raw: RawSession, turn: int) -> float:
    request = edit([(b"k000050", b"changed %d" % turn)])

    async def change() -> None:
        await raw.do(request)
        await raw.do(COMMIT)

    return await timed(change)
