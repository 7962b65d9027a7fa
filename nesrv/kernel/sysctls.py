"""The sysctls of namespaces and links, by the names that sysctl(8) takes; pure."""

from __future__ import annotations

from collections.abc import Mapping

from nesrv.kernel.facts import UNDERLAY, Bridge, Place
from nesrv.kernel.layout import Layout

Sysctls = dict[str, str]
"""Value by name."""

VRF: Sysctls = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv6.conf.default.forwarding": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv6.conf.all.keep_addr_on_down": "1",
    "net.ipv6.conf.default.keep_addr_on_down": "1",
}
"""A VRF routes, may take asymmetric paths, and has its addresses at once and for as long as they are configured."""

ROUTING: Sysctls = {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}
"""What routing needs in a namespace that VRF devices or legs share."""

_LINK: Sysctls = {
    "net.ipv4.conf.{}.rp_filter": "0",
    "net.ipv6.conf.{}.accept_ra": "0",
    "net.ipv6.conf.{}.accept_dad": "0",
    "net.ipv6.conf.{}.keep_addr_on_down": "1",
}
"""The same as in a VRF namespace, for one link in a shared namespace."""

_SWITCH: Sysctls = {
    "net.ipv4.conf.{}.arp_accept": "1",
    "net.ipv6.conf.{}.accept_untracked_na": "1",
}
"""A bridge takes up what hosts say unasked, so that they are announced and requests for them suppressed."""

_APART: Sysctls = {
    "net.ipv4.conf.{}.rp_filter": "1",
    "net.ipv4.conf.{}.arp_ignore": "8",
    "net.ipv4.conf.{}.forwarding": "0",
    "net.ipv6.conf.{}.disable_ipv6": "1",
}
"""A switch in the underlay: no route leads to it, so strict filtering by source lets nothing of its hosts in."""

_NO_IPV6 = "net.ipv6.conf.{}.disable_ipv6"


def of_link(layout: Layout, place: Place, name: str) -> Sysctls:
    """What a routed link needs; nothing in a namespace of its own, where the VRF's defaults say all this already."""
    if place.kind == "vrf" and not layout.master(place):
        return {}
    return ROUTING | _of(name, _LINK)


def of_switch(fact: Bridge) -> Sysctls:
    """Nothing for a bridge without hosts."""
    if not fact.switch:
        return {}
    return _of(fact.name, _SWITCH | (_APART if fact.place == UNDERLAY else {}))


def of_ipv6(name: str, *, off: bool) -> Sysctls:
    """IPv6 of a link off or on."""
    return _of(name, {_NO_IPV6: "1" if off else "0"})


def _of(name: str, values: Mapping[str, str]) -> Sysctls:
    return {key.format(name.replace(".", "/")): value for key, value in values.items()}
