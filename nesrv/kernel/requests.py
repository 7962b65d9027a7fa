"""What nesrv asks of rtnetlink: each function is one request, encoded by pyroute2; no I/O.

A request is a whole netlink message; ``sockets`` only stamps it with its sequence number.  One
takes 35 to 140 µs to encode, all those of a VRF with VXLAN and leg together 0.8 ms.
Attributes have pyroute2's names, which are the kernel's (linux/if_link.h, if_addr.h, rtnetlink.h).
"""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6
from typing import Any

from pyroute2.netlink import NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST
from pyroute2.netlink.rtnl import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELNEIGH,
    RTM_DELROUTE,
    RTM_DELRULE,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_GETNEIGH,
    RTM_GETNSID,
    RTM_GETROUTE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWNEIGH,
    RTM_NEWNSID,
    RTM_NEWROUTE,
    RTM_NEWRULE,
    RTM_SETLINK,
    rt_proto,
    rt_type,
)
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import IFA_F_NODAD, ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import IFF_UP, ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from nesrv.kernel.facts import Suppression
from nesrv.kernel.layout import TICKS
from nesrv.kernel.message import HEADER

Attribute = tuple[str, Any]

DO = NLM_F_REQUEST | NLM_F_ACK
MAKE = DO | NLM_F_CREATE | NLM_F_EXCL
DUMP = NLM_F_REQUEST | NLM_F_DUMP

ADDR_GEN_MODE_EUI64, ADDR_GEN_MODE_NONE, RTEXT_FILTER_SKIP_STATS, RT_TABLE_COMPAT = 0, 1, 8, 252
RT_TABLE_LOCAL, FR_ACT_TO_TBL = 255, 1
VLAN_FLAG_LOOSE_BINDING = 4
RT_TABLE_MAIN = 254
FAMILIES = (AF_INET, AF_INET6)
LASTING = (0, 253)
"""Scopes of addresses that people give: global and link."""
NTF_EXT_MANAGED = 1
ANY_NUMBER = (1 << 32) - 1
"""Of a namespace: -1 as the unsigned number that pyroute2 takes it for."""


def _nest(name: str, *attributes: Attribute) -> Attribute:
    return name, {"attrs": attributes}


WITHOUT_COUNTERS: Attribute = ("IFLA_EXT_MASK", RTEXT_FILTER_SKIP_STATS)

NO_LINK_LOCAL = _nest("IFLA_AF_SPEC", _nest("AF_INET6", ("IFLA_INET6_ADDR_GEN_MODE", ADDR_GEN_MODE_NONE)))
"""``addrgenmode none``."""

LINK_LOCAL = _nest("IFLA_AF_SPEC", _nest("AF_INET6", ("IFLA_INET6_ADDR_GEN_MODE", ADDR_GEN_MODE_EUI64)))
"""``addrgenmode eui64``."""

REPEATED = tuple(
    f"IFA_{name}" for name in ("ADDRESS", "LOCAL", "LABEL", "BROADCAST", "FLAGS", "RT_PRIORITY", "CACHEINFO")
)
"""Attributes of an address that can be sent back as they were read."""

ROUTE_REPEATED = tuple(f"RTA_{name}" for name in ("DST", "SRC", "PRIORITY", "GATEWAY", "PREFSRC", "METRICS", "PREF"))
RTNH_F_ONLINK = 4

NUMBERS_CACHED = 256


def _encoded(message: Any, verb: int, how: int, *attributes: Attribute, **fields: int) -> bytes:
    message["header"].update(type=verb, flags=how)
    message.update(fields)
    message["attrs"] = list(attributes)
    message.encode()
    return bytes(message.data)


def _kind(kind: str, *data: Attribute) -> Attribute:
    return _nest("IFLA_LINKINFO", ("IFLA_INFO_KIND", kind), _nest("IFLA_INFO_DATA", *data))


# -- links


def make_link(name: str, kind: Attribute, *attributes: Attribute) -> bytes:
    return _encoded(ifinfmsg(), RTM_NEWLINK, MAKE, ("IFLA_IFNAME", name), *attributes, kind)


def bridge(ageing: int) -> Attribute:
    """``ageing`` in seconds."""
    return _kind("bridge", ("IFLA_BR_STP_STATE", 0), ("IFLA_BR_AGEING_TIME", ageing * TICKS))


def bridge_ageing(ageing: int) -> Attribute:
    return _kind("bridge", ("IFLA_BR_AGEING_TIME", ageing * TICKS))


def _port(*data: Attribute) -> Attribute:
    return _nest("IFLA_LINKINFO", ("IFLA_INFO_SLAVE_KIND", "bridge"), _nest("IFLA_INFO_SLAVE_DATA", *data))


