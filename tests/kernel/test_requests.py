"""What the requests say, decoded by pyroute2 again; that the kernel takes them is seen in test_writer."""

from __future__ import annotations

from socket import AF_INET, AF_INET6
from typing import Any

import pytest
from pyroute2.netlink import NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST
from pyroute2.netlink.rtnl import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    RTM_SETLINK,
)
from pyroute2.netlink.rtnl.ifaddrmsg import IFA_F_NODAD, ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from nesrv.kernel import message as nl
from nesrv.kernel import requests

MAKE = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
DO = NLM_F_REQUEST | NLM_F_ACK


def plain(value: Any) -> Any:
    """Attributes of a decoded message by name, nested ones as mappings of their own."""
    attributes = value.get("attrs") if isinstance(value, dict) else None
    return {name: plain(value.get_attr(name)) for name, *_rest in attributes} if attributes else value


def read(request: bytes, kind: type = ifinfmsg) -> tuple[int, int, Any]:
    """Message type, flags, decoded message; the length in its header is that of the request."""
    message = kind(request)
    message.decode()
    assert message["header"]["length"] == len(request)
    return message["header"]["type"], message["header"]["flags"], message


LINKS = {
    "bridge": (
        requests.make_link("br1", requests.bridge(300), ("IFLA_ADDRESS", "02:00:00:00:00:01"), ("IFLA_GROUP", 7)),
        {
            "IFLA_IFNAME": "br1",
            "IFLA_ADDRESS": "02:00:00:00:00:01",
            "IFLA_GROUP": 7,
            "IFLA_LINKINFO": {
                "IFLA_INFO_KIND": "bridge",
                "IFLA_INFO_DATA": {"IFLA_BR_STP_STATE": 0, "IFLA_BR_AGEING_TIME": 30000},
            },
        },
    ),
    "vrf": (
        requests.make_link("red", requests.vrf(70000)),
        {
            "IFLA_IFNAME": "red",
            "IFLA_LINKINFO": {"IFLA_INFO_KIND": "vrf", "IFLA_INFO_DATA": {"IFLA_VRF_TABLE": 70000}},
        },
    ),
    "vxlan": (
        requests.make_link("vx1", requests.vxlan(16777215, "192.0.2.1", 4789), ("IFLA_NET_NS_FD", 9)),
        {
            "IFLA_IFNAME": "vx1",
            "IFLA_NET_NS_FD": 9,
            "IFLA_LINKINFO": {
                "IFLA_INFO_KIND": "vxlan",
                "IFLA_INFO_DATA": {
                    "IFLA_VXLAN_ID": 16777215,
                    "IFLA_VXLAN_LOCAL": "192.0.2.1",
                    "IFLA_VXLAN_PORT": 4789,
                    "IFLA_VXLAN_LEARNING": 0,
                },
            },
        },
    ),
    "veth": (
        requests.make_link("leg1", requests.veth("h1", 11)),
        {
            "IFLA_IFNAME": "leg1",
            "IFLA_LINKINFO": {
                "IFLA_INFO_KIND": "veth",
                "IFLA_INFO_DATA": {"VETH_INFO_PEER": {"IFLA_IFNAME": "h1", "IFLA_NET_NS_FD": 11}},
            },
        },
    ),
}


@pytest.mark.parametrize("kind", LINKS)
def test_a_new_link_is_described_in_full(kind: str) -> None:
    request, attributes = LINKS[kind]
    verb, flags, message = read(request)
    assert (verb, flags, plain(message)) == (RTM_NEWLINK, MAKE, attributes)


def test_a_vtep_may_have_an_ipv6_address() -> None:
    _verb, _flags, message = read(requests.make_link("vx1", requests.vxlan(5, "2001:db8::1", 4789)))
    data = plain(message)["IFLA_LINKINFO"]["IFLA_INFO_DATA"]
    assert data["IFLA_VXLAN_LOCAL6"] == "2001:db8::1" and "IFLA_VXLAN_LOCAL" not in data


def test_a_bridge_port_of_evpn_learns_nothing_and_suppresses() -> None:
    verb, flags, message = read(requests.change_link("vx1", requests.evpn_port("all"), requests.NO_LINK_LOCAL))
    assert (verb, flags, message["change"]) == (RTM_NEWLINK, DO, 0)
    assert plain(message) == {
        "IFLA_IFNAME": "vx1",
        "IFLA_LINKINFO": {
            "IFLA_INFO_SLAVE_KIND": "bridge",
            "IFLA_INFO_SLAVE_DATA": {
                "IFLA_BRPORT_LEARNING": 0,
                "IFLA_BRPORT_NEIGH_SUPPRESS": 1,
                "IFLA_BRPORT_PROXYARP_WIFI": 0,
            },
        },
        "IFLA_AF_SPEC": {"AF_INET6": {"IFLA_INET6_ADDR_GEN_MODE": 1}},
    }


