"""Steps of FRR lines → commands, in order; pure.

Deleting a block or a neighbour takes one command, which carries the deletions of all that
is in it.  What the steps leave standing but goes with such a command (the timers of a
neighbour that changes its peer group, say) is sent again at the end.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nesrv.facts import Step
from nesrv.frr.guards import guard, to_guard
from nesrv.frr.lines import Key, Lines, top_of
from nesrv.frr.text import FrrLine, mask

IN_PLACE = re.compile(
    r"hostname|domainname|bgp (router-id|cluster-id|graceful-restart \S+|listen limit|default local-preference)"
    r"|neighbor \S+ (remote-as|description|password|timers|timers connect|ebgp-multihop|update-source|port|weight"
    r"|tcp-mss|advertisement-interval|maximum-prefix|route-map (in|out)|prefix-list (in|out)|filter-list (in|out))"
    r"|timers bgp|maximum-paths|maximum-paths ibgp|distance bgp|(detect-multiplier|transmit-interval|receive-interval)"
    r"|minimum-ttl|neighbor \S+ bfd profile"
    r"|match .*|set (local-preference|tag|weight|origin|comm-list|extcommunity rt|ip next-hop|ipv6 next-hop global)"
    r"|network \S+|(ip|ipv6) route .*|r[dt] vpn .*"
)
"""Slots whose new value may be sent over the old one; all others are taken away first.

bgpd 8.4 drops ``set metric``, ``set community`` and ``set as-path prepend`` where the new value is of another form
(``+5`` and ``5``, ``none``, ``last-as``), and prints them all the same.
"""

NO_BY_SLOT = re.compile(
    r"hostname|domainname"
    r"|neighbor \S+ (description|password|timers|timers connect|ebgp-multihop|update-source|port|advertisement-interval"
    r"|tcp-mss|local-as|maximum-prefix|weight|allowas-in|default-originate)"
    r"|bgp (router-id|cluster-id|graceful-restart \S+|listen limit|default local-preference)"
    r"|timers bgp|maximum-paths|maximum-paths ibgp|distance bgp|network \S+|redistribute \S+|advertise \S+ unicast"
    r"|set as-path prepend"
)
"""Slots that ``no SLOT`` clears whatever their value; it also keeps secrets out of deletions."""

RESET = {
    "detect-multiplier": "detect-multiplier 3",
    "transmit-interval": "transmit-interval 300",
    "receive-interval": "receive-interval 300",
    "echo transmit-interval": "echo transmit-interval 50",
    "echo receive-interval": "echo receive-interval 50",
}
"""Slots without a ``no``: their default, which FRR does not print."""

GOTO = re.compile(r"on-match goto \d+")
"""``no on-match goto`` takes no number."""

OTHER_RD = "rd 0:0"
"""bgpd ignores the distinguisher that a VRF instance has already (status 0, but no line): one that was taken away
before, or the automatic one, ROUTER-ID:NUMBER, which every instance begins with.  Another one is given first."""

OTHER_TARGET = "64512:4294967295"
"""bgpd ignores a route target that equals the automatic one (its AS, of which it takes 16 bits, and the VNI): another
one, for a moment, takes the automatic one away.  So does every one that is given, even where that one was configured:
what may equal it is given last, and again after others."""

OF_ROUTER_ID = frozenset({"rd vpn export", "rt vpn export", "rt vpn both"})
"""Slots that bgpd fills anew when the router id changes, forgetting what it was given."""

VRF_INSTANCE = re.compile(r"router bgp \S+ vrf (\S+)$")
TARGET = re.compile(r"(route-target (?:import|export)) ([\d.]+):\d+")
AS_OF = re.compile(r"router bgp (\d+)")
DEFAULT_INSTANCE = re.compile(r"router bgp \S+$")


@dataclass(frozen=True, slots=True)
class Command:
    """``text`` in ``context``, sent for ``step``; the steps in ``carries`` hold once it is taken.

    ``owner`` is the line that says which daemon takes the command.
    """

    context: tuple[str, ...]
    text: str
    owner: FrrLine
    step: Step
    carries: tuple[Step, ...] = ()


def commands(steps: Sequence[Step], actual: Lines) -> list[Command]:
    """The commands for ``steps``, kept in their order of deletions and creations, block by block.

    ``actual`` is what FRR has before them.
    """
    plan: list[Command] = []
    doomed = _doomed(steps, actual)
    cleared: set[Key] = set()
    for leaving, coming in _phases(steps):
        plan += _deletions(sorted(leaving, key=_old_place, reverse=True), doomed, actual, cleared)
        plan += [part for step in sorted(coming, key=_turn) for part in _settings(step)]
    return _guarded([*plan, *_repeated(steps), *_revived(steps, doomed, actual)], actual)


def removal(fact: FrrLine) -> str:
    """The line that takes ``fact`` away."""
    if fact.text.startswith("no "):
        return fact.text[3:]
    if (default := RESET.get(fact.slot)) is not None:
        return default
    if GOTO.fullmatch(fact.text):
        return "no on-match goto"
    words = fact.text.split(" ")
    if fact.peer is not None and words[2] != "peer-group":
        return f"no neighbor {words[1]}" + (" interface" if words[2] == "interface" else "")
    return "no " + (fact.slot if NO_BY_SLOT.fullmatch(fact.slot) else fact.text)


def _guarded(plan: Sequence[Command], actual: Lines) -> list[Command]:
    """The plan with a guard around the commands for each route-map in use."""
    removed = [_line(step.before) for command in plan for step in command.carries if step.verb == "delete"]
    guards = to_guard([command.owner for command in plan], removed, actual)
    before: dict[int, list[Command]] = defaultdict(list)
    after: dict[int, list[Command]] = defaultdict(list)
    for name, (first, last) in guards.items():
        shield = guard(name, plan[first].owner.path)
        before[first].append(Command((), shield.text, shield, plan[first].step))
        after[last].append(Command((), removal(shield), shield, plan[last].step))
    return [sent for place, command in enumerate(plan) for sent in (*before[place], command, *after[place])]


def explain(step: Step) -> list[str]:
    """What a person would type in vtysh for ``step``, from ``configure terminal`` on; secrets masked."""
    fact = _line(step.fact)
    texts = [removal(_line(step.before))] if _leaves(step) else []
    texts += [fact.text] if step.after is not None else []
    inside = [" " * depth + opened for depth, opened in enumerate(fact.context)]
    return inside + [" " * len(fact.context) + mask(text) for text in texts]


def _line(fact: object) -> FrrLine:
    if not isinstance(fact, FrrLine):
        raise TypeError(f"not a line of FRR: {fact!r}")
    return fact


def _place(step: Step) -> tuple[object, ...]:
    return _line(step.fact).place


def _turn(step: Step) -> tuple[object, ...]:
    return (_may_be_automatic(_line(step.fact)), _place(step))


def _old_place(step: Step) -> tuple[object, ...]:
    return _line(step.before).place


def _phases(steps: Iterable[Step]) -> Iterator[tuple[list[Step], list[Step]]]:
    """Pairs of what is taken away and what is set then; a change that FRR cannot make in place is in both."""
    leaving: list[Step] = []
    coming: list[Step] = []
    for step in steps:
        if coming and step.verb == "delete":
            yield leaving, coming
            leaving, coming = [], []
        if _leaves(step):
            leaving.append(step)
        if step.after is not None:
            coming.append(step)
    yield leaving, coming


def _leaves(step: Step) -> bool:
    """Whether the old value has to be taken away."""
    return step.before is not None and (step.after is None or not _in_place(_line(step.before), _line(step.after)))


def _settings(step: Step) -> list[Command]:
    after = _line(step.after)
    setting = Command(after.context, after.text, after, step, (step,))
    if after.slot == "rd":
        return [Command(after.context, OTHER_RD, after, step), setting]
    if _may_be_automatic(after):
        other = f"{_direction(after)} {OTHER_TARGET}"
        return [Command(after.context, other, after, step), setting, Command(after.context, f"no {other}", after, step)]
    return [setting]


def _direction(fact: FrrLine) -> str | None:
    """The words of a route target before its value, None for all other lines."""
    found = TARGET.fullmatch(fact.text)
    return found[1] if found is not None else None


def _may_be_automatic(fact: FrrLine) -> bool:
    """Whether a route target has the AS that bgpd's own ones have."""
    found, instance = TARGET.fullmatch(fact.text), AS_OF.match(top_of(fact))
    return found is not None and instance is not None and found[2] == str(int(instance[1]) & 0xFFFF)


