"""Configurations of an element as values, and as the OpenConfig XML that says them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Any

from lxml import etree

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
OPENCONFIG = "http://openconfig.net/yang/"
INTERFACES, INSTANCES, SYSTEM = (OPENCONFIG + name for name in ("interfaces", "network-instance", "system"))
IP, NESRV = OPENCONFIG + "interfaces/ip", "urn:nesrv:element"
PREFIXES = {
    "ianaift": "urn:ietf:params:xml:ns:yang:iana-if-type",
    "oc-ni-types": OPENCONFIG + "network-instance-types",
    "oc-pol-types": OPENCONFIG + "policy-types",
    "oc-bgp-types": OPENCONFIG + "bgp-types",
    "oc-evpn-types": OPENCONFIG + "evpn-types",
    "oc-aaa-types": OPENCONFIG + "aaa/types",
}
V4, V6, EVPN = "IPV4_UNICAST", "IPV6_UNICAST", "L2VPN_EVPN"
AS = 64514

Content = etree._Element | str | int | None


def _prefixes(namespace: str) -> Any:
    """With the default namespace, for which the stubs of lxml have no place."""
    default: dict[str | None, str] = {None: namespace}
    return default | dict(PREFIXES)


class Maker:
    """``maker.name(content, …)`` is an element of one namespace; content that is None is left out."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def __call__(self, name: str, *content: Content) -> etree._Element:
        made = etree.Element(f"{{{self._namespace}}}{name}", nsmap=_prefixes(self._namespace))
        for one in content:
            if isinstance(one, etree._Element):
                made.append(one)
            elif one is not None:
                made.text = str(one)
        return made

    def leaf(self, name: str, value: object) -> etree._Element | None:
        """None for None; booleans as YANG writes them."""
        if value is None:
            return None
        return self(name, str(value).lower() if isinstance(value, bool) else str(value))


_if, _ip, _ni, _sys, _nesrv = (Maker(uri) for uri in (INTERFACES, IP, INSTANCES, SYSTEM, NESRV))


@dataclass(frozen=True, slots=True)
class Leg:
    """``addresses`` are the element's, ``host_addresses`` the other end's, both with their length."""

    name: str
    space: str
    host_interface: str
    addresses: tuple[str, ...] = ()
    host_addresses: tuple[str, ...] = ()
    mtu: int | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Neighbor:
    address: str
    asn: int
    families: tuple[str, ...] = (V4,)
    description: str | None = None
    password: str | None = None
    hold: int | None = None
    keepalive: int | None = None
    retry: int | None = None
    source: str | None = None
    passive: bool | None = None
    enabled: bool | None = None
    multihop: int | None = None
    allow_own_as: int | None = None


@dataclass(frozen=True, slots=True)
class Vrf:
    """``asn`` None: no BGP of its own; ``target`` is both import and export route target.

    ``more_members`` are interfaces that are bound beside the legs.
    """

    name: str
    legs: tuple[Leg, ...] = ()
    vni: int | None = None
    asn: int | None = AS
    families: tuple[str, ...] = (V4, V6)
    neighbors: tuple[Neighbor, ...] = ()
    router_id: str | None = "198.51.100.1"
    rd: str | None = None
    target: str | None = None
    udp_port: int | None = None
    more_members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Underlay:
    """The default instance; ``nics`` are (name, origin namespace, addresses), ``loopback`` is what lo has."""

    loopback: tuple[str, ...] = ("198.51.100.1/32",)
    nics: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    vtep: bool = True
    asn: int | None = AS
    families: tuple[str, ...] = (V4, EVPN)
    neighbors: tuple[Neighbor, ...] = ()
    legs: tuple[Leg, ...] = ()
    router_id: str | None = "198.51.100.1"


@dataclass(frozen=True, slots=True)
class Configuration:
    """``users`` are (name, password)."""

    underlay: Underlay | None = None
    vrfs: tuple[Vrf, ...] = ()
    users: tuple[tuple[str, str], ...] = ()


def document(configuration: Configuration) -> etree._Element:
    """The ``<config>`` of an edit-config."""
    links, instances = list(_links(configuration)), list(_instances(configuration))
    users = [_user(name, password) for name, password in configuration.users]
    config = Maker(BASE)(
        "config",
        _if("interfaces", *links) if links else None,
        _ni("network-instances", *instances) if instances else None,
        _sys("system", _sys("aaa", _sys("authentication", _sys("users", *users)))) if users else None,
    )
    etree.cleanup_namespaces(config, keep_ns_prefixes=list(PREFIXES))
    return config


