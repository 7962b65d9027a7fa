"""What the kernel really has, as facts: rebuilt link by link from what it told (``spaces``)."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Hashable, Iterator

from nesrv.kernel import message as nl
from nesrv.kernel import namespaces
from nesrv.kernel.facts import (
    UNDERLAY,
    Address,
    Bridge,
    BridgePort,
    HostPort,
    KernelFact,
    Leg,
    LinkSettings,
    Macvlan,
    Member,
    Nic,
    NoIpv6,
    Place,
    Vlan,
    Vrf,
    Vxlan,
)
from nesrv.kernel.layout import (
    DOOMED_GROUP,
    HOST_BRIDGE_MARK,
    HOST_MARK,
    MARK,
    OUR_GROUP,
    PARENT_MARK,
    PORT_ALIAS,
    SETTINGS_MARK,
    SWITCH_MARK,
    TICKS,
    Layout,
)
from nesrv.kernel.message import Link, LinkAddress
from nesrv.kernel.records import Records
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces, Touched

logger = logging.getLogger(__name__)

Key = tuple[Hashable, ...]
Spot = tuple[Space, int]

OF_LO = ("127.0.0.1/8", "::1/128")
"""The kernel gives them to the loopback device of each namespace by itself."""
LINK_LOCAL = "fe80::"
"""How addresses of fe80::/64 begin (RFC 4291 section 2.5.6)."""

LOST = "?"
"""Stands for a host namespace that has no name any more, and for a parent that is nowhere known."""

LOOPBACK = "lo"


def ours(link: Link) -> bool:
    """Made by nesrv and complete."""
    return link.group == OUR_GROUP and link.alias.split(" ", 1)[0] == MARK


def half_made(link: Link) -> bool:
    """Made by a nesrv that ended before the link was complete, or before it was quite removed."""
    return link.group == DOOMED_GROUP or (link.group == OUR_GROUP and not link.alias)


def host_name(link: Link) -> str | None:
    """The host namespace that a leg was made with, by its mark."""
    return marked(link, HOST_MARK)


def marked(link: Link, mark: str) -> str | None:
    """What follows ``mark`` in the link's alias."""
    return next((word[len(mark) :] for word in link.alias.split() if word.startswith(mark)), None)


def is_link_local_of(address: LinkAddress, link: Link) -> bool:
    """Whether the kernel itself made the address from the link's MAC (RFC 4291 appendix A)."""
    if address.protocol == nl.IFAPROT_KERNEL_LL:
        return True
    if not address.address.startswith(LINK_LOCAL) or len(link.mac) != len("00:00:00:00:00:00"):
        return False
    return ipaddress.ip_interface(address.address).ip == ipaddress.ip_interface(link_local(link.mac)).ip


