"""Applied configuration: copied where nobody else tells, left out where kernel or FRR do."""

from __future__ import annotations

from typing import Any

from nesrv.features.state import applied
from nesrv.rpc.known import INSTANCE, INTERFACE
from nesrv.rpc.operational import SYSTEM
from tests.state import element, entries

ALL_TOLD = applied.TOLD_BY_KERNEL | applied.TOLD_BY_FRR


def instance(name: str, told: frozenset[str] = ALL_TOLD) -> Any:
    return applied.applied(entries.instance(name), told)


def test_an_instance_says_what_it_is() -> None:
    state = instance("red")["state"]
    assert state == {"name": "red", "type": "openconfig-network-instance-types:L3VRF", "router-id": "10.0.0.1"}


def test_what_frr_tells_of_a_neighbor_is_not_copied() -> None:
    (neighbor,) = instance("red")["protocols"]["protocol"][0]["bgp"]["neighbors"]["neighbor"]
    assert neighbor["state"] == {"neighbor-address": "10.1.0.1"}
    assert neighbor["timers"]["state"] == {"hold-time": "9", "keepalive-interval": "3", "connect-retry": "1"}


def test_no_secret_is_copied() -> None:
    assert "cleartext" in str([node.value for node in _all(entries.instance("red"))])
    assert "cleartext" not in str(instance("red"))


def _all(node: Any) -> list[Any]:
    return [node, *(below for child in node.children for below in _all(child))]


def test_what_the_kernel_tells_of_a_link_is_not_copied() -> None:
    made: Any = applied.applied(entries.interface("t1"), ALL_TOLD)
    assert made["state"] == {"name": "t1", "type": "iana-if-type:ethernetCsmacd"}
    assert "leg" not in made
    (subinterface,) = made["subinterfaces"]["subinterface"]
    assert subinterface == {"index": "0", "state": {"index": "0"}}


def test_without_frr_nothing_of_bgp_and_evpn_is_applied() -> None:
    made = instance("red", applied.TOLD_BY_KERNEL | applied.MADE_BY_FRR)
    assert made.keys() == {"name", "state"}


def test_what_is_told_elsewhere_is_in_the_model() -> None:
    """A path that leads nowhere would copy what it was meant to leave out."""
    points = [element.schema().node(point) for point in (INSTANCE, INTERFACE, SYSTEM)]
    for path in ALL_TOLD | applied.MADE_BY_FRR:
        assert any(_has(point, path) for point in points), path


def _has(point: Any, path: str) -> bool:
    try:
        point.find(path)
    except KeyError:
        return False
    return True


def test_the_leaves_are_those_that_get_copied() -> None:
    leaves = applied.leaves(element.schema().node(INSTANCE), ALL_TOLD)
    assert f"{INSTANCE}/state/router-id" in leaves
    assert f"{INSTANCE}/protocols/protocol/bgp/neighbors/neighbor/state/enabled" in leaves
    assert f"{INSTANCE}/protocols/protocol/bgp/neighbors/neighbor/state/peer-as" not in leaves
    assert f"{INSTANCE}/protocols/protocol/bgp/neighbors/neighbor/state/session-state" not in leaves
