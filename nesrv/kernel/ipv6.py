"""IPv6 of a link off and on: sysctl net.ipv6.conf.LINK.disable_ipv6."""

from __future__ import annotations

import errno
from socket import AF_INET6

from nesrv.kernel import namespaces, requests
from nesrv.kernel.explain import NO_IPV6
from nesrv.kernel.facts import NoIpv6
from nesrv.kernel.layout import Layout, describe
from nesrv.kernel.message import Link, LinkAddress
from nesrv.kernel.reader import Reader, is_link_local_of
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces


class Ipv6Switch:
    """Raises Refused.  The kernel tells nobody of the sysctl, so the link is asked for after each change."""

    def __init__(self, layout: Layout, spaces: Spaces, reader: Reader) -> None:
        self._layout, self._spaces, self._reader = layout, spaces, reader
        self._silenced: dict[NoIpv6, list[LinkAddress]] = {}

    def switch_off(self, fact: NoIpv6) -> None:
        """All its IPv6 addresses go; those that nesrv did not give it come back with IPv6."""
        space = self._spaces.at(fact.place)
        link = space.link(self._layout.link(fact.place, fact.link))
        if link is None:
            raise Refused(errno.ENODEV, f"there is no link {fact.link} in {describe(fact.place)}")
        had = space.addresses.get(link.index, {}).values()
        self._silenced[fact] = [one for one in had if one.family == AF_INET6 and not is_link_local_of(one, link)]
        self._write(space, link, "1")

    def switch_on(self, fact: NoIpv6) -> None:
        had = self._silenced.pop(fact, [])
        try:
            space = self._spaces.at(fact.place)
        except Refused:
            return
        link = space.link(self._layout.link(fact.place, fact.link))
        if link is None or link.ipv6:
            return
        self._write(space, link, "0")
        for one in had:
            request = requests.repeat_address(link.index, one.told)
            self._spaces.socket(space).do(request)
            self._spaces.put_address(space, request)
        self._reader.refresh({(space, link.index)})

    def _write(self, space: Space, link: Link, off: str) -> None:
        with namespaces.inside(space.path):
            namespaces.write_sysctls({NO_IPV6.format(link.name.replace(".", "/")): off})
        touched = self._spaces.drain()
        self._reader.refresh(touched | self._spaces.look(space, link.name))