def link_local(mac: str) -> str:
    """The address, with its length, that the kernel makes of a MAC (RFC 4291 appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    eui64 = bytes((octets[0] ^ 2,)) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return f"{ipaddress.IPv6Address(bytes.fromhex('fe80') + bytes(6) + eui64)}/64"


class Reader:
    """Keeps ``actual`` (facts by key) equal to what ``spaces`` know; ``tables`` are those of VRF devices, by index."""

    def __init__(self, spaces: Spaces, layout: Layout, records: Records) -> None:
        self.actual: dict[Key, KernelFact] = {}
        self._spaces, self._layout, self._records = spaces, layout, records
        self.tables: dict[int, int] = {}
        self._foreign: dict[int, Link] = {}
        self._facts: dict[Spot, tuple[KernelFact, ...]] = {}
        self._ours: set[Key] = set()
        self._seen: dict[Spot, tuple[str, int]] = {}
        self._inner_of: dict[Spot, Spot] = {}
        self._outer_of: dict[Spot, Spot] = {}

    def owns(self, key: Key) -> bool:
        """Whether the fact is about something that nesrv made, so that it may go when nobody wants it."""
        return key in self._ours

    def foreign(self) -> list[Link]:
        """Links of the underlay that nesrv did not make, host ends of legs aside."""
        underlay = self._spaces.underlay
        return [link for index, link in self._foreign.items() if (underlay, index) not in self._inner_of]

    def look(self, space: Space, name: str) -> None:
        """Asks for a link of which the kernel may tell nothing by itself."""
        touched = self._spaces.drain()  # First, or what is seen now would be overtaken by older news.
        self.refresh(touched | self._spaces.look(space, name))

    def load(self) -> None:
        """Reads all that is there; raises OSError and Refused."""
        if self._layout.kind == "netns":
            for path in sorted(one for one in self._layout.vrf_directory.iterdir() if not one.is_dir()):
                try:
                    self.add_vrf(path.name)
                except Refused as refused:
                    logger.warning("removing %s, which is no network namespace: %s", path, refused.words)
                    namespaces.remove(path)
        for space in self._spaces:
            self.refresh({(space, index) for index in space.links})

    def add_vrf(self, name: str) -> None:
        """A namespace of the netns back end is there."""
        self._spaces.at(Place("vrf", name))
        self._put(Vrf(name, ""), mine=True)

    def drop_vrf(self, name: str) -> None:
        self._remove(("vrf", name))

    def refresh(self, touched: Touched) -> set[Key]:
        """Works out the facts of the touched links again; returns the keys that changed."""
        changed: set[Key] = set()
        todo = self._with_dependents(touched)
        before: dict[Key, KernelFact | None] = {}
        for spot in todo:
            for fact in self._facts.pop(spot, ()):
                before.setdefault(fact.key, self.actual.get(fact.key))
                self._remove(fact.key)
        for spot in todo:
            facts = tuple(self._facts_of(*spot))
            if facts:
                self._facts[spot] = facts
            for fact in facts:
                before.setdefault(fact.key, None)
        changed |= {key for key, fact in before.items() if self.actual.get(key) != fact}
        return changed

    def _with_dependents(self, touched: Touched) -> list[Spot]:
        """The touched links, the legs whose host end was touched, and what hangs on a renamed or moved master."""
        todo = dict.fromkeys(touched)
        for spot in touched:
            space, index = spot
            if (inner := self._inner_of.get(spot)) is not None:
                todo[inner] = None
            link = space.links.get(index)
            now = (link.name, link.master) if link is not None else None
            if self._seen.get(spot) not in (None, now):
                todo.update(((space, child.index), None) for child in space.links.values() if child.master == index)
            if now is None:
                self._seen.pop(spot, None)
            elif link is not None and link.kind in ("bridge", "vrf"):
                self._seen[spot] = now
        return list(todo)

    def _put(self, fact: KernelFact, mine: bool) -> KernelFact:
        self.actual[fact.key] = fact
        if mine:
            self._ours.add(fact.key)
        return fact

    def _remove(self, key: Key) -> None:
        self.actual.pop(key, None)
        self._ours.discard(key)

    def _facts_of(self, space: Space, index: int) -> Iterator[KernelFact]:
        spot = (space, index)
        if (outer := self._outer_of.pop(spot, None)) is not None:
            self._inner_of.pop(outer, None)
        link = space.links.get(index)
        if space.place == UNDERLAY:
            self._note(index, link)
        if link is None or space.place.kind == "host":
            return
        place = self._place(space, link)
        yield from self._port(space, place, link)
        if ours(link):
            yield from self._of_our_link(space, place, link)
            return
        mine = space.place.kind == "vrf"
        if not half_made(link) and not (mine and link.name == LOOPBACK):
            yield from self._of_nic(space, place, link)
        yield from self._addresses(space, link, place, mine=mine and link.name == LOOPBACK)

    def _port(self, space: Space, place: Place, link: Link) -> Iterator[KernelFact]:
        """Whatever is in a switch of ours, but for its VXLAN device, was put there as a port."""
        above = space.links.get(link.master)
        if above is not None and above.kind == "bridge" and ours(above) and link.kind != "vxlan":
            yield self._put(BridgePort(place, link.name, above.name, link.learning, ""), mine=True)

    def _note(self, index: int, link: Link | None) -> None:
        self.tables.pop(index, None)
        self._foreign.pop(index, None)
        if link is not None and link.kind == "vrf":
            self.tables[index] = link.table
        if link is not None and link.group not in (OUR_GROUP, DOOMED_GROUP):
            self._foreign[index] = link

    def _place(self, space: Space, link: Link) -> Place:
        """With VRF devices a link belongs where its chain of masters ends."""
        if space.place != UNDERLAY or self._layout.kind == "netns":
            return space.place
        for _level in range(2):
            if link.kind == "vrf":
                return Place("vrf", link.name)
            above = space.links.get(link.master)
            if above is None:
                break
            link = above
        return Place("vrf", link.name) if link.kind == "vrf" else UNDERLAY

    def _of_nic(self, space: Space, place: Place, link: Link) -> Iterator[KernelFact]:
        """Of a link that nesrv did not make; in a VRF it may have been put by nesrv, which the records know."""
        yield self._put(LinkSettings(place, link.name, link.mtu, link.up, ""), mine=link.name in self._records.links)
        if not link.ipv6:
            yield self._put(NoIpv6(place, link.name, ""), mine=False)
        record = self._records.nics.get(link.name)
        if record is not None:
            yield self._put(Nic(link.name, record.origin, ""), mine=True)
        if place.kind == "vrf":
            yield self._put(Member(place, link.name, ""), mine=link.name in self._records.members)

    def _of_our_link(self, space: Space, place: Place, link: Link) -> Iterator[KernelFact]:
        if link.kind == "vrf":
            yield self._put(Vrf(link.name, ""), mine=True)
            yield from self._addresses(space, link, place, mine=True, name="lo")
            return
        settings = LinkSettings(place, link.name, link.mtu, link.up, "")
        if HOST_BRIDGE_MARK in link.alias.split():
            return
        if not link.ipv6:
            yield self._put(NoIpv6(place, link.name, ""), mine=True)
        if link.kind == "bridge":
            switch = SWITCH_MARK in link.alias.split()
            yield self._put(Bridge(place, link.name, link.mac, "", switch, link.ageing // TICKS), mine=True)
        elif link.kind == "vxlan":
            bridge = space.links.get(link.master)
            master = bridge.name if bridge is not None else ""
            fact = Vxlan(place, link.name, link.vni, link.local, link.port, master, "", link.suppress)
            yield self._put(fact, mine=True)
        elif link.kind == "vlan":
            home, parent = self._parent(space, link)
            yield self._put(Vlan(place, link.name, home, parent, link.vlan, ""), mine=True)
        elif link.kind == "macvlan":
            home = Place("host", marked(link, PARENT_MARK) or "")
            _home, parent = self._parent(space, link, self._host_space(home))
            yield self._put(Macvlan(place, link.name, home, parent, link.mode, ""), mine=True)
        elif link.kind == "veth":
            host, outer_space, outer = self._host_end(space, link)
            yield self._put(Leg(place, link.name, host, outer.name if outer is not None else LOST, ""), mine=True)
            if outer_space is not None and outer is not None:
                self._inner_of[outer_space, outer.index] = (space, link.index)
                self._outer_of[space, link.index] = (outer_space, outer.index)
                mtu = link.mtu if outer.mtu == link.mtu else outer.mtu
                settings = LinkSettings(place, link.name, mtu, link.up and outer.up, "")
                yield from self._addresses(outer_space, outer, host, mine=True)
                bridge = outer_space.links.get(outer.master)
                if bridge is not None and bridge.kind == "bridge":
                    port = HostPort(host, outer.name, bridge.name, False, "")
                    yield self._put(port, mine=outer.alias == PORT_ALIAS)
        if SETTINGS_MARK in link.alias.split():
            yield self._put(settings, mine=True)
        yield from self._addresses(space, link, place, mine=True)

    def _addresses(
        self, space: Space, link: Link, place: Place, mine: bool, name: str | None = None
    ) -> Iterator[KernelFact]:
        for address in space.addresses.get(link.index, {}).values():
            if not is_link_local_of(address, link) and address.address not in OF_LO:
                yield self._put(Address(place, name or link.name, address.address, ""), mine)

    def _host_end(self, space: Space, link: Link) -> tuple[Place, Space | None, Link | None]:
        """Where the other end of a leg is: where its mark says, or lost."""
        claim = host_name(link)
        if claim is not None:
            other = self._host_space(Place("host", claim))
            if other is not None and self._spaces.peer_is(space, link.peer_namespace, other):
                return Place("host", claim), other, other.links.get(link.peer)
        return Place("host", LOST), None, None

    def _parent(self, space: Space, link: Link, claimed: Space | None = None) -> tuple[Place, str]:
        """Where the link below is, and its name; ``claimed`` alone is looked at where that is given."""
        number = link.peer_namespace
        for other in (claimed,) if claimed is not None else (space,) if number is None else self._spaces:
            if self._spaces.peer_is(space, number, other) and (below := other.links.get(link.peer)) is not None:
                return self._place(other, below), below.name
        return UNDERLAY, LOST

    def _host_space(self, place: Place) -> Space | None:
        try:
            return self._spaces.at(place)
        except Refused:
            return None
