"""Where the places of one element are: paths of namespaces, names of VRF devices; pure.

The only file besides ``backends`` that knows the difference between the two VRF back ends.
"""

from __future__ import annotations

import zlib
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nesrv.kernel.facts import Bridge, Leg, Macvlan, Place, Vlan, Vxlan

BackendName = Literal["device", "netns"]

OWN_NAMESPACE = Path("/proc/self/ns/net")
HOST_NAMESPACES = Path("/run/netns")

FIRST_TABLE, TABLES = 1 << 16, 1 << 20
"""VRF tables lie far from the kernel's own (253 to 255) and from what people choose by hand."""

UNREACHABLE_METRIC = 4278198272
"""The metric of a VRF's last resort (kernel documentation networking/vrf, FRR: distance 255)."""

OUR_GROUP = 0x6E657372
"""Interface group of every link that nesrv makes, set in the very message that makes it."""

DOOMED_GROUP = OUR_GROUP + 1
"""Where links wait to be removed together."""

MARK = "nesrv"
"""First word of the alias that a link of ours gets once it is complete."""

SETTINGS_MARK = "set"
SWITCH_MARK = "l2"
HOST_MARK = "host="
PARENT_MARK = "parent="
HOST_BRIDGE_MARK = "host-bridge"
PORT_ALIAS = "nesrv port"
"""Of a leg's host end that nesrv made a port of a bridge; the end itself is known by its leg."""

TICKS = 100
"""In which the kernel counts a bridge's times: hundredths of a second."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One element: ``run`` its runtime directory, ``underlay`` its namespace (None: the process's own)."""

    kind: BackendName
    run: Path
    underlay: Path | None = None

    @property
    def vrf_directory(self) -> Path:
        return self.run / "netns"

    def namespace(self, place: Place) -> Path:
        if place.kind == "host":
            return HOST_NAMESPACES / place.name if place.name else OWN_NAMESPACE
        if place.kind == "vrf" and self.kind == "netns":
            return self.vrf_directory / place.name
        return self.underlay or OWN_NAMESPACE

    def master(self, place: Place) -> str:
        """The VRF device that a routed link of ``place`` is enslaved to, empty where there is none."""
        return place.name if place.kind == "vrf" and self.kind == "device" else ""

    def link(self, place: Place, name: str) -> str:
        """The kernel's name of a link: the loopback of a VRF device is the device itself."""
        return place.name if name == "lo" and self.master(place) else name


def table_for(name: str, taken: Container[int]) -> int:
    """A table id for VRF ``name``: the same wherever it is free, else the next free one."""
    start = zlib.crc32(name.encode()) % TABLES
    return next(
        table for table in (FIRST_TABLE + (start + probe) % TABLES for probe in range(TABLES)) if table not in taken
    )


def alias(*words: str) -> str:
    """The alias of a link of ours, e.g. ``nesrv host=tenant1 set``."""
    return " ".join((MARK, *words))


def link_alias(fact: Bridge | Vxlan | Leg | Vlan | Macvlan, *more: str) -> str:
    """The alias of the link that ``fact`` makes; ``more`` follows."""
    words: tuple[str, ...] = ()
    if isinstance(fact, Bridge) and fact.switch:
        words = (SWITCH_MARK,)
    elif isinstance(fact, Leg):
        words = (HOST_MARK + fact.host.name,)
    elif isinstance(fact, Macvlan):
        words = (PARENT_MARK + fact.home.name,)
    return alias(*words, *more)


def describe(place: Place) -> str:
    """A place in words, for messages."""
    if place.kind == "underlay":
        return "the element's namespace"
    if place.kind == "vrf":
        return f"VRF {place.name}"
    return f"host namespace {place.name}" if place.name else "the host's namespace"
