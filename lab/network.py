"""Network namespaces and underlay links of the lab, by ip(8)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from lab.places import NAMESPACES, Lab, run
from lab.topology import Link

CLASS_NET = Path("/sys/class/net")


def make_spaces(lab: Lab) -> int:
    """Makes the namespaces that are missing; returns how many."""
    missing = [node for node in lab.topology.nodes if not exists(lab, node)]
    for node in missing:
        space = lab.space(node)
        run(("ip", "netns", "add", space))
        run(("ip", "-n", space, "link", "set", "lo", "up"))
    return len(missing)


def exists(lab: Lab, node: str) -> bool:
    return (NAMESPACES / lab.space(node)).exists()


def links_in(space: str) -> set[str]:
    """Names of the links of a namespace."""
    return {one["ifname"] for one in json.loads(run(("ip", "-n", space, "-json", "link", "show")))}


def make_link(lab: Lab, link: Link) -> bool:
    """The router's end in its namespace, the PE's outside, where nesrv takes it from; False if both are there."""
    nic, router = lab.topology.nic(link), lab.space(link.router)
    if link.router_port in links_in(router):
        return False
    remove_link(lab, link)
    veth = ("ip", "link", "add", nic, "type", "veth", "peer", "name", link.router_port, "netns", router)
    run(veth)
    run(("ip", "link", "set", nic, "up"))
    run(("ip", "-n", router, "link", "set", link.router_port, "up"))
    return True


def remove_link(lab: Lab, link: Link) -> None:
    """Its end outside, which takes the other one along."""
    nic = lab.topology.nic(link)
    if (CLASS_NET / nic).exists():
        run(("ip", "link", "delete", nic))


def remove_space(lab: Lab, node: str) -> None:
    """Raises LabError where a process is left in it."""
    if exists(lab, node):
        run(("ip", "netns", "delete", lab.space(node)))


def left_in(lab: Lab, node: str) -> list[int]:
    """Processes within a node's namespace."""
    if not exists(lab, node):
        return []
    found = subprocess.run(("ip", "netns", "pids", lab.space(node)), capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]
