"""BGP state on what FRR 8.4.4 said of a session that is up, one that is shut and one that nobody answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nesrv.datastore.build import build
from nesrv.features.state import bgp
from nesrv.features.state.instances import anchors
from nesrv.frr.state import NeighborState, neighbors
from tests.state import element, entries

DATA = Path(__file__).parent / "data"
INSTALLED = {("192.168.7.2", "ipv4 unicast"): 1}


def heard(vrf: str) -> list[NeighborState]:
    return [found for found in neighbors((DATA / "neighbors.json").read_text()) if found.vrf == vrf]


def of(vrf: str, name: str) -> Any:
    made: Any = bgp.instance(anchors(entries.instance(name)), heard(vrf), INSTALLED)
    assert made["protocols"]["protocol"][0]["identifier"] == "openconfig-policy-types:BGP"
    return {
        found["neighbor-address"]: found for found in made["protocols"]["protocol"][0]["bgp"]["neighbors"]["neighbor"]
    }


def test_a_session_that_is_up() -> None:
    found = of("default", "main")["192.168.7.2"]
    state = found["state"]
    assert (state["session-state"], state["peer-as"]) == ("ESTABLISHED", 64515)
    assert state["last-established"] == 1795361532 * 10**9
    assert state["established-transitions"] == 1
    assert state["messages"] == {
        "sent": {"UPDATE": 6, "NOTIFICATION": 0},
        "received": {"UPDATE": 6, "NOTIFICATION": 0},
    }
    assert found["timers"]["state"] == {"negotiated-hold-time": 3}
    assert found["transport"]["state"] == {"local-address": "192.168.7.1"}


def test_prefixes_by_family() -> None:
    families = of("default", "main")["192.168.7.2"]["afi-safis"]["afi-safi"]
    counts = {family["afi-safi-name"]: family["state"]["prefixes"] for family in families}
    assert counts == {
        "openconfig-bgp-types:IPV4_UNICAST": {"received": 1, "sent": 2, "installed": 1},
        "openconfig-bgp-types:L2VPN_EVPN": {"received": 1, "sent": 2, "installed": None},
    }


def test_nothing_received_is_nothing_installed() -> None:
    (family,) = of("red", "red")["10.1.0.1"]["afi-safis"]["afi-safi"]
    assert family["state"]["prefixes"]["installed"] == 0


@pytest.mark.parametrize(
    ("vrf", "name", "address", "state"),
    [("default", "main", "192.0.2.77", "IDLE"), ("red", "red", "10.1.0.1", "CONNECT")],
)
def test_a_session_that_is_not_up_has_no_time_and_no_hold_time(vrf: str, name: str, address: str, state: str) -> None:
    found = of(vrf, name)[address]
    assert found["state"]["session-state"] == state
    assert found["state"]["last-established"] is None
    assert found["timers"] is None
    assert found["transport"] is None


def test_all_of_it_is_in_the_model() -> None:
    schema = element.schema().node("/openconfig-network-instance:network-instances/network-instance")
    made = bgp.instance(anchors(entries.instance("main")), heard("default"), INSTALLED)
    assert made is not None
    leaf = build(schema, made).at("protocols/protocol/bgp/neighbors/neighbor/state/session-state")
    assert leaf is not None
    assert leaf.value == "IDLE"


def test_states_of_frr_have_names_in_openconfig() -> None:
    enumeration = {"IDLE", "CONNECT", "ACTIVE", "OPENSENT", "OPENCONFIRM", "ESTABLISHED"}
    assert set(bgp.SESSION_STATES.values()) == enumeration


def test_without_neighbors_there_is_nothing_to_say() -> None:
    assert bgp.instance(anchors(entries.instance("main")), (), {}) is None


def test_the_key_is_as_configured_whatever_frr_writes() -> None:
    (found,) = heard("red")
    known = replace(anchors(entries.instance("red")), neighbors={"10.1.0.1": "as-configured"})
    made: Any = bgp._neighbor(found, known, {})
    assert made["neighbor-address"] == "as-configured"
    assert made["state"]["neighbor-address"] == "10.1.0.1"


def test_a_neighbour_by_interface_stands_beside_the_others() -> None:
    """FRR calls it by the kernel's name of the link."""
    by_link = replace(anchors(entries.instance("main")), links={"eth1": "uplink 1"})
    found = [replace(neighbor, address="eth1") for neighbor in heard("default")[:1]]
    value = bgp.instance(by_link, found, {})
    assert value is not None
    made = build(element.schema().node("/openconfig-network-instance:network-instances/network-instance"), value)
    (neighbor,) = made.all("protocols/protocol/bgp/unnumbered-neighbors/unnumbered-neighbor")
    assert (neighbor.text("interface"), neighbor.text("state/interface")) == ("uplink 1", "uplink 1")
    assert neighbor.text("state/session-state") == "IDLE"
    assert made.at("protocols/protocol/bgp/neighbors") is None


@pytest.mark.parametrize("name", ["PfxCt Best Selected", "PfxCt best selected"])
def test_best_selected_under_both_names(name: str) -> None:
    assert bgp.best_selected(json.dumps({"pfxCounter": 4, "ribTableWalkCounters": {"Valid": 4, name: 3}})) == 3
    assert bgp.best_selected("{}") is None


def test_only_families_with_routes_that_frr_can_count_are_asked_for() -> None:
    found = {neighbor.address: bgp.countable(neighbor) for neighbor in heard("default")}
    assert found == {"192.168.7.2": ["ipv4 unicast"], "192.0.2.77": []}
