"""close-session and kill-session (RFC 6241 §7.8, §7.9)."""

from __future__ import annotations

import asyncio
import contextlib

from nesrv import errors
from nesrv.datastore.incoming import NETCONF
from nesrv.rpc.operation import Answer, Call, Ok, Operations
from nesrv.wire.handler import SessionEnd

KILL_SECONDS = 5.0
"""How long the answer waits for the victim's last request: two sessions may be killing each other."""


async def close_session(call: Call) -> Answer:
    call.session.peer.close_after_reply(SessionEnd.CLOSED)
    return Ok()


async def kill_session(call: Call) -> Answer:
    text = call.params.text("session-id")
    if text is None:
        raise call.params.missing("session-id")
    # session-id-type is a uint32: ten digits.
    is_number = text.isascii() and text.isdigit() and len(text) <= 10
    victim = call.element.sessions.get(int(text)) if is_number else None
    if victim is None or victim is call.session:
        why = "is this very session" if victim is call.session else "is not open"
        raise errors.InvalidValue(f"Session {text} {why}.", info=(("bad-element", "session-id"),), type="protocol")
    victim.killed_by = call.session.number
    victim.peer.close(SessionEnd.KILLED)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(victim.peer.wait_closed(), KILL_SECONDS)
    return Ok()


OPERATIONS: Operations = {
    f"{{{NETCONF}}}close-session": close_session,
    f"{{{NETCONF}}}kill-session": kill_session,
}
