"""What the element is to be, as single facts, and the steps that lead from one set to another.

A fact is an immutable value that says one thing about the kernel, FRR or nesrv's own
tables.  Two facts with the same ``key`` are two versions of one thing.  The planner
(``nesrv.commit.plan``) compares wanted with actual facts; writers carry out the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class Fact(Protocol):
    """``path`` (where the fact comes from in the configuration) never counts in comparisons."""

    @property
    def path(self) -> str: ...

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Identity: (kind, …); equal keys are versions of one thing."""

    @property
    def domain(self) -> str:
        """Who carries it out: ``kernel``, ``frr`` or ``users``."""

    @property
    def rank(self) -> tuple[int, ...]:
        """Order of creation over all domains; deletion goes the other way round, but for facts that say that they
        leave first (``leaves_first``)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one fact: ``before`` None creates, ``after`` None deletes, else changes in place."""

    before: Fact | None
    after: Fact | None

    @property
    def fact(self) -> Fact:
        fact = self.after if self.after is not None else self.before
        assert fact is not None
        return fact

    @property
    def verb(self) -> str:
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "change"

    def inverse(self) -> Step:
        return Step(self.after, self.before)


class StepRefused(Exception):
    """The kernel or FRR said no to ``step``; the steps in ``done`` were carried out before it."""

    def __init__(self, step: Step, words: str, done: Sequence[Step]) -> None:
        super().__init__(words)
        self.step = step
        self.words = words
        self.done = tuple(done)


AfterStep = Callable[[Step], None]
"""Called after each step that was acknowledged (tests end the process there)."""
