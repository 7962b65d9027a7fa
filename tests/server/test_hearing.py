"""zebra is slow to read what the kernel tells: a commit answers ok when it knows the addresses all the same."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server.configurations import Configuration, Leg, Underlay
from tests.server.element import Element, sh, until

LEGS = 40
"""So many at once that zebra, when it reads again, takes some addresses for those of links that it does not know."""


@contextmanager
def zebra_stopped_until(element: Element, condition: Callable[[], bool]) -> Iterator[None]:
    """While the body runs; zebra goes on when ``condition`` has come true."""
    zebra = int(Path(f"/run/frr/{element.name}/zebra.pid").read_text())

    def go_on() -> None:
        try:
            until(condition, "zebra may go on")
        finally:
            os.kill(zebra, signal.SIGCONT)

    os.kill(zebra, signal.SIGSTOP)
    waiting = threading.Thread(target=go_on)
    waiting.start()
    try:
        yield
    finally:
        waiting.join()


def in_kernel(element: Element) -> dict[str, set[str]]:
    """The link-local addresses of each leg."""
    links = json.loads(sh("ip", "-n", element.name, "-6", "-j", "address", "show", "scope", "link"))
    return {link["ifname"]: {one["local"] for one in link["addr_info"]} for link in links if "leg" in link["ifname"]}


def in_zebra(element: Element) -> dict[str, set[str]]:
    links = json.loads(element.vtysh("show interface vrf default json"))
    found = {name: {one["address"].partition("/")[0] for one in about["ipAddresses"]} for name, about in links.items()}
    return {name: {one for one in had if one.startswith("fe80")} for name, had in found.items() if "leg" in name}


def test_link_local_addresses_are_made_known() -> None:
    with Element() as element:
        legs = tuple(Leg(f"leg{number}", element.host, f"h{number}") for number in range(LEGS))
        with zebra_stopped_until(element, lambda: sum(map(bool, in_kernel(element).values())) == LEGS):
            element.commit(Configuration(Underlay(legs=legs)))
        assert in_zebra(element) == in_kernel(element)
