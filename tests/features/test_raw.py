"""What can be told of raw lines before FRR sees them."""

from __future__ import annotations

import pytest

from nesrv.errors import RpcError
from tests.features.broken import Broken, InvalidValue, NotSupported, assert_refused
from tests.features.documents import EVPN, LO, V4, bgp, default, document, evi, evpn, neighbor, protocols, underlay, vrf
from tests.features.element import Element
from tests.features.route_documents import hop, raw, raw_block, route, static

DEFAULT, IPV4 = "router bgp 64514", "address-family ipv4 unicast"
PEER = neighbor("192.0.2.2", V4, peer_as=1, auth_password="hidden")
INSTANCES = [
    default(protocols(bgp(64514, (V4,), PEER), static(route("10.0.0.0/8", hop(0, "oc-loc-rt:DROP"))))),
    vrf("red"),
]
IN_USE = "in-use-elsewhere"


def told(*texts: str, context: tuple[str, ...] = ()) -> str:
    return document((), INSTANCES) + raw(raw_block("mine", *texts, context=context))


def line(text: str, *context: str, error: type[RpcError] = InvalidValue, words: str) -> Broken:
    path = "block[name='mine']/line[number='1']/config/text"
    return Broken(told(text, context=context), error, "nesrv-raw-line", path, words)


def taken(text: str, *context: str, words: str = "is in use already by /openconfig-network-instance") -> Broken:
    return Broken(told(text, context=context), InvalidValue, IN_USE, "line[number='1']/config/text", words)


def context(*names: str, words: str) -> Broken:
    return Broken(
        told("x", context=names), InvalidValue, "nesrv-raw-context", f"config/context[.='{names[-1]}']", words
    )


BROKEN = {
    "part that is not managed": line("log syslog", error=NotSupported, words="manages: router bgp, vrf"),
    "context that is not managed": line("exec-timeout 0 0", "line vty", error=NotSupported, words="manages"),
    "a command": line("do clear bgp *", DEFAULT, words="no line of a configuration"),
    "a way out": line("exit", DEFAULT, words="no line of a configuration"),
    "a comment": line("! remark", DEFAULT, words="no line of a configuration"),
    "an opener": line(IPV4, DEFAULT, words="only opens a context"),
    "an opener at the top": line("vrf red", words="only opens a context"),
    "a timer that the model sets": taken("neighbor 192.0.2.2 timers 1 3", DEFAULT),
    "its negation": taken("no neighbor 192.0.2.2 activate", DEFAULT, IPV4),
    "a route that the model has": taken("ip route 10.0.0.0/8 blackhole 9"),
    "a password": taken("neighbor 192.0.2.2 password secret", DEFAULT, words="neighbor 192.0.2.2 password is in use"),
    "the speaker of the model": taken(DEFAULT),
    "speaker that is not there": context("router bgp 1 vrf red", words="makes FRR's router bgp 1 vrf red"),
    "VRF that is not there": context("vrf blue", words="makes FRR's vrf blue"),
    "route-map that is not there": context("route-map R permit 10", words="makes FRR's route-map R permit 10"),
    "profile that is not there": context("bfd", "profile p", words="makes FRR's profile p"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_refused(broken: Broken) -> None:
    assert_refused(broken)


def test_one_setting_twice() -> None:
    twice = raw(raw_block("a", "ip prefix-list P seq 5 permit any"), raw_block("b", "ip prefix-list P seq 5 deny any"))
    assert_refused(Broken(twice, InvalidValue, IN_USE, "config/text", "ip prefix-list P seq 5 is in use already"))


def test_a_line_may_stand_in_another_raw_block() -> None:
    element = Element()
    made = (
        raw_block("map", "route-map R permit 10"),
        raw_block("in it", "set metric 5", context=("route-map R permit 10",)),
    )
    element.commit(raw(*made))
    assert element.texts() == ["route-map R permit 10", "route-map R permit 10 / set metric 5"]


def test_raw_lines_are_last() -> None:
    element = Element()
    element.commit(told("ip prefix-list P seq 5 permit any"))
    last = max(element.lines(), key=lambda one: one.rank)
    assert (last.text, last.path) == (
        "ip prefix-list P seq 5 permit any",
        "/nesrv-frr:frr/block[name='mine']/line[number='1']/config/text",
    )


def test_an_instance_cannot_go_from_under_a_line() -> None:
    """Also not by a change of the underlay's AS, which is that of a speaker for the sake of a VNI alone."""
    block = raw(raw_block("mine", "bgp bestpath compare-routerid", context=("router bgp 64514 vrf red",)))
    for changed in ([underlay()], [underlay(asn=64999), vrf("red", evpn(evi(100)))]):
        element = Element()
        element.commit(document([LO], [underlay(names=(V4, EVPN)), vrf("red", evpn(evi(100)))]) + block)
        with pytest.raises(InvalidValue, match="Nothing in the configuration makes"):
            element.commit(document([LO], changed) + block)
