"""The table ``local`` goes behind the VRFs and comes back; somebody else's arrangement stays."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nesrv.kernel.local_table import put_behind_vrfs, put_first


def ip(*words: str) -> str:
    return subprocess.run(("ip", *words), capture_output=True, text=True, check=True).stdout


@pytest.fixture
def space() -> Iterator[str]:
    name = f"l{secrets.token_hex(3)}"
    ip("netns", "add", name)
    yield name
    ip("netns", "del", name)


def local_rules(space: str) -> list[list[int]]:
    """Priorities of the rules that look up ``local``, for IPv4 and IPv6."""
    found = [json.loads(ip("-n", space, family, "-json", "rule", "show")) for family in ("-4", "-6")]
    return [[rule["priority"] for rule in rules if rule["table"] == "local"] for rules in found]


def test_behind_the_vrfs_and_back(space: str) -> None:
    path = Path("/run/netns", space)
    for _ in range(2):
        put_behind_vrfs(path)
        assert local_rules(space) == [[32765], [32765]]
    for _ in range(2):
        put_first(path)
        assert local_rules(space) == [[0], [0]]


def test_a_rule_that_somebody_else_moved_stays(space: str) -> None:
    path = Path("/run/netns", space)
    for family in ("-4", "-6"):
        ip("-n", space, family, "rule", "add", "pref", "2000", "table", "local")
        ip("-n", space, family, "rule", "del", "pref", "0")
    put_behind_vrfs(path)
    assert local_rules(space) == [[2000], [2000]]
