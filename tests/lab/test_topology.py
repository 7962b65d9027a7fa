"""Topology files: what they say, what is refused, and what is made of them."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from lab.configuration import pe_configuration
from lab.speakers import router_configuration, tenant_configuration
from lab.topology import DEFAULT, TopologyError, load, parse

DOCUMENT = tomllib.loads(DEFAULT.read_text())
NAMES = {
    "if": "http://openconfig.net/yang/interfaces",
    "ni": "http://openconfig.net/yang/network-instance",
    "nesrv": "urn:nesrv:element",
}


def test_the_example_has_the_nodes_that_it_draws() -> None:
    topology = load(DEFAULT)
    assert set(topology.nodes) == {"spine", "pe1", "pe2", "h1", "h1-blue", "h2", "h2-blue"}
    assert topology.space("pe1") == "nesrv-pe1"
    assert [topology.nic(link) for link in topology.links] == ["nesrv-pe1-eth0", "nesrv-pe2-eth0"]
    assert [vrf.name for vrf in topology.vrfs_of("pe1")] == ["red", "blue"]


def test_red_and_blue_use_the_same_addresses() -> None:
    topology = load(DEFAULT)
    for pe in topology.pes:
        (red,), (blue,) = topology.tenants_of(pe.node, "red"), topology.tenants_of(pe.node, "blue")
        assert red.addresses == blue.addresses
        assert set(red.services) <= set(blue.services)


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(colour="red"), "the file: unknown: colour"),
        (lambda d: d["pe"][0].update(color="red"), "pe 1: unknown: color"),
        (lambda d: d["pe"][0].pop("vtep"), "pe 1: vtep must be a word"),
        (lambda d: d["pe"][0].update(vtep="198.51.100.256"), "pe 1: vtep: '198.51.100.256'"),
        (lambda d: d["vrf"][0].update(vni="100"), "vrf 1: vni must be a number"),
        (lambda d: d["vrf"][1].update(vni=100), "the VNI 100 is there 2 times"),
        (lambda d: d["tenant"][1].update(node="h1"), "the node h1 is there 2 times"),
        (lambda d: d["tenant"][1].update(pe="pe3"), "there is no PE pe3"),
        (lambda d: d["tenant"][1].update(vrf="green"), "there is no VRF green"),
        (lambda d: d["link"][0].update(router="leaf"), "there is no router leaf"),
        (lambda d: d["link"][0].update({"pe-address": "192.0.2.1"}), "link 1: pe-address must be an address"),
        (lambda d: d["tenant"][0].update(services=[]), "tenant 1: services must be a list"),
        (lambda d: d.update(name="a-long-name"), "a-long-name-pe1-eth0 is longer than 15 characters"),
        (lambda d: d.update(pe={}), r"write \[\[pe\]\], not \[pe\]"),
        (lambda d: d.update(name="a b"), "the file: name must be a word"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(change: Change, words: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    with pytest.raises(TopologyError, match=words):
        parse(document)


def test_a_pe_is_configured_as_the_topology_says() -> None:
    topology = load(DEFAULT)
    config = pe_configuration(topology, topology.pes[0])

    def texts(path: str) -> list[str | None]:
        return [one.text for one in config.iterfind(path, NAMES)]

    assert texts(".//if:interface/if:name") == ["nesrv-pe1-eth0", "lo", "h1-red", "h1-blue"]
    assert texts(".//nesrv:host-namespace") == ["nesrv-h1", "nesrv-h1-blue"]
    assert texts(".//ni:network-instance/ni:name") == ["default", "red", "blue"]
    assert texts(".//ni:vni") == ["100", "200"]
    assert texts(".//ni:neighbor/ni:neighbor-address") == ["192.0.2.0", "10.1.0.2", "10.1.0.2"]
    assert texts(".//ni:allow-own-as") == ["1"]


def test_prefixes_of_identities_are_declared() -> None:
    topology = load(DEFAULT)
    config = etree.fromstring(etree.tostring(pe_configuration(topology, topology.pes[0])))
    used = [one for one in config.iter() if one.text and one.text.startswith(("oc-", "ianaift:"))]
    assert used
    assert all((one.text or "").partition(":")[0] in one.nsmap for one in used)


def test_the_router_leaves_next_hops_of_evpn_alone() -> None:
    topology = load(DEFAULT)
    lines = router_configuration(topology, topology.routers[0]).splitlines()
    evpn = lines[lines.index(" address-family l2vpn evpn") :]
    for neighbor in ("192.0.2.1", "192.0.2.3"):
        assert f"  neighbor {neighbor} activate" in evpn
        assert f"  neighbor {neighbor} attribute-unchanged next-hop" in evpn


def test_a_tenant_announces_the_networks_of_its_services() -> None:
    topology = load(DEFAULT)
    tenant = next(one for one in topology.tenants if one.node == "h2-blue")
    lines = tenant_configuration(topology, tenant).splitlines()
    announced = [line.split()[1] for line in lines if line.startswith("  network ")]
    assert announced == ["203.0.113.32/28", "203.0.113.48/28", "2001:db8:f2::/64"]
    assert " ip address 203.0.113.33/28" in lines
