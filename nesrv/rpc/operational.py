"""Operational state at the moment of asking: one reader for each source (kernel, bgpd, zebra, what was applied)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from nesrv.commit.derive import Breather
from nesrv.datastore.build import Plain, build
from nesrv.datastore.shards import Shard
from nesrv.datastore.tree import Node
from nesrv.features import bfd, inputs, raw, vteps
from nesrv.features.links import ITSELF, LOOPBACK, place_of
from nesrv.features.names import bridge_name
from nesrv.features.state import applied, bgp, evpn, instances
from nesrv.features.state import interfaces as links
from nesrv.features.state.instances import Anchors, Binding, Endpoint
from nesrv.frr import state as said
from nesrv.frr.vty import VtyLost
from nesrv.frr.writer import Frr
from nesrv.kernel.facts import UNDERLAY, HostPort, Leg, Macvlan, Nic, Place, Vlan, Vxlan
from nesrv.kernel.state import LinkReader
from nesrv.kernel.writer import Kernel
from nesrv.rpc.element import Element
from nesrv.rpc.known import (
    INSTANCE,
    INTERFACE,
    chosen,
    known_instance,
    known_instances,
    known_interface,
    known_interfaces,
)
from nesrv.rpc.retrieve import StateReader
from nesrv.rpc.wanted import Wanted

logger = logging.getLogger(__name__)

SYSTEM = "/openconfig-system:system"
USER = f"{SYSTEM}/aaa/authentication/users/user"
SPEAKER = f"{INSTANCE}/protocols/protocol/bgp"
NEIGHBORS = (f"{SPEAKER}/neighbors/neighbor", f"{SPEAKER}/nesrv-bgp:unnumbered-neighbors/unnumbered-neighbor")
OF_NEIGHBORS = (
    *(f"{of}/{below}" for of in NEIGHBORS for below in ("state", "timers/state", "afi-safis/afi-safi/state")),
    f"{NEIGHBORS[0]}/transport/state",
)
INSTALLED = tuple(f"{of}/afi-safis/afi-safi/state/prefixes/installed" for of in NEIGHBORS)
VTEP = f"{INSTANCE}/connection-points/connection-point/endpoints/endpoint/vxlan"
PEERS, VNIS = f"{VTEP}/endpoint-peers", f"{VTEP}/endpoint-vnis"
EVPN = f"{INSTANCE}/evpn/evpn-instances/evpn-instance"
TARGETS = (f"{EVPN}/state/route-distinguisher", f"{EVPN}/import-export-policy/state")
OF_LINKS = tuple(
    f"{INTERFACE}/{below}"
    for below in (
        "state",
        "subinterfaces",
        "nesrv:leg/state",
        "nesrv:adopt/state",
        "openconfig-vlan:routed-vlan/openconfig-if-ip:ipv4",
        "openconfig-vlan:routed-vlan/openconfig-if-ip:ipv6",
    )
)
OF_KERNEL = (
    f"{INSTANCE}/state/nesrv:kernel-name",
    f"{INSTANCE}/state/router-id",
    f"{INSTANCE}/interfaces/interface/state",
    f"{EVPN}/vxlan/state",
)

UNKNOWN = "Unknown"
"""zebra's word for a VRF that it was told of but does not find."""
FRR_POINTS = (bfd.POINT, raw.RawBlocks.point)
"""Shard points of which all is made by FRR."""
FEW = 4
"""Up to so many instances bgpd is asked for one by one, else for all at once."""

T = TypeVar("T")
State = dict[str, list[Node]]
"""Shard path → nodes."""


def readers(kernel: Kernel | None, frr: Frr | None) -> Sequence[StateReader]:
    """The readers for what there is; later ones are laid over earlier ones."""
    if kernel is None:
        return ()
    told = applied.TOLD_BY_KERNEL | (applied.TOLD_BY_FRR if frr is not None else applied.MADE_BY_FRR)
    found: list[StateReader] = [
        Remembered(INTERFACE, OF_LINKS, known_interfaces),
        Remembered(INSTANCE, OF_KERNEL, known_instances),
    ]
    found += [Applied(point, told) for point in (INTERFACE, INSTANCE, SYSTEM, USER)]
    found += [InterfaceState(kernel), InstanceState(kernel)]
    if frr is not None:
        found += [Applied(point, frozenset()) for point in FRR_POINTS]
        found += [BgpState(frr), EvpnState(frr), VtepState(frr)]
    return found


