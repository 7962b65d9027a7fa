"""What rtnetlink says: messages, attributes, links, addresses; no I/O.

Read by own code where requests are pyroute2's (``requests``), because reading is on every path:
each step is answered by notifications, each start begins with dumps.  For what is read here of
a link pyroute2's decoder takes 220 µs, this one 13 µs.  Their answers are equal: a test sees to it.
"""

from __future__ import annotations

import ipaddress
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from socket import AF_INET6
from typing import Any

from pyroute2.netlink import NLA_F_NESTED, NLA_F_NET_BYTEORDER
from pyroute2.netlink.rtnl.ifaddrmsg import IFA_F_DADFAILED, IFA_F_TENTATIVE, ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import IFF_UP, ifinfmsg
from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from nesrv.kernel.facts import Suppression


def _numbers(message: Any, prefix: str, names: str) -> Iterator[int]:
    """pyroute2 lists the attributes of a message in the order of their numbers."""
    known = [name for name, *_form in message.nla_map]
    return (known.index(prefix + name) for name in names.split())


IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER, IFLA_LINKINFO, IFLA_IFALIAS, IFLA_GROUP = _numbers(
    ifinfmsg, "IFLA_", "ADDRESS IFNAME MTU LINK MASTER LINKINFO IFALIAS GROUP"
)
IFLA_LINK_NETNSID, IFLA_OPERSTATE, IFLA_STATS64 = _numbers(ifinfmsg, "IFLA_", "LINK_NETNSID OPERSTATE STATS64")
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA = _numbers(
    ifinfmsg.ifinfo, "IFLA_INFO_", "KIND DATA SLAVE_KIND SLAVE_DATA"
)
(IFLA_BR_AGEING_TIME,) = _numbers(ifinfmsg.ifinfo.data_map["bridge"], "IFLA_BR_", "AGEING_TIME")
IFLA_BRPORT_LEARNING, IFLA_BRPORT_NEIGH_SUPPRESS, IFLA_BRPORT_PROXYARP_WIFI = _numbers(
    ifinfmsg.ifinfo.bridge_slave_data, "IFLA_BRPORT_", "LEARNING NEIGH_SUPPRESS PROXYARP_WIFI"
)
IFLA_VXLAN_ID, IFLA_VXLAN_LOCAL, IFLA_VXLAN_PORT, IFLA_VXLAN_LOCAL6 = _numbers(
    ifinfmsg.ifinfo.data_map["vxlan"], "IFLA_VXLAN_", "ID LOCAL PORT LOCAL6"
)
(IFLA_VLAN_ID,) = _numbers(ifinfmsg.ifinfo.data_map["vlan"], "IFLA_VLAN_", "ID")
(IFLA_MACVLAN_MODE,) = _numbers(ifinfmsg.ifinfo.data_map["macvlan"], "IFLA_MACVLAN_", "MODE")
IFLA_AF_SPEC, IFLA_INET6_CONF = 26, 2
"""linux/if_link.h; of AF_INET6 inside AF_SPEC pyroute2 has several tables."""
(IFLA_VRF_TABLE,) = _numbers(ifinfmsg.ifinfo.data_map["vrf"], "IFLA_VRF_", "TABLE")
IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS, IFA_PROTO = _numbers(ifaddrmsg, "IFA_", "ADDRESS LOCAL FLAGS PROTO")
RTA_GATEWAY, RTA_MULTIPATH = _numbers(rtmsg, "RTA_", "GATEWAY MULTIPATH")
(NETNSA_NSID,) = _numbers(nsidmsg, "NETNSA_", "NSID")

IFAPROT_KERNEL_LL = 2
"""Of an address that the kernel made itself (linux/if_addr.h)."""

DISABLE_IPV6 = slice(26 * 4, 27 * 4)
"""Where the array IFLA_INET6_CONF says it (DEVCONF_DISABLE_IPV6, linux/ipv6.h)."""
MACVLAN_MODES = {1: "private", 2: "vepa", 4: "bridge", 8: "passthru"}
KEPT_PROTOCOLS = frozenset({3, 4, 16})
"""Routes set by people and DHCP (boot, static, dhcp); the kernel's, RA's and routing daemons' come by themselves."""
RTN_UNICAST = 1

NLA_TYPE_MASK = 0xFFFF & ~(NLA_F_NESTED | NLA_F_NET_BYTEORDER)

HEADER = struct.Struct("=IHHII")
ATTRIBUTE = struct.Struct("=HH")
IFINFO = struct.Struct("=BxHiII")
ROUTE = struct.Struct("=BBBBBBBBI")
IFADDR = struct.Struct("=BBBBi")


