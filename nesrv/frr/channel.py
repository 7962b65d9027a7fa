"""Ways to bring lines to a daemon: its vty socket pipelined, its vty socket in a transaction, or vtysh.

A channel takes plain lines, from the top of the configuration on, and stops at the first
that is not taken; it answers for every line that it sent.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from nesrv.frr.dialect import Dialect
from nesrv.frr.vty import SUCCESS, WINDOW, Reply, Vty, VtyLost

REFUSED = 13
LOCKED = re.compile(r"datastore locked by another session")
LOCK_SECONDS, LOCK_PAUSE = 10.0, 0.02


class Channel(Protocol):
    async def send(self, daemon: str, lines: Sequence[str]) -> list[Reply]:
        """Answers for the lines that were sent, at least up to the first refused one.  Raises VtyLost."""

    async def show(self, daemon: str, command: str) -> Reply:
        """The answer to a command outside the configuration.  Raises VtyLost."""


class Sockets:
    """The daemons' own sockets in ``directory``."""

    def __init__(self, directory: Path, dialect: Dialect) -> None:
        self.directory = directory
        self.dialect = dialect

    def has(self, daemon: str) -> bool:
        return (self.directory / f"{daemon}.vty").exists()

    async def send(self, daemon: str, lines: Sequence[str]) -> list[Reply]:
        async with await Vty.connect(self.directory / f"{daemon}.vty") as vty:
            if daemon in self.dialect.one_by_one:
                return await self._transaction(vty, lines)
            await _enter(vty, ("enable", "configure terminal"))
            replies = await vty.feed(lines, WINDOW, self.taken)
            await vty.ask("end")
            return replies

    async def show(self, daemon: str, command: str) -> Reply:
        async with await Vty.connect(self.directory / f"{daemon}.vty") as vty:
            await vty.ask("enable")
            return await vty.ask(command)

    def taken(self, command: str, reply: Reply) -> bool:
        return reply.status == SUCCESS or self.dialect.is_benign(command, reply.text)

    async def _transaction(self, vty: Vty, lines: Sequence[str]) -> list[Reply]:
        """mgmtd sticks when pipelined, and is slow line by line outside a transaction."""
        await _enter(vty, ("enable",))
        await _lock(vty)
        await _enter(vty, ("XFRR_start_configuration",))
        replies = await vty.feed(lines, 1, self.taken)
        closing = await vty.ask("XFRR_end_configuration")
        await vty.ask("end")
        if closing.status != SUCCESS and replies:
            replies[-1] = closing
        return replies


async def _enter(vty: Vty, commands: Sequence[str]) -> None:
    for command in commands:
        _granted(vty, command, await vty.ask(command))


async def _lock(vty: Vty) -> None:
    """mgmtd gives its lock back only after it has answered the one who had it, and while it starts it has it itself."""
    command = "configure terminal file-lock"
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LOCK_SECONDS
    while (reply := await vty.ask(command)).status != SUCCESS and LOCKED.search(reply.words):
        if loop.time() > deadline:
            break
        await asyncio.sleep(LOCK_PAUSE)
    _granted(vty, command, reply)


def _granted(vty: Vty, command: str, reply: Reply) -> None:
    if reply.status != SUCCESS:
        raise VtyLost(f"{vty.path.stem} refuses {command}: {reply.words}")


VTYSH_REFUSAL = re.compile(r"line (\d+): .*")


class Vtysh:
    """vtysh with its own idea of where the daemons are: slow, and the last resort.  ``options`` lead it there."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self.options = tuple(options)

    async def send(self, daemon: str, lines: Sequence[str]) -> list[Reply]:
        with NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("\n".join([*lines, ""]))
            file.flush()
            status, said = await _vtysh((*self.options, "-f", file.name))
        replies = [Reply("", SUCCESS) for _ in lines]
        words: list[str] = []
        for row in said.splitlines():
            if (found := VTYSH_REFUSAL.match(row)) is not None and int(found[1]) <= len(lines):
                replies[int(found[1]) - 1] = Reply("\n".join(words), REFUSED)
                words = []
            elif not row.startswith("% Can't open configuration file"):
                words.append(row)
        if "failed to connect" in said or (status != 0 and all(reply.status == SUCCESS for reply in replies)):
            raise VtyLost(f"vtysh: {said.strip() or f'status {status}'}")
        return replies

    async def show(self, daemon: str, command: str) -> Reply:
        status, said = await _vtysh((*self.options, "-d", daemon, "-c", command))
        return Reply(said, SUCCESS if status == 0 else REFUSED)


async def _vtysh(arguments: Sequence[str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "vtysh", *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")
