"""An Ethernet over two PEs: traffic within it, through its gateway, and what changes of it do to both."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lxml import etree

from tests.features.documents import leg
from tests.server.element import sh, until
from tests.server.stretch import GATEWAY, GATEWAY6, GATEWAY_MAC, LAN, WIRE, Pe, Wanted, pings, point, reaches, two_pes

FORGET_SECONDS = 10
SPACES = {
    "if": "http://openconfig.net/yang/interfaces",
    "ip": "http://openconfig.net/yang/interfaces/ip",
    "vl": "http://openconfig.net/yang/vlan",
    "ni": "http://openconfig.net/yang/network-instance",
    "ne": "urn:nesrv:element",
}


@pytest.fixture(scope="module")
def pes() -> Iterator[tuple[Pe, Pe]]:
    with two_pes(Wanted()) as found:
        yield found


def neighbor_mac(space: str, address: str) -> str:
    rows = json.loads(sh("ip", "-n", space, "-j", "neigh", "show", address) or "[]")
    return str(rows[0].get("lladdr", "")) if rows else ""


@contextmanager
def arp_on_the_wire(pe: Pe) -> Iterator[list[str]]:
    """The ARP packets that cross the underlay meanwhile."""
    command = ("ip", "netns", "exec", pe.element.name, "tcpdump", "--immediate-mode", "-lni", WIRE, "udp port 4789")
    dump = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert dump.stderr is not None
    while "listening on" not in dump.stderr.readline():
        pass
    found: list[str] = []
    try:
        yield found
        time.sleep(0.5)
    finally:
        dump.terminate()
        found += [row for row in dump.communicate()[0].splitlines() if row.startswith("ARP")]


def announced(pe: Pe, address: str) -> bool:
    return f"[{address}]" in pe.routes(2)


def test_hosts_of_one_subnet_reach_each_other(pes: tuple[Pe, Pe]) -> None:
    one, two = pes
    reaches(one.host, (two.address, two.address6))
    reaches(two.host, (one.address, one.address6))


def test_the_gateway_is_the_same_everywhere(pes: tuple[Pe, Pe]) -> None:
    for pe in pes:
        reaches(pe.host, (GATEWAY, GATEWAY6))
        assert neighbor_mac(pe.host, GATEWAY) == neighbor_mac(pe.host, GATEWAY6) == GATEWAY_MAC
        assert GATEWAY_MAC not in pe.routes(2)


def test_hosts_reach_subnets_behind_the_other_pe(pes: tuple[Pe, Pe]) -> None:
    for here, there in (pes, pes[::-1]):
        behind = (f"10.{there.number}.0.2", f"2001:db8:{there.number}::2")
        reaches(here.host, behind)
        reaches(there.behind, (here.address, here.address6))
        there.has_route(f"{here.address}/32", "red")


def test_a_known_host_is_found_without_asking_the_other_pe(pes: tuple[Pe, Pe]) -> None:
    one, two = pes
    until(lambda: announced(one, two.address) and announced(one, two.address6), "the host is announced")
    for pe, suppressed in ((one, True), (one, False)):
        pe.commit(Wanted(suppress=suppressed))
        reaches(two.host, (GATEWAY,))
        until(lambda: two.address in sh(*one.inside("red"), "ip", "neigh"), "the neighbour is back")
        if suppressed:
            assert not asks(one, two)
        else:
            until(lambda: asks(one, two), "without suppression the question crosses")
    one.commit(Wanted())


def asks(one: Pe, two: Pe) -> bool:
    """Whether the question for the other PE's host crosses the underlay when a host forgets its neighbours."""
    sh("ip", "-n", one.host, "neigh", "flush", "all")
    with arp_on_the_wire(one) as crossed:
        reaches(one.host, (two.address,))
    return any(f"who-has {two.address} " in row for row in crossed)


def test_a_host_that_says_nothing_stays_announced(pes: tuple[Pe, Pe]) -> None:
    """The bridge forgets after ten seconds; the kernel asks the host before."""
    one, two = pes
    one.commit(Wanted(ageing=FORGET_SECONDS))
    for key in ("base_reachable_time_ms=2000", "delay_first_probe_time=1"):
        for version in (4, 6):
            sh(*one.inside("red"), "sysctl", "-qw", f"net.ipv{version}.neigh.br{LAN}.{key}")
    reaches(one.host, (GATEWAY, GATEWAY6))
    until(lambda: announced(two, one.address) and announced(two, one.address6), "the host is announced")
    time.sleep(4 * FORGET_SECONDS)
    # Who is forgotten is so for good, as it does not speak: that one came back means that the kernel goes on asking.
    until(lambda: announced(two, one.address) and announced(two, one.address6), "the host is announced still")
    sh("ip", "-n", one.host, "link", "set", "lan0", "down")
    until(lambda: not announced(two, one.address), "a host that is gone is withdrawn")
    sh("ip", "-n", one.host, "link", "set", "lan0", "up")
    sh("ip", "-n", one.host, "addr", "replace", f"{one.address6}/64", "dev", "lan0", "nodad")
    point(one)
    one.commit(Wanted())


