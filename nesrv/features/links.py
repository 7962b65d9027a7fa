"""What an interface is in the kernel: its kind, its names, and where it lives; pure."""

from __future__ import annotations

from collections.abc import Iterator

from nesrv.datastore.tree import Node
from nesrv.features import inputs, names
from nesrv.features.feature import Lookup
from nesrv.kernel.facts import UNDERLAY, Place

POINT = "/openconfig-interfaces:interfaces/interface"
KINDS = {"softwareLoopback": "loopback", "ethernetCsmacd": "nic", "l3ipvlan": "irb"}
MADE = {"leg": "leg", "macvlan": "macvlan"}
"""Kind by the container that makes the link."""
SUBINTERFACE = "subinterfaces/subinterface"
VLAN = "vlan/match/single-tagged/config/vlan-id"
ITSELF = "0"
"""Index of the subinterface that is the link itself."""
LOOPBACK = "lo"


def kind_of(entry: Node) -> str:
    """``leg``, ``macvlan``, ``nic``, ``loopback`` or ``irb``; other types count as NICs, for ``facts`` to refuse."""
    kind = KINDS.get(entry.identity("config/type") or "", "nic")
    made = (kind for name, kind in MADE.items() if entry.at(name) is not None)
    return kind if kind == "irb" else next(made, kind)


def link_of(entry: Node) -> str:
    """The kernel's name of the link: one that nesrv makes may need another, a NIC has the one that it has."""
    return link_named(entry.text("name"), kind_of(entry))


def link_named(interface: str, kind: str) -> str:
    """The kernel's name of an interface of ``kind``."""
    if kind == "loopback":
        return LOOPBACK
    return interface if kind == "nic" else names.link_name(interface)


def vlans(entry: Node) -> Iterator[tuple[Node, str, int]]:
    """(subinterface, kernel name, VLAN id) of the subinterfaces that are 802.1Q links; one without an id is none."""
    for subinterface in entry.all(SUBINTERFACE):
        vlan = subinterface.number(VLAN)
        if vlan is not None and subinterface.text("index") != ITSELF:
            yield subinterface, names.vlan_name(link_of(entry), vlan), vlan


def itself(entry: Node) -> Iterator[Node]:
    """The subinterface that is the link itself, where it is configured."""
    return (subinterface for subinterface in entry.all(SUBINTERFACE) if subinterface.text("index") == ITSELF)


def is_up(entry: Node) -> bool:
    """Administrative state of the link itself."""
    return entry.flag("config/enabled") and all(subinterface.flag("config/enabled") for subinterface in itself(entry))


def place_of(instance: str | None, lookup: Lookup) -> Place:
    """Where a link bound to ``instance`` (None: to none) lives."""
    kind = lookup(inputs.instance_type(instance)) if instance is not None else None
    if kind == "L2VSI" and instance is not None:
        return bridge_place(instance, lookup)
    return Place("vrf", names.vrf_name(instance)) if kind == "L3VRF" and instance is not None else UNDERLAY


def bridge_place(l2vsi: str, lookup: Lookup) -> Place:
    """Where the bridge of an L2VSI stands: in the L3VRF of the interface that routes for it, else in the underlay."""
    for interface in inputs.several(lookup, inputs.routing_interfaces(l2vsi)):
        if lookup(inputs.interface_kind(interface)) == "irb":
            vrf = inputs.text(lookup, inputs.binding(interface, ITSELF))
            return UNDERLAY if vrf is None else Place("vrf", names.vrf_name(vrf))
    return UNDERLAY
