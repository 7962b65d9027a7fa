"""FRR as the pipeline sees it: what lines it has, and steps that it takes or refuses."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from nesrv.aside import aside
from nesrv.facts import AfterStep, Step, StepRefused
from nesrv.frr.channel import Channel, Sockets, Vtysh
from nesrv.frr.daemons import Daemons
from nesrv.frr.delta import Command, commands
from nesrv.frr.dialect import WAITS, Dialect, dialect_of
from nesrv.frr.lines import Key, Lines, top_of
from nesrv.frr.readback import after, between, complaint, raw_steps
from nesrv.frr.text import FrrLine, common, line, mask, parse
from nesrv.frr.tidy import Tidy, inactive_vrfs
from nesrv.frr.vty import SUCCESS, Reply, Vty, VtyLost

logger = logging.getLogger(__name__)

SPEAKER = "bgpd"
WAIT_SECONDS = 10.0
PAUSE_SECONDS = 0.02
"""A refusal that waits for a message between FRR's daemons is tried again this often, this long."""
READ_TRIES = 3


@dataclass(frozen=True, slots=True)
class Wire:
    """One line as sent; ``last`` when it is the command itself and not the way into its context.

    ``group``: the commands that the line commits together.
    """

    text: str
    command: Command
    last: bool
    group: tuple[Command, ...] = ()


class Refused(Exception):
    """``lost`` names the daemon when it went away instead of answering."""

    def __init__(self, command: Command, words: str, lost: str | None = None) -> None:
        super().__init__(words)
        self.command = command
        self.words = words
        self.lost = lost


class Silent(VtyLost):
    """``daemon`` went away while it was asked for its lines."""

    def __init__(self, daemon: str, words: str) -> None:
        super().__init__(words)
        self.daemon = daemon


