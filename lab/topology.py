"""A topology file: which nodes there are, how they are linked, what they are called; no I/O but reading it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from pathlib import Path

DEFAULT = Path(__file__).parent / "topology.toml"
LINK_NAME_LENGTH = 15
"""What the kernel allows for the name of a link."""

Interface = IPv4Interface | IPv6Interface
Table = Mapping[str, object]


class TopologyError(Exception):
    """The file cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Router:
    """A router that is not ours, as [[router]]."""

    node: str
    asn: int
    router_id: str


@dataclass(frozen=True, slots=True)
class Pe:
    """A network element of ours, as [[pe]]."""

    node: str
    asn: int
    vtep: str


@dataclass(frozen=True, slots=True)
class Link:
    """From a router to a PE, as [[link]]."""

    router: str
    router_port: str
    router_address: Interface
    pe: str
    pe_port: str
    pe_address: Interface


@dataclass(frozen=True, slots=True)
class Vrf:
    """An L3VRF, as [[vrf]]."""

    name: str
    vni: int
    route_target: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant's speaker and its leg to a PE, as [[tenant]]."""

    node: str
    host: str
    vrf: str
    asn: int
    pe: str
    pe_port: str
    pe_addresses: tuple[Interface, ...]
    port: str
    addresses: tuple[Interface, ...]
    services: tuple[Interface, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """One network; ``name`` is the prefix of all that the machine sees of it."""

    name: str
    routers: tuple[Router, ...]
    pes: tuple[Pe, ...]
    links: tuple[Link, ...]
    vrfs: tuple[Vrf, ...]
    tenants: tuple[Tenant, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node: one network namespace each."""
        return (*self.plain_nodes, *(pe.node for pe in self.pes))

    @property
    def plain_nodes(self) -> tuple[str, ...]:
        """The nodes that are FRR alone."""
        return (*(router.node for router in self.routers), *(tenant.node for tenant in self.tenants))

    def space(self, node: str) -> str:
        """The network namespace of a node, which is also FRR's pathspace and the element's name."""
        return f"{self.name}-{node}"

    def nic(self, link: Link) -> str:
        """The PE's end of a link, as the kernel calls it."""
        return f"{self.name}-{link.pe}-{link.pe_port}"

    def pe(self, node: str) -> Pe:
        return next(pe for pe in self.pes if pe.node == node)

    def router(self, node: str) -> Router:
        return next(router for router in self.routers if router.node == node)

    def links_of(self, node: str) -> tuple[Link, ...]:
        """Of a router or a PE."""
        return tuple(link for link in self.links if node in (link.router, link.pe))

    def tenants_of(self, pe: str, vrf: str) -> tuple[Tenant, ...]:
        return tuple(tenant for tenant in self.tenants if (tenant.pe, tenant.vrf) == (pe, vrf))

    def vrfs_of(self, pe: str) -> tuple[Vrf, ...]:
        """The VRFs that a tenant of this PE is in."""
        return tuple(vrf for vrf in self.vrfs if self.tenants_of(pe, vrf.name))


def load(path: Path) -> Topology:
    """Raises TopologyError."""
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, TopologyError) as error:
        raise TopologyError(f"{path}: {error}") from None


def parse(document: Table) -> Topology:
    """Raises TopologyError."""
    known = {"name", "router", "pe", "link", "vrf", "tenant"}
    _only(known, document, "the file")
    topology = Topology(
        _word(document, "name", "the file"),
        tuple(Router(t.word("node"), t.number("as"), t.address("router-id")) for t in _tables(document, "router")),
        tuple(Pe(t.word("node"), t.number("as"), t.address("vtep")) for t in _tables(document, "pe")),
        tuple(_link(t) for t in _tables(document, "link")),
        tuple(Vrf(t.word("name"), t.number("vni"), t.word("route-target")) for t in _tables(document, "vrf")),
        tuple(_tenant(t) for t in _tables(document, "tenant")),
    )
    _check(topology)
    return topology


def _link(table: _Reader) -> Link:
    return Link(
        table.word("router"),
        table.word("router-port"),
        table.interface("router-address"),
        table.word("pe"),
        table.word("pe-port"),
        table.interface("pe-address"),
    )


def _tenant(table: _Reader) -> Tenant:
    return Tenant(
        table.word("node"),
        table.word("host"),
        table.word("vrf"),
        table.number("as"),
        table.word("pe"),
        table.word("pe-port"),
        table.interfaces("pe-addresses"),
        table.word("port"),
        table.interfaces("addresses"),
        table.interfaces("services"),
    )


FIELDS = {
    "router": {"node", "as", "router-id"},
    "pe": {"node", "as", "vtep"},
    "link": {"router", "router-port", "router-address", "pe", "pe-port", "pe-address"},
    "vrf": {"name", "vni", "route-target"},
    "tenant": {
        *("node", "host", "vrf", "as", "pe", "pe-port", "pe-addresses"),
        *("port", "addresses", "services"),
    },
}
WORD = re.compile(r"[A-Za-z0-9_.:][A-Za-z0-9_.:-]*")


@dataclass(frozen=True, slots=True)
class _Reader:
    """One table of the file; every method raises TopologyError."""

    table: Table
    where: str

    def word(self, key: str) -> str:
        return _word(self.table, key, self.where)

    def number(self, key: str) -> int:
        found = self.table.get(key)
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise TopologyError(f"{self.where}: {key} must be a number")
        return found

    def address(self, key: str) -> str:
        try:
            return str(ip_address(self.word(key)))
        except ValueError as error:
            raise TopologyError(f"{self.where}: {key}: {error}") from None

    def interface(self, key: str) -> Interface:
        return self._interface(key, self.table.get(key))

    def interfaces(self, key: str) -> tuple[Interface, ...]:
        found = self.table.get(key)
        if not isinstance(found, list) or not found:
            raise TopologyError(f"{self.where}: {key} must be a list of addresses with their lengths")
        return tuple(self._interface(key, one) for one in found)

    def _interface(self, key: str, value: object) -> Interface:
        if not isinstance(value, str) or "/" not in value:
            raise TopologyError(f'{self.where}: {key} must be an address with its length, as in "192.0.2.1/31"')
        try:
            return ip_interface(value)
        except ValueError as error:
            raise TopologyError(f"{self.where}: {key}: {error}") from None


def _tables(document: Table, kind: str) -> list[_Reader]:
    found = document.get(kind, [])
    if not isinstance(found, list):
        raise TopologyError(f"write [[{kind}]], not [{kind}]")
    readers = [_Reader(table, f"{kind} {number}") for number, table in enumerate(found, 1)]
    for reader in readers:
        _only(FIELDS[kind], reader.table, reader.where)
    return readers


def _only(known: set[str], table: Table, where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise TopologyError(f"{where}: unknown: {', '.join(unknown)}")


def _word(table: Table, key: str, where: str) -> str:
    found = table.get(key)
    if not isinstance(found, str) or not WORD.fullmatch(found):
        raise TopologyError(f"{where}: {key} must be a word")
    return found


def _check(topology: Topology) -> None:
    """What one table cannot say: names that are taken twice, lead nowhere or are too long."""
    _unique("node", topology.nodes)
    _unique("VRF", (vrf.name for vrf in topology.vrfs))
    _unique("VNI", (vrf.vni for vrf in topology.vrfs))
    _unique("port", ((link.router, link.router_port) for link in topology.links))
    _unique("NIC", (topology.nic(link) for link in topology.links))
    _unique("leg", ((tenant.pe, tenant.pe_port) for tenant in topology.tenants))
    routers, pes = {one.node for one in topology.routers}, {one.node for one in topology.pes}
    vrfs = {vrf.name for vrf in topology.vrfs}
    for link in topology.links:
        _known("router", link.router, routers)
        _known("PE", link.pe, pes)
    for tenant in topology.tenants:
        _known("PE", tenant.pe, pes)
        _known("VRF", tenant.vrf, vrfs)
    ports = [link.router_port for link in topology.links] + [topology.nic(link) for link in topology.links]
    for port in (*ports, *(name for tenant in topology.tenants for name in (tenant.port, tenant.pe_port))):
        if len(port) > LINK_NAME_LENGTH:
            raise TopologyError(f"{port} is longer than {LINK_NAME_LENGTH} characters, which the kernel refuses")


def _unique(kind: str, names: Iterable[object]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise TopologyError(f"the {kind} {name} is there {times} times")


def _known(kind: str, name: str, names: set[str]) -> None:
    if name not in names:
        raise TopologyError(f"there is no {kind} {name}")
