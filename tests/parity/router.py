"""A router that is not ours: FRR alone in a namespace and pathspace of its own, from one configuration text."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.places import launch, within
from tests.server.element import sh

BINARIES = Path("/usr/lib/frr")
DAEMONS = ("zebra", "bgpd", "bfdd")
HEAD = "frr defaults datacenter\nip forwarding\nipv6 forwarding\n"


class Router:
    """Runs within the ``with`` block in the namespace ``space``, which the caller made."""

    def __init__(self, space: str, configuration: str) -> None:
        self.space = space
        self._configuration = HEAD + configuration
        self._home = Path("/run/frr") / space

    def __enter__(self) -> Self:
        self._home.mkdir()
        shutil.chown(self._home, "frr", "frr")
        file = self._home / "frr.conf"
        file.write_text(self._configuration)
        file.chmod(0o644)
        try:
            for daemon in DAEMONS:
                self.launch(daemon)
            sh("vtysh", "-N", self.space, "-f", str(file))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def launch(self, daemon: str) -> None:
        launch(within(self.space, (str(BINARIES / daemon), "-d", "-N", self.space, "-P", "0")))

    def close(self) -> None:
        """By SIGKILL: bgpd takes six seconds to end in peace, and nobody is left who would care."""
        for daemon in DAEMONS:
            with contextlib.suppress(OSError, ValueError):
                os.kill(self.pid(daemon), signal.SIGKILL)
        shutil.rmtree(self._home, ignore_errors=True)

    def pid(self, daemon: str) -> int:
        return int((self._home / f"{daemon}.pid").read_text())

    def run(self, *words: str) -> str:
        """A command in the router's namespace."""
        return sh("ip", "netns", "exec", self.space, *words)

    def vtysh(self, *commands: str) -> str:
        return sh("vtysh", "-N", self.space, *(word for command in commands for word in ("-c", command)))

    def configure(self, *lines: str) -> None:
        self.vtysh("configure terminal", *lines)

    def json(self, command: str) -> Any:
        return json.loads(self.vtysh(f"{command} json") or "{}")

    def established(self, peer: str) -> bool:
        found = self.json("show bgp neighbors").get(peer, {})
        return bool(found.get("bgpState") == "Established")

    def routes(self, version: int = 4) -> dict[str, Any]:
        """What BGP put into the routing table, by prefix."""
        family = "ip" if version == 4 else "ipv6"
        return dict(self.json(f"show {family} route bgp"))

    def pings(self, address: str, source: str | None = None, size: int | None = None) -> bool:
        """Three packets, all answered; ``size`` is that of the whole IP packet, not to be fragmented."""
        header = 28 if ":" not in address else 48
        words = ["ping", "-q", "-n", "-c", "3", "-i", "0.1", "-W", "1"]
        words += ["-I", source] if source is not None else []
        words += ["-M", "do", "-s", str(size - header)] if size is not None else []
        command = ("ip", "netns", "exec", self.space, *words, address)
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode == 0 and " 0% packet loss" in done.stdout
