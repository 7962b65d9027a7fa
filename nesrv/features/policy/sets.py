"""The sets that policies compare routes with, as FRR's lists.

OpenConfig: /routing-policy/defined-sets; FRR: ip and ipv6 prefix-list, bgp community-list,
bgp extcommunity-list, bgp as-path access-list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs
from nesrv.features.feature import Export, Lookup
from nesrv.features.policy import lists

SETS = "/openconfig-routing-policy:routing-policy/defined-sets"
BGP_SETS = f"{SETS}/openconfig-bgp-policy:bgp-defined-sets"
FAMILY: dict[int, str] = {4: "ip", 6: "ipv6"}
"""FRR's word for a version of IP."""
MODES: dict[str, int] = {"IPV4": 4, "IPV6": 6}
AS_PATH = re.compile(r"[0-9_^|,{}() \[\]$*+.?\\-]+")
"""What bgpd takes in an expression over an AS path."""


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


class NeighborSets:
    name = "neighbor-sets"
    point = f"{SETS}/neighbor-sets/neighbor-set"
    claims = frozenset({"config/address"})

    def exports(self, entry: Node) -> Iterator[Export]:
        name = entry.text("name")
        addresses = tuple(sorted({str(ip_address(one.value or "")) for one in entry.all("config/address")}))
        yield Export(inputs.neighbor_set(name), addresses, f"neighbor-set {name}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        return iter(())


class TagSets:
    name = "tag-sets"
    point = f"{SETS}/tag-sets/tag-set"
    claims = frozenset({"config/tag-value"})

    def exports(self, entry: Node) -> Iterator[Export]:
        name = entry.text("name")
        tags = tuple(sorted(one.value or "" for one in entry.all("config/tag-value")))
        yield Export(inputs.tag_set(name), tags, f"tag-set {name}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        for one in entry.all("config/tag-value"):
            check_tag(one.value or "", one.path)
        return iter(())


class CommunitySets:
    name = "community-sets"
    point = f"{BGP_SETS}/community-sets/community-set"
    claims = frozenset({"config/community-member"})

    def exports(self, entry: Node) -> Iterator[Export]:
        name = entry.text("community-set-name")
        members = tuple(sorted(member for member, _ in _communities(entry)))
        yield Export(inputs.community_set(name), members, f"community-set {name}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        yield from lists.community_lines(lists.frr_name(entry.text("community-set-name")), _communities(entry))


class ExtCommunitySets:
    name = "ext-community-sets"
    point = f"{BGP_SETS}/ext-community-sets/ext-community-set"
    claims = frozenset({"config/ext-community-member"})

    def exports(self, entry: Node) -> Iterator[Export]:
        name = entry.text("ext-community-set-name")
        members = tuple(sorted(member for member, _ in _ext_communities(entry)))
        yield Export(inputs.ext_community_set(name), members, f"ext-community-set {name}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        name = lists.frr_name(entry.text("ext-community-set-name"))
        yield from lists.permits(f"bgp extcommunity-list standard {name}", _ext_communities(entry))


class AsPathSets:
    name = "as-path-sets"
    point = f"{BGP_SETS}/as-path-sets/as-path-set"
    claims = frozenset({"config/as-path-set-member"})

    def exports(self, entry: Node) -> Iterator[Export]:
        name = entry.text("as-path-set-name")
        members = tuple(sorted(one.value or "" for one in entry.all("config/as-path-set-member")))
        yield Export(inputs.as_path_set(name), members, f"as-path-set {name}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        members = [(one.value or "", one.path) for one in entry.all("config/as-path-set-member")]
        for member, path in members:
            if AS_PATH.fullmatch(member) is None or "  " in member or "| " in member or member != member.strip():
                raise errors.InvalidValue(
                    f"{member!r} is no expression over an AS path that FRR takes.", path, "nesrv-policy-expression"
                )
        yield from lists.permits(f"bgp as-path access-list {lists.frr_name(entry.text('as-path-set-name'))}", members)


def check_tag(value: str, path: str) -> None:
    """Raises ``RpcError`` for a tag that FRR has not."""
    if not value.isdecimal() or not 0 < int(value) < 2**32:
        raise errors.InvalidValue("A tag in FRR is a number from 1 to 4294967295.", path, "nesrv-policy-tag")


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


def _communities(entry: Node) -> list[tuple[str, str]]:
    return [(lists.community(one.value or "", one.path), one.path) for one in entry.all("config/community-member")]


def _ext_communities(entry: Node) -> list[tuple[str, str]]:
    found = entry.all("config/ext-community-member")
    return [(lists.ext_community(one.value or "", one.path), one.path) for one in found]
