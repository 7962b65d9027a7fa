"""The completeness gate: every configuration leaf of our modules is translated by some feature."""

from __future__ import annotations

from collections.abc import Iterable

from nesrv.features.feature import Feature
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.schema import Schema


def unclaimed(schema: Schema, features: Iterable[Feature]) -> list[str]:
    """Schema paths of configuration leaves that no feature claims; raises ``ValueError`` for a claim of no leaf.

    Keys of lists count as claimed, and so do their originals in ``config``.
    """
    claimed: set[SchemaNode] = set()
    for feature in features:
        point = schema.node(feature.point)
        if point not in schema.points | schema.skeleton:
            raise ValueError(f"{feature.name}: {feature.point} is no shard point")
        claimed.update(claimed_leaf(feature, point, claim) for claim in feature.claims)
    leaves = (node for top in schema.data.values() for node in top.walk() if _is_ours(node, schema))
    return sorted(node.path for node in leaves if node not in claimed and not _names_its_entry(node))


def claimed_leaf(feature: Feature, point: SchemaNode, claim: str) -> SchemaNode:
    """The configuration leaf that ``claim`` (relative to ``point``) means; raises ``ValueError``."""
    try:
        node = point.find(claim)
    except KeyError:
        raise ValueError(f"{feature.name} claims {claim}, which the schema does not have") from None
    if node.kind not in ("leaf", "leaf-list") or not node.config:
        raise ValueError(f"{feature.name} claims {claim}, which is no configuration leaf")
    return node


def _is_ours(node: SchemaNode, schema: Schema) -> bool:
    return node.config and node.module in schema.own and node.kind in ("leaf", "leaf-list", "anydata", "anyxml")


def _names_its_entry(node: SchemaNode) -> bool:
    """A key, or the leaf in ``config`` that OpenConfig's keys refer to."""
    home = node.parent
    if node.is_key or home is None:
        return node.is_key
    return home.name == "config" and home.parent is not None and node.name in home.parent.keys
