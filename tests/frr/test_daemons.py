"""Daemons of one element: found again, restarted with their configuration, replaced, ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from nesrv.facts import StepRefused
from nesrv.frr import writer
from nesrv.frr.daemons import Attached, DaemonFailed, Home, Managed, daemon_names, netns_flag
from nesrv.frr.tidy import FIRST_PAUSE
from nesrv.frr.vty import VtyLost
from nesrv.frr.writer import Frr
from tests.frr.engine import IPV4, add_namespace, creates, drop_namespace, eventually, frr_of, lines, sh
from tests.frr.slices import EVERYTHING, INSTANCE, D

NAMES = daemon_names()


def pids(home: Home) -> dict[str, int | None]:
    managed = Managed(home)
    return {name: managed.pid(name) for name in NAMES}


def test_a_second_start_finds_the_daemons_and_their_lines(home: Home) -> None:
    async def body() -> None:
        async with frr_of(home) as first:
            await first.apply(creates(EVERYTHING))
            before = pids(home)
            first.detach()
            second = Frr(Managed(home))
            await second.start()
            assert pids(home) == before
            assert set(second.actual.values()) == set(EVERYTHING)
            second.detach()

    asyncio.run(body())


@pytest.mark.parametrize("daemon", NAMES)
def test_a_killed_daemon_comes_back_with_its_lines(own_home: Home, daemon: str) -> None:
    async def body() -> None:
        async with frr_of(own_home) as frr:
            await frr.apply(creates(EVERYTHING))
            killed = pids(own_home)[daemon]
            assert killed is not None
            os.kill(killed, signal.SIGKILL)

            async def back() -> bool:
                return pids(own_home)[daemon] not in (None, killed)

            assert await eventually(back)
            managed = frr._daemons
            assert await managed.alive_again(daemon)
            assert set((await frr.read()).values()) == set(EVERYTHING)

    asyncio.run(body())


@pytest.mark.parametrize("daemon", NAMES)
def test_zebra_acts_on_vnis_and_static_routes_whichever_daemon_was_killed(own_home: Home, daemon: str) -> None:
    """A running configuration is what a daemon was told; whether zebra knows of it is another question."""

    async def body() -> None:
        async with frr_of(own_home) as frr:

            async def known() -> bool:
                try:
                    tables = json.loads(await frr.show("zebra", "show vrf vni json")).get("vrfs", [])
                    routes = json.loads(await frr.show("zebra", "show ip route static json"))
                except (VtyLost, ValueError):
                    return False
                return any(table["vni"] == 100 for table in tables) and "10.5.0.0/16" in routes

            await frr.apply(creates(EVERYTHING))
            assert await eventually(known)
            killed = pids(own_home)[daemon]
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            assert await eventually(lambda: gone(killed))
            assert await frr._daemons.alive_again(daemon)
            assert await eventually(known)

    async def gone(pid: int) -> bool:
        return not alive(pid)

    asyncio.run(body())


def test_a_daemon_lost_while_it_is_given_lines_loses_nothing_it_had(own_home: Home) -> None:
    async def body() -> None:
        async with frr_of(own_home) as frr:
            await frr.apply(creates(lines(INSTANCE)))
            bgpd = pids(own_home)["bgpd"]
            assert bgpd is not None
            os.kill(bgpd, signal.SIGSTOP)
            steps = creates(lines([((*D, IPV4), f"network 10.7.{i}.0/24") for i in range(200)]))
            applying = asyncio.create_task(frr.apply(steps))
            await asyncio.sleep(0)
            os.kill(bgpd, signal.SIGKILL)
            with pytest.raises(StepRefused) as refused:
                await applying
            assert refused.value.done == ()
            assert set((await frr.read()).values()) == set(lines(INSTANCE))

    asyncio.run(body())


@pytest.mark.parametrize("daemon", ["bfdd", "bgpd", "zebra"])
def test_a_daemon_that_dies_as_it_is_read_is_waited_for(own_home: Home, daemon: str) -> None:
    wanted = [*lines(INSTANCE), *lines([(("bfd",), "profile slow")])]

    async def body() -> None:
        async with frr_of(own_home) as frr:
            await frr.apply(creates(wanted))
            pid = pids(own_home)[daemon]
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert set((await frr.read()).values()) == set(wanted)

    asyncio.run(body())


def test_a_foreign_pid_in_the_file_is_not_the_daemon(own_home: Home) -> None:
    managed = Managed(own_home)
    managed.sockets.mkdir()
    (managed.sockets / "zebra.pid").write_text(f"{os.getpid()}\n")
    assert managed.pid("zebra") is None


def test_other_options_replace_the_daemon(own_home: Home) -> None:
    async def body() -> None:
        first = Managed(own_home)
        await first.start(ignore)
        before = pids(own_home)
        first.detach()
        second = Managed(replace(own_home, back_end="device"))
        assert await second.start(ignore) == tuple(name for name in NAMES if netns_flag(name))
        assert second.pid("zebra") not in (None, before["zebra"])
        assert second.pid("bgpd") == before["bgpd"]
        await second.stop()

    asyncio.run(body())


async def ignore(daemon: str) -> None:
    return


def test_stop_leaves_nothing(own_home: Home) -> None:
    async def body() -> None:
        managed = Managed(own_home)
        await managed.start(ignore)
        running = [pid for pid in pids(own_home).values() if pid is not None]
        assert len(running) == len(NAMES)
        await managed.stop()
        assert not any(alive(pid) for pid in running)
        assert not managed.sockets.exists()

    asyncio.run(body())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_daemons_see_the_namespaces_of_their_element_only(own_home: Home) -> None:
    async def body() -> None:
        async with frr_of(own_home) as frr:
            add_namespace(own_home, "late")

            async def seen() -> bool:
                return "vrf late " in await frr.show("zebra", "show vrf")

            assert await eventually(seen)
            known = await frr.show("zebra", "show vrf")
            assert {row.split()[1] for row in known.splitlines() if row.startswith("vrf ")} == {"red", "blue", "late"}
            zebra = pids(own_home)["zebra"]
            assert sh("readlink", f"/proc/{zebra}/ns/net") == sh(
                "ip", "netns", "exec", own_home.element, "readlink", "/proc/self/ns/net"
            )

    asyncio.run(body())


@pytest.mark.parametrize("restarted", [False, True])
def test_the_block_of_a_vrf_that_is_gone_goes_too(
    own_home: Home, restarted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``vrf zed`` has no namespace, as a VRF whose device was deleted: FRR keeps its block until told."""
    monkeypatch.setattr(writer, "WAIT_SECONDS", 0.2)
    rows = ((("vrf zed",), "vni 100"), (("vrf zed",), "ip route 10.8.0.0/16 Null0"))

    async def body() -> None:
        async with frr_of(own_home) as frr:

            async def known() -> bool:
                return "vrf zed " in await frr.show("zebra", "show vrf")

            async def gone() -> bool:
                return not await known()

            with pytest.raises(StepRefused, match="zed"):
                await frr.apply(creates(lines(rows)))
            assert await known()
            await frr.clear()
            if restarted:
                frr.detach()
                assert await known()
                await frr.read()
            assert await eventually(gone)

    asyncio.run(body())


