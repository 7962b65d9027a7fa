"""A commit from candidate to kernel, FRR and disk, and back again when anything refuses.

validate → derive → plan → journal (intent) → steps → journal (committed) → running
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from nesrv import errors, heap
from nesrv.aside import aside
from nesrv.commit.derive import Breather, Derivation, Preview
from nesrv.commit.engines import Engines
from nesrv.commit.plan import FactKey, plan, runs, undo
from nesrv.datastore.journal import CommitRecord, Contents, Journal, JournalError
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.stored import changed, stored
from nesrv.datastore.validate import Changes, Validator
from nesrv.facts import AfterStep, Fact, Step, StepRefused
from nesrv.features.feature import Feature

logger = logging.getLogger(__name__)

T = TypeVar("T")
Choose = Callable[[], Snapshot]

LARGE_BYTES = 100_000
"""libyang needs some milliseconds for a document of this size: beyond, it works in a thread."""

GONE_SECONDS = 20.0
"""An engine that needs so long to refuse the first step it is given has gone away: it is asked no more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``commit`` is the commit's number, 0 when nothing had changed."""

    commit: int
    steps: tuple[Step, ...]


class Pipeline:
    """Running, and the only way to change it. One commit, check or plan at a time; reading never waits."""

    def __init__(
        self,
        shards: Shards,
        features: Iterable[Feature],
        journal: Journal,
        engines: Engines,
        after_step: AfterStep | None = None,
    ) -> None:
        self._shards = shards
        self._features = tuple(features)
        self.validator = Validator(shards)
        self.derivation = Derivation(self._features, shards)
        self._journal = journal
        self._engines = engines
        self._after_step = after_step
        self._busy = asyncio.Lock()
        self._ending = False
        self.running: Snapshot = EMPTY

    # Commit

    def changes(self, candidate: Snapshot) -> Changes:
        return self.running.changes_to(candidate)

    async def settled(self) -> None:
        """Wait until running is what the commits asked for so far have made of it."""
        async with self._busy:
            return

    async def finish(self) -> None:
        """Wait for the commit in hand; those that wait behind it are refused."""
        self._ending = True
        await self.settled()

    async def check(self, candidate: Snapshot) -> None:
        """Everything that commit checks before the first step: YANG and the features."""
        async with self._busy:
            await self._preview(candidate, self.changes(candidate))

    async def plan(self, candidate: Snapshot) -> list[Step]:
        """The steps that committing ``candidate`` would take now; changes nothing."""
        async with self._busy:
            return await self._plan((await self._preview(candidate, self.changes(candidate))).wanted)

    async def _preview(self, candidate: Snapshot, changes: Changes) -> Preview:
        if changes:
            document = await self._question(candidate, changes)
            if len(document) > LARGE_BYTES:
                return await self._preview_beside(document, candidate, changes)
            self.validator.ask(document)
        return await self.derivation.preview(candidate, changes)

    async def _question(self, candidate: Snapshot, changes: Changes) -> bytes:
        """Other sessions get their turn between shards."""
        breather = Breather()
        for _, after in changes.values():
            if after is not None:
                self.validator.targets(after)
                await breather.breathe()
        return self.validator.question(candidate, changes)

    async def _preview_beside(self, document: bytes, candidate: Snapshot, changes: Changes) -> Preview:
        """While libyang looks at a large document in a thread. Its objection comes first: what the features make of
        a configuration that YANG refuses says nothing."""
        thought = asyncio.ensure_future(self.derivation.preview(candidate, changes))
        try:
            await asyncio.to_thread(self.validator.ask, document)
        except BaseException:
            thought.cancel()
            await asyncio.wait((thought,))
            if not thought.cancelled():
                thought.exception()
            raise
        return await thought

    async def commit(self, candidate: Snapshot, record: CommitRecord) -> Outcome:
        """Make ``candidate`` running; raises ``RpcError`` with kernel, FRR, disk and running as before."""
        return await self.change(lambda: candidate, record)

    async def change(self, choose: Choose, record: CommitRecord) -> Outcome:
        """Make running what ``choose`` says once the commits before are over: running and what forbids the commit
        are looked at then, and what it raises refuses it. Raises as ``commit``."""
        async with self._busy:
            if self._ending:
                raise errors.ResourceDenied("The server is ending. Nothing was changed.")
            candidate = choose()
            changes = self.changes(candidate)
            if not changes:
                if record.confirmed or self._journal.unconfirmed() is not None:
                    await self._written(self._journal.mark, record)
                return Outcome(0, ())
            preview = await self._preview(candidate, changes)
            steps = await self._plan(preview.wanted)
            if steps:
                await self._written(self._journal.begin, changes)
                await self._apply(steps)
            number = await self._seal(changes, record, steps)
            self.running = candidate.settled()
            self.validator.adopt(changes)
            self.derivation.adopt(preview)
        heap.tidy(sum(len(shard.xml) for pair in changes.values() for shard in pair if shard is not None))
        logger.info("commit %d by %s: %d changes, %d steps", number, record.user, len(changes), len(steps))
        return Outcome(number, tuple(steps))

    def explain(self, steps: Sequence[Step]) -> list[list[str]]:
        """Each step as a person would type it; later steps may build on earlier ones."""
        return [lines for domain, batch in runs(steps) for lines in self._engines[domain].explain(batch)]

    def _typed(self, step: Step) -> str:
        return "; ".join(self.explain([step])[0])

    async def _plan(self, wanted: Mapping[FactKey, Fact | None]) -> list[Step]:
        """From what the engines have to ``wanted``, without what no engine here carries out."""
        known = [engine.actual.get for engine in self._engines.values()]

        def actual(key: FactKey) -> Fact | None:
            for find in known:
                if (fact := find(key)) is not None:
                    return fact
            return None

        def made() -> list[Step]:
            reachable = {key: fact for key, fact in wanted.items() if fact is None or fact.domain in self._engines}
            return plan(reachable, actual, self._satisfies)

        return await aside(len(wanted), made)

    def _satisfies(self, wanted: Fact, actual: Fact) -> bool:
        return self._engines[wanted.domain].satisfies(wanted, actual)

    async def _written(self, write: Callable[[T], object], what: T) -> None:
        """In a thread, as all that waits for the disk's sync."""
        try:
            await asyncio.to_thread(write, what)
        except JournalError as error:
            raise _not_on_disk(error) from error

    async def _seal(self, changes: Changes, record: CommitRecord, steps: Sequence[Step]) -> int:
        try:
            return await asyncio.to_thread(self._journal.commit, changes, record)
        except JournalError as error:
            await self._take_back(steps, f"the disk refused the commit: {error}")
            self._forget()
            raise _not_on_disk(error) from error

    def _forget(self) -> None:
        """The commit that had begun is undone; a disk that does not take this makes the next start undo it again."""
        try:
            self._journal.abandon()
        except JournalError as error:
            logger.error("the disk does not take that a commit was undone: %s", error)

    async def _apply(self, steps: Sequence[Step]) -> None:
        """Carry out ``steps``, or undo and raise what the kernel or FRR said."""
        done: list[Step] = []
        for domain, batch in runs(steps):
            try:
                await self._engines[domain].apply(batch, self._after_step)
            except StepRefused as refusal:
                await self._take_back([*done, *refusal.done], refusal.words, steps)
                self._refuse(refusal.words, refusal.step, f"{domain}-refused", refusal)
            except Exception as error:
                logger.exception("%s failed in a commit", domain)
                why = f"{domain} failed inside the server, its log says how"
                await self._restore(steps, why, batch[0])
                self._refuse(why, batch[0], f"{domain}-failed", error)
            done += batch

    def _refuse(self, words: str, step: Step, app_tag: str, cause: Exception) -> NoReturn:
        self._forget()
        raise errors.OperationFailed(
            f"{words} (at: {self._typed(step)}). Nothing was changed.", step.fact.path, app_tag
        ) from cause

    async def _take_back(self, done: Sequence[Step], why: str, steps: Sequence[Step] = ()) -> None:
        """Undo ``done`` of ``steps`` (without them: ``done`` is all); raises RollbackFailed."""
        logger.warning("undoing %d steps: %s", len(done), why)
        for domain, batch in runs(undo(done)):
            failed = batch[0]
            try:
                await self._engines[domain].apply(batch)
                continue
            except StepRefused as refusal:
                failed = refusal.step
                logger.error("undo failed at %s: %s", self._typed(failed), refusal.words)
            except Exception:
                logger.exception("%s failed in an undo", domain)
            await self._restore(steps or done, why, failed)
            return

    async def _restore(self, steps: Iterable[Step], why: str, failed: Step) -> None:
        """Nobody knows what holds of ``steps``: make the element what running says, as far as it can be made."""
        for domain, engine in self._engines.items():
            try:
                await engine.refresh()
            except Exception as error:
                logger.error("%s cannot be read: %s", domain, error)
        wanted: dict[FactKey, Fact | None] = dict.fromkeys(step.fact.key for step in steps)
        wanted.update(dict.fromkeys(self._owned()))
        wanted.update((fact.key, fact) for fact in self.derivation.facts())
        left = await self._force(await self._plan(wanted))
        if left:
            raise errors.RollbackFailed(
                f"{why}; {len(left)} steps could not be undone, first: {self._typed(left[0])}.", failed.fact.path
            )

    # Start

    def load(self) -> None:
        """Read running from disk; raises ``RpcError`` when the served modules do not accept it."""
        running = stored(self._shards.schema, "Running", self._journal.running())
        self.validator.validate_whole(running)
        self.running = running

    async def ask(self, question: Callable[[Journal], T]) -> T:
        """What the journal answers between two commits."""
        async with self._busy:
            return await asyncio.to_thread(question, self._journal)

    async def reconcile(self) -> tuple[list[Step], list[Step]]:
        """Make kernel and FRR what running says; (steps taken, steps refused). An interrupted commit
        is undone: its facts count as unwanted unless running has them."""
        async with self._busy:
            changes = EMPTY.changes_to(self.running)
            preview = await Derivation(self._features, self._shards).preview(self.running, changes)
            self.validator = Validator(self._shards)
            self.validator.adopt(changes)
            self.derivation = Derivation(self._features, self._shards)
            self.derivation.adopt(preview)
            wanted: dict[FactKey, Fact | None] = dict.fromkeys(self._owned())
            wanted.update(dict.fromkeys(await self._interrupted()))
            wanted.update(preview.wanted)
            steps = await self._plan(wanted)
            refused = await self._force(steps)
            if not refused:
                self._journal.abandon()
        return [step for step in steps if not self._engines[step.fact.domain].volatile], refused

    async def withdraw(self) -> list[Step]:
        """Take all that running asks for, and all else that is ours, out of kernel and FRR; running stays.
        Returns the steps that were refused."""
        async with self._busy:
            scratch = Derivation(self._features, self._shards)
            preview = await scratch.preview(self.running, EMPTY.changes_to(self.running))
            unwanted = [*preview.wanted, *self._owned(), *await self._interrupted()]
            return await self._force(await self._plan(dict.fromkeys(unwanted)))

    def _owned(self) -> list[FactKey]:
        return [key for engine in self._engines.values() for key in engine.owned()]

    async def _interrupted(self) -> list[FactKey]:
        """Fact keys of the commit that had begun when the process ended, and of what this start took back."""
        found: list[FactKey] = []
        for what, intent in (("was interrupted", self._journal.intent()), ("was taken back", self._journal.left())):
            if intent is not None:
                logger.warning("a commit of %d changes %s; returning to running", len(intent), what)
                found += await self._keys({path: after for path, (_, after) in intent.items()})
        return found

    async def _keys(self, contents: Contents) -> list[FactKey]:
        """Fact keys of running with ``contents`` in it."""
        scratch = Derivation(self._features, self._shards)
        try:
            candidate = changed(self.running, self._shards.schema, contents.items())
            return list((await scratch.preview(candidate, EMPTY.changes_to(candidate))).wanted)
        except (KeyError, ValueError, errors.RpcError) as error:
            logger.error("what it did besides what nesrv marks as its own is not known under these modules: %s", error)
            return []

    async def _force(self, steps: Sequence[Step]) -> list[Step]:
        """Carry out what can be carried out; returns what was refused."""
        refused: list[Step] = []
        todo = list(steps)
        while todo:
            domain, batch = next(runs(todo))
            since, settled = time.monotonic(), batch
            try:
                await self._engines[domain].apply(batch, self._after_step)
            except StepRefused as refusal:
                logger.error("refused: %s: %s", self._typed(refusal.step), refusal.words)
                gone = not refusal.done and time.monotonic() - since > GONE_SECONDS
                left = [step for step in todo if step.fact.domain == domain] if gone else [refusal.step]
                refused += left
                settled = [*refusal.done, *left]
            except Exception:
                logger.exception("%s failed; %d steps are left undone", domain, len(batch))
                refused += batch
            over = set(map(id, settled))
            todo = [step for step in todo if id(step) not in over]
        return refused


def _not_on_disk(error: JournalError) -> errors.RpcError:
    return errors.OperationFailed(f"The commit could not be written to disk: {error}. Nothing was changed.")
