"""Routes, as the tenants' kernels and the PEs' FRR have them (OpenConfig's afts are not served)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lab.places import Lab, run
from lab.topology import Tenant


@dataclass(frozen=True, slots=True)
class Route:
    """A route in use: ``gateway`` is empty where the network is on the link itself."""

    prefix: str
    gateway: str
    device: str
    protocol: str


def learned(lab: Lab, tenant: Tenant) -> list[Route]:
    """What BGP gave to a tenant's kernel (ip route show proto bgp)."""
    found = []
    for version in ("-4", "-6"):
        words = ("ip", "-n", lab.space(tenant.node), version, "-json", "route", "show", "proto", "bgp")
        for one in json.loads(run(words) or "[]"):
            found.append(Route(one["dst"], one.get("gateway", ""), one.get("dev", ""), "bgp"))
    return found


def of_vrf(lab: Lab, pe: str, vrf: str) -> list[Route]:
    """What a PE forwards by in a VRF (show ip route vrf NAME)."""
    found = []
    for family in ("ip", "ipv6"):
        said = run(("vtysh", "-N", lab.space(pe), "-c", f"show {family} route vrf {vrf} json"))
        for prefix, entries in json.loads(said).items():
            if prefix.startswith("fe80:"):
                continue
            for entry in entries:
                hops = [hop for hop in entry.get("nexthops", ()) if hop.get("fib")]
                found += [
                    Route(prefix, hop.get("ip", ""), hop.get("interfaceName", ""), entry["protocol"]) for hop in hops
                ]
    return found
