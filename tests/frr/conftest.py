from __future__ import annotations

from collections.abc import Iterator

import pytest

from nesrv.frr.daemons import Home
from tests.frr.engine import made_home, open_directory
from tests.kernel.conftest import lab

__all__ = ["home", "lab", "own_home"]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One element whose FRR serves all tests of the session that do not break it."""
    with made_home(open_directory(tmp_path_factory)) as home:
        yield home


@pytest.fixture
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """An element whose FRR a test may do anything to."""
    with made_home(open_directory(tmp_path_factory)) as home:
        yield home
