"""What YANG cannot forbid of L2VSIs and of the interfaces that route for them: what the client is told."""

from __future__ import annotations

import pytest

from tests.features.broken import Broken, InvalidValue, Missing, NotSupported, assert_refused
from tests.features.documents import (
    EVPN,
    LO,
    V4,
    bgp,
    bound,
    document,
    entry,
    evi,
    evpn,
    fdb,
    interface,
    irb,
    l2vsi,
    leg,
    loopback,
    protocols,
    routing,
    underlay,
    vlans_of,
    vrf,
    vtep,
)

LEG = leg("h1", host="h1", at="tenant")
GATEWAY = irb("irb0", "10.2.0.1/24", vlan_=200)
LAN = evpn(evi(200))


def lan(*inner: str, links: tuple[str, ...] = (LEG,), others: tuple[str, ...] = (), **config: object) -> str:
    """An L2VSI beside a complete underlay."""
    return document([LO, *links], [underlay(), l2vsi("lan", *inner, **config), *others])


def routed(gateway: str, *inner: str, members: str = routing("irb0"), vrfs: tuple[str, ...] | None = None) -> str:
    """An L2VSI with the interface ``gateway``, irb0, that routes for it to the L3VRF red."""
    others = vrfs if vrfs is not None else (vrf("red", routing("irb0")),)
    return lan(members, LAN, *inner, links=(LEG, gateway), others=others)


VLANS = "<vlans>" + "".join(entry("vlan", "vlan-id", number) for number in (1, 2)) + "</vlans>"

BROKEN = {
    "nd-suppression alone": Broken(
        lan(fdb(arp=False, nd=True), LAN), NotSupported, "nesrv-nd-suppression", "config/nd-suppression", "together"
    ),
    "ageing of nothing": Broken(
        lan(fdb(mac_aging_time=0), LAN), InvalidValue, "nesrv-mac-aging-time", "config/mac-aging-time", "at once"
    ),
    "gateway with a group address": Broken(
        lan(fdb(anycast_gateway_mac="01:00:5e:00:00:01"), LAN),
        InvalidValue,
        "nesrv-gateway-mac",
        "config/anycast-gateway-mac",
        "one interface",
    ),
    "two VLANs": Broken(lan(VLANS, LAN), NotSupported, "nesrv-second-vlan", "vlan[vlan-id='2']", "VLAN_BASED"),
    "port without a VNI": Broken(
        lan(bound("h1")), Missing, "nesrv-l2vsi-without-vni", "interface[id='h1.0']", "no bridge"
    ),
    "address on a port": Broken(
        lan(bound("h1"), LAN, links=(leg("h1", "10.2.0.1/24", host="h1"),)),
        InvalidValue,
        "nesrv-address-on-port",
        "address[ip='10.2.0.1']",
        "no address",
    ),
    "loopback as a port": Broken(
        lan(bound("lo2"), LAN, links=(loopback(name="lo2"),)),
        NotSupported,
        "nesrv-loopback",
        "interface[name='lo2']",
        "legs and NICs",
    ),
    "port bound to an L3VRF as well": Broken(
        lan(bound("h1"), LAN, others=(vrf("red", bound("h1")),)),
        InvalidValue,
        "nesrv-bound-to-both",
        "interface[name='h1']",
        "one of them",
    ),
    "BGP": Broken(
        lan(protocols(bgp(1, (V4, EVPN))), LAN),
        NotSupported,
        "nesrv-routing-in-l2vsi",
        "[name='bgp']",
        "does not route",
    ),
    "router id": Broken(
        lan(LAN, router_id="192.0.2.1"), NotSupported, "nesrv-routing-in-l2vsi", "config/router-id", "does not route"
    ),
    "VTEP": Broken(
        lan(vtep(), LAN),
        NotSupported,
        "nesrv-routing-in-l2vsi",
        "connection-point[connection-point-id='VTEP']",
        "route",
    ),
    "VNI of an L3VRF": Broken(
        lan(LAN, others=(vrf("red", LAN),)), InvalidValue, "in-use-elsewhere", "vxlan/config/vni", "VNI 200 is in use"
    ),
    "fdb in an L3VRF": Broken(
        lan(LAN, others=(vrf("red", fdb(mac_learning=True)),)), InvalidValue, "nesrv-not-l2vsi", "fdb", "only an L2VSI"
    ),
    "VLAN in an L3VRF": Broken(
        lan(LAN, others=(vrf("red", vlans_of(1)),)), InvalidValue, "nesrv-not-l2vsi", "vlans", "only an L2VSI"
    ),
    "gateway of nothing": Broken(
        document([LO, GATEWAY], [underlay(), vrf("red", routing("irb0"))]),
        Missing,
        "nesrv-irb-without-l2vsi",
        "interface[name='irb0']",
        "no L2VSI",
    ),
    "gateway to nowhere": Broken(
        routed(GATEWAY, vlans_of(200), vrfs=()), Missing, "nesrv-irb-without-vrf", "interface[name='irb0']", "no L3VRF"
    ),
    "gateway to another VLAN": Broken(
        routed(GATEWAY, vlans_of(201)), InvalidValue, "nesrv-routed-vlan", "routed-vlan/config/vlan", "its VLAN is 201"
    ),
    "gateway to a VLAN where there is none": Broken(
        routed(GATEWAY), InvalidValue, "nesrv-routed-vlan", "routed-vlan/config/vlan", "it has none"
    ),
    "gateway with a subinterface": Broken(
        routed(interface("irb0", "10.2.0.1/24", kind="l3ipvlan")),
        NotSupported,
        "nesrv-irb",
        "subinterface[index='0']",
        "routed-vlan",
    ),
    "gateway that is a leg": Broken(
        routed(leg("irb0", host="h9", kind="l3ipvlan")), InvalidValue, "nesrv-irb", "leg", "neither made nor taken"
    ),
    "gateway without a length": Broken(
        routed(irb("irb0", "10.2.0.1")), Missing, "nesrv-address-without-length", "prefix-length", "no prefix-length"
    ),
    "two gateways": Broken(
        lan(
            routing("irb0", "irb1"),
            LAN,
            links=(LEG, irb("irb0"), irb("irb1")),
            others=(vrf("red", routing("irb0", "irb1")),),
        ),
        InvalidValue,
        "nesrv-second-irb",
        "interface[id='irb1']",
        "irb0 routes for lan already",
    ),
    "routed-vlan of a leg": Broken(
        lan(LAN, links=(LEG.replace("</interface>", "<oc-vlan:routed-vlan/></interface>"),)).replace(
            "<oc-vlan:routed-vlan/>",
            "<oc-vlan:routed-vlan><oc-vlan:config><oc-vlan:vlan>1</oc-vlan:vlan></oc-vlan:config></oc-vlan:routed-vlan>",
        ),
        InvalidValue,
        "nesrv-routed-vlan",
        "routed-vlan",
        "l3ipvlan",
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))
def test_refused(broken: Broken) -> None:
    assert_refused(broken)
