"""The golden cases: configuration in, facts and plans out.

A folder tests/golden/FEATURE/CASE holds config.xml, where the change from another
configuration is the point before.xml, and facts.txt, which ``NESRV_GOLDEN=write`` writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from nesrv.facts import Step
from tests.features.element import Element, written

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@dataclass(frozen=True, slots=True)
class Case:
    folder: Path

    @property
    def config(self) -> str:
        return _read(self.folder / "config.xml")

    @property
    def before(self) -> str:
        """Empty without a before.xml."""
        file = self.folder / "before.xml"
        return _read(file) if file.exists() else ""

    @property
    def expected(self) -> Path:
        return self.folder / "facts.txt"

    def __str__(self) -> str:
        return str(self.folder.relative_to(GOLDEN))


def _read(file: Path) -> str:
    """The file without white space between elements."""
    return re.sub(r">\s+<", "><", file.read_text(encoding="utf-8").strip())


def all_cases() -> list[Case]:
    return [Case(file.parent) for file in sorted(GOLDEN.glob("*/*/config.xml"))]


def outcome(case: Case) -> str:
    """Everything that the case comes to, as facts.txt has it."""
    element = Element()
    if case.before:
        element.commit(case.before)
    there = element.commit(case.config)
    facts = sorted(element.facts().values(), key=lambda fact: (fact.rank, written(fact)))
    back = element.commit(case.before)
    rows = ["# facts"]
    for fact in facts:
        rows += [written(fact), f"    {fact.path}"]
    rows += ["", "# plan", *steps_written(there), "", "# plan back", *steps_written(back), ""]
    return "\n".join(rows)


def steps_written(steps: list[Step]) -> Iterator[str]:
    """The plan in its order; steps of one rank, which may come in any, by their text."""
    for _, alike in groupby(steps, key=lambda step: (step.verb == "delete", step.fact.rank)):
        yield from sorted(map(_step, alike))


def _step(step: Step) -> str:
    was = f"  (was: {written(step.before)})" if step.before is not None and step.after is not None else ""
    return f"{step.verb} {written(step.fact)}{was}"
