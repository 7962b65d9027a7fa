"""docs/conformance.md, from tests/conformance/*.toml: each clause that binds a server, and the test that holds it."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLAUSES = ROOT / "tests" / "conformance"
LEVELS = ("MUST", "MUST NOT", "REQUIRED", "SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "RECOMMENDED")

HEAD = """# Conformance

Each MUST, SHOULD and their negations that bind a NETCONF server, in the order of its RFC and in our words, with the
test that holds it, or the reason why it is not met. A clause without a test counts as not met. The tests run in
`make test`; the rows are in `tests/conformance/`.

This page is generated: `NESRV_DOCS=write make test LANES=unit` writes it anew.

"""


@dataclass(frozen=True, slots=True)
class Clause:
    """One requirement: held by ``tests`` (pytest's names), or ``unmet`` with a reason."""

    section: str
    level: str
    says: str
    tests: tuple[str, ...] = ()
    unmet: str = ""


@dataclass(frozen=True, slots=True)
class Rfc:
    number: int
    title: str
    clauses: tuple[Clause, ...]

    @property
    def held(self) -> int:
        return sum(bool(clause.tests) for clause in self.clauses)


def rfcs() -> list[Rfc]:
    """Every RFC with its clauses by section; one RFC may be spread over files."""
    titles: dict[int, str] = {}
    clauses: dict[int, list[Clause]] = defaultdict(list)
    for file in sorted(CLAUSES.glob("*.toml")):
        found = tomllib.loads(file.read_text())
        titles.setdefault(found["rfc"], found["title"])
        for row in found["clause"]:
            clauses[found["rfc"]].append(Clause(**{**row, "tests": tuple(row.get("tests", ()))}))
    return [Rfc(number, titles[number], tuple(sorted(clauses[number], key=_place))) for number in sorted(titles)]


def _place(clause: Clause) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in clause.section.split(".")]


def page() -> str:
    found = rfcs()
    rows = [
        f"| [RFC {rfc.number}](#rfc-{rfc.number}) | {rfc.title} | {len(rfc.clauses)} | {rfc.held} |" for rfc in found
    ]
    total = f"| all | | {sum(len(rfc.clauses) for rfc in found)} | {sum(rfc.held for rfc in found)} |"
    summary = "| RFC | title | clauses | held by a test |\n|---|---|---|---|\n" + "\n".join([*rows, total]) + "\n"
    return HEAD + summary + "".join(part for rfc in found for part in _part(rfc))


def _part(rfc: Rfc) -> Iterator[str]:
    yield f"\n## RFC {rfc.number}\n\n{rfc.title}.\n\n| section | level | the server | held by |\n|---|---|---|---|\n"
    for clause in rfc.clauses:
        held = ", ".join(f"`{_short(name)}`" for name in clause.tests) or f"**not met**: {clause.unmet}"
        yield f"| {clause.section} | {clause.level} | {_cell(clause.says)} | {_cell(held)} |\n"


def _short(name: str) -> str:
    return name.removeprefix("tests/")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def exists(name: str) -> bool:
    """Whether ``FILE::FUNCTION`` (or ``FILE::FUNCTION[case]``) is a test of this project."""
    file, _, function = name.partition("::")
    return function.partition("[")[0] in _functions(file)


@cache
def _functions(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