def evpn_port(suppress: Suppression) -> Attribute:
    """``type bridge_slave learning off neigh_suppress on|off proxy_arp_wifi on|off``."""
    both, arp = int(suppress == "all"), int(suppress == "arp")
    return _port(("IFLA_BRPORT_LEARNING", 0), ("IFLA_BRPORT_NEIGH_SUPPRESS", both), ("IFLA_BRPORT_PROXYARP_WIFI", arp))


def port(learning: bool) -> Attribute:
    return _port(("IFLA_BRPORT_LEARNING", int(learning)))


def vrf(table: int) -> Attribute:
    return _kind("vrf", ("IFLA_VRF_TABLE", table))


def vxlan(vni: int, local: str, port: int) -> Attribute:
    source = "IFLA_VXLAN_LOCAL6" if ":" in local else "IFLA_VXLAN_LOCAL"
    return _kind(
        "vxlan", ("IFLA_VXLAN_ID", vni), (source, local), ("IFLA_VXLAN_PORT", port), ("IFLA_VXLAN_LEARNING", 0)
    )


def veth(peer: str, namespace: int) -> Attribute:
    """``namespace`` is an open file descriptor of the one in which the peer is made."""
    return _kind("veth", _nest("VETH_INFO_PEER", ("IFLA_IFNAME", peer), ("IFLA_NET_NS_FD", namespace)))


def vlan(number: int) -> Attribute:
    """It can be up while its NIC is down."""
    flags = {"flags": VLAN_FLAG_LOOSE_BINDING, "mask": VLAN_FLAG_LOOSE_BINDING}
    return _kind("vlan", ("IFLA_VLAN_ID", number), ("IFLA_VLAN_FLAGS", flags))


def macvlan(mode: str) -> Attribute:
    return _kind("macvlan", ("IFLA_MACVLAN_MODE", mode))


def change_link(name: str, *attributes: Attribute, up: bool | None = None) -> bytes:
    """``up`` None leaves the administrative state as it is."""
    return _encoded(
        ifinfmsg(),
        RTM_NEWLINK,
        DO,
        ("IFLA_IFNAME", name),
        *attributes,
        flags=IFF_UP if up else 0,
        change=0 if up is None else IFF_UP,
    )


def group_link(index: int, group: int) -> bytes:
    return _encoded(ifinfmsg(), RTM_NEWLINK, DO, ("IFLA_GROUP", group), index=index)


def move_link(index: int, namespace: int) -> bytes:
    """``namespace`` is an open file descriptor of it."""
    return _encoded(ifinfmsg(), RTM_SETLINK, DO, ("IFLA_NET_NS_FD", namespace), index=index)


def delete_link(index: int) -> bytes:
    return _encoded(ifinfmsg(), RTM_DELLINK, DO, index=index)


def delete_named(name: str) -> bytes:
    return _encoded(ifinfmsg(), RTM_DELLINK, DO, ("IFLA_IFNAME", name))


def delete_group(group: int) -> bytes:
    return _encoded(ifinfmsg(), RTM_DELLINK, DO, ("IFLA_GROUP", group))


def get_link(name: str, *attributes: Attribute) -> bytes:
    return _encoded(ifinfmsg(), RTM_GETLINK, DO, ("IFLA_IFNAME", name), *attributes)


LINKS = _encoded(ifinfmsg(), RTM_GETLINK, DUMP, WITHOUT_COUNTERS)
LINKS_WITH_COUNTERS = _encoded(ifinfmsg(), RTM_GETLINK, DUMP)
LOOPBACK_UP = _encoded(ifinfmsg(), RTM_NEWLINK, DO, index=1, flags=IFF_UP, change=IFF_UP)


# -- addresses and routes


def add_address(index: int, address: str) -> bytes:
    """``address`` is ADDRESS/LENGTH; an IPv6 one skips duplicate detection, so that it serves at once."""
    return _address(RTM_NEWADDR, MAKE, index, address)


def announce_address(index: int, told: bytes) -> bytes:
    """Changes nothing of the address that ``told`` speaks of, and has the kernel tell of it once more."""
    return _told_address(DO | NLM_F_REPLACE, index, told)


def delete_address(index: int, address: str) -> bytes:
    return _address(RTM_DELADDR, DO, index, address)


def _address(verb: int, how: int, index: int, address: str) -> bytes:
    host, _slash, length = address.partition("/")
    six = ":" in host
    return _encoded(
        ifaddrmsg(),
        verb,
        how,
        ("IFA_LOCAL", host),
        ("IFA_ADDRESS", host),
        family=AF_INET6 if six else AF_INET,
        prefixlen=int(length),
        flags=IFA_F_NODAD if six else 0,
        index=index,
    )


def repeat_address(index: int, told: bytes) -> bytes:
    """Gives link ``index`` the address that ``told`` speaks of (LinkAddress.told), with all that belonged to it."""
    return _told_address(MAKE, index, told)


