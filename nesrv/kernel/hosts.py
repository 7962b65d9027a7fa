"""Hosts that never speak stay announced: the kernel is asked to keep probing those that a gateway knows.

zebra announces the neighbours of a switch's gateway and withdraws them when the bridge forgets their MAC, which is
``ageing`` after their last packet.  A neighbour with NTF_EXT_MANAGED (Linux 5.16) is probed by the kernel itself before
that, with nesrv running or not; who answers is heard by the bridge, who does not is forgotten.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from socket import AF_INET, AF_INET6

from pyroute2.netlink.rtnl import RTM_NEWNEIGH, RTNLGRP_NEIGH
from pyroute2.netlink.rtnl.ndmsg import (
    NTF_EXT_LEARNED,
    NUD_DELAY,
    NUD_FAILED,
    NUD_PROBE,
    NUD_REACHABLE,
    NUD_STALE,
)

from nesrv.kernel import message as nl
from nesrv.kernel import requests
from nesrv.kernel.layout import SWITCH_MARK
from nesrv.kernel.reader import ours
from nesrv.kernel.sockets import Refused, listening_socket
from nesrv.kernel.spaces import DATAGRAM_BYTES, MONITOR_BYTES, Space, Spaces

logger = logging.getLogger(__name__)

MANAGED_SINCE = (5, 16)
KNOWN = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE
NDMSG = struct.Struct("=BxxxiHBB")
NDA_DST, NDA_FLAGS_EXT = 1, 15


@dataclass(frozen=True, slots=True)
class Neighbor:
    family: int
    link: int
    state: int
    learned: bool
    """Told by zebra: it is another element's."""
    managed: bool
    address: str


def parse_neighbor(body: bytes) -> Neighbor | None:
    """None for an entry of a bridge's table of MAC addresses."""
    family, link, state, flags, _type = NDMSG.unpack_from(body)
    if family not in (AF_INET, AF_INET6):
        return None
    found = dict(nl.attributes(body, NDMSG.size))
    (extended,) = struct.unpack("=I", found.get(NDA_FLAGS_EXT, bytes(4)))
    address = str(ipaddress.ip_address(found[NDA_DST]))
    return Neighbor(
        family, link, state, bool(flags & NTF_EXT_LEARNED), bool(extended & requests.NTF_EXT_MANAGED), address
    )


def supported() -> bool:
    """Older kernels pass the flag over and would take the request for another one."""
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return found is not None and (int(found[1]), int(found[2])) >= MANAGED_SINCE


class Hosts:
    """Listens for neighbours of all namespaces on a socket of its own."""

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces
        self.monitor = listening_socket(spaces.underlay.path, MONITOR_BYTES, (RTNLGRP_NEIGH,))
        for space in spaces:
            self._read(space)

    def close(self) -> None:
        self.monitor.close()

    def heard(self) -> None:
        """Takes in what was told since; never waits."""
        for space, body in self._told():
            if space is not None and (found := parse_neighbor(body)) is not None:
                self._mind(space, found)
        self._spaces.release()

    def _told(self) -> Iterator[tuple[Space | None, bytes]]:
        while True:
            try:
                data, ancillary, _flags, _sender = self.monitor.recvmsg(DATAGRAM_BYTES, 64)
            except BlockingIOError:
                return
            except OSError:
                logger.info("the kernel told of more neighbours than could be kept: reading them again")
                for known in self._spaces:
                    self._read(known)
                continue
            space = self._spaces.speaker(ancillary)
            for kind, _flags, _sequence, body in nl.messages(data):
                if kind == RTM_NEWNEIGH:
                    yield space, body

    def _read(self, space: Space) -> None:
        if not any(SWITCH_MARK in link.alias.split() for link in space.links.values()):
            return
        try:
            bodies = [
                body for one in (AF_INET, AF_INET6) for body in self._spaces.socket(space).dump(requests.neighbors(one))
            ]
        except Refused:
            return
        for body in bodies:
            if (found := parse_neighbor(body)) is not None:
                self._mind(space, found)

    def _mind(self, space: Space, found: Neighbor) -> None:
        if found.learned or not self._is_gateway(space, found):
            return
        if found.state & KNOWN and not found.managed:
            request = requests.manage_neighbor(found.family, found.link, found.address)
        elif found.state & NUD_FAILED and found.managed:
            # The kernel would go on asking everybody for who is gone.
            request = requests.forget_neighbor(found.family, found.link, found.address)
        else:
            return
        try:
            self._spaces.socket(space).do(request)
        except Refused as refused:
            logger.info("neighbour %s is left to itself: %s", found.address, refused.words)

    @staticmethod
    def _is_gateway(space: Space, found: Neighbor) -> bool:
        """Whether the link is a switch of ours that has an address to probe from."""
        link = space.links.get(found.link)
        if link is None or not ours(link) or SWITCH_MARK not in link.alias.split():
            return False
        return any(one.family == found.family for one in space.addresses.get(found.link, {}).values())
