"""Policies as route-maps of FRR.

OpenConfig: /routing-policy/policy-definitions/policy-definition; FRR: route-map NAME.
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs
from nesrv.features.feature import Export, Lookup
from nesrv.features.policy import chain, lists
from nesrv.features.policy.statements import statements_of

STATEMENT = "statements/statement"
CONDITIONS, ACTIONS = f"{STATEMENT}/conditions", f"{STATEMENT}/actions"
BGP_CONDITIONS, BGP_ACTIONS = f"{CONDITIONS}/bgp-conditions", f"{ACTIONS}/bgp-actions"


class PolicyDefinitions:
    name = "policies"
    point = "/openconfig-routing-policy:routing-policy/policy-definitions/policy-definition"
    claims = frozenset(
        {
            f"{CONDITIONS}/match-prefix-set/config/prefix-set",
            f"{CONDITIONS}/match-prefix-set/config/match-set-options",
            f"{CONDITIONS}/match-neighbor-set/config/neighbor-set",
            f"{CONDITIONS}/match-neighbor-set/config/match-set-options",
            f"{CONDITIONS}/match-tag-set/config/tag-set",
            f"{CONDITIONS}/match-tag-set/config/match-set-options",
            f"{BGP_CONDITIONS}/config/med-eq",
            f"{BGP_CONDITIONS}/config/origin-eq",
            f"{BGP_CONDITIONS}/config/next-hop-in",
            f"{BGP_CONDITIONS}/config/local-pref-eq",
            f"{BGP_CONDITIONS}/match-community-set/config/community-set",
            f"{BGP_CONDITIONS}/match-community-set/config/match-set-options",
            f"{BGP_CONDITIONS}/match-ext-community-set/config/ext-community-set",
            f"{BGP_CONDITIONS}/match-ext-community-set/config/match-set-options",
            f"{BGP_CONDITIONS}/match-as-path-set/config/as-path-set",
            f"{BGP_CONDITIONS}/match-as-path-set/config/match-set-options",
            f"{ACTIONS}/config/policy-result",
            f"{ACTIONS}/set-tag/config/mode",
            f"{ACTIONS}/set-tag/inline/config/tag",
            f"{ACTIONS}/set-tag/reference/config/tag-set",
            f"{BGP_ACTIONS}/config/set-route-origin",
            f"{BGP_ACTIONS}/config/set-local-pref",
            f"{BGP_ACTIONS}/config/set-next-hop",
            f"{BGP_ACTIONS}/config/set-med",
            f"{BGP_ACTIONS}/config/set-med-action",
            f"{BGP_ACTIONS}/set-as-path-prepend/config/repeat-n",
            f"{BGP_ACTIONS}/set-as-path-prepend/config/asn",
            f"{BGP_ACTIONS}/set-as-path-prepend/config/use-last-as",
            f"{BGP_ACTIONS}/set-community/config/method",
            f"{BGP_ACTIONS}/set-community/config/options",
            f"{BGP_ACTIONS}/set-community/inline/config/communities",
            f"{BGP_ACTIONS}/set-community/reference/config/community-set-refs",
            f"{BGP_ACTIONS}/set-ext-community/config/method",
            f"{BGP_ACTIONS}/set-ext-community/config/options",
            f"{BGP_ACTIONS}/set-ext-community/inline/config/communities",
            f"{BGP_ACTIONS}/set-ext-community/reference/config/ext-community-set-refs",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        name = entry.text("name")
        statements = statements_of(entry)
        texts = tuple(statement.text for statement in statements)
        yield Export(inputs.policy(name), texts, f"policy {name}", entry.path)
        open_end = int(chain.falls_through(statements))
        yield Export(inputs.policy_falls_through(name), open_end, f"policy {name}", entry.path)
        asks = int(chain.asks_neighbor(statements))
        yield Export(inputs.policy_asks_neighbor(name), asks, f"policy {name}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        """The route-map for those who reject by default, and one for those who accept where that differs."""
        statements = statements_of(entry)
        name = lists.frr_name(entry.text("name"))
        yield from chain.own_lists(statements, lookup)
        yield from chain.route_map(name, statements, chain.REJECT, lookup, entry.path)
        if chain.falls_through(statements):
            yield from chain.route_map(name + chain.ACCEPTING, statements, chain.ACCEPT, lookup, entry.path)
