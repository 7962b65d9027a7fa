"""Whom a speaker talks to: neighbours by address and by interface, and the groups of dynamic ones; pure.

A peer group of OpenConfig is worked out here: each neighbour has its own explicit leaves over
its group's over the defaults.  FRR gets to know only the groups that dynamic neighbours need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Literal

from nesrv.datastore.tree import Node
from nesrv.features import names
from nesrv.features.attached import link_of
from nesrv.features.feature import Lookup
from nesrv.features.links import ITSELF
from nesrv.features.speaker import Speaker

DYNAMIC = "global/dynamic-neighbor-prefixes/dynamic-neighbor-prefix"
GROUP_LEAF = "config/peer-group"
ADDRESSES_KEPT = 2048
"""Addresses of neighbours whose printed form is remembered: each commit asks for all of an instance again."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The same settings in several places, the most specific first; ``leaf`` and the like read as ``Node``'s do."""

    nodes: tuple[Node, ...]

    def explicit(self, leaf: str) -> Node | None:
        """The node that says ``leaf`` and counts; of a leaf-list, which has no order, the entry that sorts first."""
        for node in self.nodes:
            found = min(node.all(leaf), key=_value, default=None)
            if found is not None:
                return found
        return None

    def leaf(self, leaf: str) -> str | None:
        found = self.explicit(leaf)
        if found is not None:
            return found.value
        return self.nodes[0].leaf(leaf) if self.nodes else None

    def text(self, leaf: str) -> str:
        found = self.explicit(leaf)
        return (found.value or "") if found is not None else self.nodes[0].text(leaf)

    def number(self, leaf: str) -> int | None:
        value = self.leaf(leaf)
        return None if value is None else int(value)

    def flag(self, leaf: str) -> bool:
        return self.leaf(leaf) == "true"

    def identity(self, leaf: str) -> str | None:
        value = self.leaf(leaf)
        return None if value is None else value.split(":")[-1]

    def several(self, leaf: str) -> frozenset[str]:
        """Values of a leaf-list, of the most specific place that has any."""
        for node in self.nodes:
            values = frozenset(found.value or "" for found in node.all(leaf))
            if values:
                return values
        return frozenset()

    def path(self, leaf: str) -> str:
        found = self.explicit(leaf)
        return found.path if found is not None else self.nodes[0].path_of(leaf)


@dataclass(frozen=True, slots=True)
class Peer:
    """``name`` is FRR's word for it, ``what`` says it to a person, ``key`` is the leaf that names it."""

    kind: Literal["address", "link", "group"]
    name: str
    what: str
    key: str
    own: Node
    settings: Settings

    @property
    def about(self) -> str:
        return f"neighbor {self.name}"

    @property
    def families(self) -> dict[str, Settings]:
        """The families configured, by the identity's name."""
        found: dict[str, tuple[Node, ...]] = {}
        for node in self.settings.nodes:
            for family in node.all("afi-safis/afi-safi"):
                name = str(family.identity("afi-safi-name"))
                found[name] = (*found.get(name, ()), family)
        return {name: Settings(nodes) for name, nodes in found.items()}

    def exchanged(self, speaker: Speaker) -> dict[str, Settings]:
        """The families that speaker and peer both have enabled; all of the speaker's where the peer lists none."""
        if not self.families:
            return dict.fromkeys(speaker.families, Settings(()))
        return {
            name: family
            for name, family in self.families.items()
            if name in speaker.families and family.flag("config/enabled")
        }

    @property
    def peer_as(self) -> int | None:
        return self.settings.number("config/peer-as")

    def is_internal(self, speaker: Speaker) -> bool:
        """Of the speaker's own AS."""
        if self.peer_as is not None:
            return self.peer_as == speaker.asn
        return self.settings.leaf("config/peer-type") == "INTERNAL"

    @property
    def remote_as(self) -> tuple[str, str] | None:
        """(FRR's word for its AS, path); None where nothing says it."""
        for leaf in ("config/peer-as", "config/peer-type"):
            value = self.settings.leaf(leaf)
            if value is not None:
                return value.lower(), self.settings.path(leaf)
        return None


def _value(node: Node) -> str:
    return node.value or ""


def peers(bgp: Node, lookup: Lookup) -> Iterator[Peer]:
    """All of a speaker's configuration; groups only where dynamic neighbours use them."""
    groups = {group.text("peer-group-name"): group for group in bgp.all("peer-groups/peer-group")}
    for neighbor in bgp.all("neighbors/neighbor"):
        address = address_of(neighbor)
        settings = Settings(_with_group(neighbor, groups))
        yield Peer("address", address, f"Neighbour {address}", "neighbor-address", neighbor, settings)
    for neighbor in bgp.all("unnumbered-neighbors/unnumbered-neighbor"):
        interface = neighbor.text("interface")
        settings = Settings(_with_group(neighbor, groups))
        link = link_of(interface, ITSELF, lookup)
        yield Peer("link", link, f"Neighbour on {interface}", "interface", neighbor, settings)
    used = {dynamic.leaf(GROUP_LEAF) for dynamic in bgp.all(DYNAMIC)}
    for name, group in groups.items():
        if name in used:
            word = names.group_name(name)
            yield Peer("group", word, f"Peer group {name}", "peer-group-name", group, Settings((group,)))


def _with_group(neighbor: Node, groups: dict[str, Node]) -> tuple[Node, ...]:
    group = groups.get(neighbor.leaf(GROUP_LEAF) or "")
    return (neighbor,) if group is None else (neighbor, group)


def address_of(neighbor: Node) -> str:
    """The neighbour's address as FRR prints it."""
    return _printed(neighbor.text("neighbor-address"))


@lru_cache(maxsize=ADDRESSES_KEPT)
def _printed(address: str) -> str:
    return str(ip_address(address))
