"""Every golden case's lines on a real FRR: taken as they are, printed back byte for byte, in both directions."""

from __future__ import annotations

import pytest

from nesrv.frr.daemons import Home
from nesrv.frr.text import FrrLine
from nesrv.frr.writer import Frr
from tests.features.cases import Case, all_cases
from tests.features.element import Element
from tests.frr.engine import add_namespace, delta, on_frr

BATCHES = sorted({case.folder.parent.name for case in all_cases()})


def lines_of(configuration: str) -> set[FrrLine]:
    element = Element()
    if configuration:
        element.commit(configuration)
    return set(element.lines())


def vrfs_of(lines: set[FrrLine]) -> set[str]:
    return {
        line.context[0].removeprefix("vrf ") for line in lines if line.context[:1] and line.context[0][:4] == "vrf "
    }


@pytest.mark.parametrize("feature", BATCHES)
def test_frr_has_what_the_case_says(home: Home, feature: str) -> None:
    """From nothing (or before) to the configuration and back, as a planner would."""
    cases: list[tuple[Case, list[set[FrrLine]]]] = []
    for case in all_cases():
        if case.folder.parent.name == feature:
            before, after = lines_of(case.before), lines_of(case.config)
            cases.append((case, [before, after, before, set()]))
            for vrf in vrfs_of(before | after):
                if not (home.vrf_namespaces / vrf).exists():
                    add_namespace(home, vrf)

    async def body(frr: Frr) -> None:
        for case, stages in cases:
            for wanted in stages:
                await frr.apply(delta(frr.actual.values(), wanted))
                found = set((await frr.read()).values())
                assert (str(case), found - wanted, wanted - found) == (str(case), set(), set())

    on_frr(home, body)