def reaches_any(wanted: Wanted, paths: Iterable[str]) -> bool:
    return any(wanted.reaches(path) for path in paths)


def _node(shard: Shard, value: Mapping[str, Plain]) -> list[Node]:
    return [build(shard.point, value)]


class Remembered:
    """No state: has ``known`` find what is kept of each entry, before memory is full of what is not.

    What stays would else lie between what goes, and keep the pages of both: 20 MB beside 1,000 L3VRFs.
    """

    def __init__(self, point: str, paths: Iterable[str], known: Callable[[Element, Wanted], Iterable[object]]) -> None:
        self.point = point
        self._paths = tuple(paths)
        self._known = known

    async def read(self, element: Element, wanted: Wanted) -> State:
        if not reaches_any(wanted, self._paths):
            return {}
        breather = Breather()
        for _ in self._known(element, wanted):
            await breather.breathe()
        return {}


class Applied:
    """Applied configuration of the entries at one shard point; ``told`` by others, see ``features.state.applied``."""

    def __init__(self, point: str, told: frozenset[str]) -> None:
        self.point = point
        self._told = told

    async def read(self, element: Element, wanted: Wanted) -> State:
        state: State = {}
        if not reaches_any(wanted, applied.leaves(element.schema.node(self.point), self._told)):
            return state
        breather = Breather()
        for shard in chosen(element, wanted, self.point):
            found = _node(shard, applied.applied(element.shards.bare_entry(shard), self._told))
            state[shard.path] = found[0].children if shard.point in element.schema.skeleton else found
            await breather.breathe()
        return state


class InterfaceState:
    """Links as the kernel has them."""

    point = INTERFACE

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._links = LinkReader(kernel.layout)

    async def read(self, element: Element, wanted: Wanted) -> State:
        if not reaches_any(wanted, OF_LINKS):
            return {}
        entries: list[tuple[Shard, links.Anchor, Place]] = []
        by_place: dict[Place, list[str]] = {}
        breather = Breather()
        for shard, found_anchor in known_interfaces(element, wanted):
            known = _named(element, found_anchor)
            place = _home(element, known.name)
            entries.append((shard, known, place))
            by_place.setdefault(place, []).append(known.link)
            for vlan in self._vlans(known).values():
                by_place.setdefault(vlan.place, []).append(vlan.name)
            if (leg := self._leg(known.link)) is not None:
                by_place.setdefault(leg.host, []).append(leg.host_name)
            await breather.breathe()
        found: dict[Place, dict[str, links.LinkState]] = {}
        for place, names in by_place.items():
            found[place] = self._links.read(place, names)
            await breather.breathe()
        state: State = {}
        for shard, known, place in entries:
            origin = self._origin(known.link, found)
            vlans = self._vlans(known).items()
            tagged = {index: (link, one.vlan) for index, one in vlans if (link := found[one.place].get(one.name))}
            state[shard.path] = _node(shard, links.interface(known, found[place].get(known.link), origin, tagged))
            await breather.breathe()
        return state

    def _vlans(self, known: links.Anchor) -> dict[str, Vlan]:
        """By the subinterface's index."""
        actual = self._kernel.actual
        found = {below.index: actual.get(("vlan", below.link)) for below in known.subinterfaces}
        return {index: fact for index, fact in found.items() if isinstance(fact, Vlan)}

    def _leg(self, name: str) -> Leg | None:
        fact = self._kernel.actual.get(("leg", name))
        return fact if isinstance(fact, Leg) else None

    def _origin(self, name: str, found: Mapping[Place, Mapping[str, links.LinkState]]) -> links.Origin:
        leg = self._leg(name)
        if leg is not None:
            host = found.get(leg.host, {}).get(leg.host_name)
            addresses = links.host_addresses(host.addresses) if host is not None else ()
            port = self._kernel.actual.get(("host-port", leg.host, leg.host_name))
            bridge = port.bridge if isinstance(port, HostPort) else None
            return links.Origin(leg=links.HostEnd(leg.host, leg.host_name, addresses, bridge))
        macvlan = self._kernel.actual.get(("macvlan", name))
        if isinstance(macvlan, Macvlan):
            return links.Origin(macvlan=macvlan)
        nic = self._kernel.actual.get(("nic", name))
        return links.Origin(nic=nic.origin) if isinstance(nic, Nic) else links.Origin()


