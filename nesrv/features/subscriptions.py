"""Subscriptions are made by establish-subscription: their list is no configuration here (RFC 8639 §2.5 is optional)."""

from __future__ import annotations

from collections.abc import Iterator

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features.feature import Export, Lookup


class NoConfiguredSubscriptions:
    """The module lets them be written, feature ``configured`` or not."""

    name = "no-configured-subscriptions"
    point = "/ietf-subscribed-notifications:subscriptions/subscription"
    claims: frozenset[str] = frozenset()

    def exports(self, entry: Node) -> Iterator[Export]:
        return iter(())

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        raise errors.OperationNotSupported(
            "Subscriptions cannot be configured here: a client makes its own with <establish-subscription>.", entry.path
        )
