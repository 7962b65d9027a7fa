"""What an operator sends to a PE, made from the topology: OpenConfig XML by lxml."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_interface
from typing import cast

from lxml import etree

from lab.topology import Interface, Link, Pe, Tenant, Topology, Vrf

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
OPENCONFIG = "http://openconfig.net/yang/"
PREFIXES = {
    "ianaift": "urn:ietf:params:xml:ns:yang:iana-if-type",
    "oc-ni-types": OPENCONFIG + "network-instance-types",
    "oc-pol-types": OPENCONFIG + "policy-types",
    "oc-bgp-types": OPENCONFIG + "bgp-types",
    "oc-evpn-types": OPENCONFIG + "evpn-types",
}
"""Prefixes of the identities that are used as values."""

VTEP = "VTEP"
FAMILIES = {4: "oc-bgp-types:IPV4_UNICAST", 6: "oc-bgp-types:IPV6_UNICAST"}
EVPN = "oc-bgp-types:L2VPN_EVPN"
HOLD, KEEPALIVE, RETRY = 9, 3, 5

Content = etree._Element | str | int


def _maker(namespace: str) -> Callable[..., etree._Element]:
    prefixes = cast(dict[str, str], {None: namespace, **PREFIXES})

    def make(name: str, *content: Content) -> etree._Element:
        """An element with text or children."""
        made = etree.Element(f"{{{namespace}}}{name}", nsmap=prefixes)
        for one in content:
            if isinstance(one, etree._Element):
                made.append(one)
            else:
                made.text = str(one)
        return made

    return make


_config = _maker(BASE)
_if = _maker(OPENCONFIG + "interfaces")
_ip = _maker(OPENCONFIG + "interfaces/ip")
_ni = _maker(OPENCONFIG + "network-instance")
_nesrv = _maker("urn:nesrv:element")


def pe_configuration(topology: Topology, pe: Pe) -> etree._Element:
    """The whole configuration of a PE, as the ``<config>`` of an edit-config."""
    links = topology.links_of(pe.node)
    vrfs = topology.vrfs_of(pe.node)
    tenants = [tenant for vrf in vrfs for tenant in topology.tenants_of(pe.node, vrf.name)]
    config = _config(
        "config",
        _if(
            "interfaces",
            *(_underlay_nic(topology, link) for link in links),
            _loopback(pe),
            *(_leg(topology, tenant) for tenant in tenants),
        ),
        _ni(
            "network-instances",
            _default_instance(topology, pe),
            *(_vrf(topology, pe, vrf) for vrf in vrfs),
        ),
    )
    etree.cleanup_namespaces(config, keep_ns_prefixes=list(PREFIXES))
    return config


def _underlay_nic(topology: Topology, link: Link) -> etree._Element:
    """Taken from the namespace where nesrv was started."""
    description = f"to {link.router}"
    return _interface(topology.nic(link), "ethernetCsmacd", description, (link.pe_address,), _nesrv("adopt"))


def _loopback(pe: Pe) -> etree._Element:
    return _interface("lo", "softwareLoopback", "the VTEP's address", (ip_interface(pe.vtep),))


def _leg(topology: Topology, tenant: Tenant) -> etree._Element:
    """A veth pair: this end in the VRF, the other in the tenant's namespace."""
    leg = _nesrv(
        "leg",
        _nesrv(
            "config",
            _nesrv("host-namespace", topology.space(tenant.node)),
            _nesrv("host-interface", tenant.port),
            *(_nesrv("host-address", str(address)) for address in tenant.addresses),
        ),
    )
    description = f"{tenant.host} in {tenant.vrf}"
    return _interface(tenant.pe_port, "ethernetCsmacd", description, tenant.pe_addresses, leg)


def _interface(
    name: str, kind: str, description: str, addresses: Iterable[Interface], *more: etree._Element
) -> etree._Element:
    families = [_family(version, addresses) for version in (4, 6)]
    return _if(
        "interface",
        _if("name", name),
        _if(
            "config",
            _if("name", name),
            _if("type", f"ianaift:{kind}"),
            _if("enabled", "true"),
            _if("description", description),
        ),
        _if(
            "subinterfaces",
            _if(
                "subinterface",
                _if("index", 0),
                _if("config", _if("index", 0)),
                *(family for family in families if family is not None),
            ),
        ),
        *more,
    )


def _family(version: int, addresses: Iterable[Interface]) -> etree._Element | None:
    ours = [address for address in addresses if address.version == version]
    if not ours:
        return None
    return _ip(
        f"ipv{version}",
        _ip(
            "addresses",
            *(
                _ip(
                    "address",
                    _ip("ip", str(one.ip)),
                    _ip(
                        "config",
                        _ip("ip", str(one.ip)),
                        _ip("prefix-length", one.network.prefixlen),
                    ),
                )
                for one in ours
            ),
        ),
    )


def _default_instance(topology: Topology, pe: Pe) -> etree._Element:
    """The underlay: BGP with the routers, and the VTEP."""
    links = topology.links_of(pe.node)
    return _ni(
        "network-instance",
        _ni("name", "default"),
        _ni(
            "config",
            _ni("name", "default"),
            _ni("type", "oc-ni-types:DEFAULT_INSTANCE"),
            _ni("router-id", pe.vtep),
        ),
        _ni("interfaces", *(_member(name) for name in (*(topology.nic(link) for link in links), "lo"))),
        _vtep(),
        _bgp(
            pe.asn,
            (FAMILIES[4], EVPN),
            [_underlay_neighbor(topology, link) for link in links],
        ),
    )


