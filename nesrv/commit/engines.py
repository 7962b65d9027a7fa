"""What the pipeline needs of a domain that carries out steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from nesrv.commit.plan import FactKey
from nesrv.facts import AfterStep, Fact, Step


class StepEngine(Protocol):
    """The kernel, FRR, or a table of nesrv's own."""

    @property
    def actual(self) -> Mapping[FactKey, Fact]:
        """What is there, by key: all that the engine knows, ours or not."""

    @property
    def volatile(self) -> bool:
        """Whether the engine starts empty with the process, so that filling it is no news."""

    def owned(self) -> Iterable[FactKey]:
        """Keys of what is certainly ours, whether or not the configuration still names it."""

    def satisfies(self, wanted: Fact, actual: Fact) -> bool:
        """Whether ``actual`` is as ``wanted`` asks."""

    def explain(self, steps: Sequence[Step]) -> list[list[str]]:
        """Each step as a person would type it, in the order given; secrets masked."""

    async def apply(self, steps: Sequence[Step], after_step: AfterStep | None = None) -> None:
        """Carry out ``steps`` in order; raises ``StepRefused`` with exactly what was done, not always a prefix."""

    async def refresh(self) -> None:
        """Look again at what is there, after a failure that left ``actual`` in doubt."""


Engines = Mapping[str, StepEngine]
