"""Bridges, VXLAN devices, legs, settings and addresses: what each fact means in rtnetlink messages.

Every method raises Refused, with what it did itself taken back.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from socket import AF_INET, AF_INET6
from typing import Any

from pyroute2.netlink.rtnl.ifinfmsg import IFF_LOOPBACK

from nesrv.kernel import namespaces, requests
from nesrv.kernel.explain import LINK_SYSCTLS, UNDERLAY_SYSCTLS, bridge_alias, is_gateway, switch_sysctls
from nesrv.kernel.facts import (
    UNDERLAY,
    Address,
    Bridge,
    BridgePort,
    HostPort,
    Leg,
    LinkSettings,
    Macvlan,
    NoIpv6,
    Place,
    Vlan,
    Vxlan,
)
from nesrv.kernel.host_bridges import HostBridges
from nesrv.kernel.ipv6 import Ipv6Switch
from nesrv.kernel.layout import (
    DOOMED_GROUP,
    HOST_MARK,
    OUR_GROUP,
    OVERHEAD,
    PARENT_MARK,
    SETTINGS_MARK,
    Layout,
    alias,
    describe,
)
from nesrv.kernel.message import Link
from nesrv.kernel.reader import Reader, host_name, is_link_local_of, link_local, ours
from nesrv.kernel.records import LinkState, Records
from nesrv.kernel.requests import Attribute
from nesrv.kernel.sockets import Refused, RouteSocket
from nesrv.kernel.spaces import Space, Spaces

DEFAULT_MTU = 1500
UP_AS_MADE = ("bridge", "vxlan")

Replaceable = Vxlan | Leg | Vlan | Macvlan
"""Links that the kernel cannot change in place."""
Removable = Bridge | Replaceable
Dependent = BridgePort | LinkSettings | HostPort | NoIpv6 | Address


class Links:
    """Carries out one fact at a time; reads before it writes and never writes what is already so."""

    def __init__(self, layout: Layout, spaces: Spaces, reader: Reader, records: Records) -> None:
        self._layout, self._spaces, self._reader, self._records = layout, spaces, reader, records
        self.ipv6 = Ipv6Switch(layout, spaces, reader)
        host_bridges = HostBridges(spaces, reader)
        self._makers: dict[type, Callable[[Any], None]] = {
            Vxlan: self.make_vxlan,
            Leg: self.make_leg,
            Vlan: self.make_vlan,
            Macvlan: self.make_macvlan,
            BridgePort: self.join,
            LinkSettings: self.set_settings,
            HostPort: host_bridges.attach,
            NoIpv6: self.ipv6.switch_off,
            Address: self.add_address,
        }

    def find(self, place: Place, name: str) -> tuple[Space, Link | None]:
        space = self._spaces.at(place)
        return space, space.link(self._layout.link(place, name))

    def need(self, place: Place, name: str) -> tuple[Space, Link]:
        space, link = self.find(place, name)
        if link is None:
            raise Refused(errno.ENODEV, f"there is no link {name} in {describe(place)}")
        return space, link

    # -- making and removing links

    def make_bridge(self, fact: Bridge) -> None:
        space = self._spaces.at(fact.place)
        kind = requests.bridge(fact.ageing)
        self._make(space, fact.name, kind, ("IFLA_ADDRESS", fact.mac), *self._master(fact.place))
        with self._removed_on_refusal(space, fact.name):
            self._adjust_sysctls(fact.place, fact.name)
            self._adjust_switch(fact)
            own = requests.LINK_LOCAL if is_gateway(fact) else requests.NO_LINK_LOCAL
            self._set(space, fact.name, own, ("IFLA_IFALIAS", bridge_alias(fact)), up=True)

    def change_bridge(self, before: Bridge, after: Bridge) -> None:
        space, link = self.need(after.place, after.name)
        if link.mac != after.mac or is_gateway(before) != is_gateway(after):
            # The address that the kernel made of the old MAC goes with it.
            with contextlib.suppress(Refused):
                self._spaces.socket(space).do(requests.delete_address(link.index, link_local(link.mac)))
            self._set(space, after.name, ("IFLA_ADDRESS", after.mac), requests.NO_LINK_LOCAL)
            if is_gateway(after):
                self._set(space, after.name, requests.LINK_LOCAL)
        if before.ageing != after.ageing:
            self._set(space, after.name, requests.bridge_ageing(after.ageing))
        if before.switch != after.switch:
            self._adjust_switch(after)
            kept = (SETTINGS_MARK,) if SETTINGS_MARK in link.alias.split() else ()
            self._set(space, after.name, ("IFLA_IFALIAS", " ".join((bridge_alias(after), *kept))))
            self._look(space, after.name)

    def make_vxlan(self, fact: Vxlan) -> None:
        space, bridge = self.need(fact.place, fact.bridge)
        kind = requests.vxlan(fact.vni, fact.local, fact.port)
        mtu = self.overlay_mtu(ipaddress.ip_address(fact.local).version)
        with open(space.path, "rb") as target:
            there = ("IFLA_NET_NS_FD", target.fileno())
            master = ("IFLA_MASTER", bridge.index)
            self._make(self._spaces.underlay, fact.name, kind, there, master, ("IFLA_MTU", mtu))
        with self._removed_on_refusal(space, fact.name):
            self._set(space, fact.name, requests.evpn_port(fact.suppress), requests.NO_LINK_LOCAL)
            self._set(space, fact.name, ("IFLA_IFALIAS", alias()), up=True)

    def change_vxlan(self, before: Vxlan, after: Vxlan) -> None:
        """What the bridge does at this port can change in place."""
        if replace(before, suppress=after.suppress) != after:
            self.change_by_replacing(before, after)
            return
        space, _link = self.need(after.place, after.name)
        self._set(space, after.name, requests.evpn_port(after.suppress))

    def make_leg(self, fact: Leg) -> None:
        space, host = self._spaces.at(fact.place), self._spaces.at(fact.host)
        with open(host.path, "rb") as target:
            kind = requests.veth(fact.host_name, target.fileno())
            self._make(space, fact.name, kind, *self._master(fact.place))
        with self._removed_on_refusal(space, fact.name):
            self._adjust_sysctls(fact.place, fact.name)
            self._set(space, fact.name, ("IFLA_IFALIAS", alias(HOST_MARK + fact.host.name)))
            self._look(space, fact.name)

    def make_vlan(self, fact: Vlan) -> None:
        self._make_above(fact, requests.vlan(fact.vlan), alias())

    def make_macvlan(self, fact: Macvlan) -> None:
        self._make_above(fact, requests.macvlan(fact.mode), alias(PARENT_MARK + fact.home.name))

    def _make_above(self, fact: Vlan | Macvlan, kind: Attribute, mark: str) -> None:
        """Made where the parent is, straight into its own place."""
        source, parent = self.need(fact.home, fact.parent)
        space = self._spaces.at(fact.place)
        with open(space.path, "rb") as target:
            there = ("IFLA_NET_NS_FD", target.fileno())
            self._make(source, fact.name, kind, there, ("IFLA_LINK", parent.index), *self._master(fact.place))
        with self._removed_on_refusal(space, fact.name):
            self._adjust_sysctls(fact.place, fact.name)
            self._set(space, fact.name, ("IFLA_IFALIAS", mark))
            self._look(space, fact.name)

    def remove(self, fact: Removable) -> None:
        if (found := self.removable(fact)) is not None:
            remove_together(self._spaces.socket(found[0]), [found[1]])

    def removable(self, fact: Removable) -> tuple[Space, Link] | None:
        """The link, if it is there; refuses where it is not ours."""
        try:
            space, link = self.find(fact.place, fact.name)
        except Refused:
            return None
        if link is None:
            return None
        if not ours(link):
            raise Refused(errno.EPERM, f"{fact.name} was not made by nesrv")
        return space, link

    def change_by_replacing(self, before: Replaceable, after: Replaceable) -> None:
        """The kernel cannot change a VNI, VTEP, peer or parent in place; what the old link had the new one is given."""
        kept = self._dependents(before)
        self.remove(before)
        self._reader.refresh(self._spaces.drain())
        try:
            self._make_with(after, kept)
        except Refused:
            self._reader.refresh(self._spaces.drain())
            self._make_with(before, kept)
            raise

    def _dependents(self, fact: Replaceable) -> list[Dependent]:
        spots = _spots(fact)
        found = [one for one in self._reader.actual.values() if isinstance(one, Dependent) and _spot(one) in spots]
        return sorted(found, key=lambda one: one.rank)

    def _make_with(self, fact: Replaceable, kept: list[Dependent]) -> None:
        self._makers[type(fact)](fact)
        self._reader.refresh(self._spaces.drain())
        try:
            for one in kept:
                if _spot(one) in _spots(fact):
                    self._makers[type(one)](one)
                    self._reader.refresh(self._spaces.drain())
        except Refused:
            self.remove(fact)
            raise

    def _make(self, space: Space, name: str, kind: Attribute, *attributes: Attribute) -> None:
        request = requests.make_link(name, kind, ("IFLA_GROUP", OUR_GROUP), *attributes)
        self._spaces.socket(space).do(request)

    def _set(self, space: Space, name: str, *attributes: Attribute, up: bool | None = None) -> None:
        self._spaces.socket(space).do(requests.change_link(name, *attributes, up=up))

    def _look(self, space: Space, name: str) -> None:
        """Before what was heard until now, or it would be overtaken by older news."""
        touched = self._spaces.drain()
        self._reader.refresh(touched | self._spaces.look(space, name))

    @contextlib.contextmanager
    def _removed_on_refusal(self, space: Space, name: str) -> Iterator[None]:
        try:
            yield
        except Refused:
            self._spaces.socket(space).do(requests.delete_named(name))
            raise

    def _master(self, place: Place) -> tuple[Attribute, ...]:
        name = self._layout.master(place)
        if not name:
            return ()
        _space, link = self.need(UNDERLAY, name)
        return (("IFLA_MASTER", link.index),)

    def _adjust_switch(self, fact: Bridge) -> None:
        with namespaces.inside(self._layout.namespace(fact.place)):
            namespaces.write_sysctls(switch_sysctls(fact))

    # -- ports of switches

    def join(self, fact: BridgePort) -> None:
        """The link becomes a port, or what it learns changes."""
        space, link = self.need(fact.place, fact.name)
        _space, bridge = self.need(fact.place, fact.bridge)
        if link.master != bridge.index:
            above = space.links.get(link.master)
            if above is not None and above.kind != "vrf":
                raise Refused(errno.EBUSY, f"{fact.name} belongs to {above.name} already")
            self._set(space, fact.name, ("IFLA_MASTER", bridge.index))
        try:
            quiet = (requests.NO_LINK_LOCAL,) if ours(link) else ()
            self._set(space, fact.name, requests.port(fact.learning), *quiet)
        except Refused:
            self._set(space, fact.name, ("IFLA_MASTER", link.master))
            raise
        self._look(space, fact.name)

    def leave(self, fact: BridgePort) -> None:
        """The link is where it was before."""
        try:
            space, link = self.find(fact.place, fact.name)
        except Refused:
            return
        if link is None:
            return
        within = ours(link) or link.name in self._records.members
        above = self._master(fact.place) if within else ()
        talks = (requests.LINK_LOCAL,) if ours(link) else ()
        self._set(space, fact.name, *(above or (("IFLA_MASTER", 0),)), *talks)
        self._look(space, fact.name)

    def _adjust_sysctls(self, place: Place, name: str) -> None:
        """In a namespace of its own a VRF's defaults say all this already."""
        if place.kind == "vrf" and not self._layout.master(place):
            return
        with namespaces.inside(self._layout.namespace(place)):
            namespaces.write_sysctls(UNDERLAY_SYSCTLS)
            namespaces.write_sysctls({key.format(name.replace(".", "/")): value for key, value in LINK_SYSCTLS.items()})

    # -- MTU of the overlay

    def underlay_mtu(self) -> int:
        """What the smallest NIC of the underlay takes: of those adopted, or of all that are up; ports aside."""
        nics = [link for link in self._reader.foreign() if link.up and not link.flags & IFF_LOOPBACK]
        nics = [link for link in nics if link.name not in self._records.members and not link.master]
        shares = [link for link in self._spaces.underlay.links.values() if link.kind == "macvlan" and link.up]
        adopted = [link for link in nics if link.name in self._records.nics]
        adopted += [link for link in shares if ours(link) and not link.master]
        return min((link.mtu for link in adopted or nics), default=DEFAULT_MTU)

    def overlay_mtu(self, version: int) -> int:
        """The largest tenant packet that the underlay carries unfragmented."""
        return self.underlay_mtu() - OVERHEAD[version]

    def retune_overlay(self) -> None:
        """After an underlay MTU changed: the VXLAN devices, and with them their bridges, follow."""
        for fact in tuple(self._reader.actual.values()):
            if isinstance(fact, Vxlan):
                space, link = self.find(fact.place, fact.name)
                mtu = self.overlay_mtu(ipaddress.ip_address(fact.local).version)
                if link is not None and link.mtu != mtu:
                    self._set(space, fact.name, ("IFLA_MTU", mtu))

    # -- settings

    def set_settings(self, after: LinkSettings) -> None:
        """MTU and state; a leg's host end follows."""
        space, link = self.need(after.place, after.name)
        mine = ours(link)
        if not mine and after.place != UNDERLAY and after.name not in self._records.members:
            raise Refused(errno.EPERM, f"{after.name} was not made by nesrv")
        if not mine:
            self._remember(link, after)
        marked = SETTINGS_MARK in link.alias.split()
        claim = f"{link.alias} {SETTINGS_MARK}" if mine and not marked else ""
        self._settle(space, link, after.mtu, after.up, claim)

    def unset_settings(self, before: LinkSettings) -> None:
        """A link of ours is as it was made; another as it was found."""
        try:
            space, link = self.find(before.place, before.name)
        except Refused:
            return
        if link is None:
            return
        if not ours(link):
            found = self._records.links.get(link.name)
            if found is not None:
                self._settle(space, link, found.mtu, found.up)
                self._records.drop_link(link.name)
            return
        if SETTINGS_MARK in link.alias.split():
            words = [word for word in link.alias.split() if word != SETTINGS_MARK]
            mtu = DEFAULT_MTU if link.kind == "veth" else _least_mtu(space, link) if link.kind == "bridge" else None
            self._settle(space, link, mtu, link.kind in UP_AS_MADE, " ".join(words))

    def _settle(self, space: Space, link: Link, mtu: int | None, up: bool, claim: str = "") -> None:
        ends = [(space, link)]
        if ours(link) and (host := host_name(link)) is not None:
            other, outer = self._host_end(link, host)
            ends.insert(0, (other, outer))
        done: list[tuple[Space, Link]] = []
        try:
            for at, end in ends:
                attributes: list[Attribute] = [("IFLA_MTU", mtu)] if mtu is not None and end.mtu != mtu else []
                attributes += [("IFLA_IFALIAS", claim)] if claim and end is link else []
                if attributes or end.up != up:
                    self._set(at, end.name, *attributes, up=up)
                if end is not link and end.up and not up:
                    self._keep_addresses(at, end)
                if claim and end is link and not up:
                    self._look(at, end.name)
                done.append((at, end))
        except Refused:
            for at, end in done:
                self._set(at, end.name, ("IFLA_MTU", end.mtu), up=end.up)
            raise
        if link.mtu != mtu and space is self._spaces.underlay and not ours(link):
            self._reader.refresh(self._spaces.drain())
            self.retune_overlay()

    def _keep_addresses(self, space: Space, link: Link) -> None:
        """A host's namespace may drop IPv6 addresses with a link that goes down; ours belong to it until deleted."""
        had = tuple(space.addresses.get(link.index, {}).values())
        # What the kernel says of their going must be heard before they are back, of which it tells some time later.
        self._reader.refresh(self._spaces.drain())
        for address in had:
            gone = address.address not in space.addresses.get(link.index, {})
            if gone and address.family == AF_INET6 and not is_link_local_of(address, link):
                with contextlib.suppress(Refused):
                    self._give(space, link, address.address)

    def _host_end(self, link: Link, host: str) -> tuple[Space, Link]:
        other = self._spaces.at(Place("host", host))
        outer = other.links.get(link.peer)
        if outer is None or outer.kind != "veth":
            raise Refused(errno.ENODEV, f"the host end of {link.name} is gone from {describe(Place('host', host))}")
        return other, outer

    def _remember(self, link: Link, after: LinkSettings) -> None:
        """How the link was before nesrv first changed it; forgotten when it is so again."""
        found = self._records.links.get(link.name)
        mtu = link.mtu if after.mtu is None else after.mtu
        if found is None and (mtu, after.up) != (link.mtu, link.up):
            self._records.put_link(link.name, LinkState(link.mtu, link.up))
        elif found is not None and (found.mtu, found.up) == (mtu, after.up):
            self._records.drop_link(link.name)

    # -- addresses

    def add_address(self, fact: Address) -> None:
        space, link = self.need(fact.place, fact.link)
        if fact.address not in space.addresses.get(link.index, {}):
            self._give(space, link, fact.address)

    def _give(self, space: Space, link: Link, address: str) -> None:
        request = requests.add_address(link.index, address)
        self._spaces.socket(space).do(request)
        self._spaces.put_address(space, request)
        self._reader.refresh({(space, link.index)})

    def announce_address(self, fact: Address) -> None:
        """Has the kernel tell of an address that is there as if it were new."""
        space, link = self.find(fact.place, fact.link)
        if link is not None and (there := space.addresses.get(link.index, {}).get(fact.address)) is not None:
            self._spaces.socket(space).do(requests.announce_address(link.index, there.told))

    def remove_address(self, fact: Address) -> None:
        """The others of its subnet stay, though the kernel takes secondary ones away with the first."""
        try:
            space, link = self.find(fact.place, fact.link)
        except Refused:
            return
        if link is None or fact.address not in space.addresses.get(link.index, {}):
            return
        siblings = tuple(space.addresses[link.index].values())
        socket = self._spaces.socket(space)
        socket.do(requests.delete_address(link.index, fact.address))
        if sum(one.family == AF_INET for one in siblings) < 2 or ":" in fact.address:
            return
        self._reader.refresh(self._spaces.drain())
        there = space.addresses.get(link.index, {})
        for one in siblings:
            if one.address not in there and one.address != fact.address:
                socket.do(requests.repeat_address(link.index, one.told))