def _told_address(how: int, index: int, told: bytes) -> bytes:
    old = ifaddrmsg(HEADER.pack(HEADER.size + len(told), RTM_NEWADDR, 0, 0, 0) + told)
    old.decode()
    found = ((name, old.get_attr(name)) for name in REPEATED)
    return _encoded(
        ifaddrmsg(),
        RTM_NEWADDR,
        how,
        *((name, value) for name, value in found if value is not None),
        family=old["family"],
        prefixlen=old["prefixlen"],
        flags=old["flags"],
        scope=old["scope"],
        index=index,
    )


def addresses_of(index: int) -> bytes:
    """Asks for the addresses of one link, 0 for those of all."""
    return _encoded(ifaddrmsg(), RTM_GETADDR, DUMP, index=index)


ADDRESSES = addresses_of(0)


def routes_of(index: int, family: int) -> bytes:
    """Asks for the routes of the table ``main`` over one link."""
    return _encoded(rtmsg(), RTM_GETROUTE, DUMP, ("RTA_OIF", index), ("RTA_TABLE", RT_TABLE_MAIN), family=family)


def repeat_route(index: int, told: bytes) -> bytes:
    """Gives link ``index`` the route that ``told`` speaks of."""
    old = rtmsg(HEADER.pack(HEADER.size + len(told), RTM_NEWROUTE, 0, 0, 0) + told)
    old.decode()
    found = ((name, old.get_attr(name)) for name in ROUTE_REPEATED)
    names = ("family", "dst_len", "src_len", "tos", "table", "proto", "scope", "type")
    return _encoded(
        rtmsg(),
        RTM_NEWROUTE,
        MAKE,
        *((name, value) for name, value in found if value is not None),
        ("RTA_OIF", index),
        **{name: old[name] for name in names},
        flags=old["flags"] & RTNH_F_ONLINK,
    )


def make_unreachable_default(family: int, table: int, metric: int) -> bytes:
    return _unreachable_default(RTM_NEWROUTE, DO | NLM_F_CREATE, family, table, metric)


def delete_unreachable_default(family: int, table: int, metric: int) -> bytes:
    return _unreachable_default(RTM_DELROUTE, DO, family, table, metric)


def _unreachable_default(verb: int, how: int, family: int, table: int, metric: int) -> bytes:
    return _encoded(
        rtmsg(),
        verb,
        how,
        ("RTA_TABLE", table),
        ("RTA_PRIORITY", metric),
        family=family,
        table=RT_TABLE_COMPAT,
        proto=rt_proto["static"],
        type=rt_type["unreachable"],
    )


# -- neighbours


def neighbors(family: int) -> bytes:
    return _encoded(ndmsg(), RTM_GETNEIGH, DUMP, family=family)


def manage_neighbor(family: int, index: int, address: str) -> bytes:
    """``ip neigh replace ADDRESS dev DEV managed``: its MAC stays."""
    managed = (("NDA_DST", address), ("NDA_FLAGS_EXT", NTF_EXT_MANAGED))
    return _encoded(ndmsg(), RTM_NEWNEIGH, DO | NLM_F_REPLACE, *managed, family=family, ifindex=index)


def forget_neighbor(family: int, index: int, address: str) -> bytes:
    return _encoded(ndmsg(), RTM_DELNEIGH, DO, ("NDA_DST", address), family=family, ifindex=index)


# -- rules


def make_local_rule(family: int, priority: int, protocol: int) -> bytes:
    """``ip rule add pref PRIORITY table local protocol PROTOCOL``."""
    return _local_rule(RTM_NEWRULE, MAKE, family, priority, protocol)


def delete_local_rule(family: int, priority: int, protocol: int) -> bytes:
    return _local_rule(RTM_DELRULE, DO, family, priority, protocol)


def _local_rule(verb: int, how: int, family: int, priority: int, protocol: int) -> bytes:
    return _encoded(
        fibmsg(),
        verb,
        how,
        ("FRA_PRIORITY", priority),
        ("FRA_PROTOCOL", protocol),
        family=family,
        table=RT_TABLE_LOCAL,
        action=FR_ACT_TO_TBL,
    )


# -- numbers of namespaces; ``namespace`` is an open file descriptor, of which there are few


@lru_cache(NUMBERS_CACHED)
def get_number(namespace: int) -> bytes:
    return _encoded(nsidmsg(), RTM_GETNSID, DO, ("NETNSA_FD", namespace))


@lru_cache(NUMBERS_CACHED)
def give_number(namespace: int) -> bytes:
    return _encoded(nsidmsg(), RTM_NEWNSID, DO, ("NETNSA_FD", namespace), ("NETNSA_NSID", ANY_NUMBER))