class InstanceState:
    """VRFs, what is in them, and their VXLAN devices as the kernel has them."""

    point = INSTANCE

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def read(self, element: Element, wanted: Wanted) -> State:
        state: State = {}
        if not reaches_any(wanted, OF_KERNEL):
            return state
        breather = Breather()
        actual, lookup = self._kernel.actual, element.pipeline.derivation.input
        for shard, known in known_instances(element, wanted):
            place = place_of(known.name, lookup)

            def vxlan(vni: int, place: Place = place) -> Vxlan | None:
                fact = actual.get(("vxlan", place, f"vx{vni}"))
                return fact if isinstance(fact, Vxlan) else None

            def is_bound(binding: Binding, place: Place = place) -> bool:
                return self._is_at(element, binding, place)

            exists = ("vrf", known.vrf) in actual
            router_id = inputs.text(lookup, inputs.POOL_ROUTER_ID)
            state[shard.path] = _node(shard, instances.instance(known, exists, is_bound, vxlan, router_id))
            await breather.breathe()
        return state

    def _is_at(self, element: Element, binding: Binding, place: Place) -> bool:
        found = known_interface(element, binding.interface)
        if found is None:
            return False
        known = _named(element, found)
        name = known.link_below(binding.subinterface)
        if known.routed is not None:
            return ("bridge", _home(element, binding.interface), name) in self._kernel.actual
        if name == LOOPBACK:
            return place == UNDERLAY or ("vrf", place.name) in self._kernel.actual
        leg = self._kernel.actual.get(("leg", name))
        return leg.place == place if isinstance(leg, Leg) else ("settings", place, name) in self._kernel.actual


