"""Two PEs of ours around a spine that is not, as every test of a promise to the operator needs them.

tenant namespaces ── legs ── pe1 ── eth1 … spine … eth1 ── pe2 ── legs ── tenant namespaces
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
from types import TracebackType
from typing import Self

from ncclient.operations import RPCError

from tests.parity.router import Router
from tests.server.configurations import BASE, EVPN, V4, Configuration, Neighbor, Underlay, Vrf
from tests.server.element import Element, sh

PE_AS, SPINE_AS, TENANT_AS = 64514, 64512, 64515
VTEPS = ("198.51.100.1", "198.51.100.2")
PE_ENDS, SPINE_ENDS = ("192.0.2.1", "192.0.2.3"), ("192.0.2.0", "192.0.2.2")
WIRES: tuple[tuple[str, ...], ...] = tuple((f"{address}/31",) for address in SPINE_ENDS)
"""The spine's addresses on the wire to each PE."""
SPINE = """\
router bgp 64512
 bgp router-id 198.51.100.254
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 timers bgp 3 9
 neighbor 192.0.2.1 remote-as 64514
 neighbor 192.0.2.1 timers connect 1
 neighbor 192.0.2.3 remote-as 64514
 neighbor 192.0.2.3 timers connect 1
 address-family ipv4 unicast
  neighbor 192.0.2.1 activate
  neighbor 192.0.2.3 activate
 exit-address-family
 address-family l2vpn evpn
  neighbor 192.0.2.1 activate
  neighbor 192.0.2.1 attribute-unchanged next-hop
  neighbor 192.0.2.3 activate
  neighbor 192.0.2.3 attribute-unchanged next-hop
 exit-address-family
exit
"""

UNNUMBERED_SPINE = """\
router bgp 64512
 bgp router-id 198.51.100.254
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 timers bgp 3 9
 neighbor to-pe1 interface v6only remote-as 64514
 neighbor to-pe1 timers connect 1
 neighbor to-pe2 interface v6only remote-as 64514
 neighbor to-pe2 timers connect 1
 address-family ipv4 unicast
  neighbor to-pe1 activate
  neighbor to-pe2 activate
 exit-address-family
 address-family l2vpn evpn
  neighbor to-pe1 activate
  neighbor to-pe1 attribute-unchanged next-hop
  neighbor to-pe2 activate
  neighbor to-pe2 attribute-unchanged next-hop
 exit-address-family
exit
"""


class Network:
    """``pes``, one for each of ``wires``, are running and not configured; ``spine`` is up with
    ``spine_configuration`` and, on the wire ``to-peN``, the addresses that ``wires`` has for it.

    ``space(name)`` makes a tenant's namespace; ``stack`` closes what a test opens beside, in time.
    """

    def __init__(self, spine_configuration: str = SPINE, wires: tuple[tuple[str, ...], ...] = WIRES) -> None:
        self._name = f"p{secrets.token_hex(3)}"
        self._spaces: list[str] = []
        self.stack = contextlib.ExitStack()
        self.pes = tuple(Element() for _ in wires)
        self._wires = wires
        self._spine_configuration = spine_configuration
        self.spine: Router

    def __enter__(self) -> Self:
        try:
            spine = self.space("s")
            for number, pe in enumerate(self.pes):
                self.stack.enter_context(pe)
                wire = f"to-pe{number + 1}"
                sh("ip", "-n", pe.other, "link", "set", "wire1", "netns", spine, "name", wire)
                add_addresses(spine, wire, *self._wires[number])
                sh("ip", "-n", spine, "link", "set", wire, "up")
            self.spine = self.stack.enter_context(Router(spine, self._spine_configuration))
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.__exit__(kind, error, trace)
        self._close()

    def _close(self) -> None:
        self.stack.close()
        for space in self._spaces:
            subprocess.run(("ip", "netns", "del", space), capture_output=True)

    def space(self, name: str) -> str:
        """A namespace of the test's own, lo up."""
        space = f"{self._name}{name}"
        sh("ip", "netns", "add", space)
        self._spaces.append(space)
        sh("ip", "-n", space, "link", "set", "lo", "up")
        return space

    def tenant_with(self, name: str, configuration: str, *addresses: str) -> Router:
        """A speaker in a namespace of its own, where services have ``addresses`` on lo."""
        router = self.router(self.space(name), configuration)
        add_addresses(router.space, "lo", *addresses)
        return router

    def router(self, space: str, configuration: str) -> Router:
        """A speaker in a namespace that ``space`` made, until the network ends."""
        return self.stack.enter_context(Router(space, configuration))


def add_addresses(space: str, link: str, *addresses: str) -> None:
    """With their lengths; IPv6 ones usable at once."""
    for address in addresses:
        more = ("nodad",) if ":" in address else ()
        sh("ip", "-n", space, "address", "add", address, "dev", link, *more)


def underlay(pe: Element, number: int) -> Underlay:
    """PE ``number`` (0 or 1) beside the spine: adopted NIC, VTEP, eBGP with IPv4 and EVPN."""
    spine, families = SPINE_ENDS[number], (V4, EVPN)
    neighbor = Neighbor(spine, SPINE_AS, families, hold=9, keepalive=3, retry=1, allow_own_as=1)
    nics = (("eth1", pe.outside, (f"{PE_ENDS[number]}/31",)),)
    return Underlay(loopback=(f"{VTEPS[number]}/32",), nics=nics, neighbors=(neighbor,))


def configuration(pe: Element, number: int, *vrfs: Vrf) -> Configuration:
    return Configuration(underlay(pe, number), vrfs)


def merge(pe: Element, *parts: str) -> None:
    """Takes XML (top-level nodes) into the candidate, part after part, and commits."""
    for part in parts:
        pe.merge(f'<config xmlns="{BASE}">{part}</config>')
    _commit(pe)


def remove(pe: Element, *parts: str) -> None:
    """The same for XML whose nodes carry ``nc:operation``; ``nc`` is declared."""
    for part in parts:
        pe.merge(f'<config xmlns="{BASE}" xmlns:nc="{BASE}">{part}</config>')
    _commit(pe)


def _commit(pe: Element) -> None:
    """What is refused does not stay in the candidate, where the next test would meet it."""
    try:
        pe.session.commit()
    except RPCError:
        pe.session.discard_changes()
        raise


def tenant(asn: int, router_id: str, peers: dict[str, int], networks: tuple[str, ...], more: str = "") -> str:
    """A speaker's configuration: eBGP or iBGP with ``peers`` (address to AS), announcing ``networks``."""
    rows = [f"router bgp {asn}", f" bgp router-id {router_id}", " no bgp ebgp-requires-policy"]
    rows += [" no bgp default ipv4-unicast", " no bgp network import-check", " timers bgp 3 9"]
    for peer, peer_as in peers.items():
        rows += [f" neighbor {peer} remote-as {peer_as}", f" neighbor {peer} timers connect 1"]
    for family, mark in (("ipv4", "."), ("ipv6", ":")):
        rows.append(f" address-family {family} unicast")
        rows += [f"  network {network}" for network in networks if mark in network]
        rows += [row for peer in peers for row in (f"  neighbor {peer} activate", f"  neighbor {peer} allowas-in 1")]
        rows.append(" exit-address-family")
    return "\n".join([*rows, more, "exit\n"])
