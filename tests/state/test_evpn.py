"""VTEP and EVPN state on what FRR 8.4.4 (and 10.3 where it is named) said of one L3VNI with one remote VTEP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nesrv.datastore.build import build
from nesrv.features.state import evpn
from nesrv.features.state.instances import Anchors, Endpoint, anchors
from nesrv.frr.state import VniState, vnis, vteps
from tests.state import element, entries

DATA = Path(__file__).parent / "data"
MAC = "da:73:fd:3a:4e:cf"


def text(name: str) -> str:
    return (DATA / f"{name}.json").read_text()


def heard() -> list[VniState]:
    return list(vnis(text("vnis")))


def hops() -> evpn.Hops:
    return evpn.Hops(vteps(text("next-hops")), dict(evpn.router_macs(text("next-hops"))))


def vtep(known: Anchors, found: list[VniState]) -> Any:
    addresses = {"vtep": "10.0.0.1", "other": "10.0.0.9"}
    return evpn.vtep(known, found, hops(), lambda endpoint: addresses[endpoint.name], lambda vni: f"name of {vni.vrf}")


def vxlan_of(made: Any, endpoint: str = "vtep") -> Any:
    endpoints = made["connection-points"]["connection-point"][0]["endpoints"]["endpoint"]
    return next(found["vxlan"] for found in endpoints if found["endpoint-id"] == endpoint)


def numbers(vxlan: Any) -> list[int]:
    return [found["vni"] for found in vxlan["endpoint-vnis"]["endpoint-vni"]]


def test_a_vni_that_is_up_and_the_vtep_beyond_it() -> None:
    made = vtep(anchors(entries.instance("main")), heard())
    state = {"vni": 100, "vni-type": "L3", "l3-vrf-name": "name of red", "vni-state": "UP"}
    assert vxlan_of(made)["endpoint-vnis"]["endpoint-vni"] == [{"vni": 100, "state": state}]
    peer = {"peer-address": "10.0.0.2", "peer-state": "UP", "control-plane-vnis": [100], "router-mac": MAC}
    assert vxlan_of(made)["endpoint-peers"]["endpoint-peer"] == [{"peer-address": "10.0.0.2", "state": peer}]
    build(element.schema().node("/openconfig-network-instance:network-instances/network-instance"), made)


def test_a_vni_that_is_down() -> None:
    down = [replace(found, up=False) for found in heard()]
    (entry,) = vxlan_of(vtep(anchors(entries.instance("main")), down))["endpoint-vnis"]["endpoint-vni"]
    assert entry["state"]["vni-state"] == "DOWN"


def test_each_vni_is_at_the_endpoint_with_its_address() -> None:
    known = anchors(entries.instance("main"))
    both = replace(known, endpoints=(*known.endpoints, Endpoint("cp", "other", ("lo", "1"))))
    found = [*heard(), replace(heard()[0], vni=7, local_vtep="10.0.0.9"), replace(heard()[0], vni=8, local_vtep=None)]
    made = vtep(both, found)
    assert numbers(vxlan_of(made)) == [8, 100]
    assert numbers(vxlan_of(made, "other")) == [7]


def test_an_instance_without_vtep_has_none_of_it() -> None:
    assert vtep(anchors(entries.instance("red")), heard()) is None


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("targets", "64514:100"),
        ("targets-of-one", "64514:100"),
        ("targets-10.3", "65000:100"),
        ("targets-of-one-10.3", "65000:100"),
    ],
)
def test_what_bgpd_uses_of_all_vnis_and_of_one(name: str, target: str) -> None:
    (found,) = evpn.targets(text(name))
    assert found == evpn.Targets(100, "10.0.0.1:2", (target,), (target,))
    made: Any = evpn.instance(anchors(entries.instance("red")), {100: found})
    (entry,) = made["evpn"]["evpn-instances"]["evpn-instance"]
    assert (entry["evi"], entry["state"]["route-distinguisher"]) == ("100", "10.0.0.1:2")
    build(element.schema().node("/openconfig-network-instance:network-instances/network-instance"), made)


def test_a_vni_that_bgpd_does_not_know() -> None:
    assert list(evpn.targets("{}\n{\n}\n")) == []
    assert evpn.instance(anchors(entries.instance("red")), {}) is None
