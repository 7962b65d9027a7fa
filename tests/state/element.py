"""Two real elements in one process, each with its kernel, FRR and datastores but no SSH, joined by a veth pair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from nesrv.commit.domains import FrrDomain, KernelDomain
from nesrv.commit.engines import StepEngine
from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.journal import CommitRecord, Journal
from nesrv.datastore.shards import Shards
from nesrv.features.registry import FEATURES
from nesrv.features.users import Users
from nesrv.frr.daemons import Home, Managed, share
from nesrv.frr.writer import Frr
from nesrv.kernel.layout import Layout
from nesrv.kernel.writer import Kernel
from nesrv.rpc import operational, retrieve
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.operation import Call, Data
from nesrv.rpc.params import Params
from nesrv.schema.modules import module_set
from nesrv.schema.schema import Schema, load
from nesrv.wire.handler import SessionEnd
from tests.frr.engine import sh

NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"
NAMESPACES = {
    "if": "http://openconfig.net/yang/interfaces",
    "ip": "http://openconfig.net/yang/interfaces/ip",
    "ni": "http://openconfig.net/yang/network-instance",
    "ne": "urn:nesrv:element",
}
IDENTITIES = """xmlns:it="urn:ietf:params:xml:ns:yang:iana-if-type" xmlns:nt="http://openconfig.net/yang/network-instance-types"
 xmlns:pt="http://openconfig.net/yang/policy-types" xmlns:bt="http://openconfig.net/yang/bgp-types"
 xmlns:et="http://openconfig.net/yang/evpn-types" """
POLLS, PAUSE_SECONDS = 400, 0.05


@cache
def schema() -> Schema:
    return load(module_set((), with_model=True))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    user: str = "test"
    groups: tuple[str, ...] = ()
    source_host: str = "127.0.0.1"
    transport: str = "netconf-ssh"

    def close(self, end: SessionEnd) -> None:
        return

    close_after_reply = close

    async def wait_closed(self) -> None:
        return

    def notify(self, message: Iterable[bytes]) -> None:
        return

    async def drained(self) -> None:
        return

    def keep_open(self) -> None:
        return


@dataclass(slots=True)
class Pe:
    """A running element without sessions."""

    element: Element
    kernel: Kernel
    frr: Frr
    home: Home
    readers: tuple[retrieve.StateReader, ...]

    async def commit(self, config: str) -> None:
        candidate = self.element.editor.edit(self.element.pipeline.running, etree.fromstring(config))
        await self.element.pipeline.commit(candidate, CommitRecord(0.0, "test", 1))

    async def get(self, subtree: str = "") -> Any:
        """The ``<data>`` that a ``<get>`` with this subtree filter is answered with."""
        inner = f"<filter>{subtree}</filter>" if subtree else ""
        request = etree.fromstring(f'<get xmlns="{NETCONF}">{inner}</get>')
        params = Params(request, schema().rpcs[f"{{{NETCONF}}}get"])
        session = SessionState(1, Caller(), 0.0)
        read = retrieve.operational(retrieve.OwnState(()), self.readers)
        answer = await retrieve.operation(read)(Call(self.element, session, params))
        assert isinstance(answer, Data)
        return etree.fromstring(b"<data>" + b"".join(answer.fragments) + b"</data>")


@asynccontextmanager
async def running(home: Home, state: Path) -> AsyncIterator[Pe]:
    """An empty element in ``home``; everything that it made is gone afterwards."""
    shards = Shards(schema())
    kernel = Kernel(Layout("netns", home.run, home.netns), state)
    await kernel.start()
    frr = Frr(Managed(home))
    await frr.start()
    journal = Journal(state / "nesrv.db")
    try:
        engines: dict[str, StepEngine] = {
            "kernel": KernelDomain(kernel),
            "frr": FrrDomain(frr, True, kernel.layout.kind),
        }
        features = [feature for feature in FEATURES if not isinstance(feature, Users)]
        pipeline = Pipeline(shards, features, journal, engines)
        pipeline.load()
        await pipeline.reconcile()
        yield Pe(Element(shards, pipeline), kernel, frr, home, tuple(operational.readers(kernel, frr)))
    finally:
        journal.close()
        try:
            await frr.clear()
            await kernel.clear()
        finally:
            await frr.stop()
            share(home.vrf_namespaces)


def join(first: Home, second: Home) -> None:
    """A veth pair between two elements: eth1 and eth1, up."""
    sh(
        "ip",
        "link",
        "add",
        "eth1",
        "netns",
        first.element,
        "type",
        "veth",
        "peer",
        "name",
        "eth1",
        "netns",
        second.element,
    )
    for home in (first, second):
        sh("ip", "-n", home.element, "link", "set", "eth1", "up")


def texts(data: Any, path: str) -> list[str]:
    """Text of the elements at ``path``, prefixes as in NAMESPACES."""
    return [element.text or "" for element in data.iterfind(path, NAMESPACES)]


async def until(read: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """Asks again until the answer is as wanted, 20 s at most; the last answer either way."""
    for _ in range(POLLS):
        found = await read()
        if wanted(found):
            break
        await asyncio.sleep(PAUSE_SECONDS)
    return found


# Configuration


def interface(name: str, addresses: Iterable[str], leg: str = "", more: str = "") -> str:
    kind = "softwareLoopback" if name == "lo" else "ethernetCsmacd"
    entries = "".join(
        f"<address><ip>{ip}</ip><config><ip>{ip}</ip><prefix-length>{length}</prefix-length></config></address>"
        for ip, length in (address.split("/") for address in addresses)
    )
    return f"""<interface><name>{name}</name><config><name>{name}</name><type>it:{kind}</type>{more}</config>
      <subinterfaces><subinterface><index>0</index><config><index>0</index></config>
      <ipv4 xmlns="{NAMESPACES["ip"]}"><addresses>{entries}</addresses></ipv4>
      </subinterface></subinterfaces>{leg}</interface>"""


def leg(namespace: str, name: str, address: str) -> str:
    return f"""<leg xmlns="{NAMESPACES["ne"]}"><config><host-namespace>{namespace}</host-namespace>
      <host-interface>{name}</host-interface><host-address>{address}</host-address></config></leg>"""


def bound(*interfaces: str) -> str:
    return "<interfaces>" + "".join(
        f"<interface><id>{name}</id><config><id>{name}</id><interface>{name}</interface><subinterface>0</subinterface>"
        "</config></interface>"
        for name in interfaces
    ) + "</interfaces>"  # fmt: skip


def speaker(asn: int, families: Iterable[str], neighbors: str) -> str:
    return f"""<protocols><protocol><identifier>pt:BGP</identifier><name>bgp</name>
      <config><identifier>pt:BGP</identifier><name>bgp</name></config>
      <bgp><global><config><as>{asn}</as></config>{_families(families)}</global>
      <neighbors>{neighbors}</neighbors></bgp></protocol></protocols>"""


def neighbor(address: str, asn: int, families: Iterable[str], more: str = "") -> str:
    return f"""<neighbor><neighbor-address>{address}</neighbor-address>
      <config><neighbor-address>{address}</neighbor-address><peer-as>{asn}</peer-as>{more}</config>
      <timers><config><hold-time>9</hold-time><keepalive-interval>3</keepalive-interval>
      <connect-retry>1</connect-retry></config></timers>{_families(families)}</neighbor>"""


def _families(names: Iterable[str]) -> str:
    return "<afi-safis>" + "".join(
        f"<afi-safi><afi-safi-name>bt:{name}</afi-safi-name><config><afi-safi-name>bt:{name}</afi-safi-name>"
        "<enabled>true</enabled></config></afi-safi>"
        for name in names
    ) + "</afi-safis>"  # fmt: skip


VTEP = """<connection-points><connection-point><connection-point-id>cp</connection-point-id>
  <config><connection-point-id>cp</connection-point-id></config><endpoints><endpoint><endpoint-id>vtep</endpoint-id>
  <config><endpoint-id>vtep</endpoint-id><type>nt:LOCAL</type></config>
  <local><config><interface>lo</interface><subinterface>0</subinterface></config></local>
  <vxlan><config><enabled>true</enabled></config></vxlan></endpoint></endpoints></connection-point></connection-points>"""


def vni(number: int) -> str:
    return f"""<evpn><evpn-instances><evpn-instance><evi>{number}</evi><config><evi>{number}</evi>
      <encapsulation-type>nt:VXLAN</encapsulation-type><service-type>et:VLAN_BASED</service-type></config>
      <vxlan><config><vni>{number}</vni></config></vxlan></evpn-instance></evpn-instances></evpn>"""


def instance(name: str, kind: str, router_id: str, *parts: str) -> str:
    return f"""<network-instance><name>{name}</name><config><name>{name}</name><type>nt:{kind}</type>
      <router-id>{router_id}</router-id></config>{"".join(parts)}</network-instance>"""


def config(interfaces: Iterable[str], instances: Iterable[str]) -> str:
    return f"""<config {IDENTITIES}><interfaces xmlns="{NAMESPACES["if"]}">{"".join(interfaces)}</interfaces>
      <network-instances xmlns="{NAMESPACES["ni"]}">{"".join(instances)}</network-instances></config>"""
