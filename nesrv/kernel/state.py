"""What links do right now (operational status, counters, addresses): asked of the kernel at each call.

The monitor's picture (``spaces``) is kept free of counters, which change with every packet.
"""

from __future__ import annotations

import errno
import logging
import struct
from collections.abc import Iterable, Iterator

from pyroute2.netlink.rtnl.ifaddrmsg import IFA_F_PERMANENT, IFA_F_TEMPORARY

from nesrv.features.state.interfaces import AddressState, Counters, LinkState
from nesrv.kernel import message as nl
from nesrv.kernel import requests
from nesrv.kernel.facts import Place
from nesrv.kernel.layout import Layout, describe
from nesrv.kernel.reader import is_link_local_of
from nesrv.kernel.sockets import Refused, RouteSocket

logger = logging.getLogger(__name__)

STATS64 = struct.Struct("=8Q")
"""The head of rtnl_link_stats64: packets, bytes, errors, drops, each received and sent."""
ONE_BY_ONE = 8
"""Up to so many links are asked for by name, more in one dump."""


class LinkReader:
    """Links of one element, wherever they live."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def read(self, place: Place, names: Iterable[str]) -> dict[str, LinkState]:
        """The links of these names in ``place`` by name; what is not there is missing, a place too."""
        wanted = {self._layout.link(place, name): name for name in names}
        try:
            socket = RouteSocket(self._layout.namespace(place))
        except OSError as error:
            logger.info("%s cannot be asked for its links: %s", describe(place), error)
            return {}
        try:
            bodies = _by_name(socket, wanted) if len(wanted) <= ONE_BY_ONE else _all(socket, wanted)
            return {wanted[link.name]: _state(link, body, addresses) for link, body, addresses in bodies}
        except (OSError, Refused) as error:
            logger.warning("%s does not tell of its links: %s", describe(place), error)
            return {}
        finally:
            socket.close()


Told = tuple[nl.Link, bytes, list[bytes]]


def _by_name(socket: RouteSocket, names: Iterable[str]) -> Iterator[Told]:
    for name in names:
        try:
            body = socket.ask(requests.get_link(name))
        except Refused as refused:
            if refused.code != errno.ENODEV:
                raise
            continue
        link = nl.parse_link(body)
        yield link, body, socket.dump(requests.addresses_of(link.index))


def _all(socket: RouteSocket, names: Iterable[str]) -> Iterator[Told]:
    addresses: dict[int, list[bytes]] = {}
    for body in socket.dump(requests.ADDRESSES):
        addresses.setdefault(nl.IFADDR.unpack_from(body)[4], []).append(body)
    known = frozenset(names)
    for body in socket.dump(requests.LINKS_WITH_COUNTERS):
        link = nl.parse_link(body)
        if link.name in known:
            yield link, body, addresses.get(link.index, [])


def _state(link: nl.Link, body: bytes, addresses: Iterable[bytes]) -> LinkState:
    found = dict(nl.attributes(body, nl.IFINFO.size))
    status = found.get(nl.IFLA_OPERSTATE, b"\0")[0]
    return LinkState(
        name=link.name,
        index=link.index,
        up=link.up,
        status=status,
        mtu=link.mtu,
        counters=_counters(found.get(nl.IFLA_STATS64, b"")),
        addresses=tuple(_address(link, address) for address in addresses),
    )


def _counters(data: bytes) -> Counters:
    return Counters(*(STATS64.unpack_from(data) if len(data) >= STATS64.size else (0,) * 8))


def _address(link: nl.Link, body: bytes) -> AddressState:
    address = nl.parse_address(body)
    flags = dict(nl.attributes(body, nl.IFADDR.size)).get(nl.IFA_FLAGS, body[2:3].ljust(4, b"\0"))
    (bits,) = struct.unpack("=I", flags)
    if is_link_local_of(address, link):
        origin = "LINK_LAYER"
    elif bits & IFA_F_PERMANENT:
        origin = "STATIC"
    else:
        origin = "RANDOM" if bits & IFA_F_TEMPORARY else "OTHER"
    return AddressState(address.address, origin)
