"""What YANG cannot forbid of interfaces: what the client is told."""

from __future__ import annotations

from tests.features.broken import Broken, InvalidValue, Missing, NotSupported, assert_refused, refusals
from tests.features.documents import (
    document,
    entry,
    interface,
    leg,
    loopback,
    macvlan,
    nic,
    pool,
    vlan,
    vrf,
)

INTERFACES = {
    "type": Broken(
        document([interface("x1", kind="l2vlan")]), NotSupported, "nesrv-interface-type", "config/type", "type l2vlan"
    ),
    "NIC with a name that no NIC has": Broken(
        document([nic("a-nic-with-a-long-name")]), InvalidValue, "nesrv-interface-name", "config/name", "Rename"
    ),
    "NIC named like a bridge of ours": Broken(
        document([nic("br100")]), InvalidValue, "nesrv-interface-name", "[name='br100']/config/name", "br100"
    ),
    "subinterface without a VLAN": Broken(
        document([interface("eth1", index=7)]),
        Missing,
        "nesrv-subinterface",
        "subinterface[index='7']/openconfig-vlan:vlan/match/single-tagged/config/vlan-id",
        "has no VLAN",
    ),
    "VLAN of a leg": Broken(
        document([leg("l1", vlans=[vlan(7, 7)])]),
        NotSupported,
        "nesrv-subinterface",
        "subinterface[index='7']/config/index",
        "l1 is no NIC",
    ),
    "VLAN on the link itself": Broken(
        document([interface("eth1", vlans=[vlan(0, 7)]).replace(entry("subinterface", "index", 0), "", 1)]),
        InvalidValue,
        "nesrv-subinterface",
        "subinterface[index='0']/openconfig-vlan:vlan/match/single-tagged/config/vlan-id",
        "Subinterface 0",
    ),
    "VLAN twice": Broken(
        document([interface("eth1", vlans=[vlan(7, 100), vlan(8, 100)])]),
        InvalidValue,
        "nesrv-vlan-twice",
        "subinterface[index='8']/openconfig-vlan:vlan/match/single-tagged/config/vlan-id",
        "7 and 8 of eth1",
    ),
    "VLAN with the name of a NIC": Broken(
        document([interface("eth1", vlans=[vlan(7, 100)]), nic("eth1.100")]),
        InvalidValue,
        "in-use-elsewhere",
        "interface[name='eth1.100']/config/name",
        "kernel name eth1.100",
    ),
    "loopback without IPv6": Broken(
        document([loopback("192.0.2.1/32", families={"ipv6": False})]),
        NotSupported,
        "nesrv-loopback",
        "openconfig-if-ip:ipv6/config/enabled",
        "only addresses",
    ),
    "loopback that is a macvlan": Broken(
        document([macvlan("lo", kind="softwareLoopback")]),
        InvalidValue,
        "nesrv-loopback",
        "nesrv:macvlan",
        "macvlan needs",
    ),
    "two local-cidrs of one family": Broken(
        document([leg("l1", cidr=("10.1.0.0/24", "10.2.0.0/24"))]),
        InvalidValue,
        "nesrv-local-cidr-family-twice",
        "nesrv:leg/config/local-cidr[.='10.2.0.0/24']",
        "both IPv4",
    ),
    "local-cidr too small for the element": Broken(
        document([leg("l1", cidr=("10.1.0.0/30",))], pool=pool(1)),
        InvalidValue,
        "nesrv-pool-exhausted",
        "nesrv:leg/config/local-cidr[.='10.1.0.0/30']",
        "no address for the host of element 1",
    ),
    "address without length": Broken(
        document([nic("eth1", "192.0.2.1")]),
        Missing,
        "nesrv-address-without-length",
        "address[ip='192.0.2.1']/config/prefix-length",
        "no prefix-length",
    ),
    "address twice": Broken(
        document([nic("eth1", "2001:db8::1/64", "2001:DB8:0::1/64")]),
        InvalidValue,
        "nesrv-address-twice",
        "address[ip='2001:DB8:0::1']",
        "2001:db8::1 twice",
    ),
    "host address twice": Broken(
        document([leg("t1", to=("2001:db8::1/64", "2001:db8:0::1/64"))]),
        InvalidValue,
        "nesrv-address-twice",
        "host-address[.='2001:db8:0::1/64']",
        "host0 has the address",
    ),
    "loopback as a leg": Broken(
        document([leg("t1").replace("ethernetCsmacd", "softwareLoopback")]),
        InvalidValue,
        "nesrv-loopback",
        "nesrv:leg",
        "neither made nor taken",
    ),
    "loopback with an MTU": Broken(
        document([loopback(mtu=9000)]), NotSupported, "nesrv-loopback", "config/mtu", "neither an MTU"
    ),
    "loopback that is disabled": Broken(
        document([loopback(enabled=False)]), NotSupported, "nesrv-loopback", "config/enabled", "disabled"
    ),
    "host interface of two legs": Broken(
        document([leg("t1", at="ns"), leg("t2", at="ns")]),
        InvalidValue,
        "in-use-elsewhere",
        "[name='t2']/nesrv:leg/config/host-interface",
        "host interface host0 is in use already",
    ),
    "link with the name of a VRF": Broken(
        document([leg("red")], [vrf("red")]),
        InvalidValue,
        "in-use-elsewhere",
        "[name='red']/config/name",
        "kernel name",
    ),
}


@refusals(interfaces=INTERFACES)
def test_refused(broken: Broken) -> None:
    assert_refused(broken)