def remove_together(socket: RouteSocket, links: Sequence[Link]) -> None:
    """All or none of one namespace; the kernel's grace period, some 20 ms a link, is waited for once. May be called
    in a thread. Raises Refused."""
    if len(links) == 1:
        socket.do(requests.delete_link(links[0].index))
        return
    marked: list[Link] = []
    try:
        for link in links:
            socket.do(requests.group_link(link.index, DOOMED_GROUP))
            marked.append(link)
        socket.do(requests.delete_group(DOOMED_GROUP))
    except Refused:
        for link in marked:
            socket.do(requests.group_link(link.index, OUR_GROUP))
        raise


def _spots(fact: Replaceable) -> set[tuple[Place, str]]:
    """The link, and a leg's host end."""
    return {(fact.place, fact.name)} | ({(fact.host, fact.host_name)} if isinstance(fact, Leg) else set())


def _spot(fact: Dependent) -> tuple[Place, str]:
    """The link that a fact is about."""
    if isinstance(fact, HostPort):
        return fact.host, fact.name
    return fact.place, fact.name if isinstance(fact, (BridgePort, LinkSettings)) else fact.link


def _least_mtu(space: Space, bridge: Link) -> int | None:
    """What a bridge takes by itself: as much as the smallest of its ports."""
    return min((link.mtu for link in space.links.values() if link.master == bridge.index), default=None)


def system_words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
