"""The BGP speaker of a network instance: what the BGP and EVPN features both need to know of it; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nesrv.datastore.tree import Node
from nesrv.features import inputs
from nesrv.features.feature import Lookup
from nesrv.features.instances import vrf_of

VNI = "evpn/evpn-instances/evpn-instance/vxlan/config/vni"
FAMILIES = {
    "IPV4_UNICAST": "address-family ipv4 unicast",
    "IPV6_UNICAST": "address-family ipv6 unicast",
    "L2VPN_EVPN": "address-family l2vpn evpn",
}
"""FRR's context by the identity's name."""
EVPN = FAMILIES["L2VPN_EVPN"]
UNICAST = ("IPV4_UNICAST", "IPV6_UNICAST")


@dataclass(frozen=True, slots=True)
class Speaker:
    """``asn``: its AS; ``bgp``: its configuration, None where only the VNI makes it necessary.

    ``families``: the enabled ones by the identity's name, with the path of their ``enabled``.
    """

    asn: int
    vrf: str | None
    bgp: Node | None
    families: dict[str, str]
    path: str

    @property
    def text(self) -> str:
        return f"router bgp {self.asn}" + (f" vrf {self.vrf}" if self.vrf is not None else "")

    @property
    def context(self) -> tuple[str, ...]:
        return (self.text,)

    def family(self, name: str) -> tuple[str, ...]:
        return (self.text, FAMILIES[name])


def protocols(entry: Node) -> Iterator[Node]:
    """The BGP protocols of the instance that are not disabled."""
    for protocol in entry.all("protocols/protocol"):
        if protocol.identity("identifier") == "BGP" and protocol.leaf("config/enabled") != "false":
            yield protocol


def own_bgp(entry: Node) -> Node | None:
    """The configuration of the instance's own speaker."""
    return next((found for protocol in protocols(entry) if (found := protocol.at("bgp")) is not None), None)


def own_as(bgp: Node) -> int:
    return int(bgp.text("global/config/as"))


def enabled_families(bgp: Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for family in bgp.all("global/afi-safis/afi-safi"):
        name = family.identity("afi-safi-name")
        if name in FAMILIES and family.flag("config/enabled"):
            found[name] = family.path_of("config/enabled")
    return found


def speaker_of(entry: Node, lookup: Lookup) -> Speaker | None:
    """The instance's speaker; an L3VRF with a VNI and no BGP of its own has one in the underlay's AS."""
    vrf, bgp = vrf_of(entry), own_bgp(entry)
    if bgp is not None:
        return Speaker(own_as(bgp), vrf, bgp, enabled_families(bgp), bgp.path_of("global/config/as"))
    vni = entry.at(VNI)
    underlay = inputs.number(lookup, inputs.UNDERLAY_AS) if vni is not None and vrf is not None else None
    return Speaker(underlay, vrf, None, {}, vni.path) if underlay is not None and vni is not None else None
