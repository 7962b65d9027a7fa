"""Access control over sessions (RFC 8341): whose rules apply, what is refused, and what was.

A session whose user has the role of an administrator, and every session over the local socket, is what the RFC calls
a recovery session: nothing is kept from it, so that no rule can lock out who must be able to mend the rules.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TypeVar
from xml.sax.saxutils import escape

from nesrv import errors
from nesrv.access.reading import Reader
from nesrv.access.rights import Rights
from nesrv.access.rules import (
    ANY,
    DELETE,
    EXEC,
    GROUP,
    NACM,
    READ,
    Configuration,
    Rule,
    configuration,
    group_name,
    groups_named,
    members,
)
from nesrv.access.writing import denied
from nesrv.datastore.build import build
from nesrv.datastore.incoming import NETCONF
from nesrv.datastore.shards import Shard
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node
from nesrv.features.users import ADMIN
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.events import Notice
from nesrv.rpc.guards import Guard
from nesrv.rpc.params import DATASTORES
from nesrv.rpc.wanted import Wanted
from nesrv.schema import sensitive
from nesrv.schema.nodes import SchemaNode

logger = logging.getLogger(__name__)

NOTIFICATIONS = "urn:ietf:params:xml:ns:netmod:notification"
ALWAYS_TOLD = frozenset({f"{{{NOTIFICATIONS}}}replayComplete", f"{{{NOTIFICATIONS}}}notificationComplete"})
MONITORING = "/ietf-netconf-monitoring:netconf-state"
ALWAYS_DONE = f"{{{NETCONF}}}close-session"
DENIED_BY_DEFAULT = frozenset({f"{{{NETCONF}}}kill-session", f"{{{NETCONF}}}delete-config"})
"""Whatever ``exec-default`` says (sections 3.2.6 and 3.2.9)."""

KEPT = 64
"""Users whose rights, and views of datastores, are remembered."""

_QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'")
_WORD = re.compile(r"[\w.:/@-]+")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _User:
    """What applies to one user as long as running has these shards of ``/nacm``."""

    basis: tuple[object, ...]
    configuration: Configuration
    rules: tuple[Rule, ...]
    rights: Rights
    reader: Reader


@dataclass(slots=True)
class Denials:
    """Counters since the start."""

    operations: int = 0
    writes: int = 0
    notifications: int = 0


class Nacm(Guard):
    """Decides by ``/nacm`` of running, and by nothing that is only a candidate."""

    def __init__(self, element: Element) -> None:
        self._element = element
        self._shards = element.shards
        self._sensitive = sensitive.find(element.schema)
        self._group = element.schema.node(GROUP)
        self._modules = {info.namespace: name for name, info in element.schema.modules.items()}
        self._users: OrderedDict[tuple[str, tuple[str, ...]], tuple[Snapshot, _User | None]] = OrderedDict()
        self.denials = Denials()

    # Guard

    def executes(self, session: SessionState, rpc: SchemaNode) -> None:
        user = self._user(session)
        if user is None or rpc.tag == ALWAYS_DONE or self._may_execute(user, rpc):
            return
        self.denials.operations += 1
        logger.info("session %d (%s) may not invoke %s", session.number, session.peer.user, rpc.name)
        raise errors.AccessDenied(f"You may not invoke <{rpc.name}>.", type="protocol")

    def changes(self, session: SessionState, datastore: str, before: Snapshot, after: Snapshot) -> None:
        user = self._user(session)
        if user is None:
            return
        found = denied(user.rights, self._shards, before, after)
        if found is None:
            return
        self.denials.writes += 1
        logger.info("session %d (%s) may not %s %s", session.number, session.peer.user, found.operation, found.path)
        # The client has named what it gives a value; what goes may be something that it cannot even see.
        shown = user.rights.readable_part(found.path) if found.operation == DELETE else found.path
        raise _no_access(shown)

    def visible(self, session: SessionState, datastore: str, snapshot: Snapshot) -> Snapshot:
        user = self._user(session)
        return snapshot if user is None else user.reader.visible(datastore, snapshot)

    def visible_state(self, session: SessionState, state: dict[str, list[Node]]) -> dict[str, list[Node]]:
        user = self._user(session)
        if user is None:
            return state
        seen = user.reader.state(state)
        for node in seen.get(MONITORING, ()):
            _hide_locks(user.rights, node)
        return seen

    def shows(self, session: SessionState, path: str) -> bool:
        user = self._user(session)
        return user is None or user.rights.may_read(path)

    def tells(self, session: SessionState, error: errors.RpcError) -> errors.RpcError:
        user = self._user(session)
        if user is None or isinstance(error, errors.AccessDenied):
            return error
        if error.path is not None and not user.rights.may_read(error.path):
            if isinstance(error, errors.DataExists):
                return _no_access(error.path)
            if isinstance(error, errors.DataMissing):
                return _no_access(user.rights.readable_part(error.path))
            return replace(_without_words(error), path=user.rights.readable_part(error.path))
        return _without_words(error) if self._gives_away(user, error) else error

    def receives(self, session: SessionState, notice: Notice) -> bool:
        user = self._user(session)
        if user is None or notice.tag in ALWAYS_TOLD:
            return True
        namespace, _, name = notice.tag[1:].partition("}")
        module = self._modules.get(namespace, "")
        answer = _answer(user.rules, "notification", READ, module, name)
        if answer is None:
            answer = user.configuration.reads and (module, name) not in self._sensitive.notifications
        if not answer:
            self.denials.notifications += 1
        return answer

    # Who

    def _may_execute(self, user: _User, rpc: SchemaNode) -> bool:
        """Section 3.4.4."""
        answer = _answer(user.rules, "rpc", EXEC, rpc.module, rpc.name)
        if answer is not None:
            return answer
        if rpc in self._sensitive.everything or rpc.tag in DENIED_BY_DEFAULT:
            return False
        return user.configuration.executes

    def _user(self, session: SessionState) -> _User | None:
        """None for who may do everything."""
        peer = session.peer
        if ADMIN in peer.groups:
            return None
        running = self._element.pipeline.running
        seen, user = self._users.get((peer.user, peer.groups), (None, None))
        if seen is not running:
            user = self._still(user, running, peer.user, peer.groups)
            self._users[peer.user, peer.groups] = (running, user)
            if len(self._users) > KEPT:
                self._users.popitem(last=False)
        self._users.move_to_end((peer.user, peer.groups))
        return user

    def _still(self, known: _User | None, running: Snapshot, name: str, external: tuple[str, ...]) -> _User | None:
        """``known``, if what it was made of still stands."""
        rest = running.get(NACM)
        found = configuration(self._shards, rest)
        if not found.enabled:
            return None
        groups, basis = self._groups(found, running, name, external)
        basis = (rest, *basis)
        if known is not None and len(known.basis) == len(basis) and all(map(_same, known.basis, basis)):
            return known
        rules = tuple(rule for one in found.lists_of(groups) for rule in one.rules)
        rights = Rights(found, groups, self._sensitive, self._shards)
        return _User(basis, found, rules, rights, Reader(rights, self._shards))

    def _groups(
        self, found: Configuration, running: Snapshot, name: str, external: tuple[str, ...]
    ) -> tuple[frozenset[str], tuple[object, ...]]:
        """The groups of a user that matter, and the shards that say so."""
        groups = frozenset(external) if found.external_groups else frozenset[str]()
        named = frozenset[str]().union(*(one.groups for one in found.rule_lists))
        shards = groups_named(running, self._shards, named - {ANY})
        basis: tuple[object, ...] = shards
        if ANY in named and not groups and not any(name in members(one, self._shards) for one in shards):
            # Only here does a group matter that no rule names, and so all of them.
            shards = tuple(shard for shard in running.shards() if shard.point is self._group)
            basis = (running,)
        return groups | {group_name(one) for one in shards if name in members(one, self._shards)}, basis

    # Errors

    def _gives_away(self, user: _User, error: errors.RpcError) -> bool:
        """Whether a word of the error is a value that the user may not read."""
        words = _words(" ".join((error.message, *(text for _, text in error.info))))
        for datastore in DATASTORES:
            snapshot = self._element.snapshot(datastore)
            view = user.reader.visible(datastore, snapshot)
            if view is snapshot:
                continue
            hidden = [shard for shard in snapshot.shards() if view.get(shard.path) is not shard]
            if any(_holds(shard, view.get(shard.path), word) for shard in hidden for word in words):
                return True
        return False


class NacmState:
    """``/nacm``'s counters."""

    point = NACM

    def __init__(self, denials: Denials) -> None:
        self._denials = denials

    async def read(self, element: Element, wanted: Wanted) -> dict[str, list[Node]]:
        found = build(
            element.schema.node(NACM),
            {
                "denied-operations": self._denials.operations,
                "denied-data-writes": self._denials.writes,
                "denied-notifications": self._denials.notifications,
            },
        )
        return {NACM: found.children}


