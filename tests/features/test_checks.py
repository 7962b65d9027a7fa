"""What YANG cannot forbid of instances and EVPN: what the client is told."""

from __future__ import annotations

from tests.features.broken import Broken, InvalidValue, Missing, NotSupported, assert_refused, refusals, tenant
from tests.features.documents import (
    EVPN,
    LO,
    V4,
    bgp,
    bound,
    default,
    document,
    entry,
    evi,
    evpn,
    leg,
    loopback,
    protocols,
    underlay,
    vrf,
    vtep,
)


def with_vteps(instance: str, *links: str, vni: str = "") -> str:
    return document(links, [instance, vrf("red", vni or evpn(evi(100)))])


def only_vtep(*arguments: object, links: tuple[str, ...] = ("lo",), **options: object) -> str:
    """A default instance with BGP and one endpoint."""
    return default(bound(*links), vtep(*arguments, **options), protocols(bgp(64514, (V4, EVPN))))  # type: ignore[arg-type]


def two_endpoints(first: str, second: str) -> str:
    made = vtep("lo", name=first) + vtep("lo", name=second)
    return made.replace("</connection-points><connection-points>", "")


def same_endpoint_twice() -> str:
    other = vtep("lo", name="VTEP").replace("<connection-point-id>VTEP", "<connection-point-id>OTHER")
    return (vtep("lo") + other).replace("</connection-points><connection-points>", "")


def self_bound(*ids: str) -> str:
    made = "".join(entry("interface", "id", name, interface="t1", subinterface=0) for name in ids)
    return f"<interfaces>{made}</interfaces>"


DEFAULT_BGP = protocols(bgp(64514, (V4, EVPN)))

INSTANCES = {
    "second default instance": Broken(
        document((), [default(), default(name="other")]),
        InvalidValue,
        "in-use-elsewhere",
        "[name='other']/config/type",
        "DEFAULT_INSTANCE is in use already",
    ),
    "interface in two instances": Broken(
        document([leg("t1")], [vrf("red", bound("t1")), vrf("blue", bound("t1"))]),
        InvalidValue,
        "in-use-elsewhere",
        "interface[id='t1.0']",
        "interface t1.0 is in use already",
    ),
    "interface twice in one instance": Broken(
        document([leg("t1")], [vrf("red", self_bound("a", "b"))]),
        InvalidValue,
        "nesrv-bound-twice",
        "interface[id='b']",
        "bound twice",
    ),
    "binding of nothing": Broken(
        document((), [vrf("red", f"<interfaces>{entry('interface', 'id', 'x')}</interfaces>")]),
        Missing,
        "nesrv-binding-without-interface",
        "interface[id='x']/config/interface",
        "names no interface",
    ),
    "VTEP in an L3VRF": Broken(
        document([LO], [vrf("red", vtep())]), NotSupported, "nesrv-vtep-in-vrf", "endpoint[endpoint-id='VTEP']", "L3VRF"
    ),
    "VTEP without an interface": Broken(
        document([LO], [only_vtep(None)]),
        Missing,
        "nesrv-vtep-without-interface",
        "vxlan/config/source-interface",
        "names no interface",
    ),
    "VTEP with two interfaces": Broken(
        document([LO], [only_vtep("lo", "eth1")]),
        InvalidValue,
        "nesrv-vtep-interfaces-differ",
        "vxlan/config/source-interface",
        "lo and eth1",
    ),
    "VTEP on a tenant's interface": Broken(
        document([leg("t1", "10.0.0.1/24")], [only_vtep("t1", links=()), vrf("red", bound("t1"))]),
        InvalidValue,
        "nesrv-vtep-elsewhere",
        "local/config/interface",
        "bound to red",
    ),
    "VTEP without an address": Broken(
        document([loopback("127.0.0.2/32", "fe80::1/64")], [only_vtep()]),
        InvalidValue,
        "nesrv-vtep-without-address",
        "local/config/interface",
        "has no address",
    ),
    "endpoint twice": Broken(
        document([LO], [default(same_endpoint_twice())]),
        InvalidValue,
        "nesrv-endpoint-twice",
        "endpoint[endpoint-id='VTEP']/endpoint-id",
        "Two connection points",
    ),
}

