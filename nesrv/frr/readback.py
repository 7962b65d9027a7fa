"""What FRR made of raw lines: they count only when it shows them as they were written; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nesrv.facts import Step
from nesrv.frr.lines import Lines, top_of
from nesrv.frr.text import FrrLine, mask


def raw_steps(steps: Iterable[Step]) -> list[Step]:
    """The steps that set a raw line."""
    return [step for step in steps if isinstance(step.after, FrrLine) and step.after.raw]


def after(lines: Lines, steps: Iterable[Step]) -> Lines:
    """``lines`` once ``steps`` are done."""
    found = Lines(lines.values())
    for step in steps:
        if isinstance(step.after, FrrLine):
            found.put(step.after)
        else:
            found.drop(step.fact.key)
    return found


def between(before: Lines, wanted: Lines) -> list[Step]:
    """The steps from one to the other."""
    gone = [Step(fact, None) for key, fact in before.items() if key not in wanted]
    made = [Step(before.get(key), fact) for key, fact in wanted.items() if before.get(key) != fact]
    gone.sort(key=lambda step: step.fact.rank, reverse=True)
    return gone + sorted(made, key=lambda step: step.fact.rank)


def complaint(raw: Sequence[Step], expected: Lines, found: Lines) -> tuple[Step, str] | None:
    """The raw step that FRR did not carry out to the letter, and how so; None if all are as they should be."""
    more = [fact for key, fact in found.items() if expected.get(key) != fact]
    less = [fact for key, fact in expected.items() if found.get(key) != fact]
    if not more and not less:
        return None
    missing = next((step for step in raw if step.fact in less), None)
    if missing is None:
        said = [f"sets {_named(more)}"] if more else []
        said += [f"takes away {_named(less)}"] if less else []
        return _nearest(raw, [*more, *less]), f"FRR takes the line, and with it {' and '.join(said)}"
    if more:
        return missing, f"FRR shows the line in another way; write it as FRR does: {_named(more)}"
    return (
        missing,
        "FRR takes the line and does not show it: it is FRR's default or nothing that it keeps; leave it out",
    )


def _nearest(raw: Sequence[Step], facts: Iterable[FrrLine]) -> Step:
    """The first step in a block that one of ``facts`` is in, else the first."""
    tops = {top_of(fact) for fact in facts}
    return next((step for step in raw if isinstance(step.after, FrrLine) and top_of(step.after) in tops), raw[0])


def _named(facts: Iterable[FrrLine]) -> str:
    return ", ".join(mask(" / ".join((*fact.context, fact.text))) for fact in facts)
