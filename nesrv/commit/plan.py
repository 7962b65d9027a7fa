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
    then creations and changes from the lowest up.  A place that something moves out of is deleted after that."""
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
    changes = (step for step in made if step.before is not None)
    left = {_place(step.before) for step in changes if _place(step.before) != _place(step.after)} - {None}
    late = [step for step in gone if getattr(step.fact, "holds", None) in left]
    return [step for step in gone if step not in late] + made + late if late else gone + made


def _place(fact: Fact | None) -> object:
    """Where the fact lives, None where that says nothing."""
    return getattr(fact, "place", None)


def runs(steps: Iterable[Step]) -> Iterator[tuple[str, list[Step]]]:
    """Contiguous steps of one domain, in order."""
    for domain, found in groupby(steps, key=lambda step: step.fact.domain):
        yield domain, list(found)


def undo(done: Iterable[Step]) -> list[Step]:
    """The steps that take ``done`` back."""
    return [step.inverse() for step in reversed(list(done))]
