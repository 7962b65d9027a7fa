"""The schema of tests/data/yang, and what works on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.schema.modules import module_set
from nesrv.schema.schema import Schema, load
from tests.datastore.bench import Bench

MODULES = Path(__file__).parents[1] / "data" / "yang"


@pytest.fixture(scope="session")
def schema() -> Schema:
    return load(module_set([MODULES], with_model=False))


@pytest.fixture(scope="session")
def shards(schema: Schema) -> Shards:
    return Shards(schema)


@pytest.fixture(scope="session")
def editor(shards: Shards) -> Editor:
    return Editor(shards)


@pytest.fixture
def bench(editor: Editor, shards: Shards) -> Bench:
    return Bench(editor, shards)
