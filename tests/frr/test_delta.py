"""Commands for steps, without FRR: what is sent, what is not, what a step looks like to a person."""

from __future__ import annotations

from collections.abc import Iterator

from nesrv.facts import Step
from nesrv.frr.delta import commands, explain
from nesrv.frr.lines import Key, Lines
from nesrv.frr.text import FrrLine, line
from tests.frr.engine import DEFAULT, EVPN, IPV4, RED, creates, delta, lines
from tests.frr.slices import EVERYTHING, INSTANCE, VRF

D = (DEFAULT,)


def sent(before: list[FrrLine], after: list[FrrLine]) -> list[str]:
    return [command.text for command in commands(delta(before, after), Lines(before))]


def test_a_change_in_place_sends_one_line() -> None:
    base = lines((*INSTANCE, (D, "neighbor 192.0.2.1 remote-as 65001")))
    old = [*base, line(D, "neighbor 192.0.2.1 timers 3 9", "")]
    assert sent(old, [*base, line(D, "neighbor 192.0.2.1 timers 10 30", "")]) == ["neighbor 192.0.2.1 timers 10 30"]
    assert sent(old, base) == ["no neighbor 192.0.2.1 timers"]


def test_a_vni_is_taken_away_before_the_next_one() -> None:
    old, new = lines([(("vrf red",), "vni 100")]), lines([(("vrf red",), "vni 101")])
    assert sent(old, new) == ["no vni 100", "vni 101"]


def test_a_block_goes_with_one_line_that_carries_the_rest() -> None:
    vrf = [fact for fact in lines(VRF) if fact.context[:1] == (RED,) or fact.text == RED]
    plan = commands(delta(vrf, []), Lines(vrf))
    assert [command.text for command in plan] == [f"no {RED}"]
    assert {step.fact for step in plan[0].carries} == set(vrf)
    assert plan[0].carries[-1].fact.key == ("frr", (), RED)


def test_a_neighbor_goes_with_one_line() -> None:
    base = lines(INSTANCE)
    peer = lines(
        (
            (D, "neighbor 192.0.2.1 remote-as 65001"),
            (D, "neighbor 192.0.2.1 passive"),
            ((*D, IPV4), "neighbor 192.0.2.1 activate"),
            ((*D, EVPN), "neighbor 192.0.2.1 activate"),
        )
    )
    assert sent([*base, *peer], base) == ["no neighbor 192.0.2.1"]


def test_what_goes_with_a_group_comes_back() -> None:
    group = [(D, f"neighbor {name} {what}") for name in "AB" for what in ("peer-group", "remote-as external")]
    base = lines((*INSTANCE, *group, (D, "neighbor 192.0.2.9 description stays")))
    old, new = (line(D, f"neighbor 192.0.2.9 peer-group {name}", "") for name in "AB")
    assert sent([*base, old], [*base, new]) == [
        "no neighbor 192.0.2.9 peer-group A",
        "neighbor 192.0.2.9 peer-group B",
        "neighbor 192.0.2.9 description stays",
    ]


def test_every_step_is_carried_once() -> None:
    for steps, before in ((creates(EVERYTHING), []), (delta(EVERYTHING, []), EVERYTHING)):
        carried = [step for command in commands(steps, Lines(before)) for step in command.carries]
        assert sorted(map(repr, carried)) == sorted(map(repr, steps))


class Watched(Lines):
    """Says which blocks were looked at; walking over everything fails."""

    def __init__(self, facts: list[FrrLine]) -> None:
        super().__init__(facts)
        self.asked: set[str] = set()

    def __iter__(self) -> Iterator[Key]:
        raise AssertionError("all lines were walked over")

    def tops(self) -> tuple[str, ...]:
        raise AssertionError("all blocks were walked over")

    def under(self, top: str) -> tuple[FrrLine, ...]:
        self.asked.add(top)
        return super().under(top)


def test_one_vrf_looks_at_no_other() -> None:
    others = lines(((f"router bgp 1 vrf v{i}",), "neighbor 10.0.0.1 passive") for i in range(10))
    actual = Watched([*others, *lines(INSTANCE), *lines(VRF)])
    commands(delta(lines(VRF), []), actual)
    commands(delta(lines(VRF), [fact for fact in lines(VRF) if fact.neighbor is None]), actual)
    assert actual.asked <= {RED, "vrf red"}


def test_explained_steps_read_like_vtysh_and_hide_secrets() -> None:
    secret = line((RED, IPV4), "neighbor 10.0.0.1 password hush", "")
    assert explain(Step(None, secret)) == [RED, f" {IPV4}", "  neighbor 10.0.0.1 password ***"]
    assert explain(Step(secret, None)) == [RED, f" {IPV4}", "  no neighbor 10.0.0.1 password"]
    old, new = lines([(("vrf red",), "vni 100")]) + lines([(("vrf red",), "vni 101")])
    assert explain(Step(old, new)) == ["vrf red", " no vni 100", " vni 101"]
    assert explain(Step(line((), RED, ""), None)) == [f"no {RED}"]
