"""One server for the whole room, empty again before each test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rpc.client import session
from tests.serving import Serving

MODULES = Path(__file__).parents[1] / "data" / "yang"


@pytest.fixture(scope="session")
def shared() -> Iterator[Serving]:
    with Serving(yang=[MODULES, MODULES.parent / "defaults"]) as server:
        yield server


@pytest.fixture
def server(shared: Serving) -> Serving:
    async def empty() -> None:
        async with session(shared) as client:
            await client.ok("<discard-changes/>")
            await client.ok("<delete-config><target><candidate/></target></delete-config>")
            await client.commit()

    asyncio.run(empty())
    return shared
