"""FRR's daemons of one element: started and watched (``Managed``), or somebody else's (``Attached``).

Managed daemons live in the element's network namespace and in a mount namespace of their
own, where the element's VRF namespaces are what is under /run/netns.  They outlive nesrv
and are found again by pid file and command line.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nesrv.frr.vty import Vty, VtyLost

logger = logging.getLogger(__name__)

BINARIES = Path("/usr/lib/frr")
FRR_RUN = Path("/run/frr")
OPEN_FILES = 100_000
"""zebra holds 6-7 descriptors a VRF namespace."""
START_SECONDS = 30.0
STOP_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS = 0.1, 10.0, 30.0
"""Restarts wait from the first pause, doubling to the longest; a daemon that ran steadily starts afresh."""
RAISE = 'ulimit -n "$0" 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@"'
ENTER = 'mount --rbind "$0" /run/netns && mount --make-rslave /run/netns && exec "$@"'

OnRestart = Callable[[str], Awaitable[None]]


ZEBRA, ZEBRA_CLIENTS = "zebra", ("bgpd", "bfdd", "staticd")


class DaemonFailed(RuntimeError):
    """A daemon did not start; the text is its own."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the daemons of one element live.

    ``element`` is also FRR's pathspace, so ``vtysh -N ELEMENT`` reaches them; ``run`` is the
    element's run directory; ``netns`` the path of its network namespace (None: the current one).
    """

    element: str
    run: Path
    netns: Path | None
    back_end: Literal["netns", "device"]

    @property
    def sockets(self) -> Path:
        return FRR_RUN / self.element

    @property
    def logs(self) -> Path:
        return self.run / "frr"

    @property
    def vrf_namespaces(self) -> Path:
        return self.run / "netns"


class Attached:
    """The daemons of an FRR that runs already, by its socket directory; never started, stopped or watched."""

    managed = False

    def __init__(self, sockets: Path = FRR_RUN) -> None:
        self.sockets = sockets

    async def start(self, on_restart: OnRestart) -> tuple[str, ...]:
        return ()

    async def alive_again(self, daemon: str) -> bool:
        return False

    async def stop(self) -> None:
        return

    def detach(self) -> None:
        return


class Managed:
    """Starts, finds, watches and stops the daemons of one element."""

    managed = True

    def __init__(self, home: Home) -> None:
        self.home = home
        self.sockets = home.sockets
        self._watched: dict[str, Watch] = {}
        self._revivals: dict[str, asyncio.Task[None]] = {}
        self._pauses: dict[str, float] = {}

    async def start(self, on_restart: OnRestart) -> tuple[str, ...]:
        """Finds or starts every daemon; returns the names of those it started.  Raises DaemonFailed."""
        self._on_restart = on_restart
        await asyncio.to_thread(self._prepare)
        started: list[str] = []
        for daemon in daemon_names():
            if self.pid(daemon) is None:
                await self._retire(daemon)
                await self._launch(daemon)
                started.append(daemon)
            self._watch(daemon)
        logger.info("FRR of %s: started %s", self.home.element, ", ".join(started) or "nothing, all found running")
        return tuple(started)

    def pid(self, daemon: str) -> int | None:
        """The pid of the running daemon, None if its pid file leads nowhere or to another process."""
        pid, words = self._found(daemon)
        mine = [word.encode() for word in self._command(daemon)]
        return pid if words == mine else None

    def _found(self, daemon: str) -> tuple[int, list[bytes]]:
        try:
            pid = int((self.sockets / f"{daemon}.pid").read_text())
            return pid, Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
        except (OSError, ValueError):
            return 0, []

    async def _retire(self, daemon: str) -> None:
        """Ends a daemon of this element that was started with other options."""
        pid, words = self._found(daemon)
        named = [str(BINARIES / daemon).encode(), b"-d", b"-N", self.home.element.encode()]
        if words[: len(named)] == named:
            logger.warning("%s (pid %d) runs with other options; it is replaced", daemon, pid)
            await _end(daemon, pid)

    async def alive_again(self, daemon: str) -> bool:
        """Waits until a daemon that was lost, and those that start anew with it, are back with their configuration;
        False if that takes too long."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        lost = (ZEBRA, *ZEBRA_CLIENTS) if daemon == ZEBRA else (daemon,)
        return all([await self._back(name, deadline) for name in lost])

    async def _back(self, daemon: str, deadline: float) -> bool:
        loop = asyncio.get_running_loop()
        while loop.time() < deadline:
            if (revival := self._revivals.get(daemon)) is not None:
                await asyncio.wait((revival,), timeout=deadline - loop.time())
            elif (daemon in self._watched) and await _answers(self.sockets / f"{daemon}.vty"):
                return True
            else:
                await asyncio.sleep(FIRST_PAUSE)
        return False

    def detach(self) -> None:
        """Forgets the daemons and leaves them running."""
        for revival in self._revivals.values():
            revival.cancel()
        for watch in self._watched.values():
            watch.close()
        self._watched.clear()

    async def stop(self) -> None:
        """Ends the daemons, those that depend on zebra first."""
        ending = [(daemon, self.pid(daemon)) for daemon in reversed(daemon_names())]
        self.detach()
        for daemon, pid in ending:
            if pid is not None:
                await _end(daemon, pid)
        await asyncio.to_thread(shutil.rmtree, self.sockets, ignore_errors=True)

    def _prepare(self) -> None:
        for directory in (self.sockets, self.home.logs):
            directory.mkdir(parents=True, exist_ok=True)
            shutil.chown(directory, "frr", "frr")
        if self.home.back_end == "netns":
            Path("/run/netns").mkdir(exist_ok=True)
            share(self.home.vrf_namespaces)

    def _command(self, daemon: str) -> list[str]:
        words = [str(BINARIES / daemon), "-d", "-N", self.home.element, "-P", "0"]
        words += ["--log", f"file:{self.home.logs / daemon}.log", "--log-level", "notifications"]
        flag = netns_flag(daemon)
        return words + ([flag] if flag and self.home.back_end == "netns" else [])

    async def _launch(self, daemon: str) -> None:
        """FRR's parent process ends once the daemon serves its socket, so no waiting is left to do here."""
        words = ["sh", "-c", RAISE, str(OPEN_FILES)]
        if self.home.netns is not None:
            words += ["nsenter", f"--net={self.home.netns}"]
        if self.home.back_end == "netns":
            words += ["unshare", "--mount", "--propagation", "slave", "sh", "-c", ENTER, str(self.home.vrf_namespaces)]
        words += self._command(daemon)
        out = self.home.logs / f"{daemon}.out"
        with out.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                *words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
            )
        status = await asyncio.wait_for(process.wait(), START_SECONDS)
        if status != 0 or self.pid(daemon) is None:
            said = out.read_text(errors="replace").strip()
            raise DaemonFailed(f"{daemon} did not start (status {status}): {said[-500:]}")

    def _watch(self, daemon: str) -> None:
        pid = self.pid(daemon)
        if pid is None:
            self._died(daemon)
            return
        try:
            self._watched[daemon] = Watch(pid, lambda: self._died(daemon))
        except ProcessLookupError:
            self._died(daemon)

    def _died(self, daemon: str) -> None:
        watch = self._watched.pop(daemon, None)
        steady = watch is not None and watch.age > STEADY_SECONDS
        if watch is not None:
            watch.close()
        pause = FIRST_PAUSE if steady else self._pauses.get(daemon, FIRST_PAUSE)
        self._pauses[daemon] = min(pause * 2, LONGEST_PAUSE)
        logger.error("%s of %s died; restarting in %.1f s", daemon, self.home.element, pause)
        revival = asyncio.get_running_loop().create_task(self._revive(daemon, pause))
        self._revivals[daemon] = revival
        revival.add_done_callback(lambda _: self._revivals.pop(daemon, None))

    async def _revive(self, daemon: str, pause: float) -> None:
        """Starts the daemon again until it stays, then lets the owner give it its configuration."""
        while True:
            await asyncio.sleep(pause)
            try:
                if self.pid(daemon) is None:
                    await self._launch(daemon)
                await self._on_restart(daemon)
            except (DaemonFailed, OSError) as error:
                logger.error("%s of %s: %s", daemon, self.home.element, error)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            logger.warning("%s of %s restarted with its configuration", daemon, self.home.element)
            break
        self._watch(daemon)
        if daemon == ZEBRA:
            await self._restart_clients()

    async def _restart_clients(self) -> None:
        """A new zebra gets from clients that went on only part of what the old one had (bgpd leaves out the default
        instance's routes), so they start anew as well; watchfrr does the same."""
        for client in ZEBRA_CLIENTS:
            pid = self.pid(client)
            if pid is not None:
                await _end(client, pid)


