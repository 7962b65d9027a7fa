"""IP addresses on links: what the fact means in rtnetlink messages."""

from __future__ import annotations

from socket import AF_INET

from nesrv.kernel import requests
from nesrv.kernel.facts import Address
from nesrv.kernel.message import Link
from nesrv.kernel.reader import Reader
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces


class Addresses:
    """Reads before it writes and never writes what is already so; raises Refused."""

    def __init__(self, spaces: Spaces, reader: Reader) -> None:
        self._spaces, self._reader = spaces, reader

    def add(self, fact: Address) -> None:
        space, link = self._spaces.need(fact.place, fact.link)
        if fact.address not in space.addresses.get(link.index, {}):
            self.give(space, link, fact.address)

    def give(self, space: Space, link: Link, address: str) -> None:
        request = requests.add_address(link.index, address)
        self._spaces.socket(space).do(request)
        self._spaces.put_address(space, request)
        self._reader.refresh({(space, link.index)})

    def announce(self, fact: Address) -> None:
        """Has the kernel tell of an address that is there as if it were new."""
        space, link = self._spaces.find(fact.place, fact.link)
        if link is not None and (there := space.addresses.get(link.index, {}).get(fact.address)) is not None:
            self._spaces.socket(space).do(requests.announce_address(link.index, there.told))

    def remove(self, fact: Address) -> None:
        """The others of its subnet stay, though the kernel takes secondary ones away with the first."""
        try:
            space, link = self._spaces.find(fact.place, fact.link)
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
