"""What YANG cannot forbid of peer groups, of dynamic and of unnumbered neighbours: what the client is told."""

from __future__ import annotations

import pytest

from tests.features.broken import Broken, InvalidValue, Missing, NotSupported, assert_refused, peer
from tests.features.documents import EVPN, LO, V4, bound, box, default, document, entry, families, leg, nic, vrf
from tests.features.element import Element
from tests.features.test_bgp_sessions import group, neighbor, speaker, unnumbered

CLUSTERS = "".join(
    neighbor(f"198.51.100.{number}", box("route-reflector", route_reflector_cluster_id=number), peer_as=64514)
    for number in (1, 2)
)


def listens(prefix: str, name: str | None) -> str:
    return entry("dynamic-neighbor-prefix", "prefix", prefix, peer_group=name)


def limited(**limit: object) -> str:
    inner = f"<ipv4-unicast>{box('prefix-limit-received', **limit)}</ipv4-unicast>"
    return f"<afi-safis>{entry('afi-safi', 'afi-safi-name', f'oc-bgp-types:{V4}', inner, enabled=True)}</afi-safis>"


def communities(family: str, *kinds: str) -> str:
    made = entry("afi-safi", "afi-safi-name", f"oc-bgp-types:{family}", enabled=True, send_community_type=kinds)
    return f"<afi-safis>{made}</afi-safis>"


def invalid(text: str, tag: str, path: str, words: str) -> Broken:
    return Broken(text, InvalidValue, f"nesrv-{tag}", path, words)


BROKEN = {
    "neither AS nor type in the group": Broken(
        speaker(groups=group("a"), dynamic=listens("10.0.0.0/8", "a")),
        Missing,
        "nesrv-peer-as-missing",
        "peer-group[peer-group-name='a']/config/peer-as",
        "Peer group a has no peer-as",
    ),
    "dynamic neighbours of no group": Broken(
        speaker(dynamic=listens("10.0.0.0/8", None)),
        Missing,
        "nesrv-peer-group-missing",
        "config/peer-group",
        "10.0.0.0/8 have no peer-group",
    ),
    "one prefix in two ways": invalid(
        speaker(groups=group("a", peer_as=1), dynamic=listens("2001:db8::/32", "a") + listens("2001:DB8::/32", "a")),
        "prefix-twice",
        "dynamic-neighbor-prefix[prefix='2001:DB8::/32']",
        "is there twice",
    ),
    "value of the group": invalid(
        speaker(neighbor(peer_group="a"), group("a", box("timers", hold_time=2), peer_as=1)),
        "hold-time",
        "peer-group[peer-group-name='a']/timers/config/hold-time",
        "Neighbour 198.51.100.1: hold-time",
    ),
    "type that the AS contradicts": invalid(
        peer(peer_type="INTERNAL"), "peer-type", "config/peer-type", "AS 1 is not INTERNAL"
    ),
    "local-as within the AS": invalid(
        peer(peer_as=64514, local_as=2), "local-as", "config/local-as", "it is of the own AS"
    ),
    "local-as of the neighbour": invalid(peer(local_as=1), "local-as", "config/local-as", "its own AS"),
    "local-as 0": invalid(peer(local_as=0), "as-zero", "config/local-as", "AS 0"),
    "port 0": invalid(peer(neighbor_port=0), "neighbor-port", "config/neighbor-port", "at least 1"),
    "segments of no bytes": invalid(
        peer(inner=box("transport", tcp_mss=0)), "tcp-mss", "transport/config/tcp-mss", "at least 1"
    ),
    "override within the AS": invalid(
        peer(peer_as=64514, inner=box("as-path-options", replace_peer_as=True)),
        "replace-peer-as",
        "config/replace-peer-as",
        "another AS",
    ),
    "client of another AS": invalid(
        peer(inner=box("route-reflector", route_reflector_client=True)),
        "route-reflector-client",
        "config/route-reflector-client",
        "same AS",
    ),
    "two cluster ids": Broken(
        speaker(CLUSTERS), NotSupported, "nesrv-cluster-id", "route-reflector-cluster-id", "0.0.0.2 is not 0.0.0.1"
    ),
    "cluster id 0": invalid(
        peer(inner=box("route-reflector", route_reflector_cluster_id=0)),
        "cluster-id",
        "route-reflector-cluster-id",
        "0.0.0.0 is none",
    ),
    "half a minute": invalid(
        peer(inner=box("timers", restart_time=90)), "restart-time", "timers/config/restart-time", "whole minutes"
    ),
    "limit of nothing": invalid(
        peer(inner=limited(max_prefixes=0)), "max-prefixes", "config/max-prefixes", "at least 1"
    ),
    "warning from the first": invalid(
        peer(inner=limited(max_prefixes=1, warning_threshold_pct=0)),
        "warning-threshold",
        "config/warning-threshold-pct",
        "at least 1",
    ),
    "no communities and some": invalid(
        peer(send_community_type=("NONE", "LARGE")), "send-community-type", "[.='LARGE']", "stands alone"
    ),
    "EVPN without extended communities": invalid(
        peer(inner=communities(EVPN, "STANDARD")), "send-community-type", "[.='STANDARD']", "all communities"
    ),
    "helper of nothing": invalid(
        peer(inner=box("graceful-restart", enabled=False, helper_only=True)),
        "graceful-restart",
        "neighbor[neighbor-address='198.51.100.1']/graceful-restart/config/helper-only",
        "not enabled",
    ),
    "helper of nothing, the speaker": invalid(
        speaker(inner=box("graceful-restart", enabled=False, helper_only=True)),
        "graceful-restart",
        "global/graceful-restart/config/helper-only",
        "not enabled",
    ),
    "restart in no time": invalid(
        speaker(inner=box("graceful-restart", restart_time=0)),
        "graceful-restart",
        "graceful-restart/config/restart-time",
        "1 to 4095",
    ),
    "routes stale for too long": invalid(
        speaker(inner=box("graceful-restart", stale_routes_time=4096)),
        "graceful-restart",
        "graceful-restart/config/stale-routes-time",
        "1 to 4095",
    ),
    "no paths": invalid(
        speaker(inner=f"<use-multiple-paths>{box('ebgp', maximum_paths=0)}</use-multiple-paths>"),
        "maximum-paths",
        "ebgp/config/maximum-paths",
        "1 to 256",
    ),
    "too many paths": invalid(
        speaker(inner=f"<use-multiple-paths>{box('ibgp', maximum_paths=257)}</use-multiple-paths>"),
        "maximum-paths",
        "ibgp/config/maximum-paths",
        "1 to 256",
    ),
    "nobody on a loopback": invalid(
        speaker(links=unnumbered("lo", peer_as=1)), "unnumbered", "[interface='lo']", "nobody is on a loopback"
    ),
    "link of another instance": invalid(
        speaker(links=unnumbered("t1", peer_as=1))
        .replace("</interfaces>", leg("t1") + "</interfaces>", 1)
        .replace("</network-instances>", vrf("red", bound("t1")) + "</network-instances>"),
        "unnumbered",
        "[interface='t1']",
        "not an interface of default",
    ),
    "source in the group of an unnumbered neighbour": invalid(
        speaker(
            groups=group("a", box("transport", local_address="192.0.2.1"), peer_as=1),
            links=unnumbered("eth1", peer_group="a"),
        ),
        "unnumbered",
        "peer-group[peer-group-name='a']/transport/config/local-address",
        "link-local",
    ),
    "multihop in the group of an unnumbered neighbour": invalid(
        speaker(
            groups=group("a", box("ebgp-multihop", enabled=True), peer_as=1), links=unnumbered("eth1", peer_group="a")
        ),
        "unnumbered",
        "peer-group[peer-group-name='a']/ebgp-multihop/config/enabled",
        "next door",
    ),
    "group and link of one name": invalid(
        speaker(
            groups=group("eth1", peer_as=1),
            links=unnumbered("eth1", peer_as=1),
            dynamic=listens("10.0.0.0/8", "eth1"),
        ),
        "neighbor-twice",
        "peer-group[peer-group-name='eth1']",
        "both eth1 to FRR",
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))
def test_refused(broken: Broken) -> None:
    assert_refused(broken)


