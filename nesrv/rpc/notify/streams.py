"""The streams that a session can subscribe to (RFC 5277 §3.4, RFC 8639 §2.1), as table and as state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nesrv.datastore.build import Plain, build
from nesrv.datastore.tree import Node
from nesrv.rpc.notify.log import EventLog
from nesrv.rpc.notify.times import to_text
from nesrv.schema.schema import Schema

MANAGEMENT = "urn:ietf:params:xml:ns:netmod:notification"
OWN_NAMESPACES = "{urn:nesrv:"


@dataclass(frozen=True, slots=True)
class Stream:
    """``carries`` tells by a notification's tag."""

    name: str
    description: str
    carries: Callable[[str], bool]


STREAMS = {
    stream.name: stream
    for stream in (
        Stream("NETCONF", "Every notification of this element.", lambda tag: True),
        Stream("nesrv", "Notifications of nesrv's own modules.", lambda tag: tag.startswith(OWN_NAMESPACES)),
    )
}
DEFAULT = "NETCONF"


def netconf(schema: Schema, log: EventLog) -> Node:
    """``/netconf/streams`` of RFC 5277."""
    listed: list[Plain] = [
        {
            "name": stream.name,
            "description": stream.description,
            "replaySupport": True,
            "replayLogCreationTime": to_text(log.created),
            "replayLogAgedTime": None if log.aged is None else to_text(log.aged),
        }
        for stream in STREAMS.values()
    ]
    return build(schema.data[f"{{{MANAGEMENT}}}netconf"], {"streams": {"stream": listed}})
