"""The NIC of the underlay returns to where it came from, with all that it had there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.parity.network import VTEPS, remove
from tests.parity.pieces import instance, leaves, tag
from tests.server.configurations import AS, EVPN, INTERFACES, V4, Configuration, Neighbor, Underlay, Vrf
from tests.server.element import Element, differences, sh, until

MTU = "1400"
ADDRESSES = ("192.0.2.1/31", "192.0.2.65/26", "2001:db8:1::1/64")
ROUTES = (
    ("default", "via", "192.0.2.0", "metric", "50"),
    ("203.0.113.0/24", "via", "192.0.2.66", "proto", "static", "src", "192.0.2.65"),
    ("2001:db8:2::/64", "via", "2001:db8:1::2", "metric", "77"),
)
VOLATILE = {"ifindex", "link_index", "link_netnsid", "valid_life_time", "preferred_life_time", "flags"}
"""Numbers that the kernel gives anew, and what a route's flags say of the carrier."""


@pytest.fixture
def element() -> Iterator[Element]:
    """Its NIC is dressed as an administrator left it."""
    with Element() as element:
        outside = ("ip", "-n", element.outside)
        sh(*outside, "link", "set", "eth1", "mtu", MTU, "alias", "uplink of the machine")
        for address in ADDRESSES:
            sh(*outside, "address", "add", address, "dev", "eth1", *(("nodad",) if ":" in address else ()))
        for route in ROUTES:
            sh(*outside, "-6" if ":" in route[0] else "-4", "route", "add", *route, "dev", "eth1")
        sh("ip", "-n", element.other, "address", "add", "192.0.2.0/31", "dev", "wire1")
        until(lambda: link_local(element), "the link-local address is no longer tentative")
        yield element


def link_local(element: Element) -> bool:
    shown = sh("ip", "-n", element.outside, "-6", "address", "show", "dev", "eth1", "scope", "link")
    return "fe80" in shown and "tentative" not in shown


def seen(element: Element) -> dict[str, list[str]]:
    """All addresses and routes of the NIC's home, as ``ip -j`` shows them."""
    found: dict[str, list[str]] = {}
    for words in ("address", "-4 route show table all", "-6 route show table all"):
        rows = json.loads(sh("ip", "-n", element.outside, "-j", "-d", *words.split()) or "[]")
        found[words] = sorted(json.dumps(_lasting(row), sort_keys=True) for row in rows)
    return found


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(one) for key, one in value.items() if key not in VOLATILE}
    return [_lasting(one) for one in value] if isinstance(value, list) else value


def configured(element: Element) -> Configuration:
    """With an address more than the NIC has, a session over it, and an L3VRF with a VNI above it."""
    neighbor = Neighbor("192.0.2.0", 64512, (V4, EVPN))
    nics = (("eth1", element.outside, ("198.51.100.65/26",)),)
    return Configuration(Underlay((f"{VTEPS[0]}/32",), nics, asn=AS, neighbors=(neighbor,)), (Vrf("red", vni=100),))


def adopted(element: Element) -> None:
    """The element has the NIC, its addresses and a use for them; its home has nothing left."""
    element.commit(configured(element))
    shown = sh("ip", "-n", element.name, "address", "show", "dev", "eth1")
    assert all(address in shown for address in (*ADDRESSES, "198.51.100.65/26"))
    assert "eth1" not in sh("ip", "-n", element.outside, "link", "show")
    sh("ip", "netns", "exec", element.name, "ping", "-q", "-c", "1", "-W", "2", "192.0.2.0")


def by_delete(element: Element) -> None:
    """Everything goes: all instances and all links."""
    session = element.session
    element.edit(Configuration())
    session.commit()


def by_removing_adopt(element: Element) -> None:
    """The NIC alone goes; the instance stays."""
    member = tag('interface nc:operation="delete"', leaves(id="eth1.0"))
    nic = tag('interface nc:operation="delete"', leaves(name="eth1"))
    remove(element, instance("default", tag("interfaces", member)), tag(f'interfaces xmlns="{INTERFACES}"', nic))


WAYS = (by_delete, by_removing_adopt)


@pytest.mark.parametrize("give_back", WAYS)
def test_addresses_and_routes_are_as_they_were(element: Element, give_back: Callable[[Element], None]) -> None:
    before = seen(element)
    adopted(element)
    give_back(element)
    wait_for(element, before)


@pytest.mark.parametrize("give_back", WAYS)
def test_also_when_the_server_was_killed_in_between(element: Element, give_back: Callable[[Element], None]) -> None:
    before = seen(element)
    adopted(element)
    element.kill()
    element.start()
    assert element.starts()[-1] == "0 steps, 0 refused"
    give_back(element)
    wait_for(element, before)


def test_also_by_clear_when_no_server_runs(element: Element) -> None:
    before = seen(element)
    adopted(element)
    element.kill()
    assert element.clear().returncode == 0
    wait_for(element, before)


def test_a_second_adoption_starts_from_the_same(element: Element) -> None:
    before = seen(element)
    for _ in range(2):
        adopted(element)
        by_delete(element)
        wait_for(element, before)


def wait_for(element: Element, before: dict[str, list[str]]) -> None:
    """The kernel makes the link-local address and its routes in its own time."""
    until(lambda: link_local(element), "the NIC has its link-local address again")
    after = seen(element)
    assert after == before, "\n".join(differences(before, after))
