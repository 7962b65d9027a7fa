"""Names and addresses that the kernel and FRR see, computed from the configuration's; pure and stable.

The kernel takes 15 characters, OpenConfig any text.  A name that fits is used as it is, any
other becomes a readable head, ``-`` and a hash of the whole name.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode

MAX_LENGTH = 15
HASH_LENGTH = 7
"""35 bits: among 10,000 names with one head, two alike in about one set of a thousand; that is then refused."""

FITTING = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,14}")
RESERVED = re.compile(r"(br|vx)[0-9]{1,8}")
"""Bridges and VXLAN devices of VNIs have these names."""
PROFILE = re.compile(r"[A-Za-z0-9_.:+-]{1,48}")
"""FRR takes 64 characters, the kind included."""
TAKEN = frozenset({"default", "lo", "all"})
"""The kernel and FRR mean something else by these."""


def fits(name: str) -> bool:
    """Whether kernel and FRR can know something of ours by this very name."""
    return FITTING.fullmatch(name) is not None and RESERVED.fullmatch(name) is None and name not in TAKEN


def vrf_name(instance: str) -> str:
    """The name of an L3VRF in kernel and FRR."""
    return instance if fits(instance) else _derived(instance, "vrf")


def link_name(interface: str) -> str:
    """The kernel's name of a link that nesrv makes."""
    return interface if fits(interface) else _derived(interface, "link")


def profile_name(kind: str, owner: str) -> str:
    """The name of FRR's BFD profile for ``owner``, an interface's id, say: ``interface-eth1``."""
    return f"{kind}-{owner if PROFILE.fullmatch(owner) else _derived(owner, kind)}"


def vlan_name(link: str, vlan: int) -> str:
    """The kernel's name of an 802.1Q link above ``link``."""
    return link_name(f"{link}.{vlan}")


def group_name(group: str) -> str:
    """The name of a BGP peer group in FRR, which would take one of digits and dots for an address."""
    return group if fits(group) and not re.fullmatch(r"[0-9.]+", group) else _derived(group, "group")


def bridge_name(vni: int) -> str:
    return f"br{vni}"


def vxlan_name(vni: int) -> str:
    return f"vx{vni}"


def router_mac(vtep: str, vni: int) -> str:
    """A locally administered unicast MAC address, its own for each VTEP (canonical address) and VNI (RFC 9135)."""
    octets = bytearray(hashlib.blake2b(f"{vtep} {vni}".encode(), digest_size=6, person=b"router-mac").digest())
    octets[0] = octets[0] & 0xFC | 0x02
    return octets.hex(":")


def gateway_mac(vni: int) -> str:
    """The MAC address of the gateway of an L2VSI, the same on every element (RFC 9135)."""
    return router_mac("gateway", vni)


def _derived(name: str, kind: str) -> str:
    digest = hashlib.blake2b(name.encode(), digest_size=5, person=kind.encode()).digest()
    head = re.sub(r"[^A-Za-z0-9_.+-]", "", name).lstrip(".+-")[: MAX_LENGTH - 1 - HASH_LENGTH] or kind
    return f"{head}-{b32encode(digest).decode().lower()[:HASH_LENGTH]}"