class Frr:
    """One FRR and the lines that it is known to have.

    ``apply`` stops at the first refused line.  Lines that were under way behind it may have
    been taken: ``StepRefused.done`` is read back from FRR, so it names exactly the steps that
    hold, in the order in which they were carried out (not always a prefix of the steps given).
    """

    def __init__(self, daemons: Daemons, vtysh_options: Sequence[str] = ()) -> None:
        self._daemons = daemons
        self._vtysh_options = vtysh_options
        self._lines = Lines()
        self._lock = asyncio.Lock()
        self._tidy = Tidy(lambda: self._lines, self._lock)
        self._channel: Channel
        self._dialect: Dialect
        self._grouped: re.Pattern[str] | None = None

    @property
    def actual(self) -> Mapping[Key, FrrLine]:
        return self._lines

    @property
    def announces_ipv6_vteps(self) -> bool:
        """Whether this FRR does; known once it was started."""
        return self._dialect.ipv6_vteps

    async def start(self) -> None:
        """Finds or starts the daemons and reads what they have.  Raises DaemonFailed, VtyLost."""
        started = await self._daemons.start(self._restarted)
        version = await self._version()
        self._dialect = dialect_of(version)
        sockets = Sockets(self._daemons.sockets, self._dialect)
        self._channel = sockets if sockets.has("zebra") else Vtysh(self._vtysh_options)
        self._grouped = self._dialect.grouped if self._channel is sockets else None
        if SPEAKER in started:
            await self._unname()
        await self.read()
        logger.info("FRR has %d lines of ours", len(self._lines))

    async def stop(self) -> None:
        """Ends managed daemons; leaves attached ones alone."""
        self._tidy.close()
        await self._daemons.stop()

    def detach(self) -> None:
        """Leaves everything running."""
        self._tidy.close()
        self._daemons.detach()

    async def apply(self, steps: Sequence[Step], after_step: AfterStep | None = None) -> None:
        """Carries out the steps, or raises StepRefused with FRR's own words.

        Without ``after_step`` the lines are pipelined; with it each command is acknowledged before the next, and
        ``after_step`` is called for what the command brought about.  After anything else raised (by ``after_step``,
        a cancellation) ``actual`` has the acknowledged steps and ``read`` tells the rest.
        """
        async with self._lock:
            raw = raw_steps(steps)
            if raw:
                self._lines = await self._fetch()
            before = self._lines
            plan = await aside(len(steps), lambda: commands(steps, before))
            taken: list[Step] = []
            try:
                await self._carry_out(plan, taken, after_step)
            except Refused as error:
                refused = error
            except BaseException:
                self._know(taken)
                raise
            else:
                if raw:
                    await self._read_back(steps, raw, after(before, steps))
                self._know(steps)
                await self._await_vrfs(steps)
                return
        raise StepRefused(refused.command.step, refused.words, await self._held(plan, refused, taken))

    async def _read_back(self, steps: Sequence[Step], raw: Sequence[Step], expected: Lines) -> None:
        """Raises StepRefused, with the raw lines taken back, where FRR does not show just what was expected."""
        found = await self._fetch()
        wrong = complaint(raw, expected, found)
        if wrong is None:
            return
        back = between(found, after(expected, (step.inverse() for step in raw)))
        try:
            await self._carry_out(commands(back, found), [], None)
        except Refused as error:
            logger.error("what raw lines brought about stays: %s: %s", mask(error.command.text), error.words)
        self._lines = await self._fetch()
        raise StepRefused(*wrong, [step for step in steps if step not in raw and _holds(step, self._lines)])

    async def _await_vrfs(self, steps: Sequence[Step]) -> None:
        """A VXLAN device that is there before zebra has noticed its VRF leaves the VNI down for good.

        Raises StepRefused for a VRF that zebra never notices.
        """
        named = {opened: step for step in steps if (opened := _vrf_block(step)) is not None}
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_SECONDS
        while named:
            inactive = inactive_vrfs((await self._channel.show("zebra", "show vrf")).text)
            named = {opened: named[opened] for opened in inactive if opened in named}
            if named and loop.time() > deadline:
                opened, step = next(iter(named.items()))
                raise StepRefused(step, f"zebra does not take notice of {opened}", steps)
            if named:
                await asyncio.sleep(PAUSE_SECONDS)

    async def read(self) -> Mapping[Key, FrrLine]:
        """Reads the running configuration afresh; ``actual`` is that from now on.  Raises VtyLost.

        A daemon that goes away while it is asked is waited for, and all are asked again.
        """
        for _ in range(READ_TRIES - 1):
            try:
                return await self._read()
            except Silent as error:
                logger.warning("%s; reading again when it is back", error)
                if not await self._daemons.alive_again(error.daemon):
                    raise
        return await self._read()

    async def _read(self) -> Mapping[Key, FrrLine]:
        async with self._lock:
            self._lines = await self._fetch()
            return self._lines

    async def show(self, daemon: str, command: str) -> str:
        """What ``daemon`` answers to a show command.  Raises VtyLost, ValueError when it refuses."""
        reply = await self._channel.show(daemon, command)
        if reply.status != SUCCESS:
            raise ValueError(f"{daemon}: {command}: {reply.words}")
        return reply.text

    async def clear(self) -> None:
        """Removes every line of ours.  Raises StepRefused."""
        ordered = sorted(self._lines.values(), key=lambda fact: fact.rank, reverse=True)
        await self.apply([Step(fact, None) for fact in ordered])

    async def _version(self) -> str:
        try:
            async with await Vty.connect(self._daemons.sockets / "zebra.vty") as vty:
                return (await vty.ask("show version")).text
        except VtyLost:
            return (await Vtysh(self._vtysh_options).show("zebra", "show version")).text

    async def _carry_out(self, plan: Sequence[Command], taken: list[Step], after_step: AfterStep | None) -> None:
        """Raises Refused; ``taken`` grows by what was acknowledged."""
        for daemon, run in await aside(len(plan), lambda: self._runs(plan)):
            for batch in [[command] for command in run] if after_step else [run]:
                try:
                    await self._run(daemon, batch)
                except VtyLost as error:
                    raise Refused(batch[0], str(error), daemon) from error
                for step in (step for command in batch for step in command.carries):
                    taken.append(step)
                    if after_step is not None:
                        after_step(step)

    def _runs(self, plan: Sequence[Command]) -> list[tuple[str, list[Command]]]:
        """Contiguous commands for one daemon, in order."""
        found = groupby(plan, key=lambda command: self._dialect.owner(command.owner))
        return [(daemon, list(run)) for daemon, run in found]

    async def _held(self, plan: Sequence[Command], refused: Refused, taken: Sequence[Step]) -> list[Step]:
        """Which steps hold after a refusal, by reading FRR; by its acknowledgements if it is gone for good."""
        try:
            if refused.lost is not None and not await self._daemons.alive_again(refused.lost):
                raise VtyLost(refused.words)
            await self.read()
        except VtyLost as error:
            logger.error("FRR cannot be read after a refusal: %s", error)
            self._know(taken)
            return list(taken)
        return [step for command in plan for step in command.carries if _holds(step, self._lines)]

    async def _run(self, daemon: str, pending: Sequence[Command]) -> None:
        """Sends the commands; those that FRR is not ready for yet are tried again before it goes on."""
        while pending:
            wires = await aside(len(pending), partial(_wires, pending, self._grouped))
            replies = await self._channel.send(daemon, [wire.text for wire in wires])
            failed = [(wire, reply) for wire, reply in zip(wires, replies, strict=False) if not self._took(wire, reply)]
            if failed:
                await self._try_again(daemon, failed)
            elif len(replies) < len(wires):
                raise VtyLost(f"{daemon} answered {len(replies)} of {len(wires)} lines")
            sent = {id(wire.command) for wire in wires[: len(replies)] if wire.last}
            pending = [command for command in pending if id(command) not in sent]

    def _took(self, wire: Wire, reply: Reply) -> bool:
        if wire.group and reply.status == SUCCESS:
            return not reply.text.strip()
        return reply.status == SUCCESS or self._dialect.is_benign(wire.text, reply.text)

    async def _try_again(self, daemon: str, failed: Sequence[tuple[Wire, Reply]]) -> None:
        """A group that was refused as a whole is sent line by line, which tells whose fault it was."""
        first, reply = failed[0]
        if not first.group and (not first.last or not _waits(reply)):
            raise Refused(first.command, mask(reply.words))
        for wire, _ in failed:
            for command in wire.group or (wire.command,):
                await self._insist(daemon, command)

    async def _insist(self, daemon: str, command: Command) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_SECONDS
        wires = _wires((command,), None)
        while True:
            replies = await self._channel.send(daemon, [wire.text for wire in wires])
            refused = next((r for w, r in zip(wires, replies, strict=False) if not self._took(w, r)), None)
            if refused is None:
                return
            if not _waits(refused) or loop.time() > deadline:
                raise Refused(command, mask(refused.words))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _fetch(self) -> Lines:
        found: list[FrrLine] = []
        for daemon in self._dialect.daemons:
            if isinstance(self._channel, Sockets) and not self._channel.has(daemon):
                continue
            try:
                text = (await self._channel.show(daemon, "show running-config")).text
            except VtyLost as error:
                raise Silent(daemon, str(error)) from error
            found += [fact for fact in parse(text) if self._dialect.owner(fact) == daemon]
        inactive = inactive_vrfs((await self._channel.show("zebra", "show vrf")).text)
        blocks = [(self._dialect.owner(line((opened,), "vni 1", "")), opened) for opened in inactive]
        self._tidy.note(blocks, self._channel, self._dialect)
        return Lines(self._remembered(found))

    def _remembered(self, found: Iterable[FrrLine]) -> Iterator[FrrLine]:
        """Paths are not in FRR: a line that is as it was keeps the one it had."""
        for fact in found:
            known = self._lines.get(fact.key)
            yield known if known == fact else fact

    def _know(self, steps: Iterable[Step]) -> None:
        left: set[tuple[str, str]] = set()
        for step in steps:
            if isinstance(step.after, FrrLine):
                self._lines.put(step.after)
            elif isinstance(step.before, FrrLine):
                self._lines.drop(step.before.key)
                if step.before.context[:1] and step.before.context[0].startswith("vrf "):
                    left.add((self._dialect.owner(step.before), step.before.context[0]))
        self._tidy.note(left, self._channel, self._dialect)

    async def _unname(self) -> None:
        """Takes from a bgpd that was just started the machine's name, which several elements would share."""
        await self._channel.send(SPEAKER, ["no hostname"])

    async def _restarted(self, daemon: str) -> None:
        """Gives a daemon that came back empty the lines it had."""
        async with self._lock:
            if daemon == SPEAKER:
                await self._unname()
            mine = [fact for fact in self._lines.values() if self._dialect.owner(fact) == daemon]
            plan = commands([Step(None, fact) for fact in sorted(mine, key=lambda fact: fact.rank)], Lines())
            try:
                await self._run(daemon, plan)
            except Refused as error:
                logger.error("%s refused a line it had before: %s: %s", daemon, mask(error.command.text), error.words)
                self._lines = await self._fetch()