class BgpState:
    """Neighbours as bgpd has them."""

    point = INSTANCE

    def __init__(self, frr: Frr) -> None:
        self._frr = frr

    async def read(self, element: Element, wanted: Wanted) -> State:
        if not reaches_any(wanted, OF_NEIGHBORS):
            return {}
        found = known_instances(element, wanted)
        known = [(shard, anchors) for shard, anchors in found if anchors.has_neighbors]
        by_vrf = await self._neighbors([anchors.vrf for _, anchors in known])
        count = reaches_any(wanted, INSTALLED)
        state: State = {}
        breather = Breather()
        for shard, anchors in known:
            neighbors = by_vrf.get(anchors.vrf, [])
            installed = await self._installed(neighbors) if count else {}
            value = bgp.instance(anchors, neighbors, installed)
            if value is not None:
                state[shard.path] = _node(shard, value)
            await breather.breathe()
        return state

    async def _neighbors(self, vrfs: Sequence[str]) -> dict[str, list[said.NeighborState]]:
        found: dict[str, list[said.NeighborState]] = {}
        if len(vrfs) > FEW:
            texts = [await ask(self._frr, *said.SHOW_NEIGHBORS)]
        else:
            # What bgpd tells of one VRF lacks the VRF's name.
            answers = [(vrf, await ask(self._frr, "bgpd", f"show bgp vrf {vrf} neighbors json")) for vrf in vrfs]
            texts = [f'{{"{vrf}": {text}}}' if text else "" for vrf, text in answers]
        for text in texts:
            for neighbor in read_all(said.neighbors, text):
                found.setdefault(neighbor.vrf, []).append(neighbor)
        return found

    async def _installed(self, neighbors: Iterable[said.NeighborState]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for neighbor in neighbors:
            for family in bgp.countable(neighbor):
                where = f"show bgp vrf {neighbor.vrf} {family}"
                text = await ask(self._frr, "bgpd", f"{where} neighbors {neighbor.address} prefix-counts json")
                for count in read_all(lambda text: (bgp.best_selected(text),), text):
                    if count is not None:
                        found[neighbor.address, family] = count
        return found


class EvpnState:
    """Route distinguishers and route targets as bgpd uses them."""

    point = INSTANCE

    def __init__(self, frr: Frr) -> None:
        self._frr = frr

    async def read(self, element: Element, wanted: Wanted) -> State:
        if not reaches_any(wanted, TARGETS):
            return {}
        found = list(known_instances(element, wanted))
        numbers = [vni for _, known in found for vni in known.evpn.values()]
        which = [f"vni {number}" for number in numbers] if len(numbers) <= FEW else ["vni"]
        texts = [await ask(self._frr, "bgpd", f"show bgp l2vpn evpn {vni} json") for vni in which]
        targets = {one.vni: one for text in texts for one in read_all(evpn.targets, text)}
        state: State = {}
        breather = Breather()
        for shard, known in found:
            if (value := evpn.instance(known, targets)) is not None:
                state[shard.path] = _node(shard, value)
            await breather.breathe()
        return state


class VtepState:
    """VNIs and the other VTEPs as zebra has them."""

    point = INSTANCE

    def __init__(self, frr: Frr) -> None:
        self._frr = frr

    async def read(self, element: Element, wanted: Wanted) -> State:
        if not reaches_any(wanted, (PEERS, VNIS)):
            return {}
        state: State = {}
        for shard, known in known_instances(element, wanted):
            if known.endpoints:
                value = await self._vtep(element, wanted, known)
                if value is not None:
                    state[shard.path] = _node(shard, value)
        return state

    async def _vtep(self, element: Element, wanted: Wanted, known: Anchors) -> Mapping[str, Plain] | None:
        vnis = read_all(said.vnis, await ask(self._frr, *said.SHOW_VNI_DETAIL))
        text = await ask(self._frr, *said.SHOW_VTEPS) if wanted.reaches(PEERS) else ""
        others, macs = read_all(lambda text: said.vteps(text).items(), text), read_all(evpn.router_macs, text)
        hops = evpn.Hops(dict(others), dict(macs))

        def address_of(endpoint: Endpoint) -> str | None:
            found = vteps.address_at(*endpoint.source, element.pipeline.derivation.input)
            return str(found.ip) if found is not None else None

        def instance_of(vni: said.VniState) -> str | None:
            if vni.vrf in (None, UNKNOWN):
                return None
            name = inputs.text(element.pipeline.derivation.input, inputs.vni(vni.vni))
            instance = known_instance(element, name) if name is not None else None
            return name if instance is not None and instance.vrf == vni.vrf else vni.vrf

        return evpn.vtep(known, vnis, hops, address_of, instance_of)


async def ask(frr: Frr, daemon: str, command: str) -> str:
    """FRR's answer; "" and a line in the log where it gives none, so that <get> tells what the others know."""
    try:
        return await frr.show(daemon, command)
    except (VtyLost, ValueError) as error:
        logger.warning("no state from FRR: %s", error)
        return ""


def read_all(reader: Callable[[str], Iterable[T]], text: str) -> list[T]:
    """What ``reader`` makes of ``text``; nothing and a line in the log where it is not what FRR should say."""
    try:
        return list(reader(text)) if text else []
    except (ValueError, KeyError, TypeError) as error:
        logger.warning("FRR's answer is not understood: %r", error)
        return []


def _home(element: Element, interface: str) -> Place:
    """Where the link that is configured as ``interface`` lives."""
    lookup = element.pipeline.derivation.input
    found = inputs.text(lookup, inputs.port(interface, ITSELF)) or inputs.text(
        lookup, inputs.binding(interface, ITSELF)
    )
    return place_of(found, lookup)


def _named(element: Element, known: links.Anchor) -> links.Anchor:
    """With the kernel's name of a link that is the bridge of an L2VSI."""
    lookup = element.pipeline.derivation.input
    l2vsi = inputs.text(lookup, inputs.port(known.name, ITSELF)) if known.routed is not None else None
    found = inputs.several(lookup, inputs.l2vsi(l2vsi)) if l2vsi is not None else ()
    return replace(known, link=bridge_name(int(found[0]))) if found else known
