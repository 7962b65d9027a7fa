"""Another BGP speaker, beside the element of a test: zebra and bgpd in a namespace and a pathspace of their own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.places import launch, within
from nesrv.frr.daemons import Home
from nesrv.frr.writer import Frr
from tests.features.element import Element
from tests.frr.engine import delta, eventually, sh

NUMBERS = itertools.count(1)
DAEMONS = "/usr/lib/frr"


@dataclass(frozen=True, slots=True)
class Other:
    """``name`` of namespace and pathspace."""

    name: str

    @property
    def folder(self) -> Path:
        return Path("/run/frr") / self.name

    def ask(self, *commands: str) -> str:
        return sh("vtysh", "-N", self.name, *(word for command in commands for word in ("-c", command)))

    def configure(self, lines: str) -> None:
        self.ask("configure terminal", *lines.strip().splitlines())

    def shown(self, command: str) -> Any:
        return json.loads(self.ask(command) or "{}")

    def has_route(self, prefix: str) -> bool:
        return bool(self.shown(f"show bgp ipv4 unicast {prefix} json").get("paths"))


@contextmanager
def other(home: Home, link: str, ours: str | None = None, theirs: str | None = None) -> Iterator[Other]:
    """A speaker at the far end of ``link``, which the element gets with the address ``ours``; ended by pid."""
    found = Other(f"o{os.getpid()}x{next(NUMBERS)}")
    sh("ip", "netns", "add", found.name)
    found.folder.mkdir()
    try:
        sh("ip", "-n", home.element, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", found.name)
        for space, name, address in ((home.element, link, ours), (found.name, "eth0", theirs)):
            if address is not None:
                sh("ip", "-n", space, "address", "add", address, "dev", name)
            sh("ip", "-n", space, "link", "set", name, "up")
        sh("ip", "-n", found.name, "link", "set", "lo", "up")
        shutil.chown(found.folder, "frr", "frr")
        for daemon in ("zebra", "bgpd"):
            launch(within(found.name, (f"{DAEMONS}/{daemon}", "-d", "-N", found.name, "-P", "0")))
        yield found
    finally:
        for daemon in ("bgpd", "zebra"):
            _end(found.folder / f"{daemon}.pid")
        subprocess.run(("ip", "-n", home.element, "link", "del", link), check=False, capture_output=True)
        sh("ip", "netns", "del", found.name)
        shutil.rmtree(found.folder, ignore_errors=True)


def _end(file: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        pid = int(file.read_text())
        os.kill(pid, signal.SIGTERM)
        for _ in range(200):
            if not Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.05)


async def commit(frr: Frr, element: Element, document: str) -> list[str]:
    """Replaces the configuration, as a commit does; returns the lines that changed, FRR having taken them."""
    await asyncio.to_thread(element.commit, document)
    steps = delta(frr.actual.values(), element.lines())
    await frr.apply(steps)
    assert set((await frr.read()).values()) == set(element.lines())
    return [f"{step.verb} {' / '.join((*step.fact.context[1:], step.fact.text))}" for step in steps]  # type: ignore[attr-defined]


async def neighbor(frr: Frr, name: str) -> dict[str, Any]:
    """What the element's bgpd says of a neighbour; empty where it knows none."""
    found: dict[str, Any] = json.loads(await frr.show("bgpd", f"show bgp neighbors {name} json"))
    return found.get(name) or {}


async def is_up(frr: Frr, name: str) -> bool:
    return (await neighbor(frr, name)).get("bgpState") == "Established"


async def comes_up(frr: Frr, name: str) -> bool:
    async def check() -> bool:
        return await is_up(frr, name)

    return await eventually(check)


async def shows(speaker: Other, prefix: str) -> bool:
    async def check() -> bool:
        return speaker.has_route(prefix)

    return await eventually(check)
