"""Which policies a peer's routes pass in each family, as the route-maps that FRR prints of it; pure.

OpenConfig: apply-policy of a neighbour or peer group and of their families; FRR: neighbor X route-map NAME in|out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from nesrv.datastore.tree import Node
from nesrv.features.bgp.peers import Peer
from nesrv.features.feature import Lookup
from nesrv.features.policy import chain
from nesrv.features.speaker import Speaker
from nesrv.frr.text import FrrLine, line

FAMILY = "afi-safis/afi-safi"
DIRECTIONS = {"import": "in", "export": "out"}


def policy_lines(instance: str, speaker: Speaker, peer: Peer, lookup: Lookup) -> Iterator[FrrLine]:
    """Nothing where no policy is said.  Raises RpcError for one that cannot be judged there."""
    chains: dict[Hashable, FrrLine] = {}
    for family in peer.exchanged(speaker):
        for direction, word in DIRECTIONS.items():
            place = _place(peer, family, direction)
            found = _applied(f"{instance} {peer.name}", place, direction, lookup) if place is not None else None
            if found is not None:
                name, lines, path = found
                chains.update((one.key, one) for one in lines)
                yield line(speaker.family(family), f"{peer.about} route-map {name} {word}", path)
    yield from chains.values()


def _place(peer: Peer, family: str, direction: str) -> Node | None:
    """The most specific place that says anything of the direction."""
    for node in peer.settings.nodes:
        families = (one for one in node.all(FAMILY) if one.identity("afi-safi-name") == family)
        for holder in (*families, node):
            said = (f"apply-policy/config/{leaf}" for leaf in (f"{direction}-policy", f"default-{direction}-policy"))
            if any(holder.at(leaf) is not None for leaf in said):
                return holder
    return None


def _applied(owner: str, place: Node, direction: str, lookup: Lookup) -> tuple[str, tuple[FrrLine, ...], str] | None:
    """(route-map, its lines, path) of the policies that ``place`` says; None where all routes pass."""
    leaf, default_leaf = (f"apply-policy/config/{start}{direction}-policy" for start in ("", "default-"))
    policies = [node.value or "" for node in place.all(leaf)]
    default, path = place.text(default_leaf), place.path_of(leaf if policies else default_leaf)
    if not policies and default == chain.ACCEPT:
        return None
    if direction == "export":
        chain.not_at_export(policies, lookup, path)
    return *chain.applied(owner, policies, default, lookup, path), path
