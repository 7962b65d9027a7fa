"""Configured entries for the pure parts of state."""

from __future__ import annotations

from lxml import etree

from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.tree import Node
from nesrv.rpc.known import INSTANCE, INTERFACE
from tests.state import element

UNDERLAY_FAMILIES = ("IPV4_UNICAST", "L2VPN_EVPN")


def shards() -> Shards:
    return Shards(element.schema())


def pe() -> Snapshot:
    """A default instance with a VTEP and an L3VRF ``red`` with VNI 100."""
    underlay = element.instance(
        "main",
        "DEFAULT_INSTANCE",
        "10.0.0.1",
        element.bound("lo"),
        element.VTEP,
        element.speaker(64514, UNDERLAY_FAMILIES, element.neighbor("192.168.7.2", 64515, UNDERLAY_FAMILIES)),
    )
    red = element.instance(
        "red",
        "L3VRF",
        "10.0.0.1",
        element.vni(100),
        element.bound("t1"),
        element.speaker(64514, ("IPV4_UNICAST",), element.neighbor("10.1.0.1", 64600, ("IPV4_UNICAST",), SECRET)),
    )
    links = (
        element.interface("lo", ["10.0.0.1/32"]),
        element.interface("t1", ["10.1.0.254/24"], element.leg("tenant", "h1", "10.1.0.1/24"), "<mtu>1400</mtu>"),
    )
    return Editor(shards()).edit(EMPTY, etree.fromstring(element.config(links, (underlay, red))))


SECRET = "<auth-password>cleartext</auth-password>"


def instance(name: str) -> Node:
    return shards().entry(pe()[f"{INSTANCE}[name='{name}']"])


def interface(name: str) -> Node:
    return shards().entry(pe()[f"{INTERFACE}[name='{name}']"])
