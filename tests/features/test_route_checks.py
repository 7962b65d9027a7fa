"""What YANG cannot forbid of static routes, redistribution and BFD: what the client is told."""

from __future__ import annotations

import pytest

from tests.features.broken import Broken, InvalidValue, Missing, NotSupported, assert_refused
from tests.features.documents import (
    LO,
    V4,
    bgp,
    bound,
    box,
    default,
    document,
    evi,
    evpn,
    leg,
    loopback,
    nic,
    protocols,
    underlay,
    vrf,
)
from tests.features.element import Element
from tests.features.route_documents import (
    DROP,
    LOCAL_LINK,
    bfd,
    bfd_interface,
    connection,
    connections,
    hop,
    protocol,
    route,
    static,
    tables,
)

ETH1, ETH2 = nic("eth1", "192.0.2.1/24", "2001:db8::1/64"), nic("eth2", "198.51.100.1/24")


def routed(*routes: str) -> str:
    """The default instance with eth1 (eth2 is bound to none, t1 to an L3VRF) and static routes."""
    instances = [default(bound("eth1", "lo"), protocols(static(*routes))), vrf("red", bound("t1"))]
    return document([ETH1, ETH2, loopback("10.0.0.1/32"), leg("t1", "10.1.0.1/24")], instances)


def one(*hops: str, **config: object) -> str:
    return routed(route("10.0.0.0/8", *hops, **config))


def taken(*made: str) -> str:
    """The default instance with BGP for IPv4 and connections."""
    found = tables(*(f"{name} {family}" for name in ("BGP", "STATIC") for family in ("IPV4", "IPV6")))
    return document([], [default(protocols(bgp(64514, (V4,)), static()), found, connections(*made))])


def watched(link: str | None = "eth1", **config: object) -> str:
    return document([ETH1]) + bfd(bfd_interface("uplink", link, **config))


