"""An element and a peer that announces routes to it: two bgpds on one wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from nesrv.frr.daemons import Home
from nesrv.frr.text import FrrLine
from nesrv.frr.writer import Frr
from tests.frr.engine import creates, eventually, frr_of, lines, sh

ELEMENT, PEER = "192.0.2.1", "192.0.2.2"
ELEMENT6, PEER6 = "2001:db8:ffff::1", "2001:db8:ffff::2"
ROUTER = "router bgp 65000"
IPV4, IPV6 = "address-family ipv4 unicast", "address-family ipv6 unicast"
ANNOUNCED = {
    "10.1.0.0/16": ("metric 5", "community 65000:1"),
    "10.2.0.0/16": ("community 65000:1 65000:2", "as-path prepend 7 8"),
    "10.3.0.0/16": ("community graceful-shutdown 65001:2", "extcommunity rt 65000:1"),
    "10.4.0.0/24": ("origin egp", "extcommunity rt 65000:1 65000:2"),
    # The same bits as 10.1.0.0/16: lists of IPv4 must not take it for that.
    "a01::/16": ("community 65000:1",),
    "2001:db8:1::/48": ("metric 5",),
}
A, B, C, D, E, F = ANNOUNCED
ALL = frozenset(ANNOUNCED)


def _session(own_as: int, address: str, address6: str, other_as: int, way: str, name: str) -> list[tuple[Any, str]]:
    top = f"router bgp {own_as}"
    rows: list[tuple[tuple[str, ...], str]] = [((), top), ((top,), f"bgp router-id {address}")]
    rows += [((top,), "no bgp default ipv4-unicast"), ((top,), "no bgp ebgp-requires-policy")]
    for family, other in ((IPV4, PEER if own_as == 65000 else ELEMENT), (IPV6, PEER6 if own_as == 65000 else ELEMENT6)):
        rows += [((top,), f"neighbor {other} remote-as {other_as}"), ((top, family), f"neighbor {other} activate")]
        rows += [((top, family), f"neighbor {other} route-map {name} {way}")] if name else []
    return rows


def _speaker() -> list[FrrLine]:
    rows = _session(65001, PEER, PEER6, 65000, "out", "")
    rows.append((("router bgp 65001",), "no bgp network import-check"))
    for number, (prefix, sets) in enumerate(ANNOUNCED.items()):
        block = f"route-map R{number} permit 10"
        rows += [((), block), *(((block,), f"set {words}") for words in sets)]
        family = IPV6 if ":" in prefix else IPV4
        rows.append((("router bgp 65001", family), f"network {prefix} route-map R{number}"))
    return lines(rows)


@contextmanager
def wired(one: Home, other: Home) -> Iterator[None]:
    """A wire between two elements with both ends' addresses."""
    sh("ip", "-n", one.element, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", other.element)
    for home, address, address6 in ((one, ELEMENT, ELEMENT6), (other, PEER, PEER6)):
        sh("ip", "-n", home.element, "address", "add", f"{address}/24", "dev", "wire")
        sh("ip", "-n", home.element, "address", "add", f"{address6}/64", "dev", "wire", "nodad")
        sh("ip", "-n", home.element, "link", "set", "wire", "up")
    yield
    sh("ip", "-n", one.element, "link", "del", "wire")


@asynccontextmanager
async def running(two: tuple[Home, Home], way: str, name: str) -> AsyncIterator[tuple[Frr, Frr, list[FrrLine]]]:
    """The element, its peer, and the element's lines without a policy."""
    async with AsyncExitStack() as stack:
        element, peer = [await stack.enter_async_context(frr_of(home)) for home in two]
        own = lines(_session(65000, ELEMENT, ELEMENT6, 65001, way, name))
        await peer.apply(creates(_speaker()))
        await element.apply(creates(own))
        yield element, peer, own


async def table(frr: Frr) -> dict[str, dict[str, Any]]:
    """Prefix → its best path's attributes."""
    found: dict[str, dict[str, Any]] = {}
    for family in ("ipv4", "ipv6"):
        for prefix in json.loads(await frr.show("bgpd", f"show bgp {family} unicast json"))["routes"]:
            answer = json.loads(await frr.show("bgpd", f"show bgp {family} unicast {prefix} json"))
            if answer.get("paths"):
                found[prefix] = _attributes(answer["paths"][0])
    return found


def _attributes(path: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": path["aspath"]["string"],
        "origin": path["origin"],
        "med": path.get("metric", 0),
        "pref": path.get("locPrf", 100),
        "tag": path.get("tag", 0),
        "communities": path.get("community", {}).get("string", ""),
        "ext": path.get("extendedCommunity", {}).get("string", ""),
        "hops": sorted(hop["ip"] for hop in path["nexthops"] if hop.get("scope") != "link-local"),
    }


async def comes_to(
    frr: Frr, then: frozenset[str] | dict[str, dict[str, Any]]
) -> tuple[bool, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = {}

    async def so() -> bool:
        nonlocal found
        found = await table(frr)
        wanted = then if isinstance(then, dict) else {name: {} for name in then}
        return found.keys() == wanted.keys() and all(found[name].items() >= wanted[name].items() for name in wanted)

    return await eventually(so), found
