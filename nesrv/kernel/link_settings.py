"""MTU and administrative state of links, and what they were before nesrv first changed them."""

from __future__ import annotations

import contextlib
import errno
from socket import AF_INET6

from nesrv.kernel import requests
from nesrv.kernel.addresses import Addresses
from nesrv.kernel.facts import DEFAULT_MTU, UNDERLAY, LinkSettings, Place
from nesrv.kernel.layout import SETTINGS_MARK, describe
from nesrv.kernel.message import Link
from nesrv.kernel.overlay import Overlay
from nesrv.kernel.reader import Reader, host_name, is_link_local_of, ours
from nesrv.kernel.records import LinkState, Records
from nesrv.kernel.requests import Attribute
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces

UP_AS_MADE = ("bridge", "vxlan")


class Settings:
    """Carries out one fact at a time; raises Refused, with what it did itself taken back."""

    def __init__(
        self, spaces: Spaces, reader: Reader, records: Records, overlay: Overlay, addresses: Addresses
    ) -> None:
        self._spaces, self._reader, self._records = spaces, reader, records
        self._overlay, self._addresses = overlay, addresses

    def put(self, after: LinkSettings) -> None:
        """MTU and state; a leg's host end follows."""
        space, link = self._spaces.need(after.place, after.name)
        mine = ours(link)
        if not mine and after.place != UNDERLAY and after.name not in self._records.members:
            raise Refused(errno.EPERM, f"{after.name} was not made by nesrv")
        if not mine:
            self._remember(link, after)
        marked = SETTINGS_MARK in link.alias.split()
        claim = f"{link.alias} {SETTINGS_MARK}" if mine and not marked else ""
        self._settle(space, link, after.mtu, after.up, claim)

    def drop(self, before: LinkSettings) -> None:
        """A link of ours is as it was made; another as it was found."""
        try:
            space, link = self._spaces.find(before.place, before.name)
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
                    self._spaces.socket(at).do(requests.change_link(end.name, *attributes, up=up))
                if end is not link and end.up and not up:
                    self._keep_addresses(at, end)
                if claim and end is link and not up:
                    self._reader.look(at, end.name)
                done.append((at, end))
        except Refused:
            for at, end in done:
                self._spaces.socket(at).do(requests.change_link(end.name, ("IFLA_MTU", end.mtu), up=end.up))
            raise
        if link.mtu != mtu and space is self._spaces.underlay and not ours(link):
            self._reader.refresh(self._spaces.drain())
            self._overlay.retune()

    def _keep_addresses(self, space: Space, link: Link) -> None:
        """A host's namespace may drop IPv6 addresses with a link that goes down; ours belong to it until deleted."""
        had = tuple(space.addresses.get(link.index, {}).values())
        # What the kernel says of their going must be heard before they are back, of which it tells some time later.
        self._reader.refresh(self._spaces.drain())
        for address in had:
            gone = address.address not in space.addresses.get(link.index, {})
            if gone and address.family == AF_INET6 and not is_link_local_of(address, link):
                with contextlib.suppress(Refused):
                    self._addresses.give(space, link, address.address)

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


def _least_mtu(space: Space, bridge: Link) -> int | None:
    """What a bridge takes by itself: as much as the smallest of its ports."""
    return min((link.mtu for link in space.links.values() if link.master == bridge.index), default=None)
