"""One server for all of the folder, which it is to outlive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.wire import Place, serving


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    with serving() as made:
        yield made
