"""What the kernel says of each network namespace that the element uses, kept current by one monitor socket.

The monitor hears of all namespaces (NETLINK_LISTEN_ALL_NSID), so no socket stays open in a
VRF's or a tenant's namespace: whoever deletes such a namespace really gets rid of it.
"""

from __future__ import annotations

import errno
import logging
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pyroute2.config import AF_BRIDGE
from pyroute2.netlink import NETLINK_LISTEN_ALL_NSID, SOL_NETLINK
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_DELLINK, RTM_DELNSID, RTM_NEWADDR, RTM_NEWLINK

from nesrv.kernel import message as nl
from nesrv.kernel import requests
from nesrv.kernel.facts import Place
from nesrv.kernel.layout import Layout, describe
from nesrv.kernel.message import Link, LinkAddress
from nesrv.kernel.namespaces import Identity, identity
from nesrv.kernel.sockets import Refused, RouteSocket, listening_socket, namespace_number

logger = logging.getLogger(__name__)

MONITOR_BYTES = 64 << 20
DATAGRAM_BYTES = 1 << 16
OPEN_SOCKETS = 256


@dataclass(eq=False, slots=True)
class Space:
    """One namespace: its links by index, their names, their addresses by link index and text."""

    path: Path
    identity: Identity
    place: Place
    number: int | None
    links: dict[int, Link] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    addresses: dict[int, dict[str, LinkAddress]] = field(default_factory=dict)

    def link(self, name: str) -> Link | None:
        index = self.names.get(name)
        return None if index is None else self.links[index]

    def put(self, link: Link) -> None:
        old = self.links.get(link.index)
        if old is not None and old.name != link.name and self.names.get(old.name) == link.index:
            del self.names[old.name]
        self.links[link.index] = link
        self.names[link.name] = link.index

    def drop(self, index: int) -> None:
        old = self.links.pop(index, None)
        if old is not None and self.names.get(old.name) == index:
            del self.names[old.name]
        self.addresses.pop(index, None)


Touched = set[tuple[Space, int]]
"""Links of which something was heard."""


