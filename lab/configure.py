#!/usr/bin/env python3
"""Configures the PEs of the lab over NETCONF, waits until they work, and proves that they do.

.venv/bin/python lab/configure.py [--topology FILE], after lab/lab up
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lxml import etree
from ncclient import NCClientError, manager
from ncclient.operations.rpc import RPCError

from lab import operational, proofs, routes
from lab.configuration import pe_configuration
from lab.places import Lab, LabError, open_lab
from lab.tables import table
from lab.topology import DEFAULT, TopologyError

WAIT_SECONDS = 90.0
POLL_SECONDS = 0.2

begin = time.monotonic()
Elements = Mapping[str, manager.Manager]


def say(text: str) -> None:
    print(f"{time.monotonic() - begin:6.1f} s  {text}", flush=True)


@contextmanager
def connected(endpoint: Mapping[str, str]) -> Iterator[manager.Manager]:
    """A NETCONF session with a PE; its host key is the one that the lab knows."""
    with manager.connect(
        host=endpoint["host"],
        port=endpoint["port"],
        username=endpoint["user"],
        key_filename=endpoint["key"],
        hostkey_b64=endpoint["hostkey"],
        look_for_keys=False,
        allow_agent=False,
        timeout=60,
    ) as session:
        yield session


def configure(pe: manager.Manager, config: etree._Element) -> None:
    """Replaces nothing, adds what is missing: all of it or nothing."""
    with pe.locked("candidate"):
        try:
            pe.edit_config(target="candidate", config=config)
            pe.validate(source="candidate")
            pe.commit()
        except RPCError:
            pe.discard_changes()
            raise


def wait(what: str, missing: Callable[[], list[str]]) -> None:
    """Polls until nothing is missing; raises LabError with what is after WAIT_SECONDS."""
    deadline = time.monotonic() + WAIT_SECONDS
    while left := missing():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: still waiting for {', '.join(left)} after {WAIT_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    say(what)


def idle_sessions(lab: Lab, pes: Elements) -> list[str]:
    """Neighbours that are not established, of those that the topology has."""
    left = []
    for node, pe in pes.items():
        states = {(one.instance, one.neighbor): one.state for one in operational.sessions(pe)}
        wanted = [("default", str(link.router_address.ip)) for link in lab.topology.links_of(node)]
        wanted += [(one.vrf, str(one.addresses[0].ip)) for one in lab.topology.tenants if one.pe == node]
        left += [
            f"{node} {instance} {neighbor} ({states.get((instance, neighbor)) or 'unknown'})"
            for instance, neighbor in wanted
            if states.get((instance, neighbor)) != operational.ESTABLISHED
        ]
    return left


def down_vnis(lab: Lab, pes: Elements) -> list[str]:
    """VNIs that are not up, of those that the topology has."""
    left = []
    for node, pe in pes.items():
        states = {one.vni: one.state for one in operational.vnis(pe)}
        left += [
            f"{node} VNI {vrf.vni} ({states.get(str(vrf.vni)) or 'unknown'})"
            for vrf in lab.topology.vrfs_of(node)
            if states.get(str(vrf.vni)) != operational.UP
        ]
    return left


def unknown_networks(lab: Lab) -> list[str]:
    """Networks of a VRF's services that another tenant of it has not learned yet."""
    left = []
    for tenant in lab.topology.tenants:
        known = {route.prefix for route in routes.learned(lab, tenant)}
        others = [one for one in lab.topology.tenants if one.vrf == tenant.vrf and one is not tenant]
        networks = {str(service.network) for other in others for service in other.services}
        left += [f"{network} at {tenant.node}" for network in sorted(networks - known)]
    return left


def show_sessions(pes: Elements) -> None:
    rows: list[tuple[str, ...]] = []
    for node, pe in pes.items():
        for one in operational.sessions(pe):
            counts = ", ".join(f"{family} {received}/{sent}" for family, received, sent in one.prefixes)
            rows.append((node, one.instance, one.neighbor, one.peer_as, one.description, one.state, counts))
    heads = ("PE", "instance", "neighbour", "AS", "who", "session", "prefixes received/sent")
    print("\nBGP sessions\n" + table(heads, rows))
    rows = [(node, one.vni, one.kind, one.vrf, one.state) for node, pe in pes.items() for one in operational.vnis(pe)]
    print("\nVNIs\n" + table(("PE", "VNI", "type", "VRF", "state"), rows))


def show_routes(lab: Lab) -> None:
    rows = [
        (pe.node, vrf.name, route.prefix, route.protocol, route.gateway or "on the link", route.device)
        for pe in lab.topology.pes
        for vrf in lab.topology.vrfs_of(pe.node)
        for route in routes.of_vrf(lab, pe.node, vrf.name)
    ]
    print("\nRoutes of the VRFs\n" + table(("PE", "VRF", "prefix", "from", "next hop", "link"), rows))
    rows = [
        (tenant.host, tenant.vrf, route.prefix, route.protocol, route.gateway, route.device)
        for tenant in lab.topology.tenants
        for route in routes.learned(lab, tenant)
    ]
    print("\nRoutes that the tenants learned\n" + table(("host", "VRF", "prefix", "from", "next hop", "link"), rows))


def show_outcomes(outcomes: list[proofs.Outcome]) -> None:
    rows = [
        (
            f"{one.proof.tenant.host} in {one.proof.tenant.vrf}",
            str(one.proof.source.ip),
            str(one.proof.target.ip),
            one.answered or "nobody",
            "every packet" if one.pinged else "nothing",
            "as it should" if one.good else f"WRONG: expected {one.proof.expected or 'nobody'}",
        )
        for one in outcomes
    ]
    print("\nTraffic\n" + table(("tenant", "from", "to", "answered by", "ping", ""), rows) + "\n")


def work(lab: Lab) -> int:
    """Returns 1 where the traffic is not as it should be."""
    endpoints = json.loads(lab.endpoints.read_text())
    with ExitStack() as stack:
        pes = {node: stack.enter_context(connected(endpoint)) for node, endpoint in endpoints.items()}
        say(f"connected to {', '.join(pes)}")
        for node, pe in pes.items():
            configure(pe, pe_configuration(lab.topology, lab.topology.pe(node)))
            say(f"{node}: locked, edited, validated, committed, unlocked")
        wait("every BGP session is ESTABLISHED", lambda: idle_sessions(lab, pes))
        wait("every VNI is UP", lambda: down_vnis(lab, pes))
        wait("every tenant knows the networks of its VRF", lambda: unknown_networks(lab))
        show_sessions(pes)
    show_routes(lab)
    outcomes = proofs.prove(lab)
    show_outcomes(outcomes)
    wrong = sum(not one.good for one in outcomes)
    say(f"{len(outcomes)} proofs of traffic and isolation, {wrong} wrong")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Configure the PEs of the lab and prove that they work.")
    parser.add_argument("--topology", type=Path, default=DEFAULT, metavar="FILE", help="TOML (lab/topology.toml)")
    arguments = parser.parse_args()
    try:
        lab = open_lab(arguments.topology)
        if not lab.endpoints.exists():
            raise LabError(f"there is no {lab.endpoints}: lab/lab up first")
        return work(lab)
    except RPCError as error:
        print(f"configure: {error.message} ({error.tag}, path {error.path}, info {error.info})", file=sys.stderr)
    except (LabError, TopologyError, NCClientError) as error:
        print(f"configure: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
