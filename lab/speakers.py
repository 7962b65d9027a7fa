"""The nodes that are not ours: FRR alone, from one configuration file each, in pathspaces of their own."""

from __future__ import annotations

import os
import shutil
from ipaddress import IPv4Interface
from pathlib import Path

from lab import processes
from lab.places import FRR_RUN, Lab, launch, run, within
from lab.topology import Interface, Router, Tenant, Topology

BINARIES = Path("/usr/lib/frr")
CRASH_LOGS = Path("/var/tmp/frr")
FAMILIES = {4: "ipv4 unicast", 6: "ipv6 unicast"}
HEAD = """\
! {node}: made from the topology, loaded by vtysh -N {space} -f
frr defaults datacenter
hostname {node}
log syslog warnings
!
"""
BGP = """\
router bgp {asn}
 bgp router-id {router_id}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 timers bgp 3 9
"""


def router_configuration(topology: Topology, router: Router) -> str:
    """The FRR configuration of [[router]]: PEs of one AS see each other's routes, next hops of EVPN unchanged."""
    links = topology.links_of(router.node)
    lines = [HEAD.format(node=router.node, space=topology.space(router.node)), "ip forwarding\nipv6 forwarding\n!\n"]
    for link in links:
        lines.append(_interface(link.router_port, (link.router_address,)))
    lines.append(BGP.format(asn=router.asn, router_id=router.router_id))
    for link in links:
        lines.append(_neighbor(str(link.pe_address.ip), topology.pe(link.pe).asn, link.pe))
    for family, extra in (("ipv4 unicast", ""), ("l2vpn evpn", " attribute-unchanged next-hop")):
        lines.append(f" !\n address-family {family}\n")
        for link in links:
            lines.append(f"  neighbor {link.pe_address.ip} activate\n")
            if extra:
                lines.append(f"  neighbor {link.pe_address.ip}{extra}\n")
        lines.append(" exit-address-family\n")
    return "".join((*lines, "exit\n"))


def tenant_configuration(topology: Topology, tenant: Tenant) -> str:
    """The FRR configuration of [[tenant]]; ``allowas-in`` as the tenants of one AS want each other's routes."""
    peer = tenant.pe_addresses[0].ip
    lines = [HEAD.format(node=tenant.node, space=topology.space(tenant.node)), _interface("lo", tenant.services)]
    lines.append(BGP.format(asn=tenant.asn, router_id=_router_id(tenant)))
    lines.append(_neighbor(str(peer), topology.pe(tenant.pe).asn, tenant.pe))
    for version, family in FAMILIES.items():
        if not any(service.version == version for service in tenant.services):
            continue
        lines.append(f" !\n address-family {family}\n")
        for service in tenant.services:
            if service.version == version:
                lines.append(f"  network {service.network}\n")
        lines.append(f"  neighbor {peer} activate\n  neighbor {peer} allowas-in 1\n exit-address-family\n")
    return "".join((*lines, "exit\n"))


def _router_id(tenant: Tenant) -> str:
    """Its first IPv4 address."""
    own = (*tenant.addresses, *tenant.services)
    return str(next((one.ip for one in own if isinstance(one, IPv4Interface)), "0.0.0.1"))


def _interface(name: str, addresses: tuple[Interface, ...]) -> str:
    kinds = {4: "ip", 6: "ipv6"}
    return "".join(
        (f"interface {name}\n", *(f" {kinds[one.version]} address {one}\n" for one in addresses), "exit\n!\n")
    )


def _neighbor(address: str, asn: int, description: str) -> str:
    return "".join(
        f" neighbor {address} {line}\n"
        for line in (f"remote-as {asn}", f"description {description}", "timers connect 1")
    )


def daemon_names() -> tuple[str, ...]:
    """In order of starting; mgmtd exists from FRR 9 on."""
    return tuple(name for name in ("mgmtd", "zebra", "bgpd") if (BINARIES / name).exists())


def pid(space: str, daemon: str) -> int | None:
    """Of the running daemon of that pathspace."""
    return processes.alive(FRR_RUN / space / f"{daemon}.pid", (str(BINARIES / daemon), "-N", space))


def start(lab: Lab, node: str, configuration: str) -> bool:
    """Writes the configuration and starts the daemons with it; False if they all run already."""
    space = lab.space(node)
    missing = [name for name in daemon_names() if pid(space, name) is None]
    if not missing:
        return False
    stop(space)
    sockets = FRR_RUN / space
    sockets.mkdir(parents=True)
    shutil.chown(sockets, "frr", "frr")
    file = lab.file(node, "conf")
    file.write_text(configuration, encoding="utf-8")
    for name in daemon_names():
        log = f"file:{sockets / name}.log"
        launch(within(space, (str(BINARIES / name), "-d", "-N", space, "-P", "0", "--log", log)))
    run(("vtysh", "-N", space, "-f", str(file)))
    return True


def stop(space: str) -> None:
    """Ends the daemons of a pathspace, those that depend on others first, and removes what they leave on disk."""
    for file in sorted((FRR_RUN / space).glob("*.pid"), key=lambda path: path.stem in ("zebra", "mgmtd")):
        running = pid(space, file.stem)
        if running is not None:
            processes.end(running)
            forget_crash_log(file.stem, running)
    shutil.rmtree(FRR_RUN / space, ignore_errors=True)


def forget_crash_log(daemon: str, number: int) -> None:
    """FRR makes a directory for every process and never removes it."""
    for name in (f"{daemon}.{number}", f"{daemon}-{number}"):
        shutil.rmtree(CRASH_LOGS / name, ignore_errors=True)


def pids(space: str) -> dict[str, int | None]:
    """Of every daemon of a pathspace that ever started."""
    found = sorted(os.listdir(FRR_RUN / space)) if (FRR_RUN / space).is_dir() else []
    names = [Path(name).stem for name in found if name.endswith(".pid")]
    return {name: pid(space, name) for name in names}