def text(configuration: Configuration) -> str:
    return etree.tostring(document(configuration)).decode()


def _user(name: str, password: str) -> etree._Element:
    role = _sys("role", "builders")
    inner = _sys("config", _sys("username", name), _sys("password", password), role)
    return _sys("user", _sys("username", name), inner)


def _links(configuration: Configuration) -> Iterable[etree._Element]:
    underlay = configuration.underlay
    if underlay is not None:
        for name, space, addresses in underlay.nics:
            adopt = _nesrv("adopt", _nesrv("config", _nesrv("from-namespace", space)))
            yield _link(name, "ethernetCsmacd", addresses, adopt)
        if underlay.loopback:
            yield _link("lo", "softwareLoopback", underlay.loopback)
    for leg in (*(underlay.legs if underlay else ()), *(leg for vrf in configuration.vrfs for leg in vrf.legs)):
        yield _leg(leg)


def _leg(leg: Leg) -> etree._Element:
    made = _nesrv(
        "leg",
        _nesrv(
            "config",
            _nesrv("host-namespace", leg.space),
            _nesrv("host-interface", leg.host_interface),
            *(_nesrv("host-address", address) for address in leg.host_addresses),
        ),
    )
    more = (_if.leaf("mtu", leg.mtu), _if.leaf("enabled", leg.enabled))
    return _link(leg.name, "ethernetCsmacd", leg.addresses, made, *more)


def _link(
    name: str, kind: str, addresses: Iterable[str], origin: etree._Element | None = None, *more: etree._Element | None
) -> etree._Element:
    families = [_addresses(version, addresses) for version in (4, 6)]
    config = _if("config", _if("name", name), _if("type", f"ianaift:{kind}"), *more)
    inner = _if("subinterface", _if("index", 0), _if("config", _if("index", 0)), *families)
    return _if("interface", _if("name", name), config, _if("subinterfaces", inner), origin)


def _addresses(version: int, addresses: Iterable[str]) -> etree._Element | None:
    ours = [one for one in map(ip_interface, addresses) if one.version == version]
    rows = [
        _ip(
            "address",
            _ip("ip", str(one.ip)),
            _ip("config", _ip("ip", str(one.ip)), _ip("prefix-length", one.network.prefixlen)),
        )
        for one in ours
    ]
    return _ip(f"ipv{version}", _ip("addresses", *rows)) if rows else None


def _instances(configuration: Configuration) -> Iterable[etree._Element]:
    if configuration.underlay is not None:
        yield _default(configuration.underlay)
    yield from map(vrf_document, configuration.vrfs)


def _instance(name: str, kind: str, router_id: str | None, *content: Content) -> etree._Element:
    leaf = _ni.leaf("router-id", router_id)
    config = _ni("config", _ni("name", name), _ni("type", f"oc-ni-types:{kind}"), leaf)
    return _ni("network-instance", _ni("name", name), config, *content)


def _default(underlay: Underlay) -> etree._Element:
    members = [name for name, _, _ in underlay.nics] + [leg.name for leg in underlay.legs]
    members += ["lo"] if underlay.loopback else []
    bgp = _bgp(underlay.asn, underlay.families, underlay.neighbors) if underlay.asn is not None else None
    vtep = _vtep() if underlay.vtep else None
    return _instance("default", "DEFAULT_INSTANCE", underlay.router_id, _members(members), vtep, bgp)


def _members(links: Iterable[str]) -> etree._Element | None:
    rows = [_member(link) for link in links]
    return _ni("interfaces", *rows) if rows else None


def _member(link: str) -> etree._Element:
    config = _ni("config", _ni("id", f"{link}.0"), _ni("interface", link), _ni("subinterface", 0))
    return _ni("interface", _ni("id", f"{link}.0"), config)


