"""Every configuration leaf is claimed, every claim is a leaf, every claimed leaf is read in a golden case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features.completeness import claimed_leaf, unclaimed
from nesrv.features.feature import Export, Feature, Lookup
from nesrv.features.registry import FEATURES
from tests.features.cases import all_cases
from tests.features.element import Element, model

WITHOUT_EFFECT = {
    # Texts for people.
    "interfaces": {"config/description", "subinterfaces/subinterface/config/description"},
    # The model has one value for each of these.
    "instances": {
        "config/description",
        "encapsulation/config/encapsulation-type",
        "connection-points/connection-point/endpoints/endpoint/config/type",
        # It ranks with no other.
        "connection-points/connection-point/endpoints/endpoint/config/precedence",
    },
    "static-routes": {"protocols/protocol/static-routes/static/config/description"},
    "evpn": {
        "evpn/evpn-instances/evpn-instance/config/encapsulation-type",
        "evpn/evpn-instances/evpn-instance/config/service-type",
    },
}


@dataclass(frozen=True)
class Other:
    """A feature that claims and does nothing."""

    name: str
    point: str
    claims: frozenset[str]

    def exports(self, entry: Node) -> Iterator[Export]:
        return iter(())

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        return iter(())


def test_every_leaf_is_claimed() -> None:
    assert unclaimed(model(), FEATURES) == []


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_claim_that_is_missing_is_found(feature: Feature) -> None:
    others = [other for other in FEATURES if other is not feature]
    for claim in feature.claims:
        fewer = Other(feature.name, feature.point, feature.claims - {claim})
        path = claimed_leaf(feature, model().node(feature.point), claim).path
        assert unclaimed(model(), [*others, fewer]) == [path]


@pytest.mark.parametrize("claim", ["config/nothing", "config", "state/name"])
def test_a_claim_of_no_leaf_is_refused(claim: str) -> None:
    with pytest.raises(ValueError, match=claim):
        unclaimed(model(), [Other("other", FEATURES[0].point, frozenset({claim}))])


def test_a_point_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no shard point"):
        unclaimed(model(), [Other("other", "/openconfig-interfaces:interfaces/interface/config", frozenset())])


def test_no_leaf_is_claimed_twice() -> None:
    claimed = [claimed_leaf(one, model().node(one.point), claim) for one in FEATURES for claim in one.claims]
    assert len(claimed) == len(set(claimed))


def test_every_claimed_leaf_is_read_in_a_golden_case(monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    original = Node.all

    def noted(self: Node, relative: str) -> Iterator[Node]:
        for node in original(self, relative):
            if node.schema.kind in ("leaf", "leaf-list"):
                read.add(node.schema.path)
            yield node

    monkeypatch.setattr(Node, "all", noted)
    for case in all_cases():
        Element().commit(case.config)
    for feature in FEATURES:
        point = model().node(feature.point)
        quiet = WITHOUT_EFFECT.get(feature.name, set())
        unread = {claim for claim in feature.claims if claimed_leaf(feature, point, claim).path not in read}
        assert unread == quiet, feature.name