def test_a_group_that_nobody_uses_is_nothing() -> None:
    element = Element()
    element.commit(speaker(groups=group("a", box("timers", hold_time=2))))
    assert not any("neighbor" in text for text in element.texts())


def test_a_group_is_one_of_frr_only_where_dynamic_neighbours_use_it() -> None:
    element = Element()
    element.commit(speaker(neighbor(peer_group="a"), group("a", peer_as=1)))
    assert not any("peer-group" in text for text in element.texts())
    element.commit(speaker(neighbor(peer_group="a"), group("a", peer_as=1), dynamic=listens("10.0.0.0/8", "a")))
    assert {text.split(" / ")[1] for text in element.texts() if "peer-group" in text} == {
        "neighbor a peer-group",
        "bgp listen range 10.0.0.0/8 peer-group a",
    }


@pytest.mark.parametrize("name", ["10.1", "a group", "x" * 16])
def test_frr_gets_a_name_that_it_can_take(name: str) -> None:
    element = Element()
    element.commit(speaker(groups=group(name, peer_as=1), dynamic=listens("10.0.0.0/8", name)))
    (made,) = (text.split(" ")[-2] for text in element.texts() if text.endswith(" peer-group"))
    assert made != name
    assert len(made) <= 15


def test_an_unnumbered_neighbour_may_be_a_tenant() -> None:
    element = Element()
    links = unnumbered("t1", peer_as=65001)
    red = speaker(links=links).partition("<protocols>")[2].partition("</protocols>")[0]
    tenant = vrf("red", bound("t1"), f"<protocols>{red}</protocols>")
    element.commit(document([LO, nic("eth1"), leg("t1")], [default(router_id="192.0.2.1"), tenant]))
    assert "router bgp 64514 vrf red / neighbor t1 interface v6only remote-as 65001" in element.texts()


def test_families_of_group_and_neighbour_are_one_list() -> None:
    element = Element()
    both = neighbor(inner=families(("IPV6_UNICAST",)), peer_group="a")
    element.commit(speaker(both, group("a", families((V4,)), peer_as=1)))
    active = {text.split(" / ")[1] for text in element.texts() if text.endswith("activate")}
    assert active == {"address-family ipv4 unicast", "address-family ipv6 unicast"}


def test_own_as_is_no_local_as() -> None:
    element = Element()
    element.commit(peer(local_as=64514))
    assert not any("local-as" in text for text in element.texts())
