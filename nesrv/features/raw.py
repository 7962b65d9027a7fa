"""Lines for FRR as a person writes them, for what the model cannot say.

nesrv: /nesrv-frr:frr/block; whether FRR takes and keeps them is seen when it has them (nesrv.frr.readback).
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, speaker
from nesrv.features.feature import Export, Lookup
from nesrv.features.instances import POINT, vrf_of
from nesrv.frr.text import CLOSERS, IMPLIED, FrrLine, is_block, line, mask, parse

COMMANDS = CLOSERS | {"do", "find", "list", "quit", "show", "write"}
"""First words that are no configuration, or lead out of their context."""
PARTS = "router bgp, vrf, interface, route-map, bfd, ip route, ipv6 route, prefix lists and the lists of bgp"
"""What nesrv.frr.text.MANAGED says, for people."""


class RawBlocks:
    name = "raw-blocks"
    point = "/nesrv-frr:frr/block"
    claims = frozenset({"config/context", "line/config/text"})

    def exports(self, entry: Node) -> Iterator[Export]:
        context = _context(entry)
        for text, path in _texts(entry):
            if is_block(context, text):
                where = (*context, text)
                yield Export(inputs.raw_block(where), 1, f"FRR's {' / '.join(where)}", path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        context = _context(entry)
        _check_context(entry, context, lookup)
        for text, path in _texts(entry):
            _check_line(context, text, path)
            made = line(context, text, path)
            yield FrrLine(made.context, made.slot, made.text, made.path, raw=True)


class InstanceBlocks:
    """Tells raw lines which VRFs and speakers of BGP there are, so that none is made by a line meant for it."""

    name = "instance-blocks"
    point = POINT
    claims: frozenset[str] = frozenset()

    def exports(self, entry: Node) -> Iterator[Export]:
        vrf = vrf_of(entry)
        if vrf is not None:
            yield Export(inputs.frr_block((f"vrf {vrf}",)), 1, f"FRR's vrf {vrf}", entry.path)
        bgp = speaker.own_bgp(entry)
        if bgp is not None:
            text = speaker.Speaker(speaker.own_as(bgp), vrf, bgp, {}, "").text
            yield Export(inputs.frr_block((text,)), 1, f"FRR's {text}", bgp.path)
        elif vrf is not None and entry.at(speaker.VNI) is not None:
            yield Export(inputs.underlay_speaker(vrf), 1, f"the BGP speaker of {vrf}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        return iter(())


def _context(entry: Node) -> tuple[str, ...]:
    return tuple(node.value or "" for node in entry.all("config/context"))


def _texts(entry: Node) -> Iterator[tuple[str, str]]:
    for node in entry.all("line"):
        yield node.text("config/text"), node.path_of("config/text")


def _check_context(entry: Node, context: tuple[str, ...], lookup: Lookup) -> None:
    """Raises InvalidValue for a context that the first line in it would bring into being."""
    for depth, node in enumerate(entry.all("config/context")):
        if not _is_there(context[:depth], context[depth], lookup):
            raise errors.InvalidValue(
                f"Nothing in the configuration makes FRR's {context[depth]}, so no line can be in it.",
                node.path,
                "nesrv-raw-context",
            )


def _is_there(above: tuple[str, ...], text: str, lookup: Lookup) -> bool:
    """Whether the context is one that lines may bring into being, or made by an instance or another raw line."""
    if not is_block(above, text) and not text.startswith("vrf "):
        return True
    where = (*above, text)
    makers = (inputs.frr_block(where), inputs.raw_block(where))
    return any(lookup(maker) is not None for maker in makers) or _is_underlays(text, lookup)


def _is_underlays(text: str, lookup: Lookup) -> bool:
    """Whether ``text`` is the speaker of an L3VRF that has one for the sake of its VNI."""
    head, _, vrf = text.partition(" vrf ")
    asn = inputs.number(lookup, inputs.UNDERLAY_AS)
    return head == f"router bgp {asn}" and lookup(inputs.underlay_speaker(vrf)) is not None


def _check_line(context: tuple[str, ...], text: str, path: str) -> None:
    if not text.isprintable() or text.split(" ")[0] in COMMANDS:
        raise errors.InvalidValue(f"{mask(text)!r} is no line of a configuration.", path, "nesrv-raw-line")
    if IMPLIED.match(text) and not is_block(context, text):
        raise errors.InvalidValue(
            f"{text} only opens a context; make it the last context of a block with the lines that go there.",
            path,
            "nesrv-raw-line",
        )
    shown = parse("\n".join(" " * depth + one for depth, one in enumerate((*context, text))))
    if not shown or (shown[-1].context, shown[-1].text) != (context, text):
        raise errors.OperationNotSupported(
            f"{mask(text)} is not in a part of FRR's configuration that nesrv manages: {PARTS}.", path, "nesrv-raw-line"
        )
