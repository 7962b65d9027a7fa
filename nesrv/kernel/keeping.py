"""What a NIC keeps when it changes namespace or VRF: MTU, state, addresses, and the routes that people gave it.

A change of namespace takes all addresses away, a change of VRF those of IPv6.
"""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Callable, Iterable

from nesrv.kernel import message as nl
from nesrv.kernel import requests
from nesrv.kernel.layout import describe
from nesrv.kernel.message import Link
from nesrv.kernel.overlay import Overlay
from nesrv.kernel.reader import Reader, is_link_local_of
from nesrv.kernel.records import LinkState, NicRecord
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces

logger = logging.getLogger(__name__)


class Keeper:
    """Reads what a link has, and gives it back what it has lost; raises Refused."""

    def __init__(self, spaces: Spaces, reader: Reader, overlay: Overlay) -> None:
        self._spaces, self._reader, self._overlay = spaces, reader, overlay

    def state(self, space: Space, link: Link) -> LinkState:
        """The kernel makes link-local addresses of its own wherever the link goes."""
        found = space.addresses.get(link.index, {}).values()
        kept = tuple(one for one in found if one.scope in requests.LASTING and not is_link_local_of(one, link))
        socket = self._spaces.socket(space)
        told = [body for family in requests.FAMILIES for body in socket.dump(requests.routes_of(link.index, family))]
        return LinkState(link.mtu, link.up, kept, tuple(sorted(filter(nl.is_kept_route, told), key=nl.has_gateway)))

    def move(self, source: Space, link: Link, target: Space) -> None:
        with open(target.path, "rb") as handle:
            self._spaces.socket(source).do(requests.move_link(link.index, handle.fileno()))
        self._reader.refresh(self._spaces.drain())

    def settle(self, space: Space, name: str, state: LinkState) -> None:
        """Makes MTU, state, addresses and routes what ``state`` says, adding only what is missing."""
        link = space.link(name)
        if link is None:
            raise Refused(errno.ENODEV, f"{name} did not arrive in {describe(space.place)}")
        socket = self._spaces.socket(space)
        if (link.mtu, link.up) != (state.mtu, state.up):
            socket.do(requests.change_link(name, ("IFLA_MTU", state.mtu), up=state.up))
        present = space.addresses.get(link.index, {})
        for address in state.addresses:
            if address.address not in present:
                request = requests.repeat_address(link.index, address.told)
                socket.do(request)
                self._spaces.put_address(space, request)
        for route in state.routes:
            # One whose gateway is out of reach by now, or that is there again, is nobody's loss.
            with contextlib.suppress(Refused):
                socket.do(requests.repeat_route(link.index, route))
        self._reader.refresh(self._spaces.drain() | {(space, link.index)})

    def arrived(self, space: Space, name: str) -> None:
        """Records now say whose the NIC is, which the kernel does not; the overlay may get another MTU with it."""
        link = space.link(name)
        if link is not None:
            self._reader.refresh({(space, link.index)})
        self._overlay.retune()


def finish_moves(records: Iterable[NicRecord], finish: Callable[[NicRecord], None]) -> None:
    """Finishes each move that an earlier nesrv began; what is refused is logged and tried at the next start."""
    for record in tuple(records):
        if record.phase == "taken":
            continue
        logger.warning("finishing the move of %s (%s) that was cut short", record.name, record.phase)
        try:
            finish(record)
        except Refused as refused:
            logger.error("%s: %s", record.name, refused.words)
