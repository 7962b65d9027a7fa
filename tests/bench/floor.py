"""The least that a plan can cost: its own commands, given to iproute2 and FRR in as few processes as they can go.

Namespaces are made by system calls; then one ``ip -batch`` for each network namespace and one connection to each of
FRR's daemons carry out what the RPC ``plan`` says, in nesrv's order of FRR before the kernel.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from nesrv.frr.text import FrrLine, line, render
from nesrv.frr.vty import SUCCESS, WINDOW, Reply, Vty
from nesrv.kernel import namespaces, sysctls

ENTER = re.compile(r"nsenter --net=(\S+) ip (.*)")
MADE = re.compile(r"touch (\S+)")
SHELL = re.compile(r"unshare |nsenter --net=\S+ sysctl ")

PlanSteps = Sequence[dict[str, list[str]]]


class Floor:
    """A plan, ready to be carried out against FRR's sockets in ``sockets``; ``run`` says how long that took."""

    def __init__(self, steps: PlanSteps, sockets: Path) -> None:
        self._sockets = sockets
        self._made: list[Path] = []
        self._batches: dict[str, list[str]] = {}
        lines: list[FrrLine] = []
        for step in steps:
            if step["domain"] == ["frr"]:
                lines.append(_frr_line(step["command"]))
            elif step["domain"] == ["kernel"]:
                self._take(step["command"])
        self._lines = {
            "bgpd": _rendered(one for one in lines if not _of_zebra(one)),
            "zebra": _rendered(one for one in lines if _of_zebra(one)),
        }

    @property
    def operations(self) -> tuple[int, int]:
        """How many of the kernel (namespaces and lines of ip), how many lines of FRR."""
        ours = len(self._made) + sum(map(len, self._batches.values()))
        return ours, sum(map(len, self._lines.values()))

    def _take(self, commands: Sequence[str]) -> None:
        for command in commands:
            if found := MADE.match(command):
                self._made.append(Path(found[1]))
            elif found := ENTER.match(command):
                self._batches.setdefault(found[1], []).append(found[2])
            else:
                assert SHELL.match(command), f"not known to the floor: {command}"

    def run(self) -> float:
        """Seconds."""
        start = time.monotonic()
        for path in self._made:
            namespaces.make(path, sysctls.VRF)
        for daemon, lines in self._lines.items():
            asyncio.run(self._feed(daemon, lines))
        for namespace in sorted(self._batches, key=_order):
            _batch(namespace, self._batches[namespace])
        return time.monotonic() - start

    async def _feed(self, daemon: str, lines: Sequence[str]) -> None:
        async with await Vty.connect(self._sockets / f"{daemon}.vty") as vty:
            for words in ("enable", "configure terminal"):
                assert (await vty.ask(words)).status == SUCCESS
            refused = [
                (sent, reply.words)
                for sent, reply in zip(lines, await vty.feed(lines, WINDOW, _go_on), strict=True)
                if reply.status != SUCCESS
            ]
            assert not refused, f"{daemon}: {refused[:3]}"


def _go_on(command: str, reply: Reply) -> bool:
    return True


def _order(namespace: str) -> int:
    """VXLAN devices come out of the underlay into the VRFs, legs out of the VRFs into the host's namespaces."""
    if "/nesrv/" in namespace:
        return 1
    return 2 if namespace.endswith(("a", "b", "o")) and len(Path(namespace).name) == 8 else 0


def _batch(namespace: str, commands: Iterable[str]) -> None:
    words = ("nsenter", f"--net={namespace}", "ip", "-batch", "-")
    text = "".join(" ".join(map(shlex.quote, shlex.split(one))) + "\n" for one in commands).replace("'", '"')
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    assert done.returncode == 0, f"{namespace}: {done.stderr}"


def _frr_line(commands: Sequence[str]) -> FrrLine:
    *context, last = (one.strip() for one in commands)
    return line(tuple(context), last, "")


def _of_zebra(one: FrrLine) -> bool:
    return (*one.context, one.text)[0].startswith("vrf ")


def _rendered(lines: Iterable[FrrLine]) -> list[str]:
    return [row.strip() for row in render(lines).splitlines()]
