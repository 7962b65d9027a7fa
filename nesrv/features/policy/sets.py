"""The sets that policies compare routes with, as FRR's lists.

OpenConfig: /routing-policy/defined-sets; FRR: ip and ipv6 prefix-list, bgp community-list,
bgp extcommunity-list, bgp as-path access-list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs
from nesrv.features.feature import Export, InputKey, Lookup
from nesrv.features.policy import lists
from nesrv.frr.text import FrrLine

SETS = "/openconfig-routing-policy:routing-policy/defined-sets"
BGP_SETS = f"{SETS}/openconfig-bgp-policy:bgp-defined-sets"
FAMILY: dict[int, str] = {4: "ip", 6: "ipv6"}
"""FRR's word for a version of IP."""
MODES: dict[str, int] = {"IPV4": 4, "IPV6": 6}
AS_PATH = re.compile(r"[0-9_^|,{}() \[\]$*+.?\\-]+")
"""What bgpd takes in an expression over an AS path."""

Members = list[tuple[str, str]]
"""(FRR's text, path) of each."""


class PrefixSets:
    name = "prefix-sets"
    point = f"{SETS}/prefix-sets/prefix-set"
    claims = frozenset({"config/mode"})

    def exports(self, entry: Node) -> Iterator[Export]:
        name = entry.text("name")
        matches = tuple(
            f"{FAMILY[version]} address prefix-list {found}"
            for version, members in sorted(_prefixes(entry).items())
            for found in lists.spread(lists.frr_name(name), members)
        )
        yield Export(inputs.prefix_lists(name), matches, f"prefix-set {name}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        name, only = entry.text("name"), MODES.get(entry.leaf("config/mode") or "")
        for version, members in _prefixes(entry).items():
            if only not in (None, version):
                raise errors.InvalidValue(
                    f"Prefix-set {name} is of IPv{only}, and has a prefix that is not.",
                    next(iter(members.values())),
                    "nesrv-prefix-set-mode",
                )
            for found, spread in lists.spread(lists.frr_name(name), members).items():
                rows = [(member, members[member]) for member in spread]
                yield from lists.permits(f"{FAMILY[version]} prefix-list {found}", rows)


@dataclass(frozen=True, slots=True)
class MemberSets:
    """Sets of one kind, each with its members in the leaf-list ``config/LEAF`` of its entry.

    ``read`` makes FRR's text of a member (value, path), ``lines`` the lines of the set (FRR's name for it,
    members as (text, path)); both raise ``RpcError``.  ``told`` is the input that gives others the texts.
    """

    point: str
    key: str
    leaf: str
    told: Callable[[str], InputKey]
    lines: Callable[[str, Members], Iterable[FrrLine]]
    read: Callable[[str, str], str] = lambda value, _path: value

    @property
    def name(self) -> str:
        return f"{self.kind}s"

    @property
    def claims(self) -> frozenset[str]:
        return frozenset({f"config/{self.leaf}"})

    @property
    def kind(self) -> str:
        return self.point.rpartition("/")[2]

    def exports(self, entry: Node) -> Iterator[Export]:
        name = entry.text(self.key)
        texts = tuple(sorted({text for text, _ in self._members(entry)}))
        yield Export(self.told(name), texts, f"{self.kind} {name}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        yield from self.lines(lists.frr_name(entry.text(self.key)), self._members(entry))

    def _members(self, entry: Node) -> Members:
        return [(self.read(one.value or "", one.path), one.path) for one in entry.all(f"config/{self.leaf}")]


def check_tag(value: str, path: str) -> None:
    """Raises ``RpcError`` for a tag that FRR has not."""
    if not value.isdecimal() or not 0 < int(value) < 2**32:
        raise errors.InvalidValue("A tag in FRR is a number from 1 to 4294967295.", path, "nesrv-policy-tag")


def _no_list(_name: str, _members: Members) -> Iterable[FrrLine]:
    """Statements name each neighbour."""
    return ()


def _checked_tags(_name: str, members: Members) -> Iterable[FrrLine]:
    """Statements name each tag."""
    for value, path in members:
        check_tag(value, path)
    return ()


def _ext_community_list(name: str, members: Members) -> Iterable[FrrLine]:
    return lists.permits(f"bgp extcommunity-list standard {name}", members)


def _as_path_list(name: str, members: Members) -> Iterable[FrrLine]:
    for member, path in members:
        if AS_PATH.fullmatch(member) is None or "  " in member or "| " in member or member != member.strip():
            raise errors.InvalidValue(
                f"{member!r} is no expression over an AS path that FRR takes.", path, "nesrv-policy-expression"
            )
    return lists.permits(f"bgp as-path access-list {name}", members)


MEMBER_SETS = (
    MemberSets(
        f"{SETS}/neighbor-sets/neighbor-set",
        "name",
        "address",
        inputs.neighbor_set,
        _no_list,
        lambda value, _path: str(ip_address(value)),
    ),
    MemberSets(f"{SETS}/tag-sets/tag-set", "name", "tag-value", inputs.tag_set, _checked_tags),
    MemberSets(
        f"{BGP_SETS}/community-sets/community-set",
        "community-set-name",
        "community-member",
        inputs.community_set,
        lists.community_lines,
        lists.community,
    ),
    MemberSets(
        f"{BGP_SETS}/ext-community-sets/ext-community-set",
        "ext-community-set-name",
        "ext-community-member",
        inputs.ext_community_set,
        _ext_community_list,
        lists.ext_community,
    ),
    MemberSets(
        f"{BGP_SETS}/as-path-sets/as-path-set",
        "as-path-set-name",
        "as-path-set-member",
        inputs.as_path_set,
        _as_path_list,
    ),
)
"""All but the prefix-sets."""


def _prefixes(entry: Node) -> dict[int, dict[str, str]]:
    """Version of IP → what stands in the lists → path."""
    found: dict[int, dict[str, str]] = {}
    for one in entry.all("prefixes/prefix"):
        prefix = _network(one.text("ip-prefix"))
        found.setdefault(prefix.version, {})[f"{prefix}{_lengths(one, prefix)}"] = one.path
    return found


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network:
    """Each is asked for several times in a commit, and again in the next commit of its set."""
    return ip_network(text, strict=False)


def _lengths(one: Node, prefix: IPv4Network | IPv6Network) -> str:
    """`` ge FROM le TO``, or nothing for the prefix itself."""
    given = one.text("masklength-range")
    if given == "exact":
        return ""
    shortest, longest = map(int, given.split(".."))
    if not prefix.prefixlen <= shortest <= longest <= prefix.max_prefixlen:
        raise errors.InvalidValue(
            f"The lengths of prefixes in {prefix} lie between {prefix.prefixlen} and {prefix.max_prefixlen}; "
            f"{given} does not, or ends before it begins.",
            one.path_of("config/masklength-range"),
            "nesrv-prefix-set-lengths",
        )
    return f" ge {shortest} le {longest}"