def _member(link: str) -> etree._Element:
    return _ni(
        "interface",
        _ni("id", f"{link}.0"),
        _ni("config", _ni("id", f"{link}.0"), _ni("interface", link), _ni("subinterface", 0)),
    )


def _vtep() -> etree._Element:
    return _ni(
        "connection-points",
        _ni(
            "connection-point",
            _ni("connection-point-id", VTEP),
            _ni("config", _ni("connection-point-id", VTEP)),
            _ni(
                "endpoints",
                _ni(
                    "endpoint",
                    _ni("endpoint-id", VTEP),
                    _ni("config", _ni("endpoint-id", VTEP), _ni("type", "oc-ni-types:LOCAL")),
                    _ni("local", _ni("config", _ni("interface", "lo"), _ni("subinterface", 0))),
                    _ni("vxlan", _ni("config", _ni("enabled", "true"), _ni("source-interface", "lo"))),
                ),
            ),
        ),
    )


def _vrf(topology: Topology, pe: Pe, vrf: Vrf) -> etree._Element:
    tenants = topology.tenants_of(pe.node, vrf.name)
    versions = sorted({address.version for tenant in tenants for address in tenant.services})
    families = [FAMILIES[version] for version in versions]
    return _ni(
        "network-instance",
        _ni("name", vrf.name),
        _ni(
            "config",
            _ni("name", vrf.name),
            _ni("type", "oc-ni-types:L3VRF"),
            _ni("router-id", pe.vtep),
        ),
        _evpn_instance(pe, vrf),
        _ni("interfaces", *(_member(tenant.pe_port) for tenant in tenants)),
        _bgp(pe.asn, families, [_tenant_neighbor(tenant, families) for tenant in tenants]),
    )


def _evpn_instance(pe: Pe, vrf: Vrf) -> etree._Element:
    """Type 5: the VRF's families are announced under the VNI's route target."""
    return _ni(
        "evpn",
        _ni(
            "evpn-instances",
            _ni(
                "evpn-instance",
                _ni("evi", vrf.name),
                _ni(
                    "config",
                    _ni("evi", vrf.name),
                    _ni("encapsulation-type", "oc-ni-types:VXLAN"),
                    _ni("service-type", "oc-evpn-types:VLAN_BASED"),
                    _ni("route-distinguisher", f"{pe.vtep}:{vrf.vni}"),
                ),
                _ni(
                    "import-export-policy",
                    _ni(
                        "config",
                        _ni("import-route-target", vrf.route_target),
                        _ni("export-route-target", vrf.route_target),
                    ),
                ),
                _ni(
                    "vxlan",
                    _ni(
                        "config",
                        _ni("vni", vrf.vni),
                        _ni("overlay-endpoint-network-instance", "default"),
                        _ni("overlay-endpoint", VTEP),
                        _ni("host-reachability-bgp", "true"),
                    ),
                ),
            ),
        ),
    )


def _bgp(asn: int, families: Iterable[str], neighbors: Iterable[etree._Element]) -> etree._Element:
    return _ni(
        "protocols",
        _ni(
            "protocol",
            _ni("identifier", "oc-pol-types:BGP"),
            _ni("name", "bgp"),
            _ni("config", _ni("identifier", "oc-pol-types:BGP"), _ni("name", "bgp")),
            _ni(
                "bgp",
                _ni("global", _ni("config", _ni("as", asn)), _families(families)),
                _ni("neighbors", *neighbors),
            ),
        ),
    )


def _families(families: Iterable[str]) -> etree._Element:
    return _ni(
        "afi-safis",
        *(
            _ni(
                "afi-safi",
                _ni("afi-safi-name", family),
                _ni("config", _ni("afi-safi-name", family), _ni("enabled", "true")),
            )
            for family in families
        ),
    )


def _underlay_neighbor(topology: Topology, link: Link) -> etree._Element:
    """The PEs have one AS: each wants the other's routes in spite of the own AS in their path."""
    asn = topology.router(link.router).asn
    loops = _ni("as-path-options", _ni("config", _ni("allow-own-as", 1)))
    return _neighbor(str(link.router_address.ip), asn, link.router, (FAMILIES[4], EVPN), loops)


def _tenant_neighbor(tenant: Tenant, families: Iterable[str]) -> etree._Element:
    return _neighbor(str(tenant.addresses[0].ip), tenant.asn, tenant.host, families)


def _neighbor(
    address: str, asn: int, description: str, families: Iterable[str], *more: etree._Element
) -> etree._Element:
    return _ni(
        "neighbor",
        _ni("neighbor-address", address),
        _ni(
            "config",
            _ni("neighbor-address", address),
            _ni("peer-as", asn),
            _ni("description", description),
        ),
        _ni(
            "timers",
            _ni(
                "config",
                _ni("hold-time", HOLD),
                _ni("keepalive-interval", KEEPALIVE),
                _ni("connect-retry", RETRY),
            ),
        ),
        *more,
        _families(families),
    )
