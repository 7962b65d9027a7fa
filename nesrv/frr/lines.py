"""The lines FRR is known to have, indexed so that looking at one block never walks over the others."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping

from nesrv.frr.text import FrrLine

Key = tuple[Hashable, ...]


class Lines(Mapping[Key, FrrLine]):
    """Key → line; ``under`` gives the lines of one outermost block, the block's own line included."""

    def __init__(self, lines: Iterable[FrrLine] = ()) -> None:
        self._lines: dict[Key, FrrLine] = {}
        self._tops: dict[str, dict[Key, FrrLine]] = {}
        for fact in lines:
            self.put(fact)

    def __getitem__(self, key: Key) -> FrrLine:
        return self._lines[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, fact: FrrLine) -> None:
        self._lines[fact.key] = fact
        self._tops.setdefault(top_of(fact), {})[fact.key] = fact

    def drop(self, key: Key) -> None:
        fact = self._lines.pop(key, None)
        if fact is None:
            return
        block = self._tops[top_of(fact)]
        del block[key]
        if not block:
            del self._tops[top_of(fact)]

    def under(self, top: str) -> tuple[FrrLine, ...]:
        return tuple(self._tops.get(top, {}).values())

    def tops(self) -> tuple[str, ...]:
        return tuple(self._tops)


def top_of(fact: FrrLine) -> str:
    """The outermost line: the block that the line is in or opens."""
    return fact.context[0] if fact.context else fact.text
