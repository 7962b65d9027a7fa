from __future__ import annotations

from collections.abc import Iterator

import pytest

from nesrv.frr.daemons import Home
from tests.features.exchange import wired
from tests.frr.conftest import home
from tests.frr.engine import made_home, open_directory

__all__ = ["home"]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Home]]:
    run = open_directory(tmp_path_factory)
    with made_home(run) as one, made_home(run) as other, wired(one, other):
        yield one, other
