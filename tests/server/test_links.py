"""NICs in VRFs, macvlans, legs from pools and in bridges, through NETCONF down to the kernel, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lxml import etree

from tests.features import documents as oc
from tests.kernel.lab import HAS_8021Q
from tests.server.configurations import BASE
from tests.server.element import Element, differences, same, sh, until
from tests.server.speaker import session, speaker


def config(document: str) -> str:
    return f'<config xmlns="{BASE}">{document}</config>'


def state(element: Element, path: str) -> list[str]:
    """The texts at ``path`` of names, in the operational data."""
    data = etree.fromstring(element.session.get().data_xml.encode())
    steps = "/".join(f"*[local-name()='{name}']" for name in path.split("/"))
    found: Any = data.xpath(f"//{steps}")
    return [node.text or "" for node in found]


def everything(element: Element, number: int) -> str:
    """eth1 adopted into red, a share of wire1, a leg with addresses by the element's number, one in a bridge."""
    links = [
        oc.loopback(),
        oc.nic("eth1", "10.5.0.1/24", origin=element.outside, mtu=1400),
        oc.macvlan("up0", "192.0.2.129/31", parent="wire1", at=element.other),
        oc.leg("l1", at=element.host, host="h1", cidr=("10.1.0.0/24", "2001:db8:1::/64")),
        oc.leg("l2", at=element.host, host="h2", bridge="lan", create=True, families={"ipv6": False}),
    ]
    underlay = oc.default(oc.bound("lo", "up0"), oc.vtep(), oc.protocols(oc.bgp(64514, (oc.V4, oc.EVPN))))
    red = oc.vrf("red", oc.bound("eth1", "l1", "l2"), oc.evpn(oc.evi(100)))
    ranges = oc.pool(number, "198.51.100.0/24", ("192.0.2.0/25",))
    return config(oc.document(links, [underlay, red], pool=ranges))


def addresses(element: Element, inside: tuple[str, ...], link: str) -> list[str]:
    (found,) = json.loads(sh(*inside, "ip", "-j", "addr", "show", "dev", link))
    info: list[dict[str, Any]] = found["addr_info"]
    return [f"{one['local']}/{one['prefixlen']}" for one in info if not one["local"].startswith("fe80")]


def test_everything_comes_stays_over_a_restart_and_goes() -> None:
    with Element("--vrf", "netns") as element:
        sh("ip", "-n", element.outside, "addr", "add", "10.4.0.1/24", "dev", "eth1")
        sh("ip", "-n", element.outside, "route", "add", "default", "via", "10.4.0.9", "proto", "static")
        element.commit_text(config(""))
        before = element.applied()
        element.commit_text(everything(element, 3))
        red, host = element.inside_vrf("red"), ("ip", "netns", "exec", element.host)
        assert addresses(element, red, "eth1") == ["10.4.0.1/24", "10.5.0.1/24"]
        assert addresses(element, red, "l1") == ["10.1.0.1/24", "2001:db8:1::1/64"]
        assert addresses(element, host, "h1") == ["10.1.0.5/24", "2001:db8:1::5/64"]
        assert "master lan" in sh(*host, "ip", "link", "show", "h2")
        assert not sh(*red, "ip", "-6", "addr", "show", "dev", "l2")
        assert "bgp router-id 198.51.100.3" in element.vtysh("show running-config")
        assert "local 192.0.2.3" in sh(*red, "ip", "-d", "link", "show", "vx100")
        assert set(state(element, "network-instance/state/router-id")) == {"198.51.100.3"}
        assert state(element, "pool/state/index") == ["3"]
        assert set(state(element, "leg/state/local-cidr")) == {"10.1.0.0/24", "2001:db8:1::/64"}
        assert state(element, "leg/state/host-bridge") == ["lan"]
        assert state(element, "macvlan/state/parent-interface") == ["wire1"]
        assert "false" in state(element, "ipv6/state/enabled")
        assert {"192.0.2.3", "10.1.0.1"} <= set(state(element, "address/state/ip"))
        there = element.applied()
        element.stop()
        element.start()
        assert element.starts()[-1].startswith("0 steps")
        assert differences(there, element.applied()) == []
        element.commit_text(everything(element, 4))
        assert addresses(element, host, "h1") == ["10.1.0.6/24", "2001:db8:1::6/64"]
        element.commit_text(config(""))
        same(before, element.applied)


@pytest.mark.skipif(HAS_8021Q, reason="this kernel has 8021q")
def test_a_kernel_without_8021q_refuses_a_vlan_by_its_path_and_nothing_changes() -> None:
    with Element("--vrf", "netns") as element:
        made = oc.interface("eth1", vlans=[oc.vlan(7, 100, "10.7.0.1/24")])
        sh("ip", "-n", element.name, "link", "add", "eth1", "type", "veth")
        before = element.picture()
        element.edit_text(config(oc.document([made], [oc.vrf("red", oc.bound("eth1.7"))])))
        error = element.refused(element.session.commit)
        assert error.tag == "operation-failed"
        assert error.path.endswith("match/single-tagged/config/vlan-id") or error.path.endswith(":vlan-id")
        assert "VLAN 100 of eth1" in error.message and "not supported" in error.message
        element.session.discard_changes()
        same(before, element.picture)


def test_a_speaker_of_the_host_has_plain_underlay_routes_through_a_leg_of_the_default_instance() -> None:
    with Element("--vrf", "netns") as element:
        links = [
            oc.loopback("192.0.2.1/32"),
            oc.leg("pass", "10.9.0.1/30", at=element.host, host="h0", to=("10.9.0.2/30",)),
        ]
        peer = oc.neighbor("10.9.0.2", oc.V4, peer_as=65001)
        plain = oc.default(oc.bound("lo", "pass"), oc.vtep(), oc.protocols(oc.bgp(64514, (oc.V4,), peer)))
        element.commit_text(config(oc.document(links, [plain])))
        with speaker(element, element.host, 65001, "10.9.0.1", 64514) as path:
            until(lambda: session(element, "default", "10.9.0.2").prefixes == 1, "the host's route has come")
            until(lambda: "192.0.2.1/32" in element.vtysh("show ip bgp json", path), "the host has the VTEP's route")
            until(
                lambda: "203.0.113.0/24" in sh("ip", "-n", element.name, "route"),
                "the host's route is in the underlay's table",
            )