class Watch:
    """Calls back once, in the event loop, when a process ends; works for processes that are no children."""

    def __init__(self, pid: int, on_end: Callable[[], None]) -> None:
        """Raises ProcessLookupError."""
        self._loop = asyncio.get_running_loop()
        self._fd = os.pidfd_open(pid)
        self._since = self._loop.time()
        self._loop.add_reader(self._fd, on_end)

    @property
    def age(self) -> float:
        """Seconds since the watch began."""
        return self._loop.time() - self._since

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)


def daemon_names() -> tuple[str, ...]:
    """In order of starting; mgmtd exists from FRR 9 on."""
    names = ("mgmtd", ZEBRA, *ZEBRA_CLIENTS)
    return tuple(name for name in names if name != "mgmtd" or (BINARIES / name).exists())


def netns_flag(daemon: str) -> str | None:
    """The option that makes namespaces VRFs: ``-n`` on zebra of FRR 8, ``-w`` on three daemons since mgmtd exists
    (``-n`` on bgpd means no kernel)."""
    if (BINARIES / "mgmtd").exists():
        return "-w" if daemon in ("mgmtd", "zebra", "staticd") else None
    return "-n" if daemon == "zebra" else None


def share(directory: Path) -> None:
    """Makes ``directory`` a shared tmpfs mount, so that namespaces mounted in it later reach the daemons."""
    directory.mkdir(parents=True, exist_ok=True)
    if not os.path.ismount(directory):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "nesrv", str(directory)], check=True)
    subprocess.run(["mount", "--make-shared", str(directory)], check=True)


async def _end(daemon: str, pid: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        ended = asyncio.Event()
        try:
            watch = Watch(pid, ended.set)
        except ProcessLookupError:
            return
        try:
            os.kill(pid, number)
            await asyncio.wait_for(ended.wait(), STOP_SECONDS)
            return
        except ProcessLookupError:
            return
        except TimeoutError:
            logger.warning("%s (pid %d) does not end on %s", daemon, pid, number.name)
        finally:
            watch.close()


async def _answers(socket: Path) -> bool:
    """A dying process may still accept, so an answer is what counts."""
    try:
        async with await Vty.connect(socket) as vty:
            await vty.ask("enable")
    except VtyLost:
        return False
    return True


Daemons = Managed | Attached
