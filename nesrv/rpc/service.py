"""All that is served over sessions, put together on one element."""

from __future__ import annotations

from collections.abc import Iterable

from nesrv.rpc import (
    committing,
    compare,
    configure,
    copying,
    history,
    monitoring,
    nmda,
    partial_lock,
    planning,
    retrieve,
    sessions,
)
from nesrv.rpc.dispatch import Dispatcher
from nesrv.rpc.element import Element
from nesrv.rpc.nacm import Nacm, NacmState
from nesrv.rpc.notify import create, dynamic
from nesrv.rpc.notify.base import BaseNotifications, since_last_start
from nesrv.rpc.notify.log import EventLog
from nesrv.rpc.notify.publisher import Publisher
from nesrv.rpc.notify.subscriptions import Subscriptions
from nesrv.rpc.notify.times import LoopTimers
from nesrv.rpc.partial_lock import PartialLockGuard
from nesrv.rpc.retrieve import StateReader


def dispatcher(element: Element, readers: Iterable[StateReader], events: EventLog, max_sessions: int) -> Dispatcher:
    """Access control, notifications and every operation; ``readers`` tell the state of kernel and FRR."""
    access = Nacm(element)
    element.guards.add(access)
    element.guards.add(PartialLockGuard(element))
    capabilities = monitoring.capabilities(element.schema)
    publisher = Publisher(element, events, LoopTimers(element.clock))
    BaseNotifications(element)
    since_last_start(element, events, capabilities, monitoring.content_id(element.schema))
    subscribed = Subscriptions(publisher)
    own = retrieve.OwnState(capabilities, subscribed.state)
    read = retrieve.operational(own, [*readers, NacmState(access.denials)])
    tables = (
        configure.OPERATIONS,
        committing.OPERATIONS,
        copying.OPERATIONS,
        history.OPERATIONS,
        sessions.OPERATIONS,
        monitoring.OPERATIONS,
        planning.OPERATIONS,
        partial_lock.OPERATIONS,
        create.operations(publisher, subscribed.of),
        dynamic.operations(subscribed, read),
        retrieve.operations(read),
        nmda.operations(read),
        compare.operations(read),
    )
    return Dispatcher(element, tables, capabilities, max_sessions)
