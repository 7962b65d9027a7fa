"""What YANG cannot forbid of interfaces, instances, EVPN and users: what the client is told."""

from __future__ import annotations

import pytest

from tests.features.broken import Broken, InvalidValue, Missing, NotSupported, assert_refused, tenant
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
    interface,
    leg,
    loopback,
    macvlan,
    nic,
    pool,
    protocols,
    underlay,
    user,
    vlan,
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


KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJ6fHCNZ3a1WkFj0E3c7w5y6mZ3o6b9Zs7m1m0mN2c9n"
DEFAULT_BGP = protocols(bgp(64514, (V4, EVPN)))

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


def named(**names: str) -> str:
    leaves = "".join(f"<{leaf.replace('_', '-')}>{name}</{leaf.replace('_', '-')}>" for leaf, name in names.items())
    return f'<system xmlns="http://openconfig.net/yang/system"><config>{leaves}</config></system>'


SYSTEM = {
    "hostname that bgpd would cut off": Broken(
        named(hostname="a" * 40 + "." + "b" * 24), InvalidValue, "nesrv-system-name", "config/hostname", "64 characters"
    ),
    "hostname without a letter in front": Broken(
        named(hostname="_pe"), InvalidValue, "nesrv-system-name", "config/hostname", "begins with"
    ),
    "domain that is the root": Broken(
        named(hostname="pe", domain_name="."), InvalidValue, "nesrv-system-name", "config/domain-name", "begins with"
    ),
}
HASH = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
USERS = {
    "username with a space": Broken(
        document(users=[user("a b", role="x")]), InvalidValue, "nesrv-username", "config/username", "spaces"
    ),
    "empty password": Broken(
        document(users=[user("ann", role="x", password="")]), InvalidValue, "nesrv-password", "config/password", "empty"
    ),
    "two passwords": Broken(
        document(users=[user("ann", role="x", password="y", password_hashed=HASH)]),
        InvalidValue,
        "nesrv-password",
        "config/password-hashed",
        "one of them",
    ),
    "hash of another kind": Broken(
        document(users=[user("ann", role="x", password_hashed="$1$salt$qJH7.N4xYta3aEG/dfqo/0")]),
        InvalidValue,
        "nesrv-password",
        "config/password-hashed",
        "openssl passwd -6",
    ),
    "hash that is plain text": Broken(
        document(users=[user("ann", role="x", password_hashed="secret")]),
        InvalidValue,
        "nesrv-password",
        "config/password-hashed",
        "openssl passwd -6",
    ),
    "key without data": Broken(
        document(users=[user("ann", role="x", ssh_key="ssh-ed25519 AAAA")]),
        InvalidValue,
        "nesrv-ssh-key",
        "config/ssh-key",
        "OpenSSH",
    ),
    "key of one word": Broken(
        document(users=[user("ann", role="x", ssh_key=KEY)]), InvalidValue, "nesrv-ssh-key", "config/ssh-key", "OpenSSH"
    ),
    "key with nothing but its type": Broken(
        document(users=[user("ann", role="x", ssh_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5")]),
        InvalidValue,
        "nesrv-ssh-key",
        "config/ssh-key",
        "OpenSSH",
    ),
    "key of another type": Broken(
        document(users=[user("ann", role="x", ssh_key=f"ssh-rsa {KEY}")]),
        InvalidValue,
        "nesrv-ssh-key",
        "config/ssh-key",
        "OpenSSH",
    ),
}

POOLS = {
    "router ids exhausted": Broken(
        document(pool=pool(4, "192.0.2.0/30")),
        InvalidValue,
        "nesrv-pool-exhausted",
        "nesrv:pool/config/router-id-pool",
        "192.0.2.0/30 has no address number 4",
    ),
    "router id 0.0.0.0": Broken(
        document(pool=pool(None, "0.0.0.0/8")),
        InvalidValue,
        "nesrv-pool",
        "nesrv:pool/config/router-id-pool",
        "0.0.0.0",
    ),
    "VTEP addresses exhausted": Broken(
        document(pool=pool(2, None, ("2001:db8::/64", "192.0.2.0/31"))),
        InvalidValue,
        "nesrv-pool-exhausted",
        "nesrv:pool/config/vtep-pool[.='192.0.2.0/31']",
        "no address number 2",
    ),
    "two VTEP pools of one family": Broken(
        document(pool=pool(2, None, ("192.0.2.0/24", "203.0.113.0/24"))),
        InvalidValue,
        "nesrv-pool-family-twice",
        "nesrv:pool/config/vtep-pool[.='203.0.113.0/24']",
        "both IPv4",
    ),
}

BROKEN = {
    f"{group}: {name}": broken
    for group, found in (
        ("interfaces", INTERFACES),
        ("instances", INSTANCES),
        ("evpn", EVPNS),
        ("system", SYSTEM),
        ("users", USERS),
        ("pools", POOLS),
    )
    for name, broken in found.items()
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))
def test_refused(broken: Broken) -> None:
    assert_refused(broken)
