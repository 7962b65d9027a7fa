"""From wanted and actual facts to ordered steps."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from nesrv.commit.plan import plan, runs, undo
from nesrv.facts import Fact, Step


@dataclass(frozen=True)
class Thing:
    name: str
    rank: tuple[int, ...]
    value: int = 0
    domain: str = "kernel"
    path: str = ""
    leaves_first: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        return ("thing", self.name)


def planned(wanted: dict[str, Thing | None], actual: dict[str, Thing]) -> list[Step]:
    return plan(
        {("thing", name): thing for name, thing in wanted.items()},
        lambda key: actual.get(str(key[1])),
        lambda one, other: one == other,
    )


def shown(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.verb, str(step.fact.key[1])) for step in steps]


def test_deletions_come_first_from_the_top() -> None:
    actual = {name: Thing(name, (rank,)) for rank, name in enumerate("abc")}
    wanted: dict[str, Thing | None] = {"b": None, "a": None, "c": None, "y": Thing("y", (1,)), "x": Thing("x", (0,))}
    assert shown(planned(wanted, actual)) == [
        ("delete", "c"),
        ("delete", "b"),
        ("delete", "a"),
        ("create", "x"),
        ("create", "y"),
    ]


def test_what_is_there_as_wanted_takes_no_step() -> None:
    actual = {"a": Thing("a", (1,)), "b": Thing("b", (2,), 1)}
    assert shown(planned({"a": Thing("a", (1,)), "b": Thing("b", (2,), 2), "c": None}, actual)) == [("change", "b")]


def test_what_leaves_first_does_so_in_every_plan_and_undo() -> None:
    vni, device, other = Thing("vni", (1,), leaves_first=True), Thing("device", (2,)), Thing("vni", (1,), 2, "frr")
    away = planned({"device": None, "vni": None}, {"vni": vni, "device": device})
    assert shown(away) == [("delete", "vni"), ("delete", "device")]
    assert shown(undo(away)) == [("create", "vni"), ("create", "device")]
    assert shown(undo(undo(away))) == shown(away)
    changed = planned({"vni": other, "device": None, "next": Thing("next", (2,))}, {"vni": vni, "device": device})
    assert shown(changed) == [("delete", "vni"), ("delete", "device"), ("create", "vni"), ("create", "next")]


def test_a_fact_that_no_one_mentions_is_left_alone() -> None:
    assert planned({}, {"a": Thing("a", (1,))}) == []


def test_runs_are_contiguous() -> None:
    steps = [Step(None, Thing(name, (0,), domain=domain)) for name, domain in zip("abcd", "kkfk", strict=True)]
    assert [(domain, len(batch)) for domain, batch in runs(steps)] == [("k", 2), ("f", 1), ("k", 1)]


things = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=6).map(
    lambda found: {name: Thing(name, (rank,), value, leaves_first=name == "a") for name, (rank, value) in found.items()}
)


def carried_out(steps: list[Step], actual: dict[str, Thing]) -> dict[str, Thing]:
    """What the writers would make of it; AssertionError where a step does not fit what is there."""
    there: dict[str, Fact] = dict(actual)
    for step in steps:
        name = str(step.fact.key[1])
        assert there.get(name) == step.before
        there.pop(name, None)
        if step.after is not None:
            there[name] = step.after
    return {name: thing for name, thing in there.items() if isinstance(thing, Thing)}


@given(things, things)
def test_a_plan_leads_from_actual_to_wanted_and_back(actual: dict[str, Thing], wanted: dict[str, Thing]) -> None:
    asked: dict[str, Thing | None] = {**dict.fromkeys(actual), **wanted}
    steps = planned(asked, actual)
    after = carried_out(steps, actual)
    assert after == wanted
    assert carried_out(undo(steps), after) == actual
    assert planned(asked, after) == []
