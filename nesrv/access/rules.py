"""``/nacm`` of running as rules over the compiled schema (RFC 8341, section 3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nesrv.datastore.shards import Shard, Shards
from nesrv.datastore.snapshot import Snapshot
from nesrv.datastore.tree import Node
from nesrv.schema import paths
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.schema import Schema

NACM = "/ietf-netconf-acm:nacm"
GROUP = f"{NACM}/groups/group"
ANY = "*"
READ, CREATE, UPDATE, DELETE, EXEC = OPERATIONS = ("read", "create", "update", "delete", "exec")

_POSITION = re.compile(r"\[\s*\d+\s*\]")


@dataclass(frozen=True, slots=True)
class PathStep:
    """``predicates`` are (key, value); those of a leaf-list are (".", value)."""

    schema: SchemaNode
    predicates: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """``kind``: ``rpc`` or ``notification`` by ``name``, ``data`` at and below ``path``, ``any``: everything.

    ``module`` and ``name`` may be ``*``; the path of all data has no step."""

    kind: str
    module: str
    name: str
    path: tuple[PathStep, ...]
    operations: frozenset[str]
    permits: bool


@dataclass(frozen=True, slots=True)
class RuleList:
    groups: frozenset[str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What ``/nacm`` says; the defaults are those of its module."""

    enabled: bool = True
    reads: bool = True
    writes: bool = False
    executes: bool = True
    external_groups: bool = True
    rule_lists: tuple[RuleList, ...] = ()

    def lists_of(self, groups: frozenset[str]) -> tuple[RuleList, ...]:
        """Those that apply to a member of ``groups``; ``*`` applies to whoever has any group (section 3.4.4)."""
        return tuple(one for one in self.rule_lists if groups and (ANY in one.groups or groups & one.groups))


def configuration(shards: Shards, rest: Shard | None) -> Configuration:
    """From the shard with what ``/nacm`` holds besides groups."""
    if rest is None:
        return Configuration()
    return rest.remember("nacm-configuration", lambda shard: _configuration(shards.schema, shards.entry(shard)))


def _configuration(schema: Schema, nacm: Node) -> Configuration:
    return Configuration(
        enabled=nacm.flag("enable-nacm"),
        reads=nacm.leaf("read-default") == "permit",
        writes=nacm.leaf("write-default") == "permit",
        executes=nacm.leaf("exec-default") == "permit",
        external_groups=nacm.flag("enable-external-groups"),
        rule_lists=tuple(_rule_list(schema, entry) for entry in nacm.all("rule-list")),
    )


def _rule_list(schema: Schema, entry: Node) -> RuleList:
    found = (_rule(schema, rule) for rule in entry.all("rule"))
    groups = frozenset(group.value for group in entry.all("group") if group.value)
    return RuleList(groups, tuple(rule for rule in found if rule is not None))


def _rule(schema: Schema, entry: Node) -> Rule | None:
    """None for a rule about what is not served here: nothing can match it."""
    kind, name, path = "any", ANY, None
    if (rpc := entry.leaf("rpc-name")) is not None:
        kind, name = "rpc", rpc
    elif (notification := entry.leaf("notification-name")) is not None:
        kind, name = "notification", notification
    elif (path := entry.leaf("path")) is not None:
        kind = "data"
    permits = entry.text("action") == "permit"
    words = entry.text("access-operations")
    operations = frozenset(OPERATIONS if words == ANY else words.split())
    try:
        steps = _steps(schema, path, permits) if path is not None else ()
    except (KeyError, ValueError):
        return None
    return Rule(kind, entry.text("module-name"), name, steps, operations, permits)


def _steps(schema: Schema, path: str, permits: bool) -> tuple[PathStep, ...]:
    """Raises KeyError, ValueError. Which entry is the third is not for a rule to say: that denies all of them,
    or permits none."""
    if path == "/":
        return ()
    if not permits:
        path = _POSITION.sub("", path)
    found: list[PathStep] = []
    for step in paths.split(path):
        known = found[-1].schema.children if found else schema.data
        node = known[f"{{{schema.modules[step.module].namespace}}}{step.name}"]
        found.append(
            PathStep(node, tuple((key, _canonical(schema, node, key, value)) for key, value in step.predicates))
        )
    return tuple(found)


def _canonical(schema: Schema, node: SchemaNode, key: str, value: str) -> str:
    """Keys are compared in the form in which datastores hold them; raises KeyError."""
    leaf = node if key == "." else node.by_name[key]
    found = schema.engine.canonical(leaf.compiled, value)
    return value if found is None else found


def members(group: Shard, shards: Shards) -> frozenset[str]:
    """The names of the users that a group lists."""

    def find(shard: Shard) -> frozenset[str]:
        return frozenset(user.value for user in shards.entry(shard).all("user-name") if user.value)

    return group.remember("nacm-members", find)


def groups_named(running: Snapshot, shards: Shards, names: frozenset[str]) -> tuple[Shard, ...]:
    """The shards of the groups of these names."""
    point = shards.schema.node(GROUP)
    found = (running.get(shards.entry_path(point, (name,))) for name in sorted(names))
    return tuple(shard for shard in found if shard is not None)


def group_name(group: Shard) -> str:
    return paths.split(group.path)[-1].predicates[0][1]
