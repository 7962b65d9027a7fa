"""Pieces of configuration for tests, put together from OpenConfig XML."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

IF = (
    'xmlns="http://openconfig.net/yang/interfaces" xmlns:ianaift="urn:ietf:params:xml:ns:yang:iana-if-type" '
    'xmlns:oc-ip="http://openconfig.net/yang/interfaces/ip" xmlns:oc-vlan="http://openconfig.net/yang/vlan" '
    'xmlns:nesrv="urn:nesrv:element"'
)
NI = (
    'xmlns="http://openconfig.net/yang/network-instance" '
    'xmlns:oc-ni-types="http://openconfig.net/yang/network-instance-types" '
    'xmlns:oc-pol-types="http://openconfig.net/yang/policy-types" '
    'xmlns:oc-bgp-types="http://openconfig.net/yang/bgp-types" '
    'xmlns:oc-evpn-types="http://openconfig.net/yang/evpn-types" xmlns:nesrv="urn:nesrv:element" '
    'xmlns:nesrv-bgp="urn:nesrv:bgp"'
)
V4, V6, EVPN = "IPV4_UNICAST", "IPV6_UNICAST", "L2VPN_EVPN"


def leaves(prefix: str = "", /, **values: object) -> str:
    """``host_interface="x"`` as ``<PREFIX:host-interface>x</…>``; None leaves the leaf out, tuples repeat it."""
    made = ""
    for name, value in values.items():
        tag = prefix + name.rstrip("_").replace("_", "-")
        for one in value if isinstance(value, tuple) else () if value is None else (value,):
            text = str(one).lower() if isinstance(one, bool) else escape(str(one))
            made += f"<{tag}>{text}</{tag}>"
    return made


def entry(tag: str, key: str, name: object, inner: str = "", /, **config: object) -> str:
    """A list entry with its key and its ``config``."""
    key_leaf = leaves(**{key.replace("-", "_"): name})
    return f"<{tag}>{key_leaf}<config>{key_leaf}{leaves(**config)}</config>{inner}</{tag}>"


def addresses(values: Iterable[str], **enabled: bool) -> str:
    """``ADDRESS/LENGTH``, or an IPv4 address alone, as oc-ip lists; ``enabled`` by family."""
    made = {"ipv4": "", "ipv6": ""}
    for value in values:
        ip, _, length = value.partition("/")
        key = f"<oc-ip:ip>{ip}</oc-ip:ip>"
        rest = f"<oc-ip:prefix-length>{length}</oc-ip:prefix-length>" if length else ""
        made["ipv6" if ":" in ip else "ipv4"] += (
            f"<oc-ip:address>{key}<oc-ip:config>{key}{rest}</oc-ip:config></oc-ip:address>"
        )
    for family, inner in made.items():
        made[family] = f"<oc-ip:addresses>{inner}</oc-ip:addresses>" if inner else ""
        if family in enabled:
            said = leaves("oc-ip:", enabled=enabled[family])
            made[family] = f"<oc-ip:config>{said}</oc-ip:config>{made[family]}"
    return "".join(f"<oc-ip:{family}>{inner}</oc-ip:{family}>" for family, inner in made.items() if inner)


def vlan(index: int, number: int | None, *ips: str, **config: object) -> str:
    """A subinterface that is an 802.1Q link."""
    said = f"<oc-vlan:config>{leaves('oc-vlan:', vlan_id=number)}</oc-vlan:config>"
    tagged = f"<oc-vlan:single-tagged>{said}</oc-vlan:single-tagged>"
    inner = f"<oc-vlan:vlan><oc-vlan:match>{tagged}</oc-vlan:match></oc-vlan:vlan>"
    return entry("subinterface", "index", index, inner + addresses(ips), **config)


def interface(
    name: str,
    *ips: str,
    kind: str = "ethernetCsmacd",
    made: str = "",
    index: int = 0,
    sub: dict[str, object] | None = None,
    families: dict[str, bool] | None = None,
    vlans: Iterable[str] = (),
    **config: object,
) -> str:
    """One interface; ``made`` is what stands beside its config, ``sub`` goes into the subinterface's config,
    ``vlans`` beside that; ``families``: ipv4 or ipv6 enabled or not."""
    below = entry("subinterface", "index", index, addresses(ips, **(families or {})), **(sub or {}))
    inner = f"<subinterfaces>{below}{''.join(vlans)}</subinterfaces>{made}"
    return entry("interface", "name", name, inner, type=f"ianaift:{kind}", **config)


def nic(name: str, *ips: str, origin: str | None = None, **config: object) -> str:
    where = f"<nesrv:config>{leaves('nesrv:', from_namespace=origin)}</nesrv:config>" if origin else ""
    return interface(name, *ips, made=f"<nesrv:adopt>{where}</nesrv:adopt>", **config)  # type: ignore[arg-type]


def leg(
    name: str,
    *ips: str,
    host: str = "host0",
    at: str | None = None,
    to: tuple[str, ...] = (),
    cidr: tuple[str, ...] = (),
    bridge: str | None = None,
    create: bool | None = None,
    **config: object,
) -> str:
    """A leg to ``host`` in namespace ``at`` with the host's addresses ``to``, or as a port of ``bridge``."""
    inner = leaves("nesrv:", host_namespace=at, host_interface=host, host_address=to, local_cidr=cidr)
    inner += leaves("nesrv:", host_bridge=bridge, host_bridge_create=create)
    made = f"<nesrv:leg><nesrv:config>{inner}</nesrv:config></nesrv:leg>"
    return interface(name, *ips, made=made, **config)  # type: ignore[arg-type]