def test_a_host_that_moves_keeps_its_gateway(pes: tuple[Pe, Pe]) -> None:
    """One host with a leg to each PE, of which it uses one."""
    host = pes[0].element.host
    for pe in pes:
        name = f"uplink{pe.number}"
        pe.commit(Wanted(legs=(leg("moving", host=name, at=host),), members=("moving",)))
    address = "10.200.0.77"
    sh("ip", "-n", host, "link", "add", "moving", "address", "02:aa:00:00:00:77", "type", "bridge")
    sh("ip", "-n", host, "link", "set", "moving", "up")
    sh("ip", "-n", host, "addr", "add", f"{address}/32", "dev", "moving")
    sh("ip", "-n", host, "route", "add", GATEWAY, "dev", "moving", "src", address, "table", "77")
    sh("ip", "-n", host, "rule", "add", "from", address, "table", "77")
    for here, there in (pes, pes[::-1]):
        sh("ip", "-n", host, "link", "set", f"uplink{there.number}", "nomaster")
        sh("ip", "-n", host, "link", "set", f"uplink{here.number}", "master", "moving")
        reaches(host, (GATEWAY,), source=address)
        there.has_route(f"{address}/32", "red")
        here.has_route(f"{address}/32", "red", there=False)
        rows = json.loads(sh("ip", "-n", host, "-j", "neigh", "show", GATEWAY, "dev", "moving"))
        assert [row["lladdr"] for row in rows] == [GATEWAY_MAC]
    sh("ip", "-n", host, "link", "del", "moving")
    sh("ip", "-n", host, "rule", "del", "from", address, "table", "77")
    for pe in pes:
        pe.commit(Wanted())
        point(pe)


def test_without_a_gateway_nothing_of_the_element_is_in_reach(pes: tuple[Pe, Pe]) -> None:
    for pe in pes:
        pe.commit(Wanted(vrf=None))
    for here, there in (pes, pes[::-1]):
        reaches(here.host, (there.address, there.address6))
        sh("ip", "-n", here.host, "route", "replace", "198.51.100.0/24", "dev", "lan0")
        bridge = json.loads(sh("ip", "-n", here.element.name, "-j", "link", "show", f"br{LAN}"))[0]["address"]
        for target in (GATEWAY, f"198.51.100.{here.number}", f"192.0.2.{here.number}"):
            assert not pings(here.host, target)
        words = ("neigh", "replace", f"198.51.100.{here.number}", "lladdr", bridge, "dev", "lan0")
        sh("ip", "-n", here.host, *words)
        assert not pings(here.host, f"198.51.100.{here.number}")
        assert not announced(there, GATEWAY)


def test_another_vrf_takes_the_ethernet_over(pes: tuple[Pe, Pe]) -> None:
    """From no gateway to red and to blue: the same hosts, and only the routes of the VRF that they are in."""
    one, two = pes
    for vrf in ("red", "blue"):
        for pe in pes:
            pe.commit(Wanted(vrf=vrf))
            point(pe)
        reaches(one.host, (GATEWAY, two.address, GATEWAY6, two.address6))
        two.has_route(f"{one.address}/32", vrf)
        if vrf == "red":
            reaches(one.host, ("10.2.0.2",))
        else:
            assert not pings(one.host, "10.2.0.2")


def test_a_new_start_changes_nothing(pes: tuple[Pe, Pe]) -> None:
    one, two = pes
    one.element.kill()
    reaches(one.host, (two.address, GATEWAY))
    one.element.start()
    assert one.element.starts()[-1] == "0 steps, 0 refused"
    reaches(one.host, (two.address, GATEWAY))


def test_state_tells_of_it(pes: tuple[Pe, Pe]) -> None:
    one, _two = pes
    data = etree.fromstring(one.element.session.get().data_xml.encode())

    def values(path: str) -> list[str]:
        return [str(node.text) for node in data.iterfind(path, SPACES)]

    irb = "if:interfaces/if:interface[if:name='irb0']"
    assert values(f"{irb}/if:state/ne:kernel-name") == [f"br{LAN}"]
    assert values(f"{irb}/if:state/if:oper-status") == ["UP"]
    assert values(f"{irb}/vl:routed-vlan/vl:state/vl:vlan") == [str(LAN)]
    assert values(f"{irb}/vl:routed-vlan/ip:ipv4/ip:addresses/ip:address/ip:state/ip:ip") == [GATEWAY]
    assert GATEWAY6 in values(f"{irb}/vl:routed-vlan/ip:ipv6/ip:addresses/ip:address/ip:state/ip:ip")
    lan = "ni:network-instances/ni:network-instance[ni:name='lan']"
    assert sorted(values(f"{lan}/ni:interfaces/ni:interface/ni:state/ni:id")) == ["irb0", "lan0"]
    assert values(f"{lan}/ni:fdb/ni:state/ni:anycast-gateway-mac") == [GATEWAY_MAC]
    assert values(f"{lan}/ni:fdb/ni:arp-proxy/ni:state/ni:arp-suppression") == ["true"]
    evi = f"{lan}/ni:evpn/ni:evpn-instances/ni:evpn-instance"
    assert values(f"{evi}/ni:vxlan/ni:state/ni:vni") == [str(LAN)]
    assert values(f"{evi}/ni:import-export-policy/ni:state/ni:import-route-target") == ["64514:200"]
    vnis = "ni:network-instances/ni:network-instance/ni:connection-points//ni:endpoint-vni/ni:state"
    assert dict(zip(values(f"{vnis}/ni:vni"), values(f"{vnis}/ni:vni-type"), strict=True))[str(LAN)] == "L2"


def test_removal_leaves_nothing(pes: tuple[Pe, Pe]) -> None:
    for pe in pes:
        pe.element.commit_text('<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>')
        assert f"br{LAN}" not in sh("ip", "-n", pe.element.name, "link")
        assert "vni" not in pe.element.vtysh("show running-config")
