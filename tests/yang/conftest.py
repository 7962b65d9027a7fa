from __future__ import annotations

import libyang
import pytest
from pyang.context import Context as PyangContext

from tests.yang import models


@pytest.fixture(scope="session")
def schema() -> libyang.Context:
    return models.libyang_context()


@pytest.fixture(scope="session")
def modules() -> PyangContext:
    return models.pyang_context()
