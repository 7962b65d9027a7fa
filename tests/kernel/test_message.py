"""What nesrv reads of the kernel's messages is what pyroute2 reads of the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyroute2.netlink.rtnl import RTM_NEWADDR, RTM_NEWLINK
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from nesrv.kernel import message as nl
from nesrv.kernel import requests
from nesrv.kernel.facts import UNDERLAY, Place
from nesrv.kernel.message import Link, LinkAddress
from nesrv.kernel.sockets import RouteSocket
from tests.kernel.lab import BACKEND, Lab, creation, run, sh, vrf_facts

RED = Place("vrf", "red")
PLACES = [UNDERLAY, RED]


def decoded(kind: type, verb: int, body: bytes) -> Any:
    message = kind(nl.HEADER.pack(nl.HEADER.size + len(body), verb, 0, 0, 0) + body)
    message.decode()
    return message


def link_by_pyroute2(body: bytes) -> Link:
    message = decoded(ifinfmsg, RTM_NEWLINK, body)
    kind = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") or ""
    data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
    vxlan = data if kind == "vxlan" else ifinfmsg()
    slave = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_SLAVE_KIND") == "bridge"
    port = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA") if slave else ifinfmsg()
    arp = "arp" if port.get_attr("IFLA_BRPORT_PROXYARP_WIFI") else "none"
    return Link(
        index=message["index"],
        name=message.get_attr("IFLA_IFNAME"),
        kind=kind,
        flags=message["flags"],
        mtu=message.get_attr("IFLA_MTU"),
        mac=message.get_attr("IFLA_ADDRESS", ""),
        master=message.get_attr("IFLA_MASTER", 0),
        peer=message.get_attr("IFLA_LINK", 0),
        peer_namespace=message.get_attr("IFLA_LINK_NETNSID"),
        group=message.get_attr("IFLA_GROUP"),
        alias=message.get_attr("IFLA_IFALIAS", ""),
        vni=vxlan.get_attr("IFLA_VXLAN_ID", 0),
        local=vxlan.get_attr("IFLA_VXLAN_LOCAL") or vxlan.get_attr("IFLA_VXLAN_LOCAL6") or "",
        port=vxlan.get_attr("IFLA_VXLAN_PORT", 0),
        table=data.get_attr("IFLA_VRF_TABLE") if kind == "vrf" else 0,
        ageing=data.get_attr("IFLA_BR_AGEING_TIME") if kind == "bridge" else 0,
        learning=bool(port.get_attr("IFLA_BRPORT_LEARNING")),
        suppress="all" if port.get_attr("IFLA_BRPORT_NEIGH_SUPPRESS") else arp,  # type: ignore[arg-type]
        vlan=data.get_attr("IFLA_VLAN_ID") if kind == "vlan" else 0,
        mode=data.get_attr("IFLA_MACVLAN_MODE") if kind == "macvlan" else "",
        ipv6=not (message.get_nested("IFLA_AF_SPEC", "AF_INET6", "IFLA_INET6_CONF") or {}).get("disable_ipv6", 0),
    )


def address_by_pyroute2(body: bytes) -> LinkAddress:
    message = decoded(ifaddrmsg, RTM_NEWADDR, body)
    local = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    return LinkAddress(
        index=message["index"],
        address=f"{local}/{message['prefixlen']}",
        scope=message["scope"],
        family=message["family"],
        protocol=message.get_attr("IFA_PROTO", 0),
        told=body,
    )


def dumps(lab: Lab, request: bytes) -> Iterator[bytes]:
    for place in PLACES:
        socket = RouteSocket(lab.layout.namespace(place))
        try:
            yield from socket.dump(request)
        finally:
            socket.close()


def furnish(lab: Lab) -> None:
    """A type-5 VRF, and links and addresses that differ from what nesrv makes."""

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation(vrf_facts(lab, "red", 100)))
        await kernel.stop()

    run(body)
    inside = lab.inside(UNDERLAY)
    sh(f"{inside}ip link add vx6 type vxlan id 16777215 local 2001:db8::7 dstport 8472; {inside}ip link set vx6 up")
    sh(f"{inside}ip link add brz type bridge; {inside}ip link set vx6 master brz; {inside}ip link set brz alias a\\ ü")
    sh(f"{inside}ip link add link nic0 name m0 type macvlan mode private; {inside}ip link set m0 up")
    sh(f"{inside}sysctl -qw net.ipv6.conf.m0.disable_ipv6=1")
    sh(f"{inside}ip link add link nic0 name nic0.7 type vlan id 7 2>/dev/null || true")
    sh(f"{inside}ip addr add 10.9.0.1 peer 10.9.0.2/32 dev nic0 label nic0:x metric 7")
    sh(f"{inside}ip addr add 10.9.1.1/24 brd + dev nic0 valid_lft 1000 preferred_lft 500")
    sh(f"{inside}ip addr add 2001:db8:9::1/64 dev nic0 scope site nodad")


def test_links_are_read_as_pyroute2_reads_them(lab: Lab) -> None:
    furnish(lab)
    for request in (requests.LINKS, requests.LINKS_WITH_COUNTERS):
        bodies = list(dumps(lab, request))
        kinds = {nl.parse_link(body).kind for body in bodies}
        assert kinds >= {"vxlan", "veth", "bridge", "macvlan", ""} | ({"vrf"} if BACKEND == "device" else set())
        assert any(not nl.parse_link(body).ipv6 for body in bodies)
        assert [nl.parse_link(body) for body in bodies] == [link_by_pyroute2(body) for body in bodies]


def test_addresses_are_read_as_pyroute2_reads_them(lab: Lab) -> None:
    furnish(lab)
    bodies = list(dumps(lab, requests.ADDRESSES))
    assert len(bodies) > 5
    assert [nl.parse_address(body) for body in bodies] == [address_by_pyroute2(body) for body in bodies]
