"""What a feature is: one capability of the element, complete in one place; pure functions only.

A feature reads the entries of one outermost list (its shard point).  From an entry alone
it *exports* inputs, small named values that other entries' facts may need (which instance
an interface is bound to, the VTEP's address); from an entry and the inputs it looks up it
makes *facts*.  Looking an input up records it, so a change of it touches just its users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from nesrv.datastore.tree import Node
from nesrv.facts import Fact

InputKey = tuple[str, ...]
InputValue = str | int | tuple[str, ...]
Lookup = Callable[[InputKey], InputValue | None]


@dataclass(frozen=True, slots=True)
class Export:
    """An input that an entry gives to others; two entries giving the same key is a conflict.

    ``what`` says it to a person: ``interface eth1.0``.
    """

    key: InputKey
    value: InputValue
    what: str
    path: str = field(compare=False)


class Feature(Protocol):
    """``point`` is the schema path of an outermost list, or of a container above such lists, for what that holds
    besides them; ``claims`` are the config leaves below it, relative, that the feature translates."""

    @property
    def name(self) -> str: ...

    @property
    def point(self) -> str: ...

    @property
    def claims(self) -> frozenset[str]: ...

    def exports(self, entry: Node) -> Iterable[Export]:
        """What ``entry`` gives to other entries; a function of the entry alone."""

    def facts(self, entry: Node, lookup: Lookup) -> Iterable[Fact]:
        """What ``entry`` makes of the element; raises ``RpcError`` for what YANG cannot forbid."""
