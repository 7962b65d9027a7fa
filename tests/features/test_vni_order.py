"""The VNI of a VRF goes before its VXLAN device, and comes before it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from nesrv.commit.plan import undo
from nesrv.facts import Step
from nesrv.frr.text import FrrLine
from nesrv.kernel.facts import Vxlan
from tests.features.cases import Case, all_cases
from tests.features.element import Element

CASES = [case for case in all_cases() if "evpn" in case.folder.parts or "pe" in case.folder.parts]


def order(steps: Sequence[Step], verb: str) -> list[tuple[str, int]]:
    """(vni or device, number) of what is made or goes, for VNIs of VRFs."""
    found: list[tuple[str, int]] = []
    for step in steps:
        gone = step.before if step.after is None or step.before != step.after else None
        fact = gone if verb == "delete" else step.after
        if isinstance(fact, FrrLine) and fact.slot == "vni":
            found.append(("vni", int(fact.text.split(" ")[1])))
        elif isinstance(fact, Vxlan) and step.verb == verb:
            found.append(("device", fact.vni))
    return found


def assert_vni_first(steps: Sequence[Step]) -> int:
    """How many VNIs and devices were looked at."""
    count = 0
    for verb in ("create", "delete"):
        found = order(steps, verb)
        for number in {number for kind, number in found if kind == "vni"}:
            if ("device", number) in found:
                count += 1
                assert found.index(("vni", number)) < found.index(("device", number)), (verb, number, found)
    return count


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_vni_comes_and_goes_before_its_device(case: Case) -> None:
    element = Element()
    for config in (case.before, case.config, case.before, ""):
        steps = element.commit(config)
        assert_vni_first(steps)
        assert_vni_first(undo(steps))


def test_another_number_takes_the_old_one_away_first() -> None:
    element = Element()
    case = next(case for case in CASES if case.folder.name == "two-vteps")
    assert assert_vni_first(element.commit(case.config)) == 2
    steps = element.commit(case.config.replace(">100<", ">101<"))
    assert assert_vni_first(steps) == 2
    assert assert_vni_first(undo(steps)) == 2
