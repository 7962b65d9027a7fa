"""What YANG cannot forbid of BGP speakers and neighbours: what the client is told."""

from __future__ import annotations

import pytest

from nesrv import errors
from tests.features.broken import Broken, InvalidValue, Missing, NotSupported, assert_refused, peer, refusals, tenant
from tests.features.documents import (
    EVPN,
    V4,
    V6,
    bgp,
    bound,
    box,
    default,
    document,
    families,
    leg,
    loopback,
    neighbor,
    protocols,
    vrf,
)
from tests.features.element import Element

SPEAKERS = {
    "two BGP protocols": Broken(
        document((), [default(protocols(bgp(1), bgp(2, name="second")))]),
        InvalidValue,
        "nesrv-second-bgp",
        "[name='second']",
        "two BGP protocols",
    ),
    "AS 0": Broken(
        document((), [default(protocols(bgp(0)))]), InvalidValue, "nesrv-as-zero", "bgp/global/config/as", "AS 0"
    ),
    "router id 0.0.0.0": Broken(
        document((), [default(protocols(bgp(1, router_id="0.0.0.0")))]),
        InvalidValue,
        "nesrv-router-id",
        "bgp/global/config/router-id",
        "0.0.0.0",
    ),
    "router id 0.0.0.0 of the instance": Broken(
        document((), [default(router_id="0.0.0.0")]),
        InvalidValue,
        "nesrv-router-id",
        "[name='default']/config/router-id",
        "0.0.0.0",
    ),
    "EVPN in an L3VRF": Broken(
        tenant(protocols(bgp(1, (EVPN,)))),
        NotSupported,
        "nesrv-evpn-in-vrf",
        "[name='red']/protocols/protocol[identifier='openconfig-policy-types:BGP'][name='bgp']/bgp/global/afi-safis"
        "/afi-safi[afi-safi-name='openconfig-bgp-types:L2VPN_EVPN']/config/enabled",
        "default instance",
    ),
    "EVPN neighbour in an L3VRF": Broken(
        tenant(protocols(bgp(1, (V4,), neighbor("10.0.0.1", EVPN, peer_as=1)))),
        NotSupported,
        "nesrv-evpn-in-vrf",
        "config/enabled",
        "default instance",
    ),
    "neighbour twice": Broken(
        document((), [default(protocols(bgp(1, (V6,), neighbor("::a", peer_as=1), neighbor("::A", peer_as=1))))]),
        InvalidValue,
        "nesrv-neighbor-twice",
        "neighbor[neighbor-address='::A']",
        "::a is there twice",
    ),
}

NEIGHBORS = {
    "no AS": Broken(peer(peer_as=None), Missing, "nesrv-peer-as-missing", "config/peer-as", "no peer-as"),
    "AS 0": Broken(peer(peer_as=0), InvalidValue, "nesrv-as-zero", "config/peer-as", "AS 0"),
    "multicast address": Broken(
        peer("224.0.0.1"), InvalidValue, "nesrv-neighbor-address", "neighbor-address", "no neighbour can have"
    ),
    "link-local address": Broken(
        peer("fe80::1"), InvalidValue, "nesrv-neighbor-address", "neighbor-address", "on which link"
    ),
    "description of two lines": Broken(
        peer(description="a\nb"), InvalidValue, "nesrv-text", "config/description", "line breaks"
    ),
    "description without end": Broken(
        peer(description="a" * 1025), InvalidValue, "nesrv-text", "config/description", "longer than 1024"
    ),
    "password with a space": Broken(
        peer(auth_password="a b"), InvalidValue, "nesrv-auth-password", "config/auth-password", "spaces"
    ),
    "empty password": Broken(
        peer(auth_password=""), InvalidValue, "nesrv-auth-password", "config/auth-password", "1 to 80"
    ),
    "long password": Broken(
        peer(auth_password="é" * 41), InvalidValue, "nesrv-auth-password", "config/auth-password", "1 to 80"
    ),
    "hold time 2": Broken(
        peer(inner=box("timers", hold_time=2)), InvalidValue, "nesrv-hold-time", "timers/config/hold-time", "at least 3"
    ),
    "keepalive beyond hold time": Broken(
        peer(inner=box("timers", hold_time=9, keepalive_interval=10)),
        InvalidValue,
        "nesrv-keepalive-interval",
        "timers/config/keepalive-interval",
        "10 is longer than hold-time 9",
    ),
    "connect-retry 0": Broken(
        peer(inner=box("timers", connect_retry=0)),
        InvalidValue,
        "nesrv-connect-retry",
        "timers/config/connect-retry",
        "at least 1",
    ),
    "TTL 0": Broken(
        peer(inner=box("ebgp-multihop", enabled=True, multihop_ttl=0)),
        InvalidValue,
        "nesrv-multihop-ttl",
        "ebgp-multihop/config/multihop-ttl",
        "at least 1",
    ),
    "own AS 11 times": Broken(
        peer(inner=box("as-path-options", allow_own_as=11)),
        InvalidValue,
        "nesrv-allow-own-as",
        "as-path-options/config/allow-own-as",
        "10 at most",
    ),
    "source of the other family": Broken(
        peer(inner=box("transport", local_address="2001:db8::1")),
        InvalidValue,
        "nesrv-local-address",
        "transport/config/local-address",
        "other IP version",
    ),
    "source with a length": Broken(
        peer(inner=box("transport", local_address="192.0.2.1/32")),
        InvalidValue,
        "nesrv-local-address",
        "transport/config/local-address",
        "without a length",
    ),
    "source interface of another instance": Broken(
        document(
            [leg("t1")],
            [
                default(
                    protocols(bgp(1, (), neighbor("1.1.1.1", peer_as=1, inner=box("transport", local_address="t1"))))
                ),
                vrf("red", bound("t1")),
            ],
        ),
        InvalidValue,
        "nesrv-local-address",
        "transport/config/local-address",
        "not an interface of default",
    ),
    "source loopback in an L3VRF": Broken(
        document(
            [loopback(name="lo-red")],
            [
                vrf(
                    "red",
                    bound("lo-red"),
                    protocols(
                        bgp(1, (), neighbor("1.1.1.1", peer_as=1, inner=box("transport", local_address="lo-red")))
                    ),
                )
            ],
        ),
        NotSupported,
        "nesrv-local-address",
        "transport/config/local-address",
        "give its address",
    ),
}


@refusals(speaker=SPEAKERS, neighbor=NEIGHBORS)
def test_refused(broken: Broken) -> None:
    assert_refused(broken)


def test_no_message_tells_a_secret() -> None:
    for secret in ("hunter2 ", "hunter2" * 20):
        with pytest.raises(errors.InvalidValue) as caught:
            Element().commit(peer(auth_password=secret))
        assert "hunter2" not in caught.value.message


def test_a_neighbour_without_families_is_in_those_of_the_speaker() -> None:
    element = Element()
    for spoken in ((), (V4,), (V4, V6)):
        element.commit(document((), [default(protocols(bgp(64514, spoken, neighbor("198.51.100.1", peer_as=1))))]))
        assert sum("activate" in text for text in element.texts()) == len(spoken)


def test_a_family_without_enabled_is_off() -> None:
    element = Element()
    found = neighbor("198.51.100.1", peer_as=1).replace("</neighbor>", families((V4,), None) + "</neighbor>")
    element.commit(document((), [default(protocols(bgp(64514, (V4,), found)))]))
    assert not any("activate" in text for text in element.texts())
