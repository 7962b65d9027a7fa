"""Whether zebra has heard of the addresses that the kernel has.

zebra reads of links and of addresses on two sockets, and drops for good an address whose link it has not read of
yet (FRR 8.4, where many links appear at once and in machines of one processor).  Only the kernel telling it of the
address once more makes up for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from ipaddress import ip_interface

from nesrv.frr.state import documents

WAIT_SECONDS, PAUSE_SECONDS = 10.0, 0.02
FEW_VRFS = 8
"""Up to so many VRFs are asked for one by one, more all at once."""

Show = Callable[[str, str], Awaitable[str]]
"""Daemon and command to what it says, as ``Frr.show``."""


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """``address`` with its length; ``vrf`` and ``link`` as the kernel and zebra call them."""

    vrf: str
    link: str
    address: str


Repeat = Callable[[Collection[LinkAddress]], Awaitable[None]]


async def hear(show: Show, wanted: Collection[LinkAddress], repeat: Repeat) -> frozenset[LinkAddress]:
    """Waits until zebra knows the addresses, ``repeat`` making the kernel tell of those that it has missed.

    Returns those that it never heard of.  Raises VtyLost, ValueError.  Of link-local addresses zebra speaks only at
    ten times the length: they are best asked for by themselves, once the others are known.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WAIT_SECONDS
    left = frozenset(wanted)
    while left:
        known = await _known(show, {one.vrf for one in left}, any(is_link_local(one.address) for one in left))
        left = frozenset(one for one in left if ip_interface(one.address) not in known.get(_link(one), ()))
        missed = [one for one in left if _link(one) in known]
        if not left or loop.time() > deadline:
            break
        if missed:
            await repeat(missed)
        await asyncio.sleep(PAUSE_SECONDS)
    return left


def is_link_local(address: str) -> bool:
    """Whether an address, with its length, is an IPv6 one of its link alone."""
    found = ip_interface(address)
    return found.version == 6 and found.is_link_local


def _link(one: LinkAddress) -> tuple[str, str]:
    return one.vrf, one.link


async def _known(show: Show, vrfs: Collection[str], whole: bool) -> dict[tuple[str, str], set[object]]:
    """What zebra knows of the links of the VRFs: (VRF, link) to addresses, without link-local ones unless ``whole``."""
    names = sorted(vrfs) if len(vrfs) <= FEW_VRFS else ["all"]
    found: dict[tuple[str, str], set[object]] = {}
    for name in names:
        for document in documents(await show("zebra", f"show interface vrf {name} {'' if whole else 'brief '}json")):
            for link, about in document.items():
                had = [one["address"] for one in about.get("ipAddresses", ())] if whole else about.get("addresses", ())
                found[about.get("vrfName", name), link] = {ip_interface(one) for one in had}
    return found
