"""Two PEs of ours around a spine that is not, as every test of a promise to the operator needs them.

tenant namespaces ── legs ── pe1 ── eth1 … spine … eth1 ── pe2 ── legs ── tenant namespaces
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from ncclient.operations import RPCError

from tests.parity.router import Router
from tests.server.configurations import BASE, EVPN, V4, Configuration, Neighbor, Underlay, Vrf
from tests.server.element import Element, sh, until

PE_AS, SPINE_AS, TENANT_AS = 64514, 64512, 64515
VTEPS = ("198.51.100.1", "198.51.100.2")
PE_ENDS, SPINE_ENDS = ("192.0.2.1", "192.0.2.3"), ("192.0.2.0", "192.0.2.2")
WIRES: tuple[tuple[str, ...], ...] = tuple((f"{address}/31",) for address in SPINE_ENDS)
"""The spine's addresses on the wire to each PE."""
IPV4, IPV6, EVPN_FAMILY = "ipv4 unicast", "ipv6 unicast", "l2vpn evpn"
SERVICES = (("203.0.113.1", "2001:db8:f1::1"), ("203.0.113.2", "2001:db8:f2::1"))
"""Of the tenant at each PE, IPv4 and IPv6."""


def spine(families: Mapping[str, Sequence[str]], asn: int = SPINE_AS) -> str:
    """The spine's configuration: sessions with PEs, by address or link, per family.

    A spine of the PEs' own AS reflects their routes; another leaves the next hops of EVPN as they are.
    """
    rows = [f"router bgp {asn}", " bgp router-id 198.51.100.254", " no bgp ebgp-requires-policy"]
    rows += [" no bgp default ipv4-unicast", " timers bgp 3 9"]
    rows += _sessions({peer: PE_AS for peers in families.values() for peer in peers})
    for family, peers in families.items():
        rows.append(f" address-family {family}")
        passed = {EVPN_FAMILY: ("attribute-unchanged next-hop",)}.get(family, ())
        if asn == PE_AS:
            passed = ("route-reflector-client",)
            # Next hops that it does not change must be within reach.
            rows += ["  redistribute connected"] if family == IPV4 else []
        rows += [f"  neighbor {peer} {words}" for peer in peers for words in ("activate", *passed)]
        rows.append(" exit-address-family")
    return "\n".join([*rows, "exit\n"])


def _sessions(peers: Mapping[str, int]) -> Iterator[str]:
    for peer, peer_as in peers.items():
        link = "" if "." in peer or ":" in peer else " interface v6only"
        yield f" neighbor {peer}{link} remote-as {peer_as}"
        yield f" neighbor {peer} timers connect 1"


SPINE = spine({IPV4: PE_ENDS, EVPN_FAMILY: PE_ENDS})
UNNUMBERED_SPINE = spine({IPV4: ("to-pe1", "to-pe2"), EVPN_FAMILY: ("to-pe1", "to-pe2")})


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
    """A speaker's configuration: eBGP or iBGP with ``peers`` (address or link to AS), announcing ``networks``."""
    rows = [f"router bgp {asn}", f" bgp router-id {router_id}", " no bgp ebgp-requires-policy"]
    rows += [" no bgp default ipv4-unicast", " no bgp network import-check", " timers bgp 3 9"]
    rows += _sessions(peers)
    for family, mark in (("ipv4", "."), ("ipv6", ":")):
        rows.append(f" address-family {family} unicast")
        rows += [f"  network {network}" for network in networks if mark in network]
        rows += [row for peer in peers for row in (f"  neighbor {peer} activate", f"  neighbor {peer} allowas-in 1")]
        rows.append(" exit-address-family")
    return "\n".join([*rows, more, "exit\n"])


def prefixes(number: int) -> tuple[str, ...]:
    """The services of the tenant at PE ``number`` as prefixes."""
    four, six = SERVICES[number]
    return f"{four}/32", f"{six}/128"


def reaches(tenants: Sequence[Router], number: int, version: int, size: int | None = None) -> bool:
    """Whether the tenant at PE ``number`` gets answers from the service of the other one (see ``Router.pings``)."""
    family = version == 6
    return tenants[number].pings(SERVICES[1 - number][family], SERVICES[number][family], size)


def assert_reaches(tenants: Sequence[Router], number: int, version: int) -> None:
    """By a route that BGP has put there."""
    address = SERVICES[1 - number][version == 6]
    until(lambda: address in str(tenants[number].routes(version)), f"{address} is there")
    until(lambda: reaches(tenants, number, version), f"{address} answers")