@pytest.mark.parametrize(("up", "flags", "change"), [(True, 1, 1), (False, 0, 1), (None, 0, 0)])
def test_the_state_changes_only_where_one_is_asked_for(up: bool | None, flags: int, change: int) -> None:
    _verb, _how, message = read(requests.change_link("nic0", ("IFLA_MTU", 9000), ("IFLA_IFALIAS", "ü"), up=up))
    assert (message["flags"], message["change"]) == (flags, change)
    assert plain(message) == {"IFLA_IFNAME": "nic0", "IFLA_MTU": 9000, "IFLA_IFALIAS": "ü"}


@pytest.mark.parametrize(
    ("request_", "verb", "index", "attributes"),
    [
        (requests.group_link(5, 77), RTM_NEWLINK, 5, {"IFLA_GROUP": 77}),
        (requests.move_link(5, 9), RTM_SETLINK, 5, {"IFLA_NET_NS_FD": 9}),
        (requests.delete_link(5), RTM_DELLINK, 5, []),
        (requests.delete_named("br1"), RTM_DELLINK, 0, {"IFLA_IFNAME": "br1"}),
        (requests.delete_group(77), RTM_DELLINK, 0, {"IFLA_GROUP": 77}),
        (requests.get_link("br1"), RTM_GETLINK, 0, {"IFLA_IFNAME": "br1"}),
    ],
)
def test_which_link_is_meant(request_: bytes, verb: int, index: int, attributes: Any) -> None:
    told, flags, message = read(request_)
    assert (told, flags, message["index"]) == (verb, DO, index)
    assert (plain(message) if message["attrs"] else []) == attributes


@pytest.mark.parametrize(
    ("address", "family", "flags"), [("192.0.2.1/24", AF_INET, 0), ("2001:db8::1/64", AF_INET6, IFA_F_NODAD)]
)
def test_addresses_are_given_and_taken(address: str, family: int, flags: int) -> None:
    host, length = address.split("/")
    given = read(requests.add_address(7, address), ifaddrmsg)
    taken = read(requests.delete_address(7, address), ifaddrmsg)
    assert given[:2] == (RTM_NEWADDR, MAKE) and taken[:2] == (RTM_DELADDR, DO)
    for message in (given[2], taken[2]):
        seen = (message["index"], message["family"], message["prefixlen"], message["flags"])
        assert seen == (7, family, int(length), flags)
        assert plain(message) == {"IFA_LOCAL": host, "IFA_ADDRESS": host}


def test_an_address_is_repeated_with_all_that_it_had() -> None:
    had = {"IFA_ADDRESS": "10.0.0.2", "IFA_LOCAL": "10.0.0.1", "IFA_LABEL": "e0:1", "IFA_RT_PRIORITY": 77}
    old = ifaddrmsg()
    old.update(family=AF_INET, prefixlen=32, scope=253, index=7)
    life = {"ifa_preferred": 5, "ifa_valid": 6, "cstamp": 0, "tstamp": 0}
    old["attrs"] = [*had.items(), ("IFA_CACHEINFO", life), ("IFA_FLAGS", 0x80), ("IFA_PROTO", 3)]
    old.encode()
    verb, flags, message = read(requests.repeat_address(9, bytes(old.data[nl.HEADER.size :])), ifaddrmsg)
    assert (verb, flags) == (RTM_NEWADDR, MAKE)
    seen = (message["index"], message["family"], message["prefixlen"], message["scope"])
    assert seen == (9, AF_INET, 32, 253)
    assert dict(message.get_attr("IFA_CACHEINFO")) == life
    assert plain(message) | {"IFA_CACHEINFO": life} == had | {"IFA_CACHEINFO": life, "IFA_FLAGS": 0x80}


def test_a_last_resort_is_unreachable_in_its_table_only() -> None:
    verb, flags, message = read(requests.make_unreachable_default(AF_INET6, 70000, 4278198272), rtmsg)
    assert (verb, flags) == (RTM_NEWROUTE, DO | NLM_F_CREATE)
    assert (message["family"], message["type"], message["proto"], message["dst_len"]) == (AF_INET6, 7, 4, 0)
    assert plain(message) == {"RTA_TABLE": 70000, "RTA_PRIORITY": 4278198272}


def test_a_namespace_gets_whatever_number_is_free() -> None:
    _verb, _flags, message = read(requests.give_number(9), nsidmsg)
    assert plain(message) == {"NETNSA_FD": 9, "NETNSA_NSID": 0xFFFFFFFF}


def test_one_links_addresses_or_all() -> None:
    assert [read(one, ifaddrmsg)[2]["index"] for one in (requests.addresses_of(4), requests.ADDRESSES)] == [4, 0]
    assert read(requests.ADDRESSES, ifaddrmsg)[0] == RTM_GETADDR
