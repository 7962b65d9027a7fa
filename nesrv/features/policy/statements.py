"""A policy's statements as read from its entry: what they test and change, sets by name; pure.

As one text each they are an input, so that whoever joins policies to a chain needs no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from ipaddress import ip_address

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.features.policy import lists
from nesrv.features.policy.sets import check_tag

CONDITIONS, ACTIONS = "conditions", "actions"
BGP_CONDITIONS, BGP_ACTIONS = "conditions/bgp-conditions", "actions/bgp-actions"
PREPEND = f"{BGP_ACTIONS}/set-as-path-prepend"
MAX_LAST_AS = 10
ANY, ALL, INVERT = "ANY", "ALL", "INVERT"


@dataclass(frozen=True, slots=True)
class Test:
    """A condition: ``kind`` is ``line`` (``value`` then is FRR's match) or what a set is of (its name)."""

    kind: str
    value: str
    option: str
    path: str


@dataclass(frozen=True, slots=True)
class Change:
    """An action: ``kind`` is ``line`` (``values`` is FRR's set) or that which the sets in ``values`` do."""

    kind: str
    values: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Statement:
    """``result``: ``ACCEPT_ROUTE``, ``REJECT_ROUTE`` or ``NEXT_STATEMENT``."""

    policy: str
    name: str
    result: str
    tests: tuple[Test, ...]
    changes: tuple[Change, ...]
    path: str

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))


def from_text(text: str) -> Statement:
    """The opposite of ``Statement.text``."""
    found = json.loads(text)
    tests = tuple(Test(**one) for one in found.pop("tests"))
    changes = tuple(Change(one["kind"], tuple(one["values"]), one["path"]) for one in found.pop("changes"))
    return Statement(tests=tests, changes=changes, **found)


def statements_of(entry: Node) -> list[Statement]:
    """In the operator's order; raises ``RpcError`` for what FRR has no words for."""
    return [
        Statement(
            entry.text("name"),
            node.text("name"),
            node.text("actions/config/policy-result"),
            tuple(_tests(node)),
            tuple(change for read in CHANGES for change in read(node)),
            node.path,
        )
        for node in entry.all("statements/statement")
    ]


SET_TESTS = (
    (f"{CONDITIONS}/match-prefix-set/config", "prefix-set"),
    (f"{CONDITIONS}/match-neighbor-set/config", "neighbor-set"),
    (f"{CONDITIONS}/match-tag-set/config", "tag-set"),
    (f"{BGP_CONDITIONS}/match-community-set/config", "community-set"),
    (f"{BGP_CONDITIONS}/match-ext-community-set/config", "ext-community-set"),
    (f"{BGP_CONDITIONS}/match-as-path-set/config", "as-path-set"),
)
LINE_TESTS = (("med-eq", "metric"), ("origin-eq", "origin"), ("local-pref-eq", "local-preference"))


def _tests(node: Node) -> Iterator[Test]:
    for place, kind in SET_TESTS:
        leaf = f"{place}/{kind}"
        if (name := node.leaf(leaf)) is not None:
            yield Test(kind, name, node.text(f"{place}/match-set-options"), node.path_of(leaf))
    for leaf, word in LINE_TESTS:
        leaf = f"{BGP_CONDITIONS}/config/{leaf}"
        if (value := node.leaf(leaf)) is not None:
            if (word, value) == ("metric", "0"):  # bgpd 8.4 takes it, and ends when it is to print it.
                raise _unable("FRR cannot ask for a discriminator of 0.", node, leaf)
            yield Test("line", f"{word} {value.lower()}", ANY, node.path_of(leaf))
    hops = sorted({str(ip_address(one.value or "")) for one in node.all(f"{BGP_CONDITIONS}/config/next-hop-in")})
    if hops:
        yield Test("next-hop", " ".join(hops), ANY, node.path_of(f"{BGP_CONDITIONS}/config"))


def _origin(node: Node) -> Iterator[Change]:
    leaf = f"{BGP_ACTIONS}/config/set-route-origin"
    if (value := node.leaf(leaf)) is not None:
        yield Change("line", (f"origin {value.lower()}",), node.path_of(leaf))


def _local_pref(node: Node) -> Iterator[Change]:
    leaf = f"{BGP_ACTIONS}/config/set-local-pref"
    if (value := node.leaf(leaf)) is not None:
        yield Change("line", (f"local-preference {value}",), node.path_of(leaf))


def _next_hop(node: Node) -> Iterator[Change]:
    leaf = f"{BGP_ACTIONS}/config/set-next-hop"
    value = node.leaf(leaf)
    if value == "SELF":
        raise _unable("FRR has no word for the element's own address that holds at import and export.", node, leaf)
    if value is not None:
        address = ip_address(value)
        head = "ip next-hop" if address.version == 4 else "ipv6 next-hop global"
        yield Change("line", (f"{head} {address}",), node.path_of(leaf))


SIGNS = {"SET": "", "ADD": "+", "SUBTRACT": "-"}


