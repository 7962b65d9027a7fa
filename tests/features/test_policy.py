"""Routing policy without FRR: what is refused, what chains come to, where statements stand."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from nesrv.features import inputs
from nesrv.features.feature import InputKey, InputValue
from nesrv.features.policy import chain, numbers
from nesrv.features.policy.lists import frr_name
from nesrv.features.policy.statements import Statement, from_text
from tests.features import policies as pol
from tests.features.broken import Broken, InvalidValue, assert_refused
from tests.features.element import Element
from tests.features.policies import ACCEPT, REJECT, statement


def refused(tag: str, path: str, words: str, *parts: str) -> Broken:
    return Broken(pol.routing_policy(*parts), InvalidValue, f"nesrv-{tag}", path, words)


def doing(tag: str, path: str, words: str, *parts: str, sets: tuple[str, ...] = ()) -> Broken:
    """A policy of one statement."""
    return refused(tag, path, words, *sets, pol.policy("P", statement("only", *parts)))


SET, NOTHING = "policy-action", "There are no"
EXPRESSIONS = pol.community_set("S", "^1:.*$", "1:2")
BROKEN = {
    "prefix of another family": refused(
        "prefix-set-mode", "[masklength-range='exact']", "of IPv4", pol.prefix_set("S", "2001:db8::/32", mode="IPV4")
    ),
    "lengths before the prefix's": refused(
        "prefix-set-lengths", "config/masklength-range", "between 8 and 32", pol.prefix_set("S", "10.0.0.0/8 7..24")
    ),
    "lengths beyond the family's": refused(
        "prefix-set-lengths", "config/masklength-range", "between 8 and 32", pol.prefix_set("S", "10.0.0.0/8 8..33")
    ),
    "lengths backwards": refused(
        "prefix-set-lengths", "config/masklength-range", "ends before", pol.prefix_set("S", "10.0.0.0/8 24..16")
    ),
    "tag of digits": refused("policy-tag", "tag-value[.='0a0b']", "a number", pol.tag_set("S", "0a0b")),
    "tag 0": refused("policy-tag", "tag-value[.='0']", "a number", pol.tag_set("S", 0)),
    "community 0:0": refused(
        "policy-community", "community-member[.='0:0']", "every route", pol.community_set("S", "0:0")
    ),
    "expression over two communities": refused(
        "policy-expression", "community-member[.='^1:1 2:2$']", "' '", pol.community_set("S", "^1:1 2:2$")
    ),
    "expression with an end inside": refused(
        "policy-expression", "community-member[.='^1$|^2$']", "'$'", pol.community_set("S", "^1$|^2$")
    ),
    "expression over extended communities": refused(
        "policy-ext-community", "ext-community-member[.='6.*']", "expressions", pol.ext_community_set("S", "6.*")
    ),
    "AS path with letters": refused(
        "policy-expression", "as-path-set-member[.='a']", "FRR takes", pol.as_path_set("S", "a")
    ),
    "AS path that is a pipe": refused(
        "policy-expression", "as-path-set-member[.='1| 2']", "FRR takes", pol.as_path_set("S", "1| 2")
    ),
    "all of expressions": doing(
        "policy-match-all", "community-set", "expressions", pol.match("community", "S", "ALL"), sets=(EXPRESSIONS,)
    ),
    "all of AS paths": doing(
        "policy-match-all",
        "as-path-set",
        "expressions",
        pol.match("as-path", "S", "ALL"),
        sets=(pol.as_path_set("S", "^1$", "^2$"),),
    ),
    "all of none": doing(
        "policy-match-all",
        "community-set",
        "it has none",
        pol.match("community", "S", "ALL"),
        sets=(pol.community_set("S"),),
    ),
    "med 0": doing(SET, "med-eq", "of 0", pol.when(med_eq=0)),
    "next hop self": doing(SET, "set-next-hop", "own address", pol.give(set_next_hop="SELF")),
    "med of the IGP": doing(SET, "set-med", "IGP", pol.give(set_med="IGP")),
    "how to set no med": doing(SET, "set-med-action", "without", pol.give(set_med_action="ADD")),
    "prepend nothing": doing(SET, "repeat-n", "which AS", pol.prepend(repeat_n=2)),
    "prepend two": doing(SET, "use-last-as", "Either", pol.prepend(asn=1, use_last_as=True)),
    "prepend AS 0": doing(SET, "asn", "nobody's", pol.prepend(asn=0)),
    "prepend the last too often": doing(SET, "repeat-n", "10 times", pol.prepend(use_last_as=True, repeat_n=11)),
    "two tags": doing(SET, "tag[.='1']", "one tag", pol.tag("INLINE", 1, 2)),
    "no tag": doing(SET, "tag", "one tag", pol.tag("INLINE")),
    "a tag of digits": doing("policy-tag", "tag[.='ab']", "a number", pol.tag("INLINE", "ab")),
    "tag elsewhere": doing(SET, "set-tag/config/mode", "not what is said", pol.tag("REFERENCE", 1)),
    "tag of a set of two": doing(SET, "tag-set", "has 2", pol.tag("REFERENCE", of="S"), sets=(pol.tag_set("S", 1, 2),)),
    "communities and no option": doing(SET, "set-community", "not said", pol.communities(None, "1:1")),
    "communities elsewhere": doing(
        SET,
        "method",
        "not what is said",
        pol.communities("ADD", "S", method="REFERENCE").replace("REFERENCE", "INLINE"),
        sets=(pol.community_set("S", "1:1"),),
    ),
    "give an expression": doing(
        SET, "set-community", "expression", pol.communities("ADD", "S", method="REFERENCE"), sets=(EXPRESSIONS,)
    ),
    "add none": doing(
        SET, "set-community", NOTHING, pol.communities("ADD", "S", method="REFERENCE"), sets=(pol.community_set("S"),)
    ),
    "remove none": doing(
        SET,
        "set-community",
        NOTHING,
        pol.communities("REMOVE", "S", method="REFERENCE"),
        sets=(pol.community_set("S"),),
    ),
    "replace extended communities": doing(
        SET, "set-ext-community/config/options", "only ADD", pol.communities("REPLACE", "1:1", kind="ext-community")
    ),
    "well-known extended community": doing(
        "policy-ext-community",
        "communities[.='openconfig-bgp-types:NO_EXPORT']",
        "neither",
        pol.communities("ADD", "oc-bgp-types:NO_EXPORT", kind="ext-community"),
    ),
    "add no extended communities": doing(
        SET,
        "set-ext-community",
        NOTHING,
        pol.communities("ADD", "S", kind="ext-community", method="REFERENCE"),
        sets=(pol.ext_community_set("S"),),
    ),
    "route targets and origins": doing(
        SET,
        "set-ext-community",
        "give each",
        pol.communities("ADD", "S", kind="ext-community", method="REFERENCE"),
        sets=(pol.ext_community_set("S", "1:1", "route-origin:1:1"),),
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))
def test_refused(broken: Broken) -> None:
    assert_refused(broken)


# Chains


def element(*parts: str) -> Element:
    made = Element()
    made.commit(pol.routing_policy(*parts))
    return made


OPEN = pol.policy("OPEN", statement("a", pol.when(med_eq=1), REJECT))
CLOSED = pol.policy("CLOSED", statement("a", pol.when(med_eq=1), REJECT), statement("b", ACCEPT))
LOOKUP = Callable[[InputKey], InputValue | None]


@pytest.mark.parametrize(
    ("policy", "default", "name"),
    [
        ("OPEN", REJECT, "OPEN"),
        ("OPEN", ACCEPT, "OPEN~accept"),
        ("CLOSED", REJECT, "CLOSED"),
        ("CLOSED", ACCEPT, "CLOSED"),
    ],
)
def test_one_policy_is_shared(policy: str, default: str, name: str) -> None:
    made = element(OPEN, CLOSED)
    for owner in ("red", "blue"):
        assert chain.applied(owner, (policy,), default, made.derivation.input, "/p") == (name, ())
    assert f"route-map {name} {'permit' if name.endswith('accept') else 'deny'} 65535" in made.texts()
    assert "route-map CLOSED~accept permit 65535" not in made.texts()


def test_users_of_one_policy_depend_on_its_end_alone() -> None:
    asked: list[InputKey] = []

    def lookup(key: InputKey) -> InputValue | None:
        asked.append(key)
        return None

    chain.applied("red", ("OPEN",), REJECT, lookup, "/p")
    assert asked == []
    chain.applied("red", ("OPEN",), ACCEPT, lookup, "/p")
    assert asked == [inputs.policy_falls_through("OPEN")]


def test_a_longer_chain_is_its_owners() -> None:
    lookup = element(OPEN, CLOSED).derivation.input
    name, lines = chain.applied("red", ("OPEN", "CLOSED"), REJECT, lookup, "/p")
    texts = [line.text for line in lines]
    assert [text.split(" ")[2] for text in texts if text.startswith("route-map")] == ["deny", "deny", "permit", "deny"]
    assert all(text.split(" ")[1] == name for text in texts if text.startswith("route-map"))
    assert lines[-1].path == "/p"
    others = [
        ("blue", ("OPEN", "CLOSED"), REJECT),
        ("red", ("CLOSED", "OPEN"), REJECT),
        ("red", ("OPEN", "CLOSED"), ACCEPT),
    ]
    assert len({name, *(chain.applied(*other, lookup, "/p")[0] for other in others)}) == 4


@pytest.mark.parametrize(("default", "verdict"), [(ACCEPT, "permit"), (REJECT, "deny")])
def test_no_policy_is_the_default(default: str, verdict: str) -> None:
    name, lines = chain.applied("red", (), default, element().derivation.input, "/p")
    assert [line.text for line in lines] == [f"route-map {name} {verdict} 65535"]


def test_no_neighbor_is_asked_for_at_export() -> None:
    asking = pol.policy("ASKING", statement("a", pol.match("neighbor", "S"), ACCEPT))
    lookup = element(OPEN, pol.neighbor_set("S", "192.0.2.1"), asking).derivation.input
    chain.not_at_export(("OPEN",), lookup, "/p")
    with pytest.raises(InvalidValue, match="ASKING") as caught:
        chain.not_at_export(("OPEN", "ASKING"), lookup, "/p")
    assert (caught.value.path, caught.value.app_tag) == ("/p", "nesrv-policy-neighbor-at-export")


def test_statements_survive_as_text() -> None:
    made = element(pol.prefix_set("S"), pol.policy("P", statement("ü'", pol.match("prefix", "S"), pol.prepend(asn=1))))
    (text,) = inputs.several(made.derivation.input, inputs.policy("P"))
    found = from_text(text)
    assert (found.name, found.tests[0].value, found.changes[0].values) == ("ü'", "S", ("as-path prepend 1",))
    assert isinstance(found, Statement)
    assert found.text == text


def test_a_changed_set_touches_its_users_alone() -> None:
    users = [
        pol.policy("USER", statement("a", pol.match("tag", "S"), ACCEPT)),
        pol.policy("OTHER", statement("a", ACCEPT)),
    ]
    made = element(pol.tag_set("S", 1), *users)
    steps = made.commit(pol.routing_policy(pol.tag_set("S", 2), *users))
    assert {step.fact.path.split("'")[1] for step in steps} == {"USER"}


def test_long_names_stay_apart() -> None:
    names = [
        "a-name-of-more-than-fifteen-1",
        "a-name-of-more-than-fifteen-2",
        "1",
        "2",
        "é",
        "è",
        "x" * 63,
        "x" * 64,
        "x y",
        "xy",
    ]
    found = [frr_name(name) for name in names]
    assert len(set(found)) == len(names)
    assert found[:2] == names[:2]
    assert not any(name.isdigit() or " " in name or len(name) > 63 for name in found)


# Large sets


def test_a_large_set_is_spread_over_lists() -> None:
    rows = [f"10.{number // 256}.{number % 256}.0/24" for number in range(2000)]
    using = pol.policy("P", statement("a", pol.match("prefix", "S"), ACCEPT))
    made = element(pol.prefix_set("S", *rows), using)
    texts = made.texts()
    named = [text.split(" ")[2] for text in texts if text.startswith("ip prefix-list")]
    assert len(named) == 2000
    assert 40 < len(set(named)) <= 64
    assert max(map(named.count, set(named))) < 64
    asked = {
        text.split(" ")[-1] for text in texts if " match ip address prefix-list " in text and "~accept" not in text
    }
    assert asked == set(named)
    steps = made.commit(pol.routing_policy(pol.prefix_set("S", *rows[1:]), using))
    assert [step.verb for step in steps] == ["delete"]


def test_a_small_set_is_one_list() -> None:
    rows = [f"10.0.{number}.0/24" for number in range(128)]
    assert {text.split(" ")[2] for text in element(pol.prefix_set("S", *rows)).texts()} == {"S"}


# Where statements stand


def test_places_are_in_order_and_apart() -> None:
    chosen = random.Random(7)
    for count in (0, 1, 2, 10, 60, 400, 3000):
        names = [f"s{number}" for number in range(count)]
        widths = [chosen.randint(1, 12 if count < 400 else 3) for _ in names]
        places = numbers.places(names, widths)
        assert places is not None
        ends = [place + width for place, width in zip(places, widths, strict=True)]
        assert all(end <= place for end, place in zip(ends, places[1:], strict=False))
        assert not places or (places[0] > 1 and ends[-1] <= numbers.LAST)


def test_there_are_not_always_enough() -> None:
    assert numbers.places([f"s{number}" for number in range(7000)], [1] * 7000) is None
    assert numbers.places(["wide"], [10001]) is None


def test_one_more_moves_few() -> None:
    chosen = random.Random(3)
    moved = 0
    for turn in range(300):
        names = [f"s{turn}.{number}" for number in range(30)]
        before = dict(zip(names, numbers.places(names, [1] * 30) or (), strict=True))
        names.insert(chosen.randint(0, 30), "new")
        after = dict(zip(names, numbers.places(names, [1] * 31) or (), strict=True))
        moved += sum(before[name] != after[name] for name in before)
    assert moved / 300 < 8
