"""Links read from a real namespace, held against what was done to them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nesrv.features.state.interfaces import AddressState
from nesrv.kernel.facts import UNDERLAY, Place
from nesrv.kernel.layout import Layout
from nesrv.kernel.state import ONE_BY_ONE, LinkReader
from tests.frr.engine import sh

DOWN, UP, LOWER_LAYER_DOWN = 2, 6, 3


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"ts{os.getpid()}"
    sh("ip", "netns", "add", name)
    try:
        sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "-n", name, "link", "add", "near", "type", "veth", "peer", "name", "far")
        yield name
    finally:
        sh("ip", "netns", "del", name)


@pytest.fixture
def links(namespace: str, tmp_path: Path) -> LinkReader:
    return LinkReader(Layout("netns", tmp_path, Path("/run/netns") / namespace))


def test_a_link_follows_what_is_done_to_it(namespace: str, links: LinkReader) -> None:
    ip = ("ip", "-n", namespace)
    before = links.read(UNDERLAY, ["near"])["near"]
    assert (before.up, before.status, before.mtu, before.addresses) == (False, DOWN, 1500, ())
    sh(*ip, "link", "set", "near", "mtu", "1400", "up")
    sh(*ip, "addr", "add", "192.0.2.1/24", "dev", "near")
    assert links.read(UNDERLAY, ["near"])["near"].status == LOWER_LAYER_DOWN
    sh(*ip, "link", "set", "far", "up")
    after = links.read(UNDERLAY, ["near"])["near"]
    assert (after.name, after.up, after.status, after.mtu) == ("near", True, UP, 1400)
    assert AddressState("192.0.2.1/24", "STATIC") in after.addresses
    assert after.index == before.index


def test_where_addresses_come_from(namespace: str, links: LinkReader) -> None:
    ip = ("ip", "-n", namespace)
    sh(*ip, "addr", "add", "2001:db8::1/64", "dev", "near", "nodad")
    sh(*ip, "addr", "add", "192.0.2.9/32", "dev", "near", "valid_lft", "1000", "preferred_lft", "1000")
    for name in ("near", "far"):
        sh(*ip, "link", "set", name, "up")
    found = {address.address: address.origin for address in links.read(UNDERLAY, ["near"])["near"].addresses}
    made = [origin for address, origin in found.items() if address.startswith("fe80:")]
    assert (found["2001:db8::1/64"], found["192.0.2.9/32"], made) == ("STATIC", "OTHER", ["LINK_LAYER"])


def test_counters_count(namespace: str, links: LinkReader) -> None:
    before = links.read(UNDERLAY, ["lo"])["lo"].counters
    subprocess.run(["ip", "netns", "exec", namespace, "bash", "-c", "echo x > /dev/udp/127.0.0.1/9"], check=True)
    after = links.read(UNDERLAY, ["lo"])["lo"].counters
    assert after.out_pkts > before.out_pkts
    assert after.in_octets - before.in_octets >= 28


def test_many_links_in_one_dump_are_the_same_links(namespace: str, links: LinkReader) -> None:
    ip = ("ip", "-n", namespace)
    names = [f"v{number}" for number in range(ONE_BY_ONE)]
    for name in names:
        sh(*ip, "link", "add", name, "type", "veth", "peer", "name", f"{name}p")
    sh(*ip, "addr", "add", "192.0.2.7/24", "dev", "v3")
    every = links.read(UNDERLAY, [*names, "near", "missing"])
    assert every.keys() == {*names, "near"}
    for name in names:
        assert links.read(UNDERLAY, [name])[name] == every[name]
    assert every["v3"].addresses == (AddressState("192.0.2.7/24", "STATIC"),)


def test_what_is_not_there_is_missing(links: LinkReader) -> None:
    assert links.read(UNDERLAY, ["missing"]) == {}
    assert links.read(Place("vrf", "gone"), ["lo"]) == {}
