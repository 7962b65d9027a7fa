"""From candidate to running: commit, cancel-commit and discard-changes (RFC 6241 §8.3.4, §8.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nesrv import errors
from nesrv.datastore.incoming import NETCONF
from nesrv.datastore.journal import CommitRecord
from nesrv.datastore.snapshot import Snapshot
from nesrv.rpc.confirmed import DEFAULT_SECONDS, Asked
from nesrv.rpc.operation import Answer, Call, Ok, Operations
from nesrv.rpc.params import Params

MAX_SECONDS = 2**32 - 1
MAX_COMMENT = 1024


@dataclass(frozen=True, slots=True)
class Replaced:
    """What running was, and what it was asked to be."""

    before: Snapshot
    wanted: Snapshot


async def change_running(call: Call, choose: Callable[[], Snapshot], record: CommitRecord) -> Replaced:
    """What ``choose`` says becomes running, on behalf of the session: looked at, with locks and access, when it is
    its turn. Raises what ``Pipeline.change`` raises."""
    element, session = call.element, call.session
    replaced: list[Replaced] = []

    def permitted() -> Snapshot:
        element.locks.check("running", session.number)
        wanted, before = choose(), element.pipeline.running
        element.guards.changes(session, "running", before, wanted)
        replaced.append(Replaced(before, wanted))
        return wanted

    await element.pipeline.change(permitted, record)
    element.changed("running", replaced[0].before, session)
    return replaced[0]


async def commit(call: Call) -> Answer:
    element, session = call.element, call.session
    asked = asked_of(call.params)

    def candidate() -> Snapshot:
        element.locks.check("candidate", session.number)
        element.confirmed.admit(session.number, asked.persist_id)
        return element.candidate.snapshot

    comment = _comment(call.params)
    record = CommitRecord(element.clock(), session.peer.user, session.number, comment, asked.confirmed)
    replaced = await change_running(call, candidate, record)
    element.confirmed.committed(session, asked, replaced.before)
    # Without editors it was discarded meanwhile, to what was running before this commit.
    if element.candidate.snapshot is replaced.wanted or not element.candidate.editors:
        element.candidate.reset(element.pipeline.running)
    return Ok()


def asked_of(params: Params) -> Asked:
    """What a <commit> says of confirmation; raises missing-element, invalid-value."""
    confirmed = params.element("confirmed") is not None
    for name in ("confirm-timeout", "persist"):
        if params.element(name) is not None and not confirmed:
            # Left out of account, the commit would be for good, which is not what was meant.
            raise errors.MissingElement(
                f"<{name}> is for a confirmed commit: <confirmed/> is missing.",
                info=(("bad-element", "confirmed"),),
                type="protocol",
            )
    text = params.text("confirm-timeout")
    if text is None:
        text = str(DEFAULT_SECONDS)
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= MAX_SECONDS):
        raise errors.InvalidValue(
            f'<confirm-timeout> is "{text}"; it takes seconds, from 1 to {MAX_SECONDS}.',
            info=(("bad-element", "confirm-timeout"),),
            type="protocol",
        )
    return Asked(confirmed, int(text), params.text("persist"), params.text("persist-id"))


def _comment(params: Params) -> str:
    """What is remembered with the commit (nesrv-history); raises invalid-value."""
    comment = params.text("comment") or ""
    if len(comment) > MAX_COMMENT:
        raise errors.InvalidValue(
            f"<comment> takes {MAX_COMMENT} characters at most.", info=(("bad-element", "comment"),), type="protocol"
        )
    return comment


async def cancel_commit(call: Call) -> Answer:
    await call.element.confirmed.cancel(call.session, call.params.text("persist-id"))
    return Ok()


async def discard_changes(call: Call) -> Answer:
    # The running of before a commit in hand would be the base of edits that take the commit back.
    await call.element.pipeline.settled()
    call.element.locks.check("candidate", call.session.number)
    call.element.candidate.reset(call.element.pipeline.running)
    return Ok()


OPERATIONS: Operations = {
    f"{{{NETCONF}}}{name}": operation
    for name, operation in {
        "commit": commit,
        "cancel-commit": cancel_commit,
        "discard-changes": discard_changes,
    }.items()
}
