"""Policies as route-maps of FRR, alone or one after the other; pure.

A statement becomes entries of consecutive sequence numbers.  The last has what the
statement does; FRR's ``match`` lines in one entry must all hold.  What a single line cannot
say (one of several, none of) is asked in entries before it, which change nothing and go on
at a number: ``permit 10 / match peer A / on-match goto 12``.

The default policy is entry 65535, so a permit with ``on-match next`` never ends the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nesrv import errors
from nesrv.features import inputs
from nesrv.features.feature import Lookup
from nesrv.features.policy import lists, numbers
from nesrv.features.policy.sets import MEMBER_SETS
from nesrv.features.policy.statements import ALL, INVERT, Change, Statement, Test, from_text
from nesrv.frr.text import FrrLine, line

ACCEPT, REJECT, NEXT = "ACCEPT_ROUTE", "REJECT_ROUTE", "NEXT_STATEMENT"
VERDICT = {ACCEPT: "permit", REJECT: "deny"}
ACCEPTING = "~accept"
"""What the name of a policy ends in for those who accept by default."""
END = -1
"""A jump behind the statement."""
Row = tuple[str, str]
"""(line inside an entry, path)"""


@dataclass(frozen=True, slots=True)
class Entry:
    """``jump``: where to go on when it matches, as an offset in the statement; None: as ``verdict`` says."""

    verdict: str
    rows: tuple[Row, ...]
    jump: int | None = None


def applied(
    owner: str, policies: Sequence[str], default: str, lookup: Lookup, path: str
) -> tuple[str, tuple[FrrLine, ...]]:
    """The route-map of a chain and the lines that the attaching entry (``owner``) must give along with it.

    A chain of one policy has no lines: the policy's own entry gives them, for all who attach
    it.  A longer one is a route-map of the owner's, named by owner, policies and default: an
    entry that attaches the same chain twice gives equal lines twice, and must keep one of each.
    ``default``: ``ACCEPT_ROUTE`` or ``REJECT_ROUTE``; ``path``: of the leaf that attaches.
    Raises ``RpcError``.
    """
    if len(policies) == 1:
        name = lists.frr_name(policies[0])
        differs = default == ACCEPT and inputs.number(lookup, inputs.policy_falls_through(policies[0]))
        return (name + ACCEPTING if differs else name), ()
    statements = [from_text(text) for name in policies for text in inputs.several(lookup, inputs.policy(name))]
    head = lists.frr_name(owner).partition("~")[0]
    name = f"{head}~{lists.digest(owner, default, *policies)}"
    return name, tuple(route_map(name, statements, default, lookup, path))


def not_at_export(policies: Sequence[str], lookup: Lookup, path: str) -> None:
    """Raises ``RpcError`` for a policy that asks for the neighbour: bgpd knows it at import alone.

    For whoever attaches policies at export or to redistribution.
    """
    for name in policies:
        if inputs.number(lookup, inputs.policy_asks_neighbor(name)):
            raise errors.InvalidValue(
                f"Policy {name} has a match-neighbor-set, which FRR can only judge at import.",
                path,
                "nesrv-policy-neighbor-at-export",
            )


def asks_neighbor(statements: Sequence[Statement]) -> bool:
    return any(test.kind == "neighbor-set" for statement in statements for test in statement.tests)


def falls_through(statements: Sequence[Statement]) -> bool:
    """Whether the default policy may have to decide."""
    return not any(not statement.tests and statement.result != NEXT for statement in statements)


def route_map(name: str, statements: Sequence[Statement], default: str, lookup: Lookup, path: str) -> Iterator[FrrLine]:
    """The route-map ``name`` of the statements; raises ``RpcError`` where FRR cannot say them."""
    made = [list(_entries(statement, lookup)) for statement in statements]
    names = [f"{statement.policy}\0{statement.name}" for statement in statements]
    starts = numbers.places(names, [len(entries) for entries in made])
    if starts is None:
        raise errors.InvalidValue(
            f"FRR has {numbers.LAST} entries for a route-map; the statements need more.", path, "nesrv-policy-size"
        )
    for statement, entries, start in zip(statements, made, starts, strict=True):
        for offset, entry in enumerate(entries):
            block = f"route-map {name} {entry.verdict} {start + offset}"
            yield line((), block, statement.path)
            for text, where in entry.rows:
                yield line((block,), text, where)
            if entry.jump is not None:
                target = start + (len(entries) if entry.jump == END else entry.jump)
                yield line((block,), f"on-match goto {target}", statement.path)
            elif statement.result == NEXT and offset == len(entries) - 1:
                yield line((block,), "on-match next", statement.path)
    yield line((), f"route-map {name} {VERDICT[default]} {numbers.LAST}", path)


def own_lists(statements: Sequence[Statement], lookup: Lookup) -> Iterator[FrrLine]:
    """The lists that the statements need beside those of their sets."""
    every: dict[str, list[FrrLine]] = {}
    for statement in statements:
        for test in statement.tests:
            if test.option == ALL and test.kind in ALL_LISTS:
                name = all_list(statement.policy, test)
                members = sorted(_members(test, lookup), key=ALL_LISTS[test.kind][1])
                row = (" ".join(members), test.path)
                every[f"{test.kind} {name}"] = list(lists.permits(f"{ALL_LISTS[test.kind][0]} {name}", [row]))
        for change in statement.changes:
            if change.kind in ("remove", "remove-sets"):
                name, gone = _removed(statement, change, lookup)
                every[name] = list(lists.community_lines(name, [(member, change.path) for member in gone]))
    for found in every.values():
        yield from found


ALL_LISTS = {
    "community-set": ("bgp community-list standard", lists.community_order),
    "ext-community-set": ("bgp extcommunity-list standard", lists.ext_community_order),
}
WORD = {"community-set": "community", "ext-community-set": "extcommunity", "as-path-set": "as-path"}
MEMBERS = {one.kind: one.told for one in MEMBER_SETS}
"""The input with the members of a set, by its kind."""


def all_list(policy: str, test: Test) -> str:
    """The list with all members of a set in one line."""
    return f"{lists.frr_name(policy).partition('~')[0]}~{lists.digest(policy, test.kind, test.value)}"


def _members(test: Test, lookup: Lookup) -> tuple[str, ...]:
    members = inputs.several(lookup, MEMBERS[test.kind](test.value))
    if test.option != ALL:
        return members
    expressions = test.kind == "as-path-set" or any(map(lists.is_expression, members))
    if not members or (expressions and len(members) > 1):
        raise errors.InvalidValue(
            f"FRR cannot ask for ALL members of {test.value}: "
            + ("they are expressions." if members else "it has none."),
            test.path,
            "nesrv-policy-match-all",
        )
    return members


def _alternatives(policy: str, test: Test, lookup: Lookup) -> list[str]:
    """FRR's ``match`` lines of which one must hold, or none."""
    if test.kind == "line":
        return [test.value]
    if test.kind == "next-hop":
        return [f"{'ipv6' if ':' in hop else 'ip'} next-hop address {hop}" for hop in test.value.split(" ")]
    if test.kind == "prefix-set":
        return list(inputs.several(lookup, inputs.prefix_lists(test.value)))
    members = _members(test, lookup)
    if test.kind in WORD:
        name = all_list(policy, test) if test.option == ALL and test.kind in ALL_LISTS else lists.frr_name(test.value)
        return [f"{WORD[test.kind]} {name}"] if members else []
    return [f"{'peer' if test.kind == 'neighbor-set' else 'tag'} {member}" for member in members]