def _wires(pending: Sequence[Command], grouped: re.Pattern[str] | None) -> list[Wire]:
    return list(_each_wire(pending, grouped))


def _each_wire(pending: Sequence[Command], grouped: re.Pattern[str] | None) -> Iterator[Wire]:
    """The lines for the commands; neighbours that may make a transaction do, deletions apart from settings.

    (Together, bgpd 8.4 would see one change of form where ``no set metric +5`` and ``set metric 5`` are two.)
    """
    for group, run in groupby(pending, key=lambda command: _group(command, grouped)):
        members = tuple(run)
        together = group is not None and len(members) > 1
        if together:
            yield Wire("XFRR_start_configuration", members[0], False)
        current: tuple[str, ...] = ()
        for command in members:
            shared = common(current, command.context)
            for text in ("exit",) * (len(current) - shared) + command.context[shared:]:
                yield Wire(text, command, False)
            yield Wire(command.text, command, True)
            opens = command.owner.block is not None and command.text == command.owner.text
            current = command.owner.block or () if opens else command.context
        if together:
            yield Wire("XFRR_end_configuration", members[-1], False, members)
        else:
            yield from (Wire("exit", members[-1], False) for _ in current)


def _group(command: Command, grouped: re.Pattern[str] | None) -> bool | None:
    """Whether it deletes; None where it makes no transaction with others."""
    if grouped is None or not grouped.match(top_of(command.owner)):
        return None
    return command.text.startswith("no ")


def _vrf_block(step: Step) -> str | None:
    """``vrf NAME`` if the step sets a line in it."""
    context = step.after.context if isinstance(step.after, FrrLine) else ()
    return context[0] if context and context[0].startswith("vrf ") else None


def _waits(reply: Reply) -> bool:
    return any(pattern.match(reply.words) for pattern in WAITS)


def _holds(step: Step, lines: Lines) -> bool:
    """Another step may have set anew what one took away."""
    there = lines.get(step.fact.key)
    return there == step.after if step.after is not None else there != step.before
