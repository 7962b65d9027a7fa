"""The element's own names, and what it says to those who come.

OpenConfig: /system/config.  FRR: ``hostname NAME``, ``domainname NAME``, which bgpd tells its
neighbours (FQDN capability, draft-walton-bgp-hostname-capability) in its next OPEN.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features.feature import Export, Lookup
from nesrv.frr.text import line

MAX_NAME = 64
"""bgpd cuts off what is longer."""
NAMES = (("config/hostname", "hostname"), ("config/domain-name", "domainname"))
"""Leaf, FRR's word."""


@dataclass(frozen=True, slots=True)
class LoginBanner:
    """``text`` is shown before the login."""

    text: str
    path: str = field(compare=False)
    domain: ClassVar[str] = "users"
    rank: ClassVar[tuple[int, ...]] = (40,)
    key: ClassVar[tuple[str, ...]] = ("login-banner",)


class System:
    name = "system"
    point = "/openconfig-system:system"
    claims = frozenset({"config/hostname", "config/domain-name", "config/login-banner"})

    def exports(self, entry: Node) -> Iterator[Export]:
        return iter(())

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        for leaf, word in NAMES:
            if (name := entry.leaf(leaf)) is not None:
                _check_name(name, leaf, entry)
                yield line((), f"{word} {name}", entry.path_of(leaf))
        if banner := entry.leaf("config/login-banner"):
            yield LoginBanner(banner, entry.path_of("config/login-banner"))


def _check_name(name: str, leaf: str, entry: Node) -> None:
    if len(name) > MAX_NAME or not name[0].isalnum():
        raise errors.InvalidValue(
            f"{name[:MAX_NAME]} cannot be told to BGP neighbours: a name begins with a letter or a digit and has "
            f"at most {MAX_NAME} characters.",
            entry.path_of(leaf),
            "nesrv-system-name",
        )
