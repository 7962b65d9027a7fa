"""Two PEs with a wire between them, an Ethernet stretched over both, and hosts on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tests.features.documents import (
    EVPN,
    V4,
    V6,
    bgp,
    bound,
    default,
    document,
    entry,
    evi,
    evpn,
    fdb,
    irb,
    l2vsi,
    leg,
    loopback,
    neighbor,
    nic,
    protocols,
    vlans_of,
    vrf,
    vtep,
)
from tests.server.configurations import BASE
from tests.server.element import Element, sh, until

ASN, LAN, WIRE = 64514, 200, "eth2"
GATEWAY, GATEWAY6, GATEWAY_MAC = "10.200.0.1", "2001:db8:200::1", "02:00:5e:00:00:01"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of an Ethernet a PE has: ``vrf`` that it is within (None: without a gateway), whether ARP is answered here,
    the legs beside the first, the seconds after which hosts are forgotten."""

    vrf: str | None = "red"
    suppress: bool = True
    legs: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    ageing: int | None = None


class Pe:
    """PE ``number`` (1 or 2); its host on the Ethernet is 10.200.0.1NUMBER, one behind an own subnet 10.NUMBER.0.2."""

    def __init__(self, element: Element, number: int) -> None:
        self.element, self.number = element, number
        self.host, self.behind = element.host, element.other
        self.address, self.address6 = f"10.{LAN}.0.1{number}", f"2001:db8:{LAN}::1{number}"

    def configuration(self, wanted: Wanted) -> str:
        number, other = self.number, 3 - self.number
        peer = neighbor(f"192.0.2.{other}", V4, EVPN, inner=RETRY, peer_as=ASN)
        underlay = default(
            bound("lo", WIRE),
            vtep(),
            protocols(bgp(ASN, (V4, EVPN), peer)),
            router_id=f"198.51.100.{number}",
        )
        lan_leg = leg("lan0", host="lan0", at=self.host, to=(f"{self.address}/24", f"{self.address6}/64"))
        own = (f"10.{number}.0.1/24", f"2001:db8:{number}::1/64")
        far = (f"10.{number}.0.2/24", f"2001:db8:{number}::2/64")
        links = [
            loopback(f"198.51.100.{number}/32"),
            nic(WIRE, f"192.0.2.{number}/30", origin=self.element.outside),
            leg("own0", *own, host="own0", at=self.behind, to=far),
            lan_leg,
            *wanted.legs,
        ]
        ports = [entry("interface", "id", name, interface=name, subinterface=0) for name in ("lan0", *wanted.members)]
        gateway = wanted.vrf is not None
        if gateway:
            links.append(irb("irb0", f"{GATEWAY}/24", f"{GATEWAY6}/64", vlan_=LAN))
            ports.append(entry("interface", "id", "irb0", interface="irb0"))
        lan = l2vsi(
            "lan",
            fdb(wanted.suppress, wanted.suppress, anycast_gateway_mac=GATEWAY_MAC, mac_aging_time=wanted.ageing),
            vlans_of(LAN),
            f"<interfaces>{''.join(ports)}</interfaces>",
            evpn(evi(LAN, "lan", {"import_route_target": ("64514:200",), "export_route_target": ("64514:200",)})),
        )
        return document(
            links,
            [underlay, *(self._vrf(name, vni, wanted.vrf == name) for name, vni in (("red", 100), ("blue", 101))), lan],
        )

    def _vrf(self, name: str, vni: int, routes: bool) -> str:
        members = [entry("interface", "id", "own0", interface="own0", subinterface=0)] if name == "red" else []
        members += [entry("interface", "id", "irb0", interface="irb0")] if routes else []
        return vrf(
            name,
            f"<interfaces>{''.join(members)}</interfaces>" if members else "",
            evpn(evi(vni, name)),
            protocols(bgp(ASN, (V4, V6))),
            router_id=f"198.51.100.{self.number}",
        )

    def commit(self, wanted: Wanted) -> None:
        self.element.commit_text(f'<config xmlns="{BASE}">{self.configuration(wanted)}</config>')

    def inside(self, vrf: str) -> tuple[str, ...]:
        """Where the links of a VRF are: its namespace, or with VRF devices the element's."""
        if vrf in self.element.vrf_names():
            return self.element.inside_vrf(vrf)
        return ("ip", "netns", "exec", self.element.name)

    def routes(self, kind: int) -> str:
        return self.element.vtysh(f"show bgp l2vpn evpn route type {kind}")

    def has_route(self, prefix: str, vrf: str, there: bool = True) -> None:
        shown = f"show ip route vrf {vrf}"
        until(lambda: (prefix in self.element.vtysh(shown)) is there, f"{prefix} in {vrf} of PE {self.number}: {there}")


RETRY = "<timers><config><connect-retry>1</connect-retry></config></timers>"


@contextmanager
def two_pes(wanted: Wanted, *options: str) -> Iterator[tuple[Pe, Pe]]:
    with Element(*options) as one, Element(*options) as two:
        pes = Pe(one, 1), Pe(two, 2)
        wire = ("type", "veth", "peer", "name", WIRE, "netns", two.outside)
        sh("ip", "-n", one.outside, "link", "add", WIRE, *wire)
        for pe in pes:
            sh("ip", "-n", pe.element.outside, "link", "set", WIRE, "up")
            pe.commit(wanted)
            for version, gateway in (("-4", f"10.{pe.number}.0.1"), ("-6", f"2001:db8:{pe.number}::1")):
                sh("ip", version, "-n", pe.behind, "route", "add", "default", "via", gateway)
            point(pe)
        until(lambda: all(pe.routes(3).count("[3]:") >= 2 for pe in pes), "both PEs know of each other's Ethernet")
        yield pes


def point(pe: Pe) -> None:
    """The host's default routes, which go with its link, lead to the gateway."""
    for version, gateway in (("-4", GATEWAY), ("-6", GATEWAY6)):
        sh("ip", version, "-n", pe.host, "route", "replace", "default", "via", gateway, "dev", "lan0")


def pings(space: str, target: str, source: str | None = None) -> bool:
    words = (
        "ip",
        "netns",
        "exec",
        space,
        "ping",
        "-n",
        "-c",
        "1",
        "-W",
        "1",
        *(("-I", source) if source else ()),
        target,
    )
    return subprocess.run(words, capture_output=True).returncode == 0


def reaches(space: str, targets: Iterable[str], source: str | None = None) -> None:
    for target in targets:
        until(partial(pings, space, target, source), f"{target} answers {space}")
