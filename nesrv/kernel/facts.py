"""The kernel objects that the element is made of, as facts; no I/O here.

``Place`` says where a link lives without saying which VRF back end is in use: only the
kernel room knows whether a VRF is a device or a network namespace.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """``underlay`` is the element's own namespace; ``vrf`` an L3VRF of it, by kernel name; ``host``
    a named network namespace outside the element (empty name: where nesrv was started)."""

    kind: Literal["underlay", "vrf", "host"]
    name: str = ""


UNDERLAY = Place("underlay")
DEFAULT_MTU = 1500
OVERHEAD = {4: 50, 6: 70}
"""Bytes that VXLAN takes of the underlay's MTU, by the VTEP's IP version (RFC 7348, section 5)."""

DEFAULT_AGEING = 300
"""Seconds, the kernel's own."""

Suppression = Literal["all", "arp", "none"]
"""``all``: ARP and IPv6 neighbour discovery."""


@dataclass(frozen=True, slots=True)
class Vrf:
    """An L3VRF: device and table with an unreachable default, or a network namespace."""

    name: str
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (0,)

    @property
    def key(self) -> tuple[str, ...]:
        return ("vrf", self.name)

    @property
    def holds(self) -> Place:
        """What lives in it has this place."""
        return Place("vrf", self.name)


@dataclass(frozen=True, slots=True)
class Nic:
    """A NIC moved from ``origin`` into the element's namespace, addresses and MTU kept; deleting gives it back."""

    name: str
    origin: Place
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (1,)

    @property
    def key(self) -> tuple[str, ...]:
        return ("nic", self.name)


@dataclass(frozen=True, slots=True)
class Member:
    """A NIC in the L3VRF ``place``: its port or moved into its namespace; deleting puts it back as it was before."""

    place: Place
    name: str
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (2,)

    @property
    def key(self) -> tuple[str, ...]:
        return ("member", self.name)


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge without IPv6 link-local of its own; ``mac`` is the router MAC that EVPN announces.

    A ``switch`` has a tenant's links as ports (L2VSI): ``mac`` is that of the gateway, and a host
    unheard of for ``ageing`` seconds is forgotten.  In the underlay nothing of the element is
    within the reach of its hosts.
    """

    place: Place
    name: str
    mac: str
    path: str = field(compare=False)
    switch: bool = False
    ageing: int = DEFAULT_AGEING
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (20,)

    @property
    def key(self) -> tuple[str | Place, ...]:
        return ("bridge", self.place, self.name)

    @property
    def is_gateway(self) -> bool:
        """Whether it may route for its hosts: it then has an IPv6 link-local address, of its MAC like the kernel's
        own, without which the kernel asks for no IPv6 neighbour unless it has a packet for it."""
        return self.switch and self.place != UNDERLAY


@dataclass(frozen=True, slots=True)
class Vxlan:
    """A VXLAN device in ``place``, its socket in the underlay; learning off.

    ``local`` is the VTEP's IPv4 or IPv6 address, ``port`` the UDP port, ``bridge`` its master;
    ``suppress`` says which requests for known hosts the bridge answers and keeps out of it.
    """

    place: Place
    name: str
    vni: int
    local: str
    port: int
    bridge: str
    path: str = field(compare=False)
    suppress: Suppression = "all"
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (21,)

    @property
    def key(self) -> tuple[str | Place, ...]:
        return ("vxlan", self.place, self.name)


@dataclass(frozen=True, slots=True)
class Leg:
    """A veth pair: ``name`` in ``place`` (the VRF or the underlay), ``host_name`` in ``host``."""

    place: Place
    name: str
    host: Place
    host_name: str
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (22,)

    @property
    def key(self) -> tuple[str | Place, ...]:
        return ("leg", self.name)


@dataclass(frozen=True, slots=True)
class Vlan:
    """An 802.1Q link in ``place`` above the NIC ``parent``, wherever that is (``home``); it can be up without it."""

    place: Place
    name: str
    home: Place = field(compare=False)
    parent: str
    vlan: int
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (22,)

    @property
    def key(self) -> tuple[str, ...]:
        return ("vlan", self.name)


@dataclass(frozen=True, slots=True)
class Macvlan:
    """A macvlan in ``place`` above the link ``parent`` of ``home``; ``mode`` as iproute2 writes it."""

    place: Place
    name: str
    home: Place
    parent: str
    mode: str
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (22,)

    @property
    def key(self) -> tuple[str, ...]:
        return ("macvlan", self.name)


@dataclass(frozen=True, slots=True)
class HostPort:
    """The host end ``name`` of a leg as a port of the bridge ``bridge`` of ``host``.

    ``create``: nesrv makes a bridge that is not there, and removes it with the last such port.
    """

    host: Place
    name: str
    bridge: str
    create: bool = field(compare=False)
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (22, 1)

    @property
    def key(self) -> tuple[str | Place, ...]:
        return ("host-port", self.host, self.name)


@dataclass(frozen=True, slots=True)
class BridgePort:
    """A link of any kind as a port of a switch; ``learning``: whether the bridge learns hosts behind it.

    The bridge is part of the key: a port that changes bridges leaves one before that goes.
    """

    place: Place
    name: str
    bridge: str
    learning: bool
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (22, 9)

    @property
    def key(self) -> tuple[str | Place, ...]:
        return ("port", self.place, self.name, self.bridge)


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """MTU in bytes (None: leave the kernel's) and administrative state of a link made or adopted."""

    place: Place
    name: str
    mtu: int | None
    up: bool
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (23,)

    @property
    def key(self) -> tuple[str | Place, ...]:
        return ("settings", self.place, self.name)


@dataclass(frozen=True, slots=True)
class NoIpv6:
    """A link that has no IPv6 at all, not even a link-local address."""

    place: Place
    link: str
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (23, 1)

    @property
    def key(self) -> tuple[str | Place, ...]:
        return ("no-ipv6", self.place, self.link)


@dataclass(frozen=True, slots=True)
class Address:
    """``address`` is ``ADDRESS/LENGTH`` in canonical form, IPv4 or IPv6, on a link."""

    place: Place
    link: str
    address: str
    path: str = field(compare=False)
    domain: ClassVar[str] = "kernel"
    rank: ClassVar[tuple[int, ...]] = (24,)

    @property
    def key(self) -> tuple[str | Place, ...]:
        return ("address", self.place, self.link, self.address)


def satisfies(wanted: object, actual: object) -> bool:
    """Whether ``actual`` is all that ``wanted`` asks for: settings without an MTU are content with any."""
    if isinstance(wanted, LinkSettings) and isinstance(actual, LinkSettings) and wanted.mtu is None:
        return (wanted.place, wanted.name, wanted.up) == (actual.place, actual.name, actual.up)
    return wanted == actual


KernelFact = (
    Vrf | Nic | Member | Bridge | Vxlan | Leg | Vlan | Macvlan | HostPort | BridgePort | LinkSettings | NoIpv6 | Address
)
