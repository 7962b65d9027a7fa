"""A BGP session watched by BFD with nesrv's timers ends soon after its path dies without a word."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nesrv.frr.daemons import Home
from nesrv.frr.text import FrrLine, line
from nesrv.frr.writer import Frr
from tests.features.documents import document, nic
from tests.features.element import Element
from tests.features.route_documents import bfd, bfd_interface
from tests.frr.engine import creates, eventually, frr_of, made_home, sh

ADDRESSES = ("192.0.2.1", "192.0.2.2")
ASNS = 65001 + 65002
CLAIM_SECONDS = 1.0
"""100 ms three times over is far within; bgpd alone would need its hold time of three minutes."""
TRIES = 3
"""On a busy machine the one who looks may come late; BFD has kept its promise if it was seen to once."""


@contextmanager
def path_between(homes: tuple[Home, Home]) -> Iterator[str]:
    """A bridge in a namespace of its own: the ends do not notice when it goes down."""
    middle = f"t{os.getpid()}bfd"
    sh("ip", "netns", "add", middle)
    try:
        sh("ip", "-n", middle, "link", "add", "br0", "type", "bridge")
        sh("ip", "-n", middle, "link", "set", "br0", "up")
        for number, (home, address) in enumerate(zip(homes, ADDRESSES, strict=True)):
            port = f"port{number}"
            end = ("peer", "name", "eth1", "netns", home.element)
            sh("ip", "-n", middle, "link", "add", port, "type", "veth", *end)
            sh("ip", "-n", middle, "link", "set", port, "master", "br0", "up")
            sh("ip", "-n", home.element, "address", "add", f"{address}/24", "dev", "eth1")
            sh("ip", "-n", home.element, "link", "set", "eth1", "up")
        yield middle
    finally:
        sh("ip", "netns", "del", middle)


def profile() -> list[FrrLine]:
    timers = {"desired_minimum_tx_interval": 100_000, "required_minimum_receive": 100_000, "detection_multiplier": 3}
    element = Element()
    element.commit(document([nic("eth1")]) + bfd(bfd_interface("eth1", "eth1", **timers)))
    return element.lines()


def speaker(asn: int, peer: str) -> list[FrrLine]:
    top = f"router bgp {asn}"
    words = (f"remote-as {ASNS - asn}", "bfd", "bfd profile interface-eth1", "timers connect 1")
    settings = ("no bgp ebgp-requires-policy", *(f"neighbor {peer} {one}" for one in words))
    return [line((), top, "/test:path"), *(line((top,), one, "/test:path") for one in settings)]


async def neighbor(frr: Frr) -> dict[str, object]:
    (found,) = json.loads(await frr.show("bgpd", "show bgp neighbors json")).values()
    assert isinstance(found, dict)
    return found


async def watched(frr: Frr) -> bool:
    peers = json.loads(await frr.show("bfdd", "show bfd peers json"))
    up = [peer for peer in peers if peer["status"] == "up" and peer["transmit-interval"] == 100]
    return bool(up) and (await neighbor(frr))["bgpState"] == "Established"


async def seconds_until_down(frr: Frr, middle: str) -> float:
    loop = asyncio.get_running_loop()
    sh("ip", "-n", middle, "link", "set", "br0", "down")
    since = loop.time()
    while (await neighbor(frr))["bgpState"] == "Established":
        await asyncio.sleep(0.02)
    return loop.time() - since


async def ended_in_time(frr: Frr, middle: str) -> bool:
    for _ in range(TRIES):
        assert await eventually(lambda: watched(frr))
        took = await seconds_until_down(frr, middle)
        (peer,) = json.loads(await frr.show("bfdd", "show bfd peers json"))
        assert (peer["status"], peer["diagnostic"]) == ("down", "control detection time expired")
        sh("ip", "-n", middle, "link", "set", "br0", "up")
        if took < CLAIM_SECONDS:
            return True
    return False


def test_a_dead_path_ends_the_session_within_a_second(tmp_path: Path) -> None:
    timers = profile()

    async def whole(homes: tuple[Home, Home], middle: str) -> None:
        async with frr_of(homes[0]) as one, frr_of(homes[1]) as other:
            for frr, asn, peer in ((one, 65001, ADDRESSES[1]), (other, ASNS - 65001, ADDRESSES[0])):
                await frr.apply(creates([*timers, *speaker(asn, peer)]))
            assert await ended_in_time(one, middle)

    with made_home(tmp_path, ()) as one, made_home(tmp_path, ()) as other, path_between((one, other)) as middle:
        asyncio.run(whole((one, other), middle))