STATIC = {
    "two routes to one destination": Broken(
        routed(route("10.0.0.0/8", hop(0, DROP)), route("10.1.2.3/8", hop(0, DROP))),
        InvalidValue,
        "nesrv-static-twice",
        "static[prefix='10.1.2.3/8']",
        "two static routes to 10.0.0.0/8",
    ),
    "no next hop": Broken(one(), Missing, "nesrv-static-without-next-hop", "/next-hops", "no next hop"),
    "a next hop that is nothing": Broken(
        one(hop(0)), Missing, "nesrv-static-without-next-hop", "config/next-hop", "neither an address nor an interface"
    ),
    "a link without interface": Broken(
        one(hop(0, LOCAL_LINK)), Missing, "nesrv-static-without-next-hop", "config/next-hop", "set next-hop or"
    ),
    "the same next hop twice": Broken(
        one(hop(0, "192.0.2.2"), hop(1, "192.0.2.2", "eth1", preference=9)),
        InvalidValue,
        "nesrv-static-next-hop-twice",
        "next-hop[index='1']",
        "192.0.2.2 eth1 twice",
    ),
    "drops and does not": Broken(
        one(hop(0, "192.0.2.2"), hop(1, DROP, preference=1)),
        InvalidValue,
        "nesrv-static-drop",
        "next-hop[index='1']",
        "another preference",
    ),
    "drops on a link": Broken(
        one(hop(0, DROP, "eth1")), InvalidValue, "nesrv-static-drop", "interface-ref/config/interface", "drops"
    ),
    "drops and recurses": Broken(
        one(hop(0, DROP, recurse=True)), InvalidValue, "nesrv-static-drop", "config/recurse", "drops"
    ),
    "address of the other version": Broken(
        one(hop(0, "2001:db8::2")), NotSupported, "nesrv-static-next-hop", "config/next-hop", "another IP version"
    ),
    "address of nobody": Broken(
        one(hop(0, "224.0.0.5")), InvalidValue, "nesrv-static-next-hop", "config/next-hop", "No next hop can"
    ),
    "address of one's own": Broken(
        one(hop(0, "192.0.2.1")), InvalidValue, "nesrv-static-next-hop", "config/next-hop", "of eth1 itself"
    ),
    "address that is not next door": Broken(
        one(hop(0, "198.51.100.2")),
        InvalidValue,
        "nesrv-static-not-connected",
        "config/next-hop",
        "set recurse to true",
    ),
    "recursion with an interface": Broken(
        one(hop(0, "192.0.2.2", "eth1", recurse=True)),
        InvalidValue,
        "nesrv-static-recurse",
        "config/recurse",
        "nothing to look up",
    ),
    "recursion with an interface alone": Broken(
        one(hop(0, None, "eth1", recurse=True)), InvalidValue, "nesrv-static-recurse", "config/recurse", "nothing"
    ),
    "interface of another instance": Broken(
        one(hop(0, "10.1.0.2", "t1")),
        InvalidValue,
        "nesrv-static-interface",
        "interface-ref/config/interface",
        "t1.0 is not an interface of default",
    ),
    "loopback": Broken(
        one(hop(0, None, "lo")), NotSupported, "nesrv-static-interface", "interface-ref/config/interface", "DROP"
    ),
    "preference 0": Broken(
        one(hop(0, DROP, preference=0)), InvalidValue, "nesrv-static-preference", "config/preference", "1 to 255"
    ),
    "preference 256": Broken(
        one(hop(0, DROP, preference=256)), InvalidValue, "nesrv-static-preference", "config/preference", "1 to 255"
    ),
    "tag 0": Broken(one(hop(0, DROP), set_tag=0), InvalidValue, "nesrv-static-tag", "config/set-tag", "1 to 429"),
    "empty tag": Broken(one(hop(0, DROP), set_tag=""), InvalidValue, "nesrv-static-tag", "config/set-tag", "1 to 429"),
    "long tag": Broken(
        one(hop(0, DROP), set_tag="1ffffffff"), InvalidValue, "nesrv-static-tag", "config/set-tag", "1 to 429"
    ),
    "connected routes disabled": Broken(
        document([], [default(protocols(protocol("DIRECTLY_CONNECTED", enabled=False)))]),
        NotSupported,
        "nesrv-connected-disabled",
        "config/enabled",
        "cannot be disabled",
    ),
}
REDISTRIBUTION = {
    "into static routes": Broken(
        taken(connection("BGP", target="STATIC")),
        NotSupported,
        "nesrv-table-connection",
        "config/dst-protocol",
        "not into STATIC",
    ),
    "from BGP": Broken(
        taken(connection("BGP")), NotSupported, "nesrv-table-connection", "config/src-protocol", "not from BGP"
    ),
    "into a family that is not enabled": Broken(
        taken(connection("STATIC", "IPV6", default_import_policy="ACCEPT_ROUTE")),
        InvalidValue,
        "nesrv-table-connection-family",
        "config/address-family",
        "IPV6_UNICAST is not enabled",
    ),
}
TIMER = "nesrv-bfd-timer"
BFD = {
    "no interface": Broken(
        watched(None), Missing, "nesrv-bfd-without-interface", "interface-ref/config/interface", "names no interface"
    ),
    "part of a millisecond": Broken(
        watched(desired_minimum_tx_interval=100500),
        InvalidValue,
        TIMER,
        "config/desired-minimum-tx-interval",
        "whole milliseconds",
    ),
    "too short": Broken(
        watched(required_minimum_receive=9000), InvalidValue, TIMER, "config/required-minimum-receive", "from 10000"
    ),
    "too long": Broken(
        watched(required_minimum_receive=60001000), InvalidValue, TIMER, "config/required-minimum-receive", "60000000"
    ),
    "multiplier of one": Broken(
        watched(detection_multiplier=1), InvalidValue, TIMER, "config/detection-multiplier", "at least 2"
    ),
}


def above(**targets: object) -> str:
    return f"<inter-instance-policies>{box('import-export-policy', **targets)}</inter-instance-policies>"


def tenant(*parts: str, **config: object) -> str:
    return document([LO], [underlay(), vrf("red", *parts, **config)])


def leaking(name: str, **targets: object) -> str:
    return vrf(name, above(**targets), protocols(bgp(64514, (V4,))), route_distinguisher="64514:1")