def _in_place(before: FrrLine, after: FrrLine) -> bool:
    negated = before.text.startswith("no ") != after.text.startswith("no ")
    return IN_PLACE.fullmatch(after.slot) is not None or (
        negated and before.text.removeprefix("no ") == after.text.removeprefix("no ")
    )


@dataclass(frozen=True, slots=True)
class Doomed:
    """What goes away as a whole: blocks by the context they open, neighbours by (context, name), with the line
    whose removal does it and its step."""

    blocks: Mapping[tuple[str, ...], tuple[FrrLine, Step]]
    peers: Mapping[tuple[tuple[str, ...], str], tuple[FrrLine, Step]]

    def over(self, fact: FrrLine) -> tuple[FrrLine, Step] | None:
        """The outermost thing that takes ``fact`` along, None if it goes by itself or stays."""
        for depth in range(1, len(fact.context) + 1):
            if (found := self.blocks.get(fact.context[:depth])) is not None:
                return found
        named = fact.neighbor
        found = self.peers.get((fact.context[:1], named)) if named is not None else None
        return None if found is None or found[0] is fact else found


def _doomed(steps: Sequence[Step], actual: Lines) -> Doomed:
    blocks: dict[tuple[str, ...], tuple[FrrLine, Step]] = {}
    peers: dict[tuple[tuple[str, ...], str], tuple[FrrLine, Step]] = {}
    for step in steps:
        if not _leaves(step):
            continue
        fact = _line(step.before)
        if (opened := fact.block) is not None:
            blocks[opened] = (fact, step)
            continue
        for name in _names_removed(fact, actual):
            # FRR 8 takes the members along with the AS of their group, FRR 10 does not: their own lines come first.
            if (fact.context, name) not in peers or fact.peer == name:
                peers[(fact.context, name)] = (fact, step)
    return Doomed(blocks, peers)


