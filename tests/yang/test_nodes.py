"""Every node of the OpenConfig namespaces is the published one."""

from __future__ import annotations

import pytest
from pyang.context import Context as PyangContext

from tests.yang import models
from tests.yang.models import Node


@pytest.fixture(scope="module")
def published() -> dict[str, Node]:
    return models.rows_as_nodes(models.table("nodes"))


@pytest.fixture(scope="module")
def ours(modules: PyangContext) -> dict[str, Node]:
    return {node.path: node for node in models.data_nodes(modules)}


def _complaint(own: Node, other: Node | None) -> str | None:
    """What is wrong with a node, if anything; the flag of a container is that of its leaves."""
    if other is None:
        return f"{own.path}: not published"
    checks = ("kind", "type", "default", "units", "notes") + (() if own.kind == "container" else ("readonly",))
    pairs = [(name, getattr(own, name), getattr(other, name)) for name in checks]
    wrong = [f"{name} {mine!r} != {theirs!r}" for name, mine, theirs in pairs if mine != theirs]
    if not own.bases <= other.bases:
        wrong.append(f"bases {own.bases - other.bases}")
    return f"{own.path}: {', '.join(wrong)}" if wrong else None


def test_nodes_are_published_ones(ours: dict[str, Node], published: dict[str, Node]) -> None:
    complaints = [_complaint(node, published.get(path)) for path, node in ours.items()]
    assert not [complaint for complaint in complaints if complaint is not None]
    assert len(ours) > 250


def test_what_is_mandatory_there_is_here(ours: dict[str, Node], published: dict[str, Node]) -> None:
    """Else a payload that is valid here would be refused by the published modules."""
    missing = [
        path
        for path, node in published.items()
        if "mandatory" in node.notes and not node.readonly and path.rpartition("/")[0] in ours and path not in ours
    ]
    assert not missing


def test_every_leaf_under_config_can_be_written(ours: dict[str, Node]) -> None:
    leaves = {path for path, node in ours.items() if node.kind in ("leaf", "leaf-list")}
    assert {path for path in leaves if path.split("/")[-2] == "config"} >= {
        "/openconfig-interfaces:interfaces/interface/config/mtu",
        "/openconfig-network-instance:network-instances/network-instance/protocols/protocol/bgp/global/config/as",
    }
    assert not [path for path in leaves if ours[path].readonly and "/config/" in path]
    assert not [path for path in leaves if not ours[path].readonly and "/state/" in path]


def test_no_state_shows_a_secret(ours: dict[str, Node]) -> None:
    secret = [path for path in ours if path.endswith(("password", "password-hashed"))]
    assert len(secret) > 3
    assert all("/config/" in path for path in secret)
