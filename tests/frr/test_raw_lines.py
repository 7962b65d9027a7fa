"""Raw lines on a real FRR: what it takes but does not show as written is refused, and nothing of it stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nesrv.facts import Step, StepRefused
from nesrv.frr.daemons import Home
from nesrv.frr.text import FrrLine, line
from nesrv.frr.vty import Vty
from nesrv.frr.writer import Frr
from tests.frr.engine import DEFAULT, IPV4, RED, creates, lines, on_frr

D = (DEFAULT,)
MODEL = lines(
    (
        ((), DEFAULT),
        (D, "no bgp ebgp-requires-policy"),
        (D, "neighbor 192.0.2.1 remote-as 65001"),
        (D, "neighbor 192.0.2.1 timers 10 30"),
        ((*D, IPV4), "network 10.0.0.0/24"),
    )
)


def raw(context: tuple[str, ...], text: str) -> FrrLine:
    return replace(line(context, text, "/test:raw"), raw=True)


REFUSED = {
    "a word that FRR does not know": (raw(D, "bgp bestpath by-colour"), "Unknown command"),
    "printed in another way": (
        raw(D, "neighbor 192.0.2.1 weight 7"),
        f"write it as FRR does: {DEFAULT} / {IPV4} / neighbor 192.0.2.1 weight 7",
    ),
    "of another daemon's form": (raw((), "ip route 10.9.0.1/16 Null0"), "as FRR does: ip route 10.9.0.0/16 Null0"),
    "FRR's default": (raw(D, "bgp graceful-restart restart-time 120"), "FRR's default"),
    "leads out of its context": (raw(D, "route-map OUT permit 10"), "as FRR does: route-map OUT permit 10"),
    "makes the block it is in": (raw((RED,), "bgp bestpath compare-routerid"), f"with it sets {RED}"),
}


@pytest.mark.parametrize(("written", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_count_leaves_nothing_behind(home: Home, written: FrrLine, words: str) -> None:
    other = raw((), "ip prefix-list PL seq 5 permit 10.0.0.0/8")

    async def body(frr: Frr) -> None:
        await frr.apply(creates(MODEL))
        with pytest.raises(StepRefused) as caught:
            await frr.apply(creates([other, written]))
        assert caught.value.step.after is written
        assert words in caught.value.words
        await frr.apply([step.inverse() for step in caught.value.done])
        assert set((await frr.read()).values()) == set(MODEL)

    on_frr(home, body)


def test_a_change_of_a_line_of_the_model_is_taken_back(home: Home) -> None:
    """Slots that nesrv does not know as one may be one to FRR."""
    own, written = line(D, "bgp bestpath med confed", "/test:path"), raw(D, "bgp bestpath med missing-as-worst")

    async def body(frr: Frr) -> None:
        await frr.apply(creates([*MODEL, own]))
        with pytest.raises(StepRefused, match="bgp bestpath med confed missing-as-worst"):
            await frr.apply(creates([written]))
        assert set((await frr.read()).values()) == {*MODEL, own}

    on_frr(home, body)


def test_raw_lines_come_and_go(home: Home) -> None:
    written = [
        raw((*D, IPV4), "neighbor 192.0.2.1 weight 7"),
        raw(D, "neighbor 192.0.2.1 password in-clear"),
        raw((), "route-map OUT permit 10"),
        raw(("route-map OUT permit 10",), "set metric 5"),
    ]

    async def body(frr: Frr) -> None:
        steps = creates([*MODEL, *written])
        await frr.apply(steps)
        assert set((await frr.read()).values()) == {*MODEL, *written}
        changed = raw((*D, IPV4), "neighbor 192.0.2.1 weight 8")
        await frr.apply([Step(written[0], changed)])
        assert set((await frr.read()).values()) == {*MODEL, *written[1:], changed}
        await frr.apply([Step(fact, None) for fact in (written[3], written[2], changed, written[1])])
        assert set((await frr.read()).values()) == set(MODEL)

    on_frr(home, body)


def test_what_somebody_else_changed_meanwhile_is_no_fault_of_the_line(home: Home) -> None:
    written = raw(D, "bgp bestpath compare-routerid")

    async def body(frr: Frr) -> None:
        await frr.apply(creates(MODEL))
        async with await Vty.connect(home.sockets / "bgpd.vty") as vty:
            for command in ("enable", "configure terminal", DEFAULT, "neighbor 192.0.2.1 description by hand"):
                assert (await vty.ask(command)).status == 0
        await frr.apply(creates([written]))
        found = set((await frr.read()).values())
        assert found == {*MODEL, written, line(D, "neighbor 192.0.2.1 description by hand", "")}

    on_frr(home, body)
