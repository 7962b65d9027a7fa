"""Readers on what FRR 8.4.4 and 10.3 said in the first of two PEs of the same configuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nesrv.frr.state import bfd_sessions, documents, members, neighbors, routes, vnis, vteps

Said = Callable[[str], str]
DATA = Path(__file__).parent / "data"
RELEASES = ("8.4", "10.3")


@pytest.fixture(params=RELEASES)
def said(request: pytest.FixtureRequest) -> Said:
    """What a release said: the name of a report → its text."""
    return lambda name: (DATA / f"{name}-{request.param}.json").read_text()


def test_neighbors_by_vrf_with_session_and_counts(said: Said) -> None:
    found = {(peer.vrf, peer.address): peer for peer in neighbors(said("neighbors"))}
    assert set(found) == {
        ("default", "192.0.2.2"),
        ("default", "192.0.2.77"),
        ("default", "2001:db8::9"),
        ("red", "10.1.0.9"),
    }
    peer = found["default", "192.0.2.2"]
    assert (peer.session_state, peer.remote_as, peer.local_as) == ("Established", 64515, 64514)
    assert (peer.hold_time, peer.keepalive, peer.established_transitions) == (9, 3, 1)
    assert peer.families["l2vpn evpn"].received == 1
    assert peer.families["ipv4 unicast"].sent == 2
    assert peer.messages_sent["updates"] == 6
    assert peer.messages_received["total"] == 9
    assert peer.established_at == json.loads(said("neighbors"))["default"]["192.0.2.2"]["bgpTimerUpEstablishedEpoch"]
    assert (peer.local_address, peer.remote_port, peer.bfd_status) == ("192.0.2.1", 179, "Up")


def test_a_neighbor_that_is_down_has_no_time_and_no_address(said: Said) -> None:
    peer = next(peer for peer in neighbors(said("neighbors")) if peer.address == "192.0.2.77")
    assert (peer.session_state, peer.established_at, peer.local_address, peer.local_port) == ("Idle", None, None, None)
    assert peer.last_reset == "No AFI/SAFI activated for peer"
    assert peer.remote_router_id is None


def test_vnis_in_detail(said: Said) -> None:
    """Their VRF goes by two names."""
    (vni,) = vnis(said("evpn-vni-detail"))
    assert (vni.vni, vni.kind, vni.vrf, vni.vxlan, vni.up) == (100, "L3", "red", "vx100", True)
    assert vni.local_vtep == "10.0.0.1"


def test_the_short_report_knows_no_state(said: Said) -> None:
    (vni,) = vnis(said("evpn-vni"))
    assert (vni.vni, vni.vrf, vni.up, vni.remote_vteps) == (100, "red", None, ())


def test_remote_vteps_of_an_l3vni(said: Said) -> None:
    assert vteps(said("next-hops")) == {100: ("10.0.0.2",)}


def test_routes_of_all_vrfs(said: Said) -> None:
    """A document for each VRF, unnamed, or one that is keyed by VRF."""
    found = {(route.vrf, route.prefix): route for route in routes(said("routes")) if route.protocol == "bgp"}
    assert set(found) == {("default", "10.0.0.2/32"), ("red", "10.20.0.0/24")}
    route = found["red", "10.20.0.0/24"]
    assert (route.selected, route.installed, route.distance) == (True, True, 20)
    assert [(hop.address, hop.interface) for hop in route.next_hops] == [("10.0.0.2", "br100")]


def test_only_10_3_lists_local_addresses_beside_their_networks() -> None:
    found = {(route.prefix, route.protocol) for route in routes((DATA / "routes-10.3.json").read_text())}
    assert {("10.10.0.1/32", "local"), ("10.10.0.0/24", "connected")} <= found
    assert not any(route.protocol == "local" for route in routes((DATA / "routes-8.4.json").read_text()))


def test_bfd_sessions(said: Said) -> None:
    (session,) = bfd_sessions(said("bfd"))
    assert (session.vrf, session.peer, session.status, session.multiplier) == ("default", "192.0.2.2", "up", 3)
    assert session.intervals == (300, 300)


def test_what_is_no_json_is_an_error() -> None:
    with pytest.raises(ValueError):
        neighbors("% Unknown command")
    assert neighbors("{}") == ()


@pytest.mark.parametrize("text", ["", "{}", ' {"a": {"b": [1]}, "c": "}"}\n', '{"a": 1}{"a": 2}\n{ }', None])
def test_members_are_those_of_all_documents(text: str | None, said: Said) -> None:
    """None: what FRR said."""
    text = said("neighbors") if text is None else text
    assert list(members(text)) == [pair for document in documents(text) for pair in document.items()]


@pytest.mark.parametrize(
    "text", ['{"a"', '{"a" 1}', '{"a";1}', '{"a": 1', '{"a": 1 "b": 2}', "[1]", "% Unknown command"]
)
def test_what_is_no_object_is_no_answer(text: str) -> None:
    with pytest.raises(ValueError):
        list(members(text))
