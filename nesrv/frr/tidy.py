"""VRF blocks that outlive their VRF.

Once a line stood in ``vrf NAME``, zebra and staticd keep the empty block after the VRF has
left the kernel (the running configuration does not show it, ``show vrf`` does), and refuse
``no vrf NAME`` before.  The kernel's news reaches them on its own way, so removing is tried
for a while.  FRR 10's mgmtd may abort when zebra or staticd refuses: it is asked only for
VRFs that are known to be gone.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterable

from nesrv.frr.channel import Channel
from nesrv.frr.dialect import Dialect
from nesrv.frr.lines import Lines
from nesrv.frr.vty import SUCCESS, VtyLost

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE, TRIES = 0.1, 5.0, 20

Block = tuple[str, str]
"""(daemon, ``vrf NAME``)"""


INACTIVE = re.compile(r"^(vrf \S+) inactive \(configured\)", re.MULTILINE)


def inactive_vrfs(show_vrf: str) -> list[str]:
    """The ``vrf NAME`` of those that zebra's ``show vrf`` knows from configuration only."""
    return INACTIVE.findall(show_vrf)


class Tidy:
    """Removes empty VRF blocks in the background; ``lines`` says what is still in use."""

    def __init__(self, lines: Callable[[], Lines], lock: asyncio.Lock) -> None:
        self._lines = lines
        self._lock = lock
        self._left: set[Block] = set()
        self._task: asyncio.Task[None] | None = None

    def note(self, blocks: Iterable[Block], channel: Channel, dialect: Dialect) -> None:
        """Takes on blocks that may have become empty."""
        self._left.update(blocks)
        if self._left and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._work(channel, dialect))

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _work(self, channel: Channel, dialect: Dialect) -> None:
        pause = FIRST_PAUSE
        inactive: set[str] = set()
        for _ in range(TRIES):
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            async with self._lock:
                before, inactive = inactive, await _inactive(channel) if dialect.fragile else set()
                for block in tuple(self._left):
                    # Twice, so that zebra's clients have heard of it as well.
                    safe = block[0] not in dialect.fragile or block[1] in before & inactive
                    if self._in_use(block, dialect) or (safe and await _removed(block, channel)):
                        self._left.discard(block)
            if not self._left:
                return
        self._left.clear()

    def _in_use(self, block: Block, dialect: Dialect) -> bool:
        daemon, opened = block
        return any(dialect.owner(fact) == daemon for fact in self._lines().under(opened))


async def _inactive(channel: Channel) -> set[str]:
    try:
        return set(inactive_vrfs((await channel.show("zebra", "show vrf")).text))
    except VtyLost:
        return set()


async def _removed(block: Block, channel: Channel) -> bool:
    daemon, opened = block
    try:
        replies = await channel.send(daemon, [f"no {opened}"])
    except VtyLost:
        return False
    if replies[0].status == SUCCESS:
        logger.debug("%s forgot %s", daemon, opened)
    return replies[0].status == SUCCESS
