"""What a PE says of itself, by <get>: sessions, VNIs and whatever else OpenConfig has a path for."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree
from ncclient import manager

NI = "http://openconfig.net/yang/network-instance"
NAMES = {"oc": NI}
ESTABLISHED, UP = "ESTABLISHED", "UP"

SESSIONS = f"""
<network-instances xmlns="{NI}"><network-instance><name/><protocols><protocol><identifier/><name/>
  <bgp><neighbors><neighbor/></neighbors></bgp>
</protocol></protocols></network-instance></network-instances>"""

VNIS = f"""
<network-instances xmlns="{NI}"><network-instance><name>default</name><connection-points><connection-point>
  <connection-point-id/><endpoints><endpoint><endpoint-id/><vxlan><endpoint-vnis/></vxlan></endpoint></endpoints>
</connection-point></connection-points></network-instance></network-instances>"""


@dataclass(frozen=True, slots=True)
class Session:
    """A neighbour; ``state`` is empty as long as the PE says nothing of it, counters are (received, sent) by family."""

    instance: str
    neighbor: str
    peer_as: str
    description: str
    state: str
    prefixes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Vni:
    """An endpoint-vni."""

    vni: str
    kind: str
    vrf: str
    state: str


def sessions(pe: manager.Manager) -> list[Session]:
    """Every neighbour in every instance."""
    found = []
    for instance in _get(pe, SESSIONS).iterfind(".//oc:network-instance", NAMES):
        for one in instance.iterfind(".//oc:neighbor", NAMES):
            found.append(
                Session(
                    _text(instance, "oc:name"),
                    _text(one, "oc:neighbor-address"),
                    _text(one, "oc:state/oc:peer-as") or _text(one, "oc:config/oc:peer-as"),
                    _text(one, "oc:state/oc:description") or _text(one, "oc:config/oc:description"),
                    _text(one, "oc:state/oc:session-state"),
                    _prefixes(one),
                )
            )
    return found


def _prefixes(neighbor: etree._Element) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (
            _text(family, "oc:afi-safi-name").rpartition(":")[2],
            _text(family, "oc:state/oc:prefixes/oc:received"),
            _text(family, "oc:state/oc:prefixes/oc:sent"),
        )
        for family in neighbor.iterfind("oc:afi-safis/oc:afi-safi", NAMES)
    )


def vnis(pe: manager.Manager) -> list[Vni]:
    """Every VNI of the VTEP."""
    return [
        Vni(*(_text(one, f"oc:state/oc:{leaf}") for leaf in ("vni", "vni-type", "l3-vrf-name", "vni-state")))
        for one in _get(pe, VNIS).iterfind(".//oc:endpoint-vni", NAMES)
    ]


def _get(pe: manager.Manager, subtree: str) -> etree._Element:
    data: etree._Element = pe.get(filter=("subtree", subtree)).data_ele
    return data


def _text(element: etree._Element, path: str) -> str:
    return element.findtext(path, "", NAMES) or ""
