"""The one planner: wanted facts against actual ones make ordered steps.

Commit, dry run, start, rollback and repair differ only in what they put in.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import groupby

from nesrv.facts import Fact, Step

FactKey = tuple[Hashable, ...]
Satisfies = Callable[[Fact, Fact], bool]


def plan(
    wanted: Mapping[FactKey, Fact | None],
    actual: Callable[[FactKey], Fact | None],
    satisfies: Satisfies,
) -> list[Step]:
    """Steps that make every key of ``wanted`` so (None: gone): deletions from the highest rank down,
    then creations and changes from the lowest up."""
    gone: list[Step] = []
    made: list[Step] = []
    for key, fact in wanted.items():
        found = actual(key)
        if fact is None:
            if found is not None:
                gone.append(Step(found, None))
        elif found is None or not satisfies(fact, found):
            made.append(Step(found, fact))
    gone.sort(key=lambda step: step.fact.rank, reverse=True)
    made.sort(key=lambda step: step.fact.rank)
    return gone + made


def runs(steps: Iterable[Step]) -> Iterator[tuple[str, list[Step]]]:
    """Contiguous steps of one domain, in order."""
    for domain, found in groupby(steps, key=lambda step: step.fact.domain):
        yield domain, list(found)


def undo(done: Iterable[Step]) -> list[Step]:
    """The steps that take ``done`` back."""
    return [step.inverse() for step in reversed(list(done))]