def _answer(rules: tuple[Rule, ...], kind: str, operation: str, module: str, name: str) -> bool | None:
    """What the first rule that matches says; None when there is none."""
    for rule in rules:
        speaks = rule.kind in ("any", kind) and operation in rule.operations
        if speaks and rule.module in (ANY, module) and rule.name in (ANY, name):
            return rule.permits
    return None


def _hide_locks(rights: Rights, monitoring: Node) -> None:
    """A partial lock tells the paths of what it locks."""
    for locks in monitoring.all("datastores/datastore/locks"):
        locks.children = [
            lock
            for lock in locks.children
            if all(rights.may_read(locked.value or "") for locked in lock.all("locked-node"))
        ]


def _same(one: object, other: object) -> bool:
    return one is other


def _no_access(path: str | None) -> errors.AccessDenied:
    return errors.AccessDenied("The rules of access control do not permit this.", path)


def _without_words(error: errors.RpcError) -> errors.RpcError:
    return replace(error, message="Parts of the configuration that you may not read stand against this.", info=())


def _words(text: str) -> set[str]:
    words = _WORD.findall(text)
    quoted = (one or other for one, other in _QUOTED.findall(text))
    return {*words, *(word.rstrip(".:") for word in words), *quoted} - {""}


def _holds(shard: Shard, seen: Shard | None, word: str) -> bool:
    value = f">{escape(word)}<".encode("ascii", "xmlcharrefreplace")
    return value in shard.xml and (seen is None or shard.xml.count(value) > seen.xml.count(value))