def _names_removed(fact: FrrLine, actual: Lines) -> list[str]:
    """The neighbours and groups that go when ``fact`` does."""
    words = fact.text.split(" ")
    if len(fact.context) != 1 or words[0] != "neighbor" or words[2] not in ("peer-group", "remote-as", "interface"):
        return []
    name = words[1]
    if fact.slot == f"neighbor {name} peer-group" and len(words) > 3:
        own = ("frr", fact.context, f"neighbor {name} remote-as")
        return [] if own in actual else [name]
    if fact.peer is not None and words[2] != "peer-group":
        return [name]
    members = [line.text.split(" ")[1] for line in actual.under(fact.context[0]) if _joins(line, name)]
    return [name, *members] if words[2] == "peer-group" else members


def _joins(fact: FrrLine, group: str) -> bool:
    return len(fact.context) == 1 and fact.peer is not None and fact.text.endswith(f" peer-group {group}")


def _deletions(ordered: Sequence[Step], doomed: Doomed, actual: Lines, cleared: set[Key]) -> Iterator[Command]:
    """One command for each outermost thing deleted; it carries the deletions inside, innermost first.

    What has to make way although it stays goes to ``cleared``.
    """
    inside: dict[Key, list[Step]] = defaultdict(list)
    outermost: list[Step] = []
    for step in ordered:
        roof = doomed.over(_line(step.before))
        if roof is None:
            outermost.append(step)
        elif step.verb == "delete":
            inside[roof[0].key].append(step)
    cleared |= {step.fact.key for step in ordered}
    for step in outermost:
        fact = _line(step.before)
        for stays in _standing_on(fact, actual):
            if stays.key not in cleared:
                cleared.add(stays.key)
                yield Command(stays.context, removal(stays), stays, step)
        own = (step,) if step.verb == "delete" else ()
        yield Command(fact.context, removal(fact), fact, step, (*inside[fact.key], *own))


def _standing_on(fact: FrrLine, actual: Lines) -> Iterator[FrrLine]:
    """What makes FRR refuse to delete an instance: its VNI; for the default one, the VRF instances, too."""
    if fact.context:
        return
    if (found := VRF_INSTANCE.match(fact.text)) is not None:
        vni = actual.get(("frr", (f"vrf {found[1]}",), "vni"))
        if vni is not None:
            yield vni
    elif DEFAULT_INSTANCE.match(fact.text):
        for top in actual.tops():
            if VRF_INSTANCE.match(top):
                block = actual[("frr", (), top)]
                yield from _standing_on(block, actual)
                yield block


def _repeated(steps: Sequence[Step]) -> Iterator[Command]:
    """New targets of one direction of which each may be the automatic one, which the others then took away again."""
    alike: dict[tuple[object, ...], list[Command]] = defaultdict(list)
    for step in steps:
        after = _line(step.after) if step.after is not None else None
        if after is not None and _may_be_automatic(after):
            alike[after.context, _direction(after)].append(Command(after.context, after.text, after, step))
    return (command for some in alike.values() if len(some) > 1 for command in some)


def _revived(steps: Sequence[Step], doomed: Doomed, actual: Lines) -> list[Command]:
    """The lines that stay but went with another step, to be sent again for it."""
    touched = {step.fact.key for step in steps}
    back: dict[Key, Command] = {}
    tops = {opened[0] for opened in doomed.blocks} | {context[0] for context, _ in doomed.peers}
    for fact in (line for top in tops for line in actual.under(top)):
        roof = doomed.over(fact)
        if roof is not None:
            back[fact.key] = Command(fact.context, fact.text, fact, roof[1])
    for step in steps:
        if _line(step.fact).slot == "bgp router-id":
            told = (line for line in actual.under(top_of(_line(step.fact))) if line.slot in OF_ROUTER_ID)
            back.update((fact.key, Command(fact.context, fact.text, fact, step)) for fact in told)
    for step in steps:
        given = _line(step.after) if step.after is not None else None
        if given is not None and _direction(given) is not None:
            targets = (line for line in actual.under(top_of(given)) if _may_be_automatic(line))
            lost = (line for line in targets if (line.context, _direction(line)) == (given.context, _direction(given)))
            back.update((fact.key, Command(fact.context, fact.text, fact, step)) for fact in lost)
    for gone, step in doomed.blocks.values():
        for stays in _standing_on(gone, actual):
            for fact in actual.under(top_of(stays)) if stays.block else (stays,):
                back[fact.key] = Command(fact.context, fact.text, fact, step)
    return sorted((sent for key, sent in back.items() if key not in touched), key=lambda sent: sent.owner.place)
