"""The rooms, modules and tests that docs/design.md names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "design.md").read_text()
DOTTED = re.compile(r"\b((?:wire|transport|rpc|datastore|commit|kernel|frr)\.[a-z]+)\b")


def test_every_path_that_is_named_exists() -> None:
    named = re.findall(r"`((?:nesrv|tests|yang|lab|bindings)/[\w./]*)`", PAGE)
    assert len(named) > 8
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_module_on_the_road_of_a_request_exists() -> None:
    named = set(DOTTED.findall(PAGE))
    assert len(named) > 10
    places = {name: ROOT / "nesrv" / name.replace(".", "/") for name in named}
    assert [name for name, place in places.items() if not place.with_suffix(".py").exists()] == []
