"""NETCONF's own events (RFC 6470): sessions, changes of configuration, capabilities."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from nesrv.datastore.build import Plain
from nesrv.datastore.shards import Shards
from nesrv.datastore.validate import Changes
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.events import Changed, Event, Notice, SessionClosed, SessionOpened
from nesrv.rpc.guards import Guards
from nesrv.rpc.notify import differences
from nesrv.rpc.notify.log import EventLog, Record
from nesrv.schema import paths

BASE_NOTIFICATIONS = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
CONFIG_CHANGE = f"{{{BASE_NOTIFICATIONS}}}netconf-config-change"
YANG_LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
REPORTED = ("running", "startup")
"""The datastores of netconf-config-change: the candidate is not reported (RFC 6470 §2.1)."""

MAX_EDITS = 100
"""Edits that one notification lists; beyond, it names whole entries, then only the lists that they are in."""
MAX_COMPARED_BYTES = 256 * 1024
"""Of changed entries, as XML, that are compared node by node for that list."""

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
_OPERATIONS = {"create": "create", "insert": "create", "delete": "delete", "replace": "replace", "move": "merge"}


@dataclass(frozen=True, slots=True)
class Edit:
    """``target`` is an instance path, ``operation`` one of edit-config's."""

    target: str
    operation: str


def edits(shards: Shards, changes: Changes) -> list[Edit]:
    """What ``changes`` did, as closely as ``MAX_EDITS`` can say it; a ``merge`` says that something below changed."""
    if len(changes) > MAX_EDITS:
        points = {shard.point for pair in changes.values() for shard in pair if shard is not None}
        places = (shards.place(point) for point in sorted(points, key=lambda point: point.order))
        named = dict.fromkeys(place.path for place in places if place is not None)
        return [Edit(path, "merge") for path in islice(named, MAX_EDITS)]
    size = sum(len(shard.xml) for pair in changes.values() for shard in pair if shard is not None)
    if size <= MAX_COMPARED_BYTES:
        found = list(islice(differences.of_shards(shards, changes), MAX_EDITS + 1))
        if len(found) <= MAX_EDITS:
            return [Edit(one.node.path, _OPERATIONS[one.kind]) for one in found]
    return [
        Edit(path, "create" if before is None else "delete" if after is None else "merge")
        for path, (before, after) in changes.items()
    ]


class BaseNotifications:
    """Turns what happens to sessions and datastores into notices."""

    def __init__(self, element: Element) -> None:
        self._element = element
        self._prefixes = {name: (name, info.namespace) for name, info in element.schema.modules.items()}
        element.events.listen(self._happened)

    def _happened(self, event: Event) -> None:
        if isinstance(event, SessionOpened):
            self._tell(event.time, "netconf-session-start", _who(event.user, event.number, event.source_host))
        elif isinstance(event, SessionClosed):
            how = {"killed-by": event.killed_by, "termination-reason": event.end.value}
            self._tell(event.time, "netconf-session-end", _who(event.user, event.number, event.source_host) | how)
        elif isinstance(event, Changed) and event.datastore in REPORTED:
            self._changed(event)

    def _tell(self, time: float, name: str, value: Mapping[str, Plain]) -> None:
        self._element.events.publish(Notice(time, f"{{{BASE_NOTIFICATIONS}}}{name}", value))

    def _changed(self, event: Changed) -> None:
        found = edits(self._element.shards, event.before.changes_to(event.after))
        if not found:
            return
        session = self._element.sessions.get(event.session)
        host = session.peer.source_host if session is not None else ""
        listed: list[Plain] = [{"target": self._target(one.target), "operation": one.operation} for one in found]
        value: Mapping[str, Plain] = {
            "changed-by": _who(event.user, event.session, host) if event.session else {"server": ""},
            "datastore": event.datastore,
            "edit": listed,
        }
        self._tell(event.time, "netconf-config-change", value)

    def _target(self, path: str) -> str:
        """An instance-identifier: each name with its module's."""
        return paths.to_xpath(path, self._prefixes)[0]


def _who(user: str, session: int, host: str) -> dict[str, Plain]:
    return {"username": user, "session-id": session, "source-host": _address(host)}


def _address(host: str) -> str | None:
    """The leaf takes addresses only."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return host


def shown(guards: Guards, session: SessionState, record: Record) -> bytes:
    """``record`` as ``session`` may have it: without the edits of what it may not read."""
    if record.tag != CONFIG_CHANGE:
        return record.xml
    top = etree.fromstring(record.xml, _PARSER)
    hidden = [edit for edit in top.iterfind("{*}edit") if not guards.shows(session, edit.findtext("{*}target") or "")]
    for edit in hidden:
        top.remove(edit)
    return etree.tostring(top, encoding="us-ascii", xml_declaration=False) if hidden else record.xml


def since_last_start(element: Element, log: EventLog, capabilities: Sequence[str], content_id: str) -> None:
    """Tell in which way the element speaks otherwise than it did before this start: nothing changes it while it runs.
    Those who replay the log learn of it (RFC 6470 §2.3, RFC 8525 §3)."""
    before, now = log.fact("capabilities"), element.clock()
    if before is not None and (changes := _capability_changes(json.loads(before), capabilities)):
        value: Mapping[str, Plain] = {"changed-by": {"server": ""}} | changes
        element.events.publish(Notice(now, f"{{{BASE_NOTIFICATIONS}}}netconf-capability-change", value))
    known = log.fact("content-id")
    if known is not None and known != content_id:
        library: Mapping[str, Plain] = {"content-id": content_id}
        element.events.publish(Notice(now, f"{{{YANG_LIBRARY}}}yang-library-update", library))
        legacy: Mapping[str, Plain] = {"module-set-id": content_id}
        element.events.publish(Notice(now, f"{{{YANG_LIBRARY}}}yang-library-change", legacy))
    log.remember("capabilities", json.dumps(list(capabilities)))
    log.remember("content-id", content_id)


def _capability_changes(before: Iterable[str], after: Iterable[str]) -> dict[str, Plain]:
    """One whose parameters changed is modified: it has been and is there under the same URI."""
    old, new = ({one.partition("?")[0]: one for one in listed} for listed in (before, after))
    found = {
        "added-capability": [one for uri, one in new.items() if uri not in old],
        "deleted-capability": [one for uri, one in old.items() if uri not in new],
        "modified-capability": [one for uri, one in new.items() if uri in old and old[uri] != one],
    }
    return {name: listed for name, listed in found.items() if listed}
