"""Bridges, VXLAN devices, legs, links above others, ports: what each fact means in rtnetlink messages.

Every method raises Refused, with what it did itself taken back.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from nesrv.kernel import namespaces, requests, sysctls
from nesrv.kernel.addresses import Addresses
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
from nesrv.kernel.layout import DOOMED_GROUP, OUR_GROUP, SETTINGS_MARK, Layout, link_alias
from nesrv.kernel.link_settings import Settings
from nesrv.kernel.message import Link
from nesrv.kernel.overlay import Overlay
from nesrv.kernel.reader import Reader, link_local, ours
from nesrv.kernel.records import Records
from nesrv.kernel.requests import Attribute
from nesrv.kernel.sockets import Refused, RouteSocket
from nesrv.kernel.spaces import Space, Spaces

Replaceable = Vxlan | Leg | Vlan | Macvlan
"""Links that the kernel cannot change in place."""
Removable = Bridge | Replaceable
Dependent = BridgePort | LinkSettings | HostPort | NoIpv6 | Address


class Links:
    """Carries out one fact at a time; reads before it writes and never writes what is already so."""

    def __init__(self, layout: Layout, spaces: Spaces, reader: Reader, records: Records) -> None:
        self._layout, self._spaces, self._reader, self._records = layout, spaces, reader, records
        self.overlay = Overlay(spaces, reader, records)
        self.addresses = Addresses(spaces, reader)
        self.settings = Settings(spaces, reader, records, self.overlay, self.addresses)
        self.ipv6 = Ipv6Switch(spaces, reader)
        self.host_bridges = HostBridges(spaces, reader)
        self._makers: dict[type, Callable[[Any], None]] = {
            Vxlan: self.make_vxlan,
            Leg: self.make_leg,
            Vlan: self.make_vlan,
            Macvlan: self.make_macvlan,
            BridgePort: self.join,
            LinkSettings: self.settings.put,
            HostPort: self.host_bridges.attach,
            NoIpv6: self.ipv6.switch_off,
            Address: self.addresses.add,
        }

    # -- making and removing links

    def make_bridge(self, fact: Bridge) -> None:
        space = self._spaces.at(fact.place)
        kind = requests.bridge(fact.ageing)
        self._make(space, fact.name, kind, ("IFLA_ADDRESS", fact.mac), *self._master(fact.place))
        with self._removed_on_refusal(space, fact.name):
            self._write(fact.place, sysctls.of_link(self._layout, fact.place, fact.name))
            self._write(fact.place, sysctls.of_switch(fact))
            own = requests.LINK_LOCAL if fact.is_gateway else requests.NO_LINK_LOCAL
            self._set(space, fact.name, own, ("IFLA_IFALIAS", link_alias(fact)), up=True)

    def change_bridge(self, before: Bridge, after: Bridge) -> None:
        space, link = self._spaces.need(after.place, after.name)
        if link.mac != after.mac or before.is_gateway != after.is_gateway:
            # The address that the kernel made of the old MAC goes with it.
            with contextlib.suppress(Refused):
                self._spaces.socket(space).do(requests.delete_address(link.index, link_local(link.mac)))
            self._set(space, after.name, ("IFLA_ADDRESS", after.mac), requests.NO_LINK_LOCAL)
            if after.is_gateway:
                self._set(space, after.name, requests.LINK_LOCAL)
        if before.ageing != after.ageing:
            self._set(space, after.name, requests.bridge_ageing(after.ageing))
        if before.switch != after.switch:
            self._write(after.place, sysctls.of_switch(after))
            kept = (SETTINGS_MARK,) if SETTINGS_MARK in link.alias.split() else ()
            self._set(space, after.name, ("IFLA_IFALIAS", link_alias(after, *kept)))
            self._reader.look(space, after.name)

    def make_vxlan(self, fact: Vxlan) -> None:
        space, bridge = self._spaces.need(fact.place, fact.bridge)
        kind = requests.vxlan(fact.vni, fact.local, fact.port)
        mtu = self.overlay.mtu(ipaddress.ip_address(fact.local).version)
        with open(space.path, "rb") as target:
            there = ("IFLA_NET_NS_FD", target.fileno())
            master = ("IFLA_MASTER", bridge.index)
            self._make(self._spaces.underlay, fact.name, kind, there, master, ("IFLA_MTU", mtu))
        with self._removed_on_refusal(space, fact.name):
            self._set(space, fact.name, requests.evpn_port(fact.suppress), requests.NO_LINK_LOCAL)
            self._set(space, fact.name, ("IFLA_IFALIAS", link_alias(fact)), up=True)

    def change_vxlan(self, before: Vxlan, after: Vxlan) -> None:
        """What the bridge does at this port can change in place."""
        if replace(before, suppress=after.suppress) != after:
            self.change_by_replacing(before, after)
            return
        space, _link = self._spaces.need(after.place, after.name)
        self._set(space, after.name, requests.evpn_port(after.suppress))

    def make_leg(self, fact: Leg) -> None:
        space, host = self._spaces.at(fact.place), self._spaces.at(fact.host)
        with open(host.path, "rb") as target:
            kind = requests.veth(fact.host_name, target.fileno())
            self._make(space, fact.name, kind, *self._master(fact.place))
        with self._removed_on_refusal(space, fact.name):
            self._write(fact.place, sysctls.of_link(self._layout, fact.place, fact.name))
            self._set(space, fact.name, ("IFLA_IFALIAS", link_alias(fact)))
            self._reader.look(space, fact.name)

    def make_vlan(self, fact: Vlan) -> None:
        self._make_above(fact, requests.vlan(fact.vlan))

    def make_macvlan(self, fact: Macvlan) -> None:
        self._make_above(fact, requests.macvlan(fact.mode))

    def _make_above(self, fact: Vlan | Macvlan, kind: Attribute) -> None:
        """Made where the parent is, straight into its own place."""
        source, parent = self._spaces.need(fact.home, fact.parent)
        space = self._spaces.at(fact.place)
        with open(space.path, "rb") as target:
            there = ("IFLA_NET_NS_FD", target.fileno())
            self._make(source, fact.name, kind, there, ("IFLA_LINK", parent.index), *self._master(fact.place))
        with self._removed_on_refusal(space, fact.name):
            self._write(fact.place, sysctls.of_link(self._layout, fact.place, fact.name))
            self._set(space, fact.name, ("IFLA_IFALIAS", link_alias(fact)))
            self._reader.look(space, fact.name)

    def remove(self, fact: Removable) -> None:
        if (found := self.removable(fact)) is not None:
            remove_together(self._spaces.socket(found[0]), [found[1]])

    def removable(self, fact: Removable) -> tuple[Space, Link] | None:
        """The link, if it is there; refuses where it is not ours."""
        try:
            space, link = self._spaces.find(fact.place, fact.name)
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
        _space, link = self._spaces.need(UNDERLAY, name)
        return (("IFLA_MASTER", link.index),)

    def _write(self, place: Place, values: sysctls.Sysctls) -> None:
        if values:
            with namespaces.inside(self._layout.namespace(place)):
                namespaces.write_sysctls(values)

    # -- ports of switches

    def join(self, fact: BridgePort) -> None:
        """The link becomes a port, or what it learns changes."""
        space, link = self._spaces.need(fact.place, fact.name)
        _space, bridge = self._spaces.need(fact.place, fact.bridge)
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
        self._reader.look(space, fact.name)

    def leave(self, fact: BridgePort) -> None:
        """The link is where it was before."""
        try:
            space, link = self._spaces.find(fact.place, fact.name)
        except Refused:
            return
        if link is None:
            return
        within = ours(link) or link.name in self._records.members
        above = self._master(fact.place) if within else ()
        talks = (requests.LINK_LOCAL,) if ours(link) else ()
        self._set(space, fact.name, *(above or (("IFLA_MASTER", 0),)), *talks)
        self._reader.look(space, fact.name)


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


def system_words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
