"""Route targets, which OpenConfig has in two places: at the EVPN instance and at its network instance.

OpenConfig: network-instance/evpn/evpn-instances/evpn-instance/import-export-policy and
network-instance/inter-instance-policies/import-export-policy; FRR: route-target of l2vpn evpn with a VNI, without
one rt vpn, import vpn and export vpn of the unicast families.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, speaker
from nesrv.features.feature import Export, Lookup
from nesrv.features.instances import POINT
from nesrv.features.speaker import VNI
from nesrv.frr.text import FrrLine, line

CONFIG = "import-export-policy/config"
ABOVE = f"inter-instance-policies/{CONFIG}"
LEAVES = ("import-route-target", "export-route-target")
DISTINGUISHER = "config/route-distinguisher"
ROUTER_IDS = ("config/router-id", "protocols/protocol/bgp/global/config/router-id")
AUTO = "AUTO"


@dataclass(frozen=True, slots=True)
class Targets:
    """Route targets of an L3VRF without a VNI, sorted, each with its path."""

    imports: Mapping[str, str]
    exports: Mapping[str, str]

    @property
    def path(self) -> str:
        return next(iter((*self.imports.values(), *self.exports.values())))


class InterInstancePolicies:
    """Without a VNI, routes are passed between the L3VRFs of the element by route targets."""

    name = "inter-instance-policies"
    point = POINT
    claims = frozenset(f"{ABOVE}/{leaf}" for leaf in LEAVES)

    def exports(self, entry: Node) -> Iterator[Export]:
        distinguisher = entry.leaf(DISTINGUISHER)
        if distinguisher not in (None, AUTO) and entry.at(VNI) is None and _of(entry).exports:
            what = f"route distinguisher {distinguisher}"
            yield Export(inputs.leaking_rd(str(distinguisher)), entry.text("name"), what, entry.path_of(DISTINGUISHER))

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        targets = _of(entry)
        if (not targets.imports and not targets.exports) or entry.at(VNI) is not None:
            return
        _check(entry, targets, lookup)
        found = speaker.speaker_of(entry, lookup)
        if found is not None:
            for family in speaker.UNICAST:
                if family in found.families:
                    yield from _leaking(entry, found.family(family), targets)


def _leaking(entry: Node, context: tuple[str, ...], targets: Targets) -> Iterator[FrrLine]:
    """FRR's lines in one family; with the same targets both ways it prints one line."""
    imports, exports = (" ".join(found) for found in (targets.imports, targets.exports))
    if exports:
        yield line(context, f"rd vpn export {entry.text(DISTINGUISHER)}", entry.path_of(DISTINGUISHER))
    both = imports == exports
    if imports:
        yield line(context, f"rt vpn {'both' if both else 'import'} {imports}", next(iter(targets.imports.values())))
    if exports and not both:
        yield line(context, f"rt vpn export {exports}", next(iter(targets.exports.values())))
    if exports:
        yield line(context, "export vpn", next(iter(targets.exports.values())))
    if imports:
        yield line(context, "import vpn", next(iter(targets.imports.values())))


def _of(entry: Node) -> Targets:
    return Targets(*(dict(sorted(_targets(entry, f"{ABOVE}/{leaf}").items())) for leaf in LEAVES))


def _check(entry: Node, targets: Targets, lookup: Lookup) -> None:
    """What passing routes between instances needs."""
    instance = entry.text("name")
    if entry.identity("config/type") != "L3VRF":
        raise errors.OperationNotSupported(
            f"{instance} is no L3VRF; only those give routes to each other.", targets.path, "nesrv-leaking"
        )
    automatic = targets.imports.get(AUTO) or targets.exports.get(AUTO)
    if automatic is not None:
        raise errors.InvalidValue(
            f"{instance} has no VNI that AUTO could be made of; name the route targets.", automatic, "nesrv-leaking"
        )
    if targets.exports and entry.leaf(DISTINGUISHER) in (None, AUTO):
        raise errors.DataMissing(
            f"{instance} gives routes to other instances and needs a route-distinguisher for it.",
            entry.path_of(DISTINGUISHER),
            "nesrv-leaking",
        )
    if targets.exports and all(entry.leaf(leaf) is None for leaf in ROUTER_IDS):
        # When bgpd chooses another router id it forgets distinguisher and targets.
        raise errors.DataMissing(
            f"{instance} gives routes to other instances and needs a router-id for it.",
            entry.path_of("config/router-id"),
            "nesrv-leaking",
        )
    if inputs.number(lookup, inputs.UNDERLAY_AS) is None:
        raise errors.InvalidValue(
            "Passing routes between instances needs a BGP speaker in the default instance.",
            targets.path,
            "nesrv-leaking",
        )
    disabled = any(one.identity("identifier") == "BGP" for one in entry.all("protocols/protocol"))
    bgp = speaker.own_bgp(entry)
    if (bgp is None and not disabled) or (bgp is not None and not _unicast(bgp)):
        raise errors.InvalidValue(
            f"{instance} needs a BGP speaker with IPV4_UNICAST or IPV6_UNICAST enabled, whose routes are passed.",
            targets.path,
            "nesrv-leaking",
        )


def _unicast(bgp: Node) -> bool:
    return any(family in speaker.UNICAST for family in speaker.enabled_families(bgp))


def agreed(entry: Node, evi: Node, direction: str) -> dict[str, str]:
    """Route target (without the word before it) → path, from the place that has some.

    ``direction`` is ``import`` or ``export``.  Raises InvalidValue where both have some and not the same.
    """
    leaf = f"{direction}-route-target"
    own, above = _targets(evi, f"{CONFIG}/{leaf}"), _targets(entry, f"{ABOVE}/{leaf}")
    if own and above and own.keys() != above.keys():
        differing = sorted(own.keys() ^ above.keys())
        raise errors.InvalidValue(
            f"{leaf} of the EVPN instance and of the network instance's inter-instance-policies differ in "
            f"{', '.join(differing)}; leave one place out or make them the same.",
            next((above[target] for target in differing if target in above), next(iter(above.values()))),
            "nesrv-route-targets-differ",
        )
    return own or above


def _targets(node: Node, relative: str) -> dict[str, str]:
    return {(found.value or "").removeprefix("route-target:"): found.path for found in node.all(relative)}