def _entries(statement: Statement, lookup: Lookup) -> Iterator[Entry]:
    """The statement's entries; none if it can never hold."""
    asked: list[Entry] = []
    own: list[Row] = []
    for test in statement.tests:
        matches = [(f"match {words}", test.path) for words in _alternatives(statement.policy, test, lookup)]
        if test.option == INVERT:
            asked += [Entry("permit", (row,), END) for row in matches]
        elif not matches:
            return
        elif len(matches) == 1:
            own += matches
        else:
            after = len(asked) + len(matches) + 1
            asked += [Entry("permit", (row,), after) for row in matches]
            asked.append(Entry("permit", (), END))
    yield from asked
    if statement.result == REJECT:
        yield Entry("deny", tuple(own))
        return
    sets = [(f"set {_set(statement, change, lookup)}", change.path) for change in statement.changes]
    yield Entry("permit", (*own, *sets))


def _set(statement: Statement, change: Change, lookup: Lookup) -> str:
    """FRR's words for the change, after ``set``."""
    if change.kind == "line":
        return change.values[0]
    if change.kind == "tag-set":
        tags = inputs.several(lookup, inputs.tag_set(change.values[0]))
        if len(tags) != 1:
            raise errors.InvalidValue(
                f"A route has one tag, tag-set {change.values[0]} has {len(tags)}.", change.path, "nesrv-policy-action"
            )
        return f"tag {tags[0]}"
    if change.kind in ("remove", "remove-sets"):
        return f"comm-list {_removed(statement, change, lookup)[0]} delete"
    if change.kind in ("add-ext", "add-ext-sets"):
        return _ext_set(change, lookup)
    members = sorted(set(_communities(change, lookup)), key=lists.community_order)
    if change.kind.startswith("add"):
        return f"community {' '.join(members)} additive"
    return f"community {' '.join(members) or 'none'}"


def _ext_set(change: Change, lookup: Lookup) -> str:
    members: set[str] = set(change.values)
    if change.kind == "add-ext-sets":
        members = {one for name in change.values for one in inputs.several(lookup, inputs.ext_community_set(name))}
    kinds = {member.partition(" ")[0] for member in members}
    if len(kinds) != 1:
        raise errors.InvalidValue(
            "One statement adds route targets or route origins; give each a statement."
            if kinds
            else "There are no extended communities to add.",
            change.path,
            "nesrv-policy-action",
        )
    texts = (member.partition(" ")[2] for member in sorted(members, key=lists.ext_community_order))
    return f"extcommunity {kinds.pop()} {' '.join(texts)}"


def _communities(change: Change, lookup: Lookup) -> tuple[str, ...]:
    if not change.kind.endswith("-sets"):
        return change.values
    found = tuple(one for name in change.values for one in inputs.several(lookup, inputs.community_set(name)))
    if any(map(lists.is_expression, found)) and not change.kind.startswith("remove"):
        raise errors.InvalidValue(
            "A set with an expression does not say which communities to give.", change.path, "nesrv-policy-action"
        )
    if not found and change.kind.startswith("add"):
        raise errors.InvalidValue("There are no communities to add.", change.path, "nesrv-policy-action")
    return found


def _removed(statement: Statement, change: Change, lookup: Lookup) -> tuple[str, tuple[str, ...]]:
    """The list of what a statement removes: (name, members)."""
    members = _communities(change, lookup)
    if not members:
        raise errors.InvalidValue("There are no communities to remove.", change.path, "nesrv-policy-action")
    head = lists.frr_name(statement.policy).partition("~")[0]
    return f"{head}~{lists.digest(statement.policy, statement.name, 'remove')}", members
