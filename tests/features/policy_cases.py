"""Every condition and action of a policy, with what comes of it for the routes of ``exchange``."""

from __future__ import annotations

from typing import Any

from tests.features import policies as pol
from tests.features.exchange import ALL, ANNOUNCED, PEER, PEER6, A, B, C, D, E, F
from tests.features.policies import ACCEPT, REJECT, statement

CASES: dict[str, tuple[str, frozenset[str] | dict[str, dict[str, Any]]]] = {}
"""Name → (policy and sets, what is accepted or with which attributes)."""


def case(name: str, *parts: str, then: frozenset[str] | set[str] | dict[str, dict[str, Any]]) -> None:
    CASES[name] = (pol.routing_policy(*parts), then if isinstance(then, dict) else frozenset(then))


def one(*parts: str) -> str:
    """The policy P with one statement."""
    return pol.policy("P", statement("only", *parts))


PREFIXES = pol.prefix_set("S", "10.0.0.0/8 16..16", "2001:db8::/32 48..48")
case("no statement", pol.policy("P"), then=set())
case("everything", one(ACCEPT), then=ALL)
case("default after next", one(pol.give(set_med=9)), then=set())
case(
    "prefixes of one family",
    pol.prefix_set("S", "10.1.0.0/16", "0.0.0.0/0 24..24"),
    one(pol.match("prefix", "S"), ACCEPT),
    then={A, D},
)
case("all of IPv4", pol.prefix_set("S", "0.0.0.0/0 0..32"), one(pol.match("prefix", "S"), ACCEPT), then={A, B, C, D})
case("all of IPv6", pol.prefix_set("S", "::/0 0..128"), one(pol.match("prefix", "S"), ACCEPT), then={E, F})
case("prefixes of both families", PREFIXES, one(pol.match("prefix", "S"), ACCEPT), then={A, B, C, F})
case("prefixes inverted", PREFIXES, one(pol.match("prefix", "S", "INVERT"), ACCEPT), then={D, E})
case("no prefixes", pol.prefix_set("S"), one(pol.match("prefix", "S"), ACCEPT), then=set())
case("no prefixes inverted", pol.prefix_set("S"), one(pol.match("prefix", "S", "INVERT"), ACCEPT), then=ALL)
case(
    "both families and another condition",
    PREFIXES,
    one(pol.match("prefix", "S"), pol.when(med_eq=5), ACCEPT),
    then={A, F},
)
case(
    "rejected",
    PREFIXES,
    pol.policy("P", statement("a", pol.match("prefix", "S"), REJECT), statement("b", ACCEPT)),
    then={D, E},
)
case("neighbour", pol.neighbor_set("S", PEER), one(pol.match("neighbor", "S"), ACCEPT), then={A, B, C, D})
case("neighbours", pol.neighbor_set("S", PEER6, "192.0.2.9"), one(pol.match("neighbor", "S"), ACCEPT), then={E, F})
case(
    "neighbours inverted",
    pol.neighbor_set("S", PEER6, "192.0.2.9"),
    one(pol.match("neighbor", "S", "INVERT"), ACCEPT),
    then={A, B, C, D},
)
case("community", pol.community_set("S", "65000:1"), one(pol.match("community", "S"), ACCEPT), then={A, B, E})
case(
    "any community", pol.community_set("S", "65000:2", "65001:2"), one(pol.match("community", "S"), ACCEPT), then={B, C}
)
case(
    "all communities",
    pol.community_set("S", "65000:2", "65000:1"),
    one(pol.match("community", "S", "ALL"), ACCEPT),
    then={B},
)
case(
    "communities inverted",
    pol.community_set("S", "65000:2", "65001:2"),
    one(pol.match("community", "S", "INVERT"), ACCEPT),
    then={A, D, E, F},
)
case(
    "well-known community",
    pol.community_set("S", "oc-bgp-types:GRACEFUL_SHUTDOWN"),
    one(pol.match("community", "S"), ACCEPT),
    then={C},
)
case(
    "expression over a community",
    pol.community_set("S", "^65000:.$"),
    one(pol.match("community", "S"), ACCEPT),
    then={A, B, E},
)
case(
    "an expression stays within one",
    pol.community_set("S", "^6500[01].*2$"),
    one(pol.match("community", "S"), ACCEPT),
    then={B, C},
)
case(
    "an expression is of the whole",
    pol.community_set("S", "^5000:1$"),
    one(pol.match("community", "S"), ACCEPT),
    then=set(),
)
case(
    "expression beside a community",
    pol.community_set("S", "^65001:[^3]$", "65000:2"),
    one(pol.match("community", "S"), ACCEPT),
    then={B, C},
)
case(
    "route target",
    pol.ext_community_set("S", "65000:2", "65000:9"),
    one(pol.match("ext-community", "S"), ACCEPT),
    then={D},
)
case(
    "route targets",
    pol.ext_community_set("S", "65000:2", "65000:1"),
    one(pol.match("ext-community", "S", "ALL"), ACCEPT),
    then={D},
)
case(
    "route targets inverted",
    pol.ext_community_set("S", "route-target:65000:1"),
    one(pol.match("ext-community", "S", "INVERT"), ACCEPT),
    then=ALL - {C, D},
)
case("as path", pol.as_path_set("S", "_7_8$", "^9_"), one(pol.match("as-path", "S"), ACCEPT), then={B})
case(
    "as path inverted",
    pol.as_path_set("S", "_7_8$", "^9_"),
    one(pol.match("as-path", "S", "INVERT"), ACCEPT),
    then=ALL - {B},
)
case("med", one(pol.when(med_eq=5), ACCEPT), then={A, F})
case("origin", one(pol.when(origin_eq="EGP"), ACCEPT), then={D})
case("next hop", one(pol.when(next_hop_in=PEER), ACCEPT), then={A, B, C, D})
case("next hops", one(pol.when(next_hop_in=(PEER, PEER6)), ACCEPT), then=ALL)
case("other next hops", one(pol.when(next_hop_in=("192.0.2.7", "192.0.2.8")), ACCEPT), then=set())
MARKED = (
    statement("mark", pol.match("prefix", "S"), pol.give(set_local_pref=300)),
    statement("rest", pol.when(local_pref_eq=300), ACCEPT),
)
case(
    "local preference, changes kept",
    PREFIXES,
    pol.policy("P", *MARKED),
    then={C: {"pref": 0}} | {name: {"pref": 300} for name in (A, B, F)},
)
TAGGED = (statement("mark", pol.when(med_eq=5), pol.tag("INLINE", 7)), statement("rest", pol.match("tag", "S"), ACCEPT))
case("tags", pol.tag_set("S", 7, 8), pol.policy("P", *TAGGED), then={A: {"tag": 7}, F: {"tag": 7}})
case(
    "tag of a set",
    pol.tag_set("S", 70),
    one(pol.when(med_eq=5), pol.tag("REFERENCE", of="S"), ACCEPT),
    then={A: {"tag": 70}, F: {"tag": 70}},
)
case(
    "next hop of IPv4 for all",
    one(pol.give(set_next_hop="192.0.2.77"), ACCEPT),
    then={name: {"hops": [PEER6 if ":" in name else "192.0.2.77"]} for name in ANNOUNCED},
)
SET: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("set origin", pol.give(set_route_origin="INCOMPLETE"), {"origin": "incomplete"}),
    ("set local preference", pol.give(set_local_pref=250), {"pref": 250}),
    ("set med", pol.give(set_med=17), {"med": 17}),
    ("set med, said", pol.give(set_med=17, set_med_action="SET"), {"med": 17}),
    ("add med", pol.give(set_med=17, set_med_action="ADD"), {"med": 22}),
    ("subtract med", pol.give(set_med=2, set_med_action="SUBTRACT"), {"med": 3}),
    ("set med after that", pol.give(set_med=17), {"med": 17}),
    ("set next hop", pol.give(set_next_hop="192.0.2.77"), {"hops": ["192.0.2.77"]}),
    ("set a next hop of IPv6", pol.give(set_next_hop="2001:db8:ffff::77"), {"hops": ["2001:db8:ffff::77"]}),
    ("prepend", pol.prepend(asn=65009, repeat_n=3), {"path": "65009 65009 65009 65001"}),
    ("prepend once", pol.prepend(asn=65009), {"path": "65009 65001"}),
    ("prepend the last", pol.prepend(use_last_as=True, repeat_n=2), {"path": "65001 65001 65001"}),
    ("prepend after that", pol.prepend(asn=65008), {"path": "65008 65001"}),
    (
        "add communities",
        pol.communities("ADD", "65000:3", "oc-bgp-types:NO_EXPORT"),
        {"communities": "65000:1 65000:3 no-export"},
    ),
    ("replace communities", pol.communities("REPLACE", "65000:4", "65000:3"), {"communities": "65000:3 65000:4"}),
    ("replace by nothing", pol.communities("REPLACE"), {"communities": ""}),
    ("remove communities", pol.communities("REMOVE", "65000:1", "65000:4"), {"communities": ""}),
    (
        "add communities of sets",
        pol.communities("ADD", "S", "T", method="REFERENCE"),
        {"communities": "65000:1 65000:5 65000:6"},
    ),
    ("replace by a set", pol.communities("REPLACE", "S", method="REFERENCE"), {"communities": "65000:5"}),
    ("remove an expression", pol.communities("REMOVE", "U", method="REFERENCE"), {"communities": ""}),
    (
        "add route targets",
        pol.communities("ADD", "65000:9", "1.2.3.4:5", kind="ext-community"),
        {"ext": "RT:65000:9 RT:1.2.3.4:5"},
    ),
    (
        "add route targets of a set",
        pol.communities("ADD", "V", kind="ext-community", method="REFERENCE"),
        {"ext": "SoO:65000:9"},
    ),
)
for title, action, expected in SET:
    sets = (pol.community_set("S", "65000:5"), pol.community_set("T", "65000:6"), pol.community_set("U", "^6[0-9]*:1$"))
    only_a = pol.prefix_set("A", A)
    case(
        title,
        *sets,
        pol.ext_community_set("V", "route-origin:65000:9"),
        only_a,
        one(pol.match("prefix", "A"), action, ACCEPT),
        then={A: expected},
    )