def macvlan(
    name: str, *ips: str, parent: str = "eth0", at: str | None = None, mode: str | None = None, **config: object
) -> str:
    """A share of ``parent`` in namespace ``at``."""
    inner = leaves("nesrv:", parent_namespace=at, parent_interface=parent, mode=mode)
    made = f"<nesrv:macvlan><nesrv:config>{inner}</nesrv:config></nesrv:macvlan>"
    return interface(name, *ips, made=made, **config)  # type: ignore[arg-type]


def loopback(*ips: str, name: str = "lo", **config: object) -> str:
    return interface(name, *ips, kind="softwareLoopback", **config)  # type: ignore[arg-type]


def bound(*names: str) -> str:
    """``NAME``, or ``NAME.INDEX`` of a subinterface, which a name that ends so itself needs."""
    made = ""
    for name in names:
        link, _, index = name.rpartition(".")
        if not link or not index.isdecimal():
            link, index = name, "0"
        made += entry("interface", "id", f"{link}.{index}", interface=link, subinterface=index)
    return f"<interfaces>{made}</interfaces>"


def vtep(link: str | None = "lo", source: str | None = None, name: str = "VTEP", enabled: bool | None = True) -> str:
    local = f"<local><config>{leaves(interface=link, subinterface=0)}</config></local>" if link else ""
    vxlan = f"<vxlan><config>{leaves(enabled=enabled, source_interface=source)}</config></vxlan>"
    endpoint = entry("endpoint", "endpoint-id", name, local + vxlan, type="oc-ni-types:LOCAL")
    inner = f"<endpoints>{endpoint}</endpoints>"
    return f"<connection-points>{entry('connection-point', 'connection-point-id', name, inner)}</connection-points>"


def families(names: Iterable[str], enabled: bool | None = True) -> str:
    made = "".join(entry("afi-safi", "afi-safi-name", f"oc-bgp-types:{name}", enabled=enabled) for name in names)
    return f"<afi-safis>{made}</afi-safis>" if made else ""


def neighbor(address: str, *names: str, inner: str = "", **config: object) -> str:
    """``inner`` holds further containers, see ``box``."""
    return entry("neighbor", "neighbor-address", address, inner + families(names), **config)


def box(name: str, **config: object) -> str:
    """``<name><config>…</config></name>``."""
    return f"<{name}><config>{leaves(**config)}</config></{name}>"


def bgp(
    asn: int,
    names: Iterable[str] = (),
    *neighbors: str,
    router_id: str | None = None,
    name: str = "bgp",
    **config: object,
) -> str:
    inner = (
        f"<bgp><global><config>{leaves(as_=asn, router_id=router_id)}</config>{families(names)}</global>"
        f"<neighbors>{''.join(neighbors)}</neighbors></bgp>"
    )
    protocol = entry("protocol", "name", name, inner, identifier="oc-pol-types:BGP", **config)
    return protocol.replace("<protocol>", "<protocol><identifier>oc-pol-types:BGP</identifier>", 1)


def protocols(*made: str) -> str:
    return f"<protocols>{''.join(made)}</protocols>"


