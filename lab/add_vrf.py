#!/usr/bin/env python3
"""Adds a VRF to a PE of the lab with the Python bindings: leg, VNI and BGP with the tenant.

.venv/bin/python lab/add_vrf.py [--pe pe1] [--name green] [--vni 300], after make lab
"""

from __future__ import annotations

import argparse
import json
import sys
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ncclient import NCClientError
from ncclient.operations.rpc import RPCError

from bindings.classes.openconfig_interfaces import openconfig_interfaces
from bindings.classes.openconfig_network_instance import openconfig_network_instance
from bindings.encode import config
from lab.configure import configure, connected
from lab.places import Lab, LabError, open_lab
from lab.topology import DEFAULT, Pe, TopologyError

OURS, THEIRS = IPv4Interface("10.77.0.1/24"), IPv4Interface("10.77.0.2/24")
TENANT_AS = 65077


def leg(name: str, host_interface: str) -> Any:
    """A veth pair whose other end stays in the namespace where nesrv was started."""
    root = openconfig_interfaces()
    link = root.interfaces.interface.add(name)
    link.config.type = "ethernetCsmacd"
    link.config.description = "made with the bindings"
    address = link.subinterfaces.subinterface.add(0).ipv4.addresses.address.add(str(OURS.ip))
    address.config.prefix_length = OURS.network.prefixlen
    link.leg.config.host_interface = host_interface
    link.leg.config.host_address.append(str(THEIRS))
    return root


def vrf(pe: Pe, name: str, vni: int, link: str) -> Any:
    """An L3VRF that announces its IPv4 routes as EVPN type 5, with one neighbour at the leg's other end."""
    root = openconfig_network_instance()
    instance = root.network_instances.network_instance.add(name)
    instance.config.type = "L3VRF"
    instance.config.router_id = pe.vtep
    bound = instance.interfaces.interface.add(f"{link}.0")
    bound.config.interface, bound.config.subinterface = link, 0
    overlay = instance.evpn.evpn_instances.evpn_instance.add(name)
    overlay.config.encapsulation_type = "VXLAN"
    overlay.config.route_distinguisher = f"{pe.vtep}:{vni}"
    overlay.vxlan.config.vni = vni
    bgp = instance.protocols.protocol.add(identifier="BGP", name="bgp").bgp
    bgp.global_.config.as_ = pe.asn
    bgp.global_.afi_safis.afi_safi.add("IPV4_UNICAST").config.enabled = True
    neighbor = bgp.neighbors.neighbor.add(str(THEIRS.ip))
    neighbor.config.peer_as = TENANT_AS
    neighbor.afi_safis.afi_safi.add("IPV4_UNICAST").config.enabled = True
    return root


def work(lab: Lab, node: str, name: str, vni: int) -> None:
    endpoints = json.loads(lab.endpoints.read_text())
    if node not in endpoints:
        raise LabError(f"there is no PE {node}; there are {', '.join(endpoints)}")
    link = f"{name}-leg"
    with connected(endpoints[node]) as pe:
        configure(pe, config(leg(link, f"{name}0"), vrf(lab.topology.pe(node), name, vni, link)))
    print(f"{node} has VRF {name} with VNI {vni}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Add a VRF to a PE of the lab, with the Python bindings.")
    parser.add_argument("--topology", type=Path, default=DEFAULT, metavar="FILE", help="TOML (lab/topology.toml)")
    parser.add_argument("--pe", default="pe1")
    parser.add_argument("--name", default="green")
    parser.add_argument("--vni", type=int, default=300)
    arguments = parser.parse_args()
    try:
        lab = open_lab(arguments.topology)
        if not lab.endpoints.exists():
            raise LabError(f"there is no {lab.endpoints}: lab/lab up first")
        work(lab, arguments.pe, arguments.name, arguments.vni)
        return 0
    except RPCError as error:
        print(f"add_vrf: {error.message} ({error.tag}, path {error.path})", file=sys.stderr)
    except (LabError, TopologyError, NCClientError) as error:
        print(f"add_vrf: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
