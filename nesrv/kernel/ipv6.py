"""IPv6 of a link off and on: sysctl net.ipv6.conf.LINK.disable_ipv6."""

from __future__ import annotations

from socket import AF_INET6

from nesrv.kernel import namespaces, requests, sysctls
from nesrv.kernel.facts import NoIpv6
from nesrv.kernel.message import Link, LinkAddress
from nesrv.kernel.reader import Reader, is_link_local_of
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces


class Ipv6Switch:
    """Raises Refused.  The kernel tells nobody of the sysctl, so the link is asked for after each change."""

    def __init__(self, spaces: Spaces, reader: Reader) -> None:
        self._spaces, self._reader = spaces, reader
        self._silenced: dict[NoIpv6, list[LinkAddress]] = {}

    def switch_off(self, fact: NoIpv6) -> None:
        """All its IPv6 addresses go; those that nesrv did not give it come back with IPv6."""
        space, link = self._spaces.need(fact.place, fact.link)
        had = space.addresses.get(link.index, {}).values()
        self._silenced[fact] = [one for one in had if one.family == AF_INET6 and not is_link_local_of(one, link)]
        self._write(space, link, off=True)

    def switch_on(self, fact: NoIpv6) -> None:
        had = self._silenced.pop(fact, [])
        try:
            space, link = self._spaces.find(fact.place, fact.link)
        except Refused:
            return
        if link is None or link.ipv6:
            return
        self._write(space, link, off=False)
        for one in had:
            request = requests.repeat_address(link.index, one.told)
            self._spaces.socket(space).do(request)
            self._spaces.put_address(space, request)
        self._reader.refresh({(space, link.index)})

    def _write(self, space: Space, link: Link, *, off: bool) -> None:
        with namespaces.inside(space.path):
            namespaces.write_sysctls(sysctls.of_ipv6(link.name, off=off))
        self._reader.look(space, link.name)
