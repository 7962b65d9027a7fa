"""The MTU of the overlay: what VXLAN devices carry follows what the underlay does."""

from __future__ import annotations

import ipaddress

from pyroute2.netlink.rtnl.ifinfmsg import IFF_LOOPBACK

from nesrv.kernel import requests
from nesrv.kernel.facts import DEFAULT_MTU, OVERHEAD, Vxlan
from nesrv.kernel.reader import Reader, ours
from nesrv.kernel.records import Records
from nesrv.kernel.spaces import Spaces


class Overlay:
    """In bytes, all of them; raises Refused."""

    def __init__(self, spaces: Spaces, reader: Reader, records: Records) -> None:
        self._spaces, self._reader, self._records = spaces, reader, records

    def mtu_below(self) -> int:
        """What the smallest NIC of the underlay takes: of those adopted, or of all that are up; ports aside."""
        nics = [link for link in self._reader.foreign() if link.up and not link.flags & IFF_LOOPBACK]
        nics = [link for link in nics if link.name not in self._records.members and not link.master]
        shares = [link for link in self._spaces.underlay.links.values() if link.kind == "macvlan" and link.up]
        adopted = [link for link in nics if link.name in self._records.nics]
        adopted += [link for link in shares if ours(link) and not link.master]
        return min((link.mtu for link in adopted or nics), default=DEFAULT_MTU)

    def mtu(self, version: int) -> int:
        """The largest tenant packet that the underlay carries unfragmented."""
        return self.mtu_below() - OVERHEAD[version]

    def retune(self) -> None:
        """After an underlay MTU changed: the VXLAN devices, and with them their bridges, follow."""
        for fact in tuple(self._reader.actual.values()):
            if isinstance(fact, Vxlan):
                space, link = self._spaces.find(fact.place, fact.name)
                mtu = self.mtu(ipaddress.ip_address(fact.local).version)
                if link is not None and link.mtu != mtu:
                    self._spaces.socket(space).do(requests.change_link(fact.name, ("IFLA_MTU", mtu)))
