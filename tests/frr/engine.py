"""A real FRR of the tests' own: a namespace, VRF namespaces beside it, daemons in a pathspace of their own."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from nesrv.facts import Step
from nesrv.frr.daemons import Home, Managed, share
from nesrv.frr.text import FrrLine, line
from nesrv.frr.writer import Frr

AS = 64514
DEFAULT = f"router bgp {AS}"
RED = f"router bgp {AS} vrf red"
IPV4 = "address-family ipv4 unicast"
IPV6 = "address-family ipv6 unicast"
EVPN = "address-family l2vpn evpn"
NUMBERS = itertools.count(1)


def sh(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def open_directory(factory: pytest.TempPathFactory) -> Path:
    """A directory that the daemons' user may enter."""
    run = factory.mktemp("run")
    for folder in (run, *run.parents[:2]):
        folder.chmod(0o755)
    return run


@contextmanager
def made_home(run: Path, vrfs: Iterable[str] = ("red", "blue")) -> Iterator[Home]:
    """An element with its namespaces and no daemons yet; whatever runs there in the end is ended by pid."""
    element = f"t{os.getpid()}x{next(NUMBERS)}"
    sh("ip", "netns", "add", element)
    home = Home(element, run / element, Path("/run/netns") / element, "netns")
    try:
        sh("ip", "-n", element, "link", "set", "lo", "up")
        share(home.vrf_namespaces)
        for vrf in vrfs:
            add_namespace(home, vrf)
        yield home
    finally:
        asyncio.run(_stopped(home))
        for left in list(home.vrf_namespaces.iterdir()):
            drop_namespace(home, left.name)
        sh("umount", str(home.vrf_namespaces))
        sh("ip", "netns", "del", element)
        shutil.rmtree(home.run)


def add_namespace(home: Home, name: str) -> None:
    target = home.vrf_namespaces / name
    target.touch()
    sh("unshare", f"--net={target}", "true")


def drop_namespace(home: Home, name: str) -> None:
    sh("umount", "--lazy", str(home.vrf_namespaces / name))
    (home.vrf_namespaces / name).unlink()


async def _stopped(home: Home) -> None:
    await Managed(home).stop()


@asynccontextmanager
async def frr_of(home: Home) -> AsyncIterator[Frr]:
    """FRR without any line of ours before and after; its daemons stay for the next test."""
    frr = Frr(Managed(home))
    await frr.start()
    try:
        await frr.clear()
        yield frr
        await frr.read()
        await frr.clear()
    finally:
        frr.detach()


def on_frr(home: Home, body: Callable[[Frr], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with frr_of(home) as frr:
            await body(frr)

    asyncio.run(whole())


def lines(rows: Iterable[tuple[tuple[str, ...], str]]) -> list[FrrLine]:
    return [line(context, text, "/test:path") for context, text in rows]


def creates(facts: Iterable[FrrLine]) -> list[Step]:
    return delta((), facts)


def delta(before: Iterable[FrrLine], after: Iterable[FrrLine]) -> list[Step]:
    """What a planner makes of two sets: deletions by descending rank, then creations and changes by ascending."""
    old, new = {fact.key: fact for fact in before}, {fact.key: fact for fact in after}
    gone = sorted((old[key] for key in old.keys() - new.keys()), key=lambda fact: fact.rank, reverse=True)
    come = sorted((new[key] for key in new if new[key] != old.get(key)), key=lambda fact: fact.rank)
    return [Step(fact, None) for fact in gone] + [Step(old.get(fact.key), fact) for fact in come]


async def eventually(check: Callable[[], Awaitable[bool]]) -> bool:
    """Asks again until it is so, 20 s at most."""
    for _ in range(400):
        if await check():
            return True
        await asyncio.sleep(0.05)
    return False


def ip_in(home: Home, vrf: str, *words: str) -> None:
    sh("nsenter", f"--net={home.vrf_namespaces / vrf}", "ip", *words)


def add_l3vni(home: Home, vrf: str, vni: int, vtep: str) -> None:
    """VXLAN and bridge of an L3VNI as the kernel room makes them, in the VRF's namespace."""
    device, bridge = f"vx{vni}", f"br{vni}"
    sh("ip", "-n", home.element, "address", "replace", f"{vtep}/32", "dev", "lo")
    vxlan = ("type", "vxlan", "id", str(vni), "local", vtep, "dstport", "4789", "nolearning")
    # Never moved: zebra may learn that it left one namespace after it came to the other, and forget it.
    sh("ip", "-n", home.element, "link", "add", device, "netns", str(home.vrf_namespaces / vrf), *vxlan)
    ip_in(home, vrf, "link", "add", bridge, "type", "bridge")
    ip_in(home, vrf, "link", "set", bridge, "addrgenmode", "none")
    ip_in(home, vrf, "link", "set", device, "master", bridge, "addrgenmode", "none")
    for link in ("lo", bridge, device):
        ip_in(home, vrf, "link", "set", link, "up")


def drop_l3vni(home: Home, vrf: str, vni: int) -> None:
    ip_in(home, vrf, "link", "del", f"vx{vni}")
    ip_in(home, vrf, "link", "del", f"br{vni}")