def _med(node: Node) -> Iterator[Change]:
    leaf, action = f"{BGP_ACTIONS}/config/set-med", f"{BGP_ACTIONS}/config/set-med-action"
    value, sign = node.leaf(leaf), SIGNS[node.leaf(action) or "SET"]
    if value is None and node.leaf(action) is not None:
        raise _unable("There is a set-med-action without a set-med.", node, action)
    if value == "IGP":
        raise _unable("FRR cannot set the discriminator from the metric of the IGP.", node, leaf)
    if value is None or (sign and int(value) == 0):
        return
    yield Change("line", (f"metric {sign}{value}",), node.path_of(leaf))


def _prepend(node: Node) -> Iterator[Change]:
    place = f"{PREPEND}/config"
    asn, last = node.leaf(f"{place}/asn"), node.flag(f"{place}/use-last-as")
    times = node.number(f"{place}/repeat-n") or 1
    if asn is None and not last:
        if node.leaf(f"{place}/repeat-n") is not None:
            raise _unable("FRR has to be told which AS to prepend: asn or use-last-as.", node, f"{place}/repeat-n")
        return
    if asn is not None and last:
        raise _unable("Either asn is prepended, or the last AS.", node, f"{place}/use-last-as")
    if asn == "0":
        raise _unable("AS 0 is nobody's.", node, f"{place}/asn")
    if last and times > MAX_LAST_AS:
        raise _unable(f"FRR repeats the last AS {MAX_LAST_AS} times at most.", node, f"{place}/repeat-n")
    words = f"last-as {times}" if last else " ".join([str(asn)] * times)
    yield Change("line", (f"as-path prepend {words}",), node.path_of(place))


def _tag(node: Node) -> Iterator[Change]:
    place = f"{ACTIONS}/set-tag"
    mode = node.leaf(f"{place}/config/mode")
    inline, reference = list(node.all(f"{place}/inline/config/tag")), node.leaf(f"{place}/reference/config/tag-set")
    _check_mode(node, f"{place}/config/mode", mode, bool(inline), reference is not None)
    if mode == "INLINE":
        if len(inline) != 1:
            raise _unable("A route has one tag: give one.", node, f"{place}/inline/config/tag")
        check_tag(inline[0].value or "", inline[0].path)
        yield Change("line", (f"tag {inline[0].value}",), inline[0].path)
    elif reference is not None:
        yield Change("tag-set", (reference,), node.path_of(f"{place}/reference/config/tag-set"))


def _community(node: Node) -> Iterator[Change]:
    place = f"{BGP_ACTIONS}/set-community"
    option = node.leaf(f"{place}/config/options")
    inline, sets = _given(node, place, "community-set-refs")
    if not inline and not sets:
        if option == "REPLACE":
            yield Change("replace", (), node.path_of(f"{place}/config/options"))
        return
    if option is None:
        raise _unable("It is not said what to do with the communities: ADD, REMOVE or REPLACE.", node, place)
    members = tuple(lists.community(one.value or "", one.path) for one in inline)
    suffix = "-sets" if sets else ""
    yield Change(option.lower() + suffix, members or sets, node.path_of(place))


def _ext_community(node: Node) -> Iterator[Change]:
    place = f"{BGP_ACTIONS}/set-ext-community"
    inline, sets = _given(node, place, "ext-community-set-refs")
    option = node.leaf(f"{place}/config/options")
    if option not in (None, "ADD") or (option is None and (inline or sets)):
        raise _unable("FRR can only ADD extended communities.", node, f"{place}/config/options")
    members = tuple(lists.ext_community(one.value or "", one.path) for one in inline)
    if members or sets:
        yield Change("add-ext-sets" if sets else "add-ext", members or sets, node.path_of(place))


def _given(node: Node, place: str, refs: str) -> tuple[list[Node], tuple[str, ...]]:
    """The communities, or the sets, whichever the method says."""
    mode = node.leaf(f"{place}/config/method")
    inline = list(node.all(f"{place}/inline/config/communities"))
    sets = tuple(sorted(one.value or "" for one in node.all(f"{place}/reference/config/{refs}")))
    _check_mode(node, f"{place}/config/method", mode, bool(inline), bool(sets))
    return inline, sets


def _check_mode(node: Node, leaf: str, mode: str | None, inline: bool, reference: bool) -> None:
    if (inline and mode != "INLINE") or (reference and mode != "REFERENCE"):
        raise _unable("What is given is not what is said to be given: INLINE here, REFERENCE by sets.", node, leaf)


def _unable(sentence: str, node: Node, leaf: str) -> errors.InvalidValue:
    return errors.InvalidValue(sentence, node.path_of(leaf), "nesrv-policy-action")


CHANGES: tuple[Callable[[Node], Iterator[Change]], ...] = (
    _origin,
    _local_pref,
    _next_hop,
    _med,
    _prepend,
    _tag,
    _community,
    _ext_community,
)
