"""Host ends of legs as ports of bridges of the host, found there or made by nesrv."""

from __future__ import annotations

import errno

from nesrv.kernel import requests
from nesrv.kernel.facts import DEFAULT_AGEING, HostPort, Place
from nesrv.kernel.layout import HOST_BRIDGE_MARK, OUR_GROUP, PORT_ALIAS, alias, describe
from nesrv.kernel.message import Link
from nesrv.kernel.reader import Reader, ours
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces


class HostBridges:
    """Raises Refused, with what it did itself taken back."""

    def __init__(self, spaces: Spaces, reader: Reader) -> None:
        self._spaces, self._reader = spaces, reader

    def attach(self, fact: HostPort) -> None:
        space = self._spaces.at(fact.host)
        port = space.link(fact.name)
        if port is None:
            raise Refused(errno.ENODEV, f"there is no link {fact.name} in {describe(fact.host)}")
        bridge, made = space.link(fact.bridge), False
        if bridge is None:
            bridge, made = self._made(space, fact), True
        if bridge.kind != "bridge":
            raise Refused(errno.EINVAL, f"{fact.bridge} in {describe(fact.host)} is no bridge")
        socket = self._spaces.socket(space)
        try:
            socket.do(requests.change_link(fact.name, ("IFLA_MASTER", bridge.index), ("IFLA_IFALIAS", PORT_ALIAS)))
            self._reader.look(space, fact.name)
            if made:
                # Complete only now: a bridge without a port of ours nobody would remove.
                socket.do(requests.change_link(fact.bridge, ("IFLA_IFALIAS", alias(HOST_BRIDGE_MARK)), up=True))
        except Refused:
            if made:
                socket.do(requests.delete_link(bridge.index))
            raise

    def change(self, before: HostPort, after: HostPort) -> None:
        self.attach(after)
        self._reader.refresh(self._spaces.drain())
        self._drop_unused(before.host, before.bridge, after.name)

    def detach(self, fact: HostPort) -> None:
        try:
            space = self._spaces.at(fact.host)
        except Refused:
            return
        self._drop_unused(fact.host, fact.bridge, fact.name)
        if space.link(fact.name) is not None:
            free = requests.change_link(fact.name, ("IFLA_MASTER", 0), ("IFLA_IFALIAS", ""))
            self._spaces.socket(space).do(free)
            self._reader.look(space, fact.name)

    def _made(self, space: Space, fact: HostPort) -> Link:
        if not fact.create:
            raise Refused(errno.ENODEV, f"there is no bridge {fact.bridge} in {describe(fact.host)}")
        request = requests.make_link(fact.bridge, requests.bridge(DEFAULT_AGEING), ("IFLA_GROUP", OUR_GROUP))
        self._spaces.socket(space).do(request)
        self._reader.look(space, fact.bridge)
        found = space.link(fact.bridge)
        assert found is not None
        return found

    def _drop_unused(self, host: Place, name: str, leaving: str) -> None:
        """Removes a bridge that nesrv made when ``leaving`` is the last of its ports that are nesrv's."""
        space = self._spaces.at(host)
        bridge = space.link(name)
        if bridge is None or not ours(bridge) or HOST_BRIDGE_MARK not in bridge.alias.split():
            return
        ports = (fact for fact in self._reader.actual.values() if isinstance(fact, HostPort))
        if not any((port.host, port.bridge) == (host, name) and port.name != leaving for port in ports):
            self._spaces.socket(space).do(requests.delete_link(bridge.index))