LEAKING = "nesrv-leaking"
TARGETS = {
    "targets that differ": Broken(
        tenant(
            evpn(evi(100, policy={"import_route_target": ("65000:1", "65000:2")})),
            above(import_route_target=("65000:1", "65000:3")),
        ),
        InvalidValue,
        "nesrv-route-targets-differ",
        "inter-instance-policies/import-export-policy/config/import-route-target[.='65000:3']",
        "differ in 65000:2, 65000:3",
    ),
    "fewer targets above": Broken(
        tenant(
            evpn(evi(100, policy={"export_route_target": ("65000:1", "65000:2")})), above(export_route_target="65000:1")
        ),
        InvalidValue,
        "nesrv-route-targets-differ",
        "config/export-route-target[.='65000:1']",
        "differ in 65000:2",
    ),
    "leaking from the default instance": Broken(
        document([], [default(above(export_route_target="65000:1"), protocols(bgp(64514, (V4,))))]),
        NotSupported,
        LEAKING,
        "config/export-route-target[.='65000:1']",
        "is no L3VRF",
    ),
    "leaking without BGP": Broken(
        tenant(above(import_route_target="65000:1")),
        InvalidValue,
        LEAKING,
        "config/import-route-target[.='65000:1']",
        "red needs a BGP speaker",
    ),
    "leaking without a family": Broken(
        tenant(above(import_route_target="65000:1"), protocols(bgp(64514))),
        InvalidValue,
        LEAKING,
        "config/import-route-target[.='65000:1']",
        "red needs a BGP speaker",
    ),
    "leaking without an underlay": Broken(
        document([], [vrf("red", above(import_route_target="65000:1"), protocols(bgp(64514, (V4,))))]),
        InvalidValue,
        LEAKING,
        "config/import-route-target[.='65000:1']",
        "in the default instance",
    ),
    "leaking without a distinguisher": Broken(
        tenant(above(export_route_target="65000:1"), protocols(bgp(64514, (V4,)))),
        Missing,
        LEAKING,
        "config/route-distinguisher",
        "needs a route-distinguisher",
    ),
    "leaking without a router id": Broken(
        tenant(above(export_route_target="65000:1"), protocols(bgp(64514, (V4,))), route_distinguisher="64514:1"),
        Missing,
        LEAKING,
        "[name='red']/config/router-id",
        "needs a router-id",
    ),
    "leaking by automatic targets": Broken(
        tenant(above(import_route_target="AUTO"), protocols(bgp(64514, (V4,)))),
        InvalidValue,
        LEAKING,
        "config/import-route-target[.='AUTO']",
        "has no VNI",
    ),
    "leaking under one distinguisher": Broken(
        document([LO], [underlay(), *(leaking(name, export_route_target="65000:1") for name in ("red", "blue"))]),
        InvalidValue,
        "in-use-elsewhere",
        "config/route-distinguisher",
        "route distinguisher 64514:1 is in use already",
    ),
    "AUTO and others above": Broken(
        tenant(evpn(evi(100)), above(import_route_target=("AUTO", "65000:1"))),
        InvalidValue,
        "nesrv-auto-and-others",
        "inter-instance-policies/import-export-policy/config/import-route-target[.='AUTO']",
        "exclude each other",
    ),
}
ALL = {**TARGETS, **STATIC, **REDISTRIBUTION, **BFD}


@pytest.mark.parametrize("broken", ALL.values(), ids=ALL.keys())
def test_refused(broken: Broken) -> None:
    assert_refused(broken)


def test_two_bfd_entries_for_one_interface_are_in_conflict() -> None:
    twice = document([ETH1]) + bfd(bfd_interface("a", "eth1"), bfd_interface("b", "eth1"))
    assert_refused(Broken(twice, InvalidValue, "in-use-elsewhere", "[id='b']", "BFD on eth1.0 is in use already"))


@pytest.mark.parametrize(
    ("said", "tag"), [("16", 16), ("00ff", 255), ("4294967295", 2**32 - 1), ("ffffffff", 2**32 - 1)]
)
def test_tags_are_decimal_where_they_can_be(said: str, tag: int) -> None:
    element = Element()
    element.commit(one(hop(0, DROP), set_tag=said))
    assert element.texts() == [f"ip route 10.0.0.0/8 blackhole tag {tag}"]


def test_a_disabled_bgp_leaves_its_connections_alone() -> None:
    """Disabling a protocol for a while must not demand that all that refers to it is removed."""
    refers = connections(connection("STATIC", default_import_policy="ACCEPT_ROUTE"))
    off = protocols(bgp(64514, (), enabled=False), static())
    element = Element()
    element.commit(document([], [default(off, tables("BGP IPV4", "STATIC IPV4"), refers)]))
    assert element.texts() == []