def attributes(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """(type, payload) pairs from ``offset`` on."""
    end = len(data)
    while offset + 4 <= end:
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            return
        yield kind & NLA_TYPE_MASK, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


def messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """(type, flags, sequence number, body) of each message in what one ``recv`` returned."""
    offset, end = 0, len(data)
    while offset + 16 <= end:
        length, kind, flags, sequence, _port = HEADER.unpack_from(data, offset)
        if length < 16:
            return
        yield kind, flags, sequence, data[offset + 16 : offset + length]
        offset += (length + 3) & ~3


@dataclass(frozen=True, slots=True)
class Link:
    """A link as the kernel describes it; 0 and "" stand for what it has not.

    ``ageing`` is a bridge's, in hundredths of a second; ``learning`` and ``suppress`` are those of a bridge's port.
    """

    index: int
    name: str
    kind: str
    flags: int
    mtu: int
    mac: str
    master: int
    peer: int
    peer_namespace: int | None
    group: int
    alias: str
    vni: int
    local: str
    port: int
    table: int
    ageing: int
    learning: bool
    suppress: Suppression
    vlan: int = 0
    mode: str = ""
    ipv6: bool = True

    @property
    def up(self) -> bool:
        return bool(self.flags & IFF_UP)


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """An address on a link: ``address`` as ADDRESS/LENGTH, ``told`` the ``ifaddrmsg`` that said it."""

    index: int
    address: str
    scope: int
    family: int
    protocol: int
    told: bytes

    @property
    def serves(self) -> bool:
        """Whether duplicate detection is over, and was well."""
        return not IFADDR.unpack_from(self.told)[2] & (IFA_F_TENTATIVE | IFA_F_DADFAILED)


def _string(payload: bytes) -> str:
    return payload.rstrip(b"\0").decode("utf-8", "replace")


def _number(payload: bytes) -> int:
    return int.from_bytes(payload[:4], sys.byteorder)


def _inet6_conf(families: bytes) -> bytes:
    inet6 = dict(attributes(families, 0)).get(AF_INET6, b"")
    return dict(attributes(inet6, 0)).get(IFLA_INET6_CONF, b"")


def parse_link(body: bytes) -> Link:
    _family, _type, index, flags, _change = IFINFO.unpack_from(body)
    found = dict(attributes(body, 16))
    kind, data, port = "", {}, {}
    if IFLA_LINKINFO in found:
        info = dict(attributes(found[IFLA_LINKINFO], 0))
        kind = _string(info.get(IFLA_INFO_KIND, b""))
        if kind in ("vxlan", "vrf", "vlan", "macvlan", "bridge"):
            data = dict(attributes(info.get(IFLA_INFO_DATA, b""), 0))
        if _string(info.get(IFLA_INFO_SLAVE_KIND, b"")) == "bridge":
            port = dict(attributes(info.get(IFLA_INFO_SLAVE_DATA, b""), 0))
    vxlan = kind == "vxlan"
    local = (data.get(IFLA_VXLAN_LOCAL) or data.get(IFLA_VXLAN_LOCAL6) or b"") if vxlan else b""
    namespace = found.get(IFLA_LINK_NETNSID)
    return Link(
        index=index,
        name=_string(found.get(IFLA_IFNAME, b"")),
        kind=kind,
        flags=flags,
        mtu=_number(found.get(IFLA_MTU, b"")),
        mac=found.get(IFLA_ADDRESS, b"").hex(":"),
        master=_number(found.get(IFLA_MASTER, b"")),
        peer=_number(found.get(IFLA_LINK, b"")),
        peer_namespace=struct.unpack("=i", namespace)[0] if namespace else None,
        group=_number(found.get(IFLA_GROUP, b"")),
        alias=_string(found.get(IFLA_IFALIAS, b"")),
        vni=_number(data[IFLA_VXLAN_ID]) if vxlan else 0,
        local=str(ipaddress.ip_address(local)) if local else "",
        port=int.from_bytes(data[IFLA_VXLAN_PORT], "big") if vxlan else 0,
        table=_number(data[IFLA_VRF_TABLE]) if kind == "vrf" else 0,
        vlan=int.from_bytes(data[IFLA_VLAN_ID][:2], sys.byteorder) if kind == "vlan" else 0,
        mode=MACVLAN_MODES.get(_number(data[IFLA_MACVLAN_MODE]), "") if kind == "macvlan" else "",
        ipv6=not any(_inet6_conf(found.get(IFLA_AF_SPEC, b""))[DISABLE_IPV6]),
        ageing=_number(data[IFLA_BR_AGEING_TIME]) if kind == "bridge" else 0,
        learning=_flag(port, IFLA_BRPORT_LEARNING),
        suppress=_suppression(port),
    )


def _flag(found: Mapping[int, bytes], which: int) -> bool:
    return found.get(which, b"\0") != b"\0"


def _suppression(port: Mapping[int, bytes]) -> Suppression:
    if _flag(port, IFLA_BRPORT_NEIGH_SUPPRESS):
        return "all"
    return "arp" if _flag(port, IFLA_BRPORT_PROXYARP_WIFI) else "none"


def parse_address(body: bytes) -> LinkAddress:
    family, length, _flags, scope, index = IFADDR.unpack_from(body)
    found = dict(attributes(body, 8))
    packed = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS, b"")
    return LinkAddress(
        index=index,
        address=f"{ipaddress.ip_address(packed)}/{length}",
        scope=scope,
        family=family,
        protocol=found.get(IFA_PROTO, b"\0")[0],
        told=body,
    )


def is_kept_route(body: bytes) -> bool:
    """Whether the route is one of those that a NIC keeps: unicast over it alone, and not made by itself again."""
    *_, protocol, _scope, kind, _flags = ROUTE.unpack_from(body)
    gone = RTA_MULTIPATH in dict(attributes(body, ROUTE.size))
    return protocol in KEPT_PROTOCOLS and kind == RTN_UNICAST and not gone


def has_gateway(body: bytes) -> bool:
    return RTA_GATEWAY in dict(attributes(body, ROUTE.size))