class Spaces:
    """The namespaces of one element by place, with sockets that are open only while they are in use."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._spaces: dict[Identity, Space] = {}
        self._numbers: dict[int, Space] = {}
        self._sockets: dict[Identity, RouteSocket] = {}
        self._gone: list[Space] = []
        self._early: Touched = set()
        self.monitor: socket.socket | None = None

    def open(self) -> Space:
        """Begins to listen and reads the underlay's namespace; raises OSError where that is missing."""
        path = self.layout.namespace(Place("underlay"))
        self.monitor = listening_socket(path, MONITOR_BYTES)
        space = Space(path, identity(path), Place("underlay"), None)
        self._spaces[space.identity] = space
        self._read(space)
        return space

    def close(self) -> None:
        self.release()
        if self.monitor is not None:
            self.monitor.close()

    @property
    def underlay(self) -> Space:
        return next(iter(self._spaces.values()))

    def at(self, place: Place) -> Space:
        """The namespace in which the links of ``place`` live; raises Refused where there is none."""
        path = self.layout.namespace(place)
        try:
            key = identity(path)
        except FileNotFoundError:
            raise Refused(errno.ENOENT, f"{describe(place)} does not exist") from None
        space = self._spaces.get(key)
        return space if space is not None else self._join(Space(path, key, place, None))

    def find(self, place: Place, name: str) -> tuple[Space, Link | None]:
        """The link of a fact, by the name that the fact has for it; raises Refused where there is no such place."""
        space = self.at(place)
        return space, space.link(self.layout.link(place, name))

    def need(self, place: Place, name: str) -> tuple[Space, Link]:
        """Raises Refused where the link is missing, too."""
        space, link = self.find(place, name)
        if link is None:
            raise Refused(errno.ENODEV, f"there is no link {name} in {describe(place)}")
        return space, link

    def _join(self, space: Space) -> Space:
        try:
            space.number = namespace_number(self.socket(self.underlay), space.path)
        except OSError as error:
            raise Refused(error.errno or errno.EINVAL, f"{describe(space.place)}: {error.strerror}") from None
        # A namespace that ended before may have had this number: what is still to be heard of it is not about this one.
        self._early |= self._hear()
        self._spaces[space.identity] = space
        self._numbers[space.number] = space
        self._read(space)
        return space

    def __iter__(self) -> Iterator[Space]:
        return iter(tuple(self._spaces.values()))

    def socket(self, space: Space) -> RouteSocket:
        """Good until :meth:`release`."""
        found = self._sockets.get(space.identity)
        if found is None:
            if len(self._sockets) >= OPEN_SOCKETS:
                self.release()
            try:
                found = self._sockets[space.identity] = RouteSocket(space.path)
            except OSError as error:
                raise Refused(error.errno or errno.EINVAL, f"{describe(space.place)}: {error.strerror}") from None
        return found

    @contextmanager
    def socket_apart(self, space: Space) -> Iterator[RouteSocket]:
        """One that nobody else uses, for a thread; raises Refused."""
        try:
            found = RouteSocket(space.path)
        except OSError as error:
            raise Refused(error.errno or errno.EINVAL, f"{describe(space.place)}: {error.strerror}") from None
        try:
            yield found
        finally:
            found.close()

    def release(self) -> None:
        """Closes the request sockets, so that no namespace is kept alive by them."""
        for open_socket in self._sockets.values():
            open_socket.close()
        self._sockets.clear()

    def forget(self, space: Space) -> None:
        """The namespace is no more the element's business."""
        self._spaces.pop(space.identity, None)
        if space.number is not None:
            self._numbers.pop(space.number, None)
        if (open_socket := self._sockets.pop(space.identity, None)) is not None:
            open_socket.close()

    def peer_is(self, space: Space, number: int | None, other: Space) -> bool:
        """Whether ``other`` is the namespace that ``space`` knows by ``number`` (None: itself)."""
        if number is None or space is other:
            return number is None and space is other
        try:
            return namespace_number(self.socket(space), other.path) == number
        except (OSError, Refused):
            return False

    def _read(self, space: Space) -> None:
        asked = self.socket(space)
        space.links.clear()
        space.names.clear()
        space.addresses.clear()
        for body in asked.dump(requests.LINKS):
            space.put(nl.parse_link(body))
        for body in asked.dump(requests.ADDRESSES):
            address = nl.parse_address(body)
            space.addresses.setdefault(address.index, {})[address.address] = address

    def put_address(self, space: Space, request: bytes) -> None:
        """An address that the kernel took: of IPv6 ones it tells only some time later."""
        ((_kind, _flags, _sequence, body),) = nl.messages(request)
        address = nl.parse_address(body)
        space.addresses.setdefault(address.index, {})[address.address] = address

    def look(self, space: Space, name: str) -> Touched:
        """Asks for one link: of a new alias on a link that is down the kernel tells nobody."""
        link = nl.parse_link(self.socket(space).ask(requests.get_link(name, requests.WITHOUT_COUNTERS)))
        space.put(link)
        return {(space, link.index)}

    def drain(self) -> Touched:
        """Takes in all that the kernel has told since; never waits.  Reads all again where the kernel lost some."""
        touched = self._hear()
        touched |= self._early
        self._early = set()
        return touched

    def _hear(self) -> Touched:
        assert self.monitor is not None
        touched: Touched = set()
        links: dict[tuple[Space, int], bytes] = {}
        while True:
            try:
                data, ancillary, _flags, _sender = self.monitor.recvmsg(DATAGRAM_BYTES, 64)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                logger.warning("the kernel told more than could be kept: reading everything again")
                links.clear()
                touched |= self.read_again()
                continue
            space = self.speaker(ancillary)
            for kind, _flags, _sequence, body in nl.messages(data):
                if kind == RTM_DELNSID and space is self.underlay:
                    touched |= self._lose(body)
                elif space is not None:
                    self._take_in(space, kind, body, links, touched)
        for (space, _index), body in links.items():
            space.put(nl.parse_link(body))
        return touched

    def speaker(self, ancillary: list[tuple[int, int, bytes]]) -> Space | None:
        for level, kind, data in ancillary:
            if level == SOL_NETLINK and kind == NETLINK_LISTEN_ALL_NSID:
                return self._numbers.get(struct.unpack("=i", data[:4])[0])
        return self.underlay

    @staticmethod
    def _take_in(space: Space, kind: int, body: bytes, links: dict[tuple[Space, int], bytes], touched: Touched) -> None:
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            family, _type, index, _state, _change = nl.IFINFO.unpack_from(body)
            if family == AF_BRIDGE:
                return
            touched.add((space, index))
            if kind == RTM_NEWLINK:
                links[space, index] = body
            else:
                links.pop((space, index), None)
                space.drop(index)
        elif kind in (RTM_NEWADDR, RTM_DELADDR):
            address = nl.parse_address(body)
            touched.add((space, address.index))
            if kind == RTM_NEWADDR:
                space.addresses.setdefault(address.index, {})[address.address] = address
            else:
                space.addresses.get(address.index, {}).pop(address.address, None)

    def _lose(self, body: bytes) -> Touched:
        """A namespace ended: all links in it went as well."""
        number = dict(nl.attributes(body, 4)).get(nl.NETNSA_NSID)
        space = self._numbers.get(struct.unpack("=i", number)[0]) if number else None
        if space is None:
            return set()
        self.forget(space)
        self._gone.append(space)
        touched = {(space, index) for index in space.links}
        for index in tuple(space.links):
            space.drop(index)
        return touched

    def taken_away(self) -> list[Space]:
        """Namespaces that ended since the last call."""
        gone, self._gone = self._gone, []
        return gone

    def read_again(self) -> Touched:
        """Asks the kernel for everything anew: news were lost, or what they said is in doubt."""
        touched: Touched = set()
        for space in self:
            touched |= {(space, index) for index in space.links}
            try:
                self._read(space)
            except Refused:
                self.forget(space)
                self._gone.append(space)
                for index in tuple(space.links):
                    space.drop(index)
            touched |= {(space, index) for index in space.links}
        return touched
