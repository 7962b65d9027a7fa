"""The vty protocol: taking answers apart, and a real daemon under many commands at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nesrv.frr.daemons import Home
from nesrv.frr.vty import WINDOW, Reply, Vty, VtyLost, split_replies, succeeded
from nesrv.frr.writer import Frr
from tests.frr.engine import on_frr

STREAM = b"one\n\0\0\0\0\0\0\0\x0dtwo\0\0\0\x02"


def test_answers_are_taken_apart_wherever_the_stream_is_cut() -> None:
    for cut in range(len(STREAM) + 1):
        replies, used = split_replies(STREAM[:cut])
        rest, more = split_replies(STREAM[used:])
        assert [*replies, *rest] == [Reply("one\n", 0), Reply("", 13), Reply("two", 2)]
        assert used + more == len(STREAM)


def test_an_answer_without_text_still_has_words() -> None:
    assert Reply("", 2).words == "no such command here"
    assert Reply("% a\n\n  b\n", 13).words == "% a b"


def test_nothing_listens(tmp_path: Path) -> None:
    with pytest.raises(VtyLost, match="bgpd does not answer"):
        asyncio.run(Vty.connect(tmp_path / "bgpd.vty"))


def test_sending_stops_soon_after_a_refusal(home: Home) -> None:
    async def body(frr: Frr) -> None:
        async with await Vty.connect(home.sockets / "bgpd.vty") as vty:
            await vty.ask("enable")
            commands = ["show version"] * 3 + ["no such thing"] + ["show version"] * (4 * WINDOW)
            replies = await vty.feed(commands, WINDOW, succeeded)
            assert [reply.status for reply in replies[:4]] == [0, 0, 0, 2]
            assert 4 <= len(replies) <= 2 * WINDOW
            assert (await vty.ask("show version")).text.startswith("FRRouting")

    on_frr(home, body)


def test_long_answers_under_a_full_window_do_not_lock_up(home: Home) -> None:
    """A megabyte of answers while commands are still being sent."""

    async def body(frr: Frr) -> None:
        async with await Vty.connect(home.sockets / "bgpd.vty") as vty:
            await vty.ask("enable")
            replies = await vty.feed(["show version"] * 3000, WINDOW, succeeded)
            assert len(replies) == 3000
            assert len({reply.text for reply in replies}) == 1
            assert sum(len(reply.text) for reply in replies) > 1_000_000

    on_frr(home, body)


def test_the_loop_goes_on_while_lines_are_fed(home: Home) -> None:
    async def body(frr: Frr) -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        async with await Vty.connect(home.sockets / "bgpd.vty") as vty:
            await vty.ask("enable")
            before = ticks
            await vty.feed(["show version"] * (10 * WINDOW), WINDOW, succeeded)
        ticking.cancel()
        assert ticks - before > 10

    on_frr(home, body)