def evi(
    vni: int | None,
    name: str = "evi",
    policy: dict[str, object] | None = None,
    udp_port: int | None = None,
    **options: object,
) -> str:
    """``options`` go into vxlan/config where they belong there, else into config."""
    inside = ("overlay_endpoint", "overlay_endpoint_network_instance", "host_reachability_bgp")
    vxlan = leaves(vni=vni, **{key: value for key, value in options.items() if key in inside})
    vxlan += leaves("nesrv:", udp_port=udp_port)
    inner = (box("import-export-policy", **policy) if policy else "") + f"<vxlan><config>{vxlan}</config></vxlan>"
    return entry(
        "evpn-instance", "evi", name, inner, **{key: value for key, value in options.items() if key not in inside}
    )


def evpn(*instances: str) -> str:
    return f"<evpn><evpn-instances>{''.join(instances)}</evpn-instances></evpn>"


def default(*inner: str, name: str = "default", **config: object) -> str:
    return entry("network-instance", "name", name, "".join(inner), type="oc-ni-types:DEFAULT_INSTANCE", **config)


def vrf(name: str, *inner: str, **config: object) -> str:
    return entry("network-instance", "name", name, "".join(inner), type="oc-ni-types:L3VRF", **config)


def l2vsi(name: str, *inner: str, **config: object) -> str:
    return entry("network-instance", "name", name, "".join(inner), type="oc-ni-types:L2VSI", **config)


def fdb(arp: bool | None = None, nd: bool | None = None, **config: object) -> str:
    proxies = f"<arp-proxy><config>{leaves(arp_suppression=arp)}</config></arp-proxy>" if arp is not None else ""
    proxies += f"<nd-proxy><config>{leaves(nd_suppression=nd)}</config></nd-proxy>" if nd is not None else ""
    return f"<fdb><config>{leaves(**config)}</config>{proxies}</fdb>"


def vlans_of(number: int, **config: object) -> str:
    return f"<vlans>{entry('vlan', 'vlan-id', number, **config)}</vlans>"


def routing(*names: str) -> str:
    """Bindings of interfaces that have no subinterfaces."""
    return f"<interfaces>{''.join(entry('interface', 'id', name, interface=name) for name in names)}</interfaces>"


def irb(name: str, *ips: str, vlan_: object = None, **config: object) -> str:
    inner = f"<oc-vlan:config>{leaves('oc-vlan:', vlan=vlan_)}</oc-vlan:config>{addresses(ips)}"
    made = f"<oc-vlan:routed-vlan>{inner}</oc-vlan:routed-vlan>"
    return entry("interface", "name", name, made, type="ianaift:l3ipvlan", **config)


def user(name: str, **config: object) -> str:
    return entry("user", "username", name, **config)


def pool(index: int | None = None, router_ids: str | None = None, vteps: tuple[str, ...] = ()) -> dict[str, object]:
    """The element's part of common ranges, for ``document``."""
    return {"index": index, "router_id_pool": router_ids, "vtep_pool": vteps}


def document(
    interfaces: Iterable[str] = (),
    instances: Iterable[str] = (),
    users: Iterable[str] = (),
    pool: dict[str, object] | None = None,
) -> str:
    """The whole configuration, without an outer element."""
    made = ""
    if links := "".join(interfaces):
        made += f"<interfaces {IF}>{links}</interfaces>"
    if found := "".join(instances):
        made += f"<network-instances {NI}>{found}</network-instances>"
    if pool:
        inner = f"<nesrv:config>{leaves('nesrv:', **pool)}</nesrv:config>"
        made += (
            '<system xmlns="http://openconfig.net/yang/system" xmlns:nesrv="urn:nesrv:element">'
            f"<nesrv:pool>{inner}</nesrv:pool></system>"
        )
    if people := "".join(users):
        made += (
            '<system xmlns="http://openconfig.net/yang/system"><aaa><authentication>'
            f"<users>{people}</users></authentication></aaa></system>"
        )
    return made


def underlay(*inner: str, asn: int = 64514, names: Iterable[str] = (V4, EVPN), links: Iterable[str] = ("lo",)) -> str:
    """A default instance with VTEP and BGP."""
    return default(bound(*links), vtep(), protocols(bgp(asn, names, *inner)), router_id="192.0.2.1")


LO = loopback("192.0.2.1/32")