def test_a_namespace_that_is_gone_takes_its_block_along(own_home: Home) -> None:
    async def body() -> None:
        async with frr_of(own_home) as frr:
            await frr.apply(creates(lines([(("vrf red",), "vni 100")])))
            await frr.clear()
            drop_namespace(own_home, "red")

            async def gone() -> bool:
                return "vrf red " not in await frr.show("zebra", "show vrf")

            assert await eventually(gone)

    asyncio.run(body())


def test_the_block_of_a_vrf_that_stays_is_left_alone(own_home: Home) -> None:
    """Taking it away would be refused, and may cost FRR 10 its mgmtd."""

    async def body() -> None:
        async with frr_of(own_home) as frr:
            before = pids(own_home)
            for _ in range(10):
                await frr.apply(creates(lines([(("vrf red",), "vni 100"), (("vrf blue",), "vni 101")])))
                await frr.clear()
                await asyncio.sleep(2 * FIRST_PAUSE)  # The time in which it would be tried.
            assert pids(own_home) == before

    asyncio.run(body())


def test_attached_uses_what_runs_and_leaves_it(own_home: Home) -> None:
    async def body() -> None:
        async with frr_of(own_home):
            before = pids(own_home)
            frr = Frr(Attached(own_home.sockets))
            await frr.start()
            await frr.apply(creates(lines(INSTANCE)))
            assert set((await frr.read()).values()) == set(lines(INSTANCE))
            await frr.stop()
            assert pids(own_home) == before

    asyncio.run(body())


def test_a_daemon_that_cannot_start_says_why(own_home: Home) -> None:
    async def body() -> None:
        with pytest.raises(DaemonFailed, match="No such file"):
            await Managed(replace(own_home, netns=Path("/run/netns/none-such"))).start(ignore)

    asyncio.run(body())
