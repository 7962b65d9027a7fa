"""Every configuration leaf can change alone: some golden case does it, and its plan is there to be read."""

from __future__ import annotations

from functools import cache

import pytest

from nesrv.features.completeness import claimed_leaf
from nesrv.features.feature import Feature
from nesrv.features.registry import FEATURES
from tests.features.cases import all_cases
from tests.features.changes import changed_leaves
from tests.features.documents import document, vrf
from tests.features.element import model

FEW = 4
"""So many leaves may change together in a case that counts for each of them."""
NEVER_ALONE: dict[str, str] = {
    "/openconfig-interfaces:interfaces/interface/openconfig-vlan:routed-vlan/openconfig-if-ip:ipv6/config/enabled": (
        "An IRB interface has IPv6: false is refused, and true is the default."
    ),
}
"""Schema path → why no configuration can change this leaf without entries coming or going."""


@cache
def changed_with_few() -> frozenset[str]:
    """Schema paths of the leaves that golden cases change, a few at a time, no list entry coming or going."""
    found: set[str] = set()
    for case in all_cases():
        if not case.before:
            continue
        try:
            leaves = changed_leaves(case.before, case.config)
        except ValueError:
            continue
        if len(leaves) <= FEW:
            found.update(leaves.values())
    return frozenset(found)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_leaf_changes_in_a_golden_case(feature: Feature) -> None:
    """A leaf that is missing here needs a case with a before.xml in which it changes, alone or with few others."""
    claimed = {claimed_leaf(feature, model().node(feature.point), claim).path for claim in feature.claims}
    assert sorted(claimed - changed_with_few() - NEVER_ALONE.keys()) == []


def test_what_never_changes_alone_is_a_leaf_and_does_not() -> None:
    for path in NEVER_ALONE:
        assert model().node(path).kind in ("leaf", "leaf-list")
        assert path not in changed_with_few()


def test_what_counts_as_a_change() -> None:
    """A default that is said is none, and an entry that comes is not a leaf's."""
    red = "/openconfig-network-instance:network-instances/network-instance/config/description"
    plain = document((), [vrf("red", description="a")])
    found = f"{red.removesuffix('/config/description')}[name='red']/config/description"
    assert changed_leaves(plain, document((), [vrf("red", description="b")])) == {found: red}
    assert changed_leaves(plain, document((), [vrf("red")])) == {found: red}
    assert changed_leaves(plain, plain) == {}
    with pytest.raises(ValueError, match="blue"):
        changed_leaves(plain, document((), [vrf("red", description="a"), vrf("blue")]))