EVPNS = {
    "VNI without a default instance": Broken(
        document((), [vrf("red", evpn(evi(100)))]),
        InvalidValue,
        "nesrv-vni-without-vtep",
        "vxlan/config/overlay-endpoint-network-instance",
        "there is none",
    ),
    "VTEP of an L3VRF": Broken(
        tenant(evpn(evi(100, overlay_endpoint_network_instance="red"))),
        InvalidValue,
        "nesrv-vni-without-vtep",
        "vxlan/config/overlay-endpoint-network-instance",
        "red is an L3VRF",
    ),
    "VNI without a VTEP": Broken(
        with_vteps(default(DEFAULT_BGP)),
        InvalidValue,
        "nesrv-vni-without-vtep",
        "vxlan/config/overlay-endpoint",
        "default has none",
    ),
    "VNI with a choice of VTEPs": Broken(
        with_vteps(default(bound("lo"), two_endpoints("A", "B"), DEFAULT_BGP), LO),
        InvalidValue,
        "nesrv-vni-without-vtep",
        "vxlan/config/overlay-endpoint",
        "say which one",
    ),
    "endpoint that is no VTEP": Broken(
        with_vteps(
            only_vtep(enabled=False),
            LO,
            vni=evpn(evi(100, overlay_endpoint="VTEP", overlay_endpoint_network_instance="default")),
        ),
        InvalidValue,
        "nesrv-vni-without-vtep",
        "vxlan/config/overlay-endpoint",
        "endpoint VTEP of default is none",
    ),
    "VNI without EVPN in the underlay": Broken(
        document([LO], [underlay(names=(V4,)), vrf("red", evpn(evi(100)))]),
        InvalidValue,
        "nesrv-vni-without-evpn",
        "vxlan/config/vni",
        "L2VPN_EVPN",
    ),
    "VNI twice": Broken(
        document([LO], [underlay(), vrf("red", evpn(evi(100))), vrf("blue", evpn(evi(100)))]),
        InvalidValue,
        "in-use-elsewhere",
        "[name='blue']/evpn/evpn-instances/evpn-instance[evi='evi']/vxlan/config/vni",
        "VNI 100 is in use already",
    ),
    "two EVPN instances": Broken(
        tenant(evpn(evi(100), evi(200, "second"))),
        InvalidValue,
        "nesrv-second-evi",
        "evpn-instance[evi='second']",
        "it can have one",
    ),
    "EVPN instance without a VNI": Broken(
        tenant(evpn(evi(None))), Missing, "nesrv-evi-without-vni", "vxlan/config/vni", "has no VNI"
    ),
    "EVPN instance in the default instance": Broken(
        document((), [default(evpn(evi(100)))]),
        NotSupported,
        "nesrv-evi-in-default",
        "evpn-instance[evi='evi']",
        "L3VRF",
    ),
    "route distinguisher of the default instance": Broken(
        document((), [default(route_distinguisher="1:1")]),
        NotSupported,
        "nesrv-rd-in-default",
        "config/route-distinguisher",
        "remove it",
    ),
    "replication": Broken(
        tenant(evpn(evi(100, replication_mode="MULTICAST"))),
        NotSupported,
        "nesrv-replication-mode",
        "config/replication-mode",
        "MULTICAST",
    ),
    "hosts not by BGP": Broken(
        tenant(evpn(evi(100, host_reachability_bgp=False))),
        NotSupported,
        "nesrv-host-reachability",
        "vxlan/config/host-reachability-bgp",
        "only way",
    ),
    "two route distinguishers": Broken(
        tenant(evpn(evi(100, route_distinguisher="1:1")), route_distinguisher="1:2"),
        InvalidValue,
        "nesrv-rd-differs",
        "evpn-instance[evi='evi']/config/route-distinguisher",
        "1:1, its L3VRF 1:2",
    ),
    "AUTO and a route target": Broken(
        tenant(evpn(evi(100, policy={"import_route_target": ("AUTO", "1:1")}))),
        InvalidValue,
        "nesrv-auto-and-others",
        "import-route-target[.='AUTO']",
        "exclude each other",
    ),
}


@refusals(instances=INSTANCES, evpn=EVPNS)
def test_refused(broken: Broken) -> None:
    assert_refused(broken)
