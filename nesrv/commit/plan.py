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
    """Steps that make every key of ``wanted`` so (None: gone), in order.

    A fact that leaves first leaves as well where another version of it is wanted, which is created then: what it
    led to may go in between.
    """
    steps: list[Step] = []
    for key, fact in wanted.items():
        found = actual(key)
        if fact is None:
            if found is not None:
                steps.append(Step(found, None))
        elif found is None or not satisfies(fact, found):
            if found is not None and _leaves_first(found):
                steps.append(Step(found, None))
                found = None
            steps.append(Step(found, fact))
    return _ordered(steps)


def _ordered(steps: Iterable[Step]) -> list[Step]:
    """Deletions from the highest rank down, of what leaves first before all others; then creations and changes from
    the lowest up.  A place that something moves out of is deleted after that."""
    gone: list[Step] = []
    made: list[Step] = []
    for step in steps:
        (gone if step.after is None else made).append(step)
    gone.sort(key=lambda step: (_leaves_first(step.fact), step.fact.rank), reverse=True)
    made.sort(key=lambda step: step.fact.rank)
    changes = (step for step in made if step.before is not None)
    left = {_place(step.before) for step in changes if _place(step.before) != _place(step.after)} - {None}
    late = [step for step in gone if getattr(step.fact, "holds", None) in left]
    return [step for step in gone if step not in late] + made + late if late else gone + made


def _leaves_first(fact: Fact) -> bool:
    """Whether it goes before all that is deleted, also before what was created after it."""
    return bool(getattr(fact, "leaves_first", False))


def _place(fact: Fact | None) -> object:
    """Where the fact lives, None where that says nothing."""
    return getattr(fact, "place", None)


def runs(steps: Iterable[Step]) -> Iterator[tuple[str, list[Step]]]:
    """Contiguous steps of one domain, in order."""
    for domain, found in groupby(steps, key=lambda step: step.fact.domain):
        yield domain, list(found)


def undo(done: Iterable[Step]) -> list[Step]:
    """The steps that take ``done`` back: the other way round, in the order of every plan."""
    return _ordered(step.inverse() for step in reversed(list(done)))
