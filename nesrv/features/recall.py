"""What was made of the parts of an entry the last time: of hundreds of parts, one changes at little cost; pure.

The facts of a part follow from what it says, from what the entry says besides its parts, and from the inputs that
were looked up. Where all three are as they were, so are the facts. A part may not look at another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features.feature import InputKey, InputValue, Lookup
from nesrv.schema.nodes import SchemaNode

MANY = 32
"""Parts beyond which remembering them is worth its memory."""
ENTRIES = 8
"""Large entries remembered, those made last."""

Content = tuple[SchemaNode, str | None, tuple["Content", ...]]
"""Equal for trees that say the same."""


def content(node: Node, apart: Node | None = None) -> Content:
    """What ``node`` says, without what stands in ``apart``."""
    return (node.schema, node.value, tuple([content(child, apart) for child in node.children if child is not apart]))


@dataclass(frozen=True, slots=True)
class Part:
    """``name`` tells it from its siblings; ``make`` is called where nothing fitting is remembered."""

    name: tuple[str, ...]
    node: Node
    make: Callable[[Lookup], Iterable[Fact]]


@dataclass(frozen=True, slots=True)
class _Made:
    said: Content
    used: tuple[tuple[InputKey, InputValue | None], ...]
    facts: tuple[Fact, ...]


@dataclass(slots=True)
class _Entry:
    besides: Content
    parts: dict[tuple[str, ...], _Made] = field(default_factory=dict)


class Recall:
    """Of one feature; ``facts`` answers as if every part were made anew."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def facts(self, entry: Node, holder: Node | None, parts: list[Part], lookup: Lookup) -> Iterator[Fact]:
        """The facts of all ``parts``, in their order; most of them stand in ``holder``. Raises what ``make`` does."""
        if len(parts) <= MANY:
            for part in parts:
                yield from part.make(lookup)
            return
        now = _Entry(content(entry, holder))
        known = self._entries.get(entry.path)
        before = known.parts if known is not None and known.besides == now.besides else {}
        for part in parts:
            said = content(part.node)
            made = before.get(part.name)
            if made is None or made.said != said or any(lookup(key) != value for key, value in made.used):
                made = _make(part, said, lookup)
            now.parts[part.name] = made
            yield from made.facts
        self._keep(entry.path, now)

    def _keep(self, path: str, entry: _Entry) -> None:
        self._entries.pop(path, None)
        self._entries[path] = entry
        while len(self._entries) > ENTRIES:
            del self._entries[next(iter(self._entries))]


def _make(part: Part, said: Content, lookup: Lookup) -> _Made:
    used: dict[InputKey, InputValue | None] = {}

    def noted(key: InputKey) -> InputValue | None:
        used[key] = lookup(key)
        return used[key]

    facts = tuple(part.make(noted))
    return _Made(said, tuple(used.items()), facts)