def _vtep() -> etree._Element:
    endpoint = _ni(
        "endpoint",
        _ni("endpoint-id", "VTEP"),
        _ni("config", _ni("endpoint-id", "VTEP"), _ni("type", "oc-ni-types:LOCAL")),
        _ni("local", _ni("config", _ni("interface", "lo"), _ni("subinterface", 0))),
        _ni("vxlan", _ni("config", _ni("enabled", "true"), _ni("source-interface", "lo"))),
    )
    point = _ni(
        "connection-point",
        _ni("connection-point-id", "VTEP"),
        _ni("config", _ni("connection-point-id", "VTEP")),
        _ni("endpoints", endpoint),
    )
    return _ni("connection-points", point)


def vrf_document(vrf: Vrf) -> etree._Element:
    """The ``network-instance`` entry."""
    members = (*(leg.name for leg in vrf.legs), *vrf.more_members)
    evpn = _evpn(vrf) if vrf.vni is not None else None
    bgp = _bgp(vrf.asn, vrf.families, vrf.neighbors) if vrf.asn is not None else None
    return _instance(vrf.name, "L3VRF", vrf.router_id, evpn, _members(members), bgp)


def _evpn(vrf: Vrf) -> etree._Element:
    targets = [_ni.leaf(f"{way}-route-target", vrf.target) for way in ("import", "export")]
    config = _ni(
        "config",
        _ni("evi", vrf.name),
        _ni("encapsulation-type", "oc-ni-types:VXLAN"),
        _ni("service-type", "oc-evpn-types:VLAN_BASED"),
        _ni.leaf("route-distinguisher", vrf.rd),
    )
    vxlan = _ni(
        "vxlan",
        _ni(
            "config",
            _ni("vni", str(vrf.vni)),
            _ni("overlay-endpoint-network-instance", "default"),
            _ni("overlay-endpoint", "VTEP"),
            _ni("host-reachability-bgp", "true"),
            _nesrv.leaf("udp-port", vrf.udp_port),
        ),
    )
    policy = _ni("import-export-policy", _ni("config", *targets)) if vrf.target is not None else None
    return _ni("evpn", _ni("evpn-instances", _ni("evpn-instance", _ni("evi", vrf.name), config, policy, vxlan)))


def _bgp(asn: int | None, families: Iterable[str], neighbors: Iterable[Neighbor]) -> etree._Element:
    rows = [_neighbor(one) for one in neighbors]
    speaker = _ni(
        "bgp",
        _ni("global", _ni("config", _ni("as", str(asn))), _families(families)),
        _ni("neighbors", *rows) if rows else None,
    )
    names = (_ni("identifier", "oc-pol-types:BGP"), _ni("name", "bgp"))
    config = _ni("config", _ni("identifier", "oc-pol-types:BGP"), _ni("name", "bgp"))
    return _ni("protocols", _ni("protocol", *names, config, speaker))


def _families(families: Iterable[str]) -> etree._Element | None:
    rows = [
        _ni(
            "afi-safi",
            _ni("afi-safi-name", f"oc-bgp-types:{family}"),
            _ni("config", _ni("afi-safi-name", f"oc-bgp-types:{family}"), _ni("enabled", "true")),
        )
        for family in families
    ]
    return _ni("afi-safis", *rows) if rows else None


def _neighbor(one: Neighbor) -> etree._Element:
    config = _ni(
        "config",
        _ni("neighbor-address", one.address),
        _ni("peer-as", one.asn),
        _ni.leaf("description", one.description),
        _ni.leaf("auth-password", one.password),
        _ni.leaf("enabled", one.enabled),
    )
    timers = (
        _ni.leaf("hold-time", one.hold),
        _ni.leaf("keepalive-interval", one.keepalive),
        _ni.leaf("connect-retry", one.retry),
    )
    transport = (_ni.leaf("passive-mode", one.passive), _ni.leaf("local-address", one.source))
    multihop = (_ni.leaf("enabled", True), _ni.leaf("multihop-ttl", one.multihop))
    return _ni(
        "neighbor",
        _ni("neighbor-address", one.address),
        config,
        _group("timers", *timers),
        _group("transport", *transport),
        _group("ebgp-multihop", *multihop) if one.multihop is not None else None,
        _group("as-path-options", _ni.leaf("allow-own-as", one.allow_own_as)),
        _families(one.families),
    )


def _group(name: str, *leaves: etree._Element | None) -> etree._Element | None:
    kept = [leaf for leaf in leaves if leaf is not None]
    return _ni(name, _ni("config", *kept)) if kept else None
