"""State of interfaces from links as the kernel may have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nesrv.datastore.build import build
from nesrv.features.state import interfaces as state
from nesrv.features.state.interfaces import AddressState, Below, Counters, HostEnd, LinkState, Origin
from nesrv.kernel.facts import Macvlan, Place
from tests.state import element, entries

LINK = LinkState(
    "t1",
    4,
    True,
    6,
    1450,
    Counters(1, 2, 3, 4, 5, 6, 7, 8),
    (AddressState("10.1.0.254/24", "STATIC"), AddressState("fe80::1/64", "LINK_LAYER")),
)
KNOWN = state.anchor(entries.interface("t1"))


def made(link: LinkState | None, origin: Origin | None = None) -> Any:
    found = state.interface(KNOWN, link, origin or Origin(), {})
    build(element.schema().node("/openconfig-interfaces:interfaces/interface"), found)
    return found


def test_what_the_kernel_says_of_a_link() -> None:
    found = made(LINK)["state"]
    assert (found["admin-status"], found["oper-status"], found["ifindex"]) == ("UP", "UP", 4)
    assert (found["mtu"], found["enabled"], found["kernel-name"]) == (1450, True, "t1")
    counters = {name: count for name, count in found["counters"].items() if count}
    assert counters == {
        "in-pkts": 1, "out-pkts": 2, "in-octets": 3, "out-octets": 4,
        "in-errors": 5, "out-errors": 6, "in-discards": 7, "out-discards": 8,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "name"),
    [(0, "UNKNOWN"), (2, "DOWN"), (3, "LOWER_LAYER_DOWN"), (5, "DORMANT"), (6, "UP"), (99, "UNKNOWN")],
)
def test_operational_status_by_number(status: int, name: str) -> None:
    assert made(replace(LINK, status=status))["state"]["oper-status"] == name


def test_a_link_that_is_not_there() -> None:
    assert made(None) == {"name": "t1", "state": {"admin-status": "DOWN", "oper-status": "NOT_PRESENT"}}


def test_a_link_that_is_down_is_not_enabled_whatever_is_configured() -> None:
    found = made(replace(LINK, up=False, status=2))
    assert (found["state"]["enabled"], found["state"]["admin-status"]) == (False, "DOWN")
    assert found["subinterfaces"]["subinterface"][0]["state"]["enabled"] is False


def test_an_mtu_too_large_for_its_leaf_is_left_out() -> None:
    assert made(replace(LINK, mtu=65536))["state"]["mtu"] is None


def test_addresses_are_the_kernels_and_none_else() -> None:
    (found,) = made(LINK)["subinterfaces"]["subinterface"]
    (four,), (six,) = found["ipv4"]["addresses"]["address"], found["ipv6"]["addresses"]["address"]
    assert four == {"ip": "10.1.0.254", "state": {"ip": "10.1.0.254", "prefix-length": 24, "origin": "STATIC"}}
    assert (six["ip"], six["state"]["origin"]) == ("fe80::1", "LINK_LAYER")
    assert "ipv4" not in made(replace(LINK, addresses=()))["subinterfaces"]["subinterface"][0]


def test_the_key_is_as_configured_whatever_the_kernel_writes() -> None:
    known = replace(KNOWN, subinterfaces=(Below("0", "t1", {"2001:db8::1": "2001:DB8:0::1"}),))
    link = replace(LINK, addresses=(AddressState("2001:db8::1/64", "STATIC"),))
    found: Any = state.interface(known, link, Origin(), {})
    (address,) = found["subinterfaces"]["subinterface"][0]["ipv6"]["addresses"]["address"]
    assert (address["ip"], address["state"]["ip"]) == ("2001:DB8:0::1", "2001:db8::1")


def test_where_a_link_comes_from() -> None:
    end = HostEnd(Place("host", "tenant"), "h1", ("10.1.0.1/24",), None)
    leg = made(LINK, Origin(leg=end))["leg"]["state"]
    assert leg == {
        "host-namespace": "tenant",
        "host-interface": "h1",
        "host-address": ["10.1.0.1/24"],
        "host-bridge": None,
    }
    port = made(LINK, Origin(leg=replace(end, addresses=(), bridge="lan")))["leg"]["state"]
    assert (port["host-address"], port["host-bridge"]) == ([], "lan")
    above = Macvlan(Place("vrf", "red"), "t1", Place("host"), "eth0", "bridge", "")
    parent = made(LINK, Origin(macvlan=above))["macvlan"]["state"]
    assert parent == {"parent-namespace": None, "parent-interface": "eth0", "mode": "BRIDGE"}
    assert made(LINK, Origin(nic=Place("host", "box")))["adopt"]["state"] == {"from-namespace": "box"}
    assert not {"leg", "adopt"} & made(LINK).keys()


def test_a_vlan_is_shown_below_its_nic() -> None:
    known = replace(KNOWN, subinterfaces=(*KNOWN.subinterfaces, Below("7", "t1.100", {})))
    tagged = replace(LINK, name="t1.100", index=9, up=False, addresses=(AddressState("10.2.0.1/24", "STATIC"),))
    found: Any = state.interface(known, LINK, Origin(), {"7": (tagged, 100)})
    build(element.schema().node("/openconfig-interfaces:interfaces/interface"), found)
    own, below = found["subinterfaces"]["subinterface"]
    assert (own["index"], own["state"]["ifindex"], "vlan" in own) == ("0", 4, False)
    assert (below["index"], below["state"]["ifindex"], below["state"]["enabled"]) == ("7", 9, False)
    assert below["vlan"]["match"]["single-tagged"]["state"] == {"vlan-id": 100}
    assert [one["ip"] for one in below["ipv4"]["addresses"]["address"]] == ["10.2.0.1"]
    assert state.interface(known, LINK, Origin(), {})["subinterfaces"] == {"subinterface": [own]}
