"""<create-subscription> (RFC 5277 §2.1.1): one subscription a session, gone with it or at its stop time."""

from __future__ import annotations

from collections.abc import Callable

from nesrv import errors
from nesrv.rpc.notify import filters
from nesrv.rpc.notify.publisher import Feed, Publisher
from nesrv.rpc.notify.streams import DEFAULT, MANAGEMENT, STREAMS
from nesrv.rpc.notify.times import from_text
from nesrv.rpc.operation import Answer, Call, Ok, Operation, Operations
from nesrv.rpc.params import Params

NOTIFICATION = "urn:ietf:params:xml:ns:netconf:notification:1.0"


def _time(params: Params, name: str) -> float | None:
    text = params.text(name)
    if text is None:
        return None
    try:
        return from_text(text)
    except ValueError as error:
        raise errors.InvalidValue(f"<{name}>: {error}.", info=(("bad-element", name),), type="protocol") from error


def _span(params: Params, now: float) -> tuple[float | None, float | None]:
    """Start and stop time, in the order that the RFC demands."""
    start, stop = _time(params, "startTime"), _time(params, "stopTime")
    if start is None and stop is not None:
        raise errors.MissingElement(
            "A <stopTime> needs a <startTime>.", info=(("bad-element", "startTime"),), type="protocol"
        )
    if start is not None and start > now:
        raise errors.BadElement(
            "<startTime> is in the future: only what has happened can be replayed.",
            info=(("bad-element", "startTime"),),
            type="protocol",
        )
    if start is not None and stop is not None and stop < start:
        raise errors.BadElement(
            "<stopTime> is before <startTime>.", info=(("bad-element", "stopTime"),), type="protocol"
        )
    return start, stop


def operation(publisher: Publisher, has_dynamic: Callable[[int], object]) -> Operation:
    """``has_dynamic`` tells of a session whether it has subscriptions of RFC 8639, which do not mix with this one."""

    async def create_subscription(call: Call) -> Answer:
        params, session = call.params, call.session
        if has_dynamic(session.number):
            raise errors.OperationNotSupported(
                "This session has a subscription of <establish-subscription>; open another session."
            )
        if publisher.feeds(session.number):
            raise errors.InUse("This session has a subscription already; open another session.", type="protocol")
        name = params.text("stream") or DEFAULT
        if name not in STREAMS:
            raise errors.InvalidValue(
                f'There is no stream "{name}"; there are {", ".join(STREAMS)}.',
                info=(("bad-element", "stream"),),
                type="protocol",
            )
        start, stop = _span(params, publisher.timers.now())
        passes = filters.of_holder(call.element.shards, params.element("filter"))

        def tell(what: str) -> None:
            publisher.tell(session, f"{{{MANAGEMENT}}}{what}", {})

        feed = Feed(
            publisher,
            session,
            STREAMS[name],
            passes,
            replayed=lambda: tell("replayComplete"),
            finished=lambda: tell("notificationComplete"),
        )
        feed.start(start, stop)
        return Ok()

    return create_subscription


def operations(publisher: Publisher, has_dynamic: Callable[[int], object]) -> Operations:
    return {f"{{{NOTIFICATION}}}create-subscription": operation(publisher, has_dynamic)}
