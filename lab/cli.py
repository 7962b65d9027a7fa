"""The command lab/lab: up, status, exec, down."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lab import elements, network, services, speakers
from lab.elements import Endpoint
from lab.places import Lab, LabError, alone, need_tools, open_lab, within
from lab.topology import DEFAULT, TopologyError, load

AT_ONCE = 4
"""How many nodes are started at a time."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Steps:
    """Says what is done, one line a step, with the seconds since the beginning."""

    begin: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.begin:6.1f} s  {text}", flush=True)


def each(work: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """Does the work for all things, several at a time; raises the first error once all are done."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(work, thing) for thing in things]
    return [future.result() for future in futures]


def up(lab: Lab, topology_file: Path) -> int:
    """Starts whatever of the lab does not run yet."""
    need_tools()
    steps = Steps()
    lab.run.mkdir(mode=0o755, exist_ok=True)
    _keep_topology(lab, topology_file)
    topology = lab.topology
    made = network.make_spaces(lab)
    steps.say(f"network namespaces {', '.join(map(lab.space, topology.nodes))}: {made} made")
    made = sum([network.make_link(lab, link) for link in topology.links])
    nics = ", ".join(f"{link.router}:{link.router_port} - {topology.nic(link)}" for link in topology.links)
    steps.say(f"underlay links {nics}: {made} made")
    configurations = {one.node: speakers.router_configuration(topology, one) for one in topology.routers}
    configurations |= {one.node: speakers.tenant_configuration(topology, one) for one in topology.tenants}
    started = sum(each(lambda node: speakers.start(lab, node, configurations[node]), configurations))
    steps.say(f"FRR of {', '.join(configurations)}: {started} started")
    started = sum([services.start(lab, tenant) for tenant in topology.tenants])
    steps.say(f"services of {len(topology.tenants)} tenants: {started} started")
    elements.make_key(lab)
    found = each(lambda pe: (pe.node, elements.start(lab, pe.node)), topology.pes)
    endpoints = {node: endpoint for node, (endpoint, _) in found}
    elements.write_endpoints(lab, endpoints)
    steps.say(f"nesrv of {', '.join(endpoints)}: {sum(new for _, (_, new) in found)} started")
    _show(lab, endpoints)
    return 0


def _keep_topology(lab: Lab, topology_file: Path) -> None:
    text = topology_file.read_text(encoding="utf-8")
    if lab.kept_topology.exists() and lab.kept_topology.read_text(encoding="utf-8") != text:
        raise LabError(f"{lab.run} runs another topology than {topology_file}: lab/lab down first")
    lab.kept_topology.write_text(text, encoding="utf-8")


def _show(lab: Lab, endpoints: dict[str, Endpoint]) -> None:
    print(f"NETCONF (also in {lab.endpoints}):")
    for node, one in endpoints.items():
        print(f"  {node}: ssh -s -p {one.port} -i {one.key} {one.user}@{one.host} netconf")


def status(lab: Lab, _topology_file: Path) -> int:
    """One line a node; returns 1 where something of it does not run."""
    running = True
    known = elements.read_endpoints(lab) if lab.endpoints.exists() else {}
    rows = [("node", "namespace", "runs", "NETCONF")]
    for node in lab.topology.nodes:
        there = network.exists(lab, node)
        found = _pids(lab, node) if there else {}
        running = running and there and all(found.values()) and bool(found)
        runs = ", ".join(f"{name} {number or 'DEAD'}" for name, number in found.items()) or "-"
        where = f"{known[node].host}:{known[node].port}" if node in known else ""
        rows.append((node, lab.space(node) if there else "-", runs, where))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0 if running else 1


def _pids(lab: Lab, node: str) -> dict[str, int | None]:
    """What of a node should run, and as which process it does."""
    found = speakers.pids(lab.space(node))
    if any(pe.node == node for pe in lab.topology.pes):
        found["nesrv"] = elements.pid(lab, node)
    for tenant in lab.topology.tenants:
        if tenant.node == node:
            found["service"] = services.pid(lab, tenant)
    return found


def down(lab: Lab, _topology_file: Path) -> int:
    """Removes all of the lab; returns 1, having gone on, where ``nesrv clear`` left something to be swept."""
    need_tools()
    steps, topology = Steps(), lab.topology
    each(lambda pe: elements.stop(lab, pe.node), topology.pes)
    steps.say(f"nesrv of {', '.join(pe.node for pe in topology.pes)} ended")
    complaints = [words for found in each(lambda pe: _clear(lab, pe.node), topology.pes) for words in found]
    steps.say("nesrv clear: kernel and FRR are without them")
    each(lambda tenant: services.stop(lab, tenant), topology.tenants)
    plain = topology.plain_nodes
    each(lambda node: speakers.stop(lab.space(node)), plain)
    steps.say(f"FRR of {', '.join(plain)} ended")
    for link in topology.links:
        network.remove_link(lab, link)
    busy = {node: pids for node in topology.nodes if (pids := network.left_in(lab, node))}
    for node, pids in busy.items():
        complaints.append(f"{node}: not the lab's own, and still in its namespace: pids {', '.join(map(str, pids))}")
    for node in topology.nodes:
        network.remove_space(lab, node)
    steps.say("links and network namespaces removed")
    shutil.rmtree(lab.run, ignore_errors=True)
    for words in complaints:
        print(f"lab: {words}", file=sys.stderr)
    steps.say("down")
    return 1 if complaints else 0


def _clear(lab: Lab, pe: str) -> list[str]:
    """Returns what went wrong; nothing is left either way."""
    complaints = []
    if network.exists(lab, pe):
        try:
            elements.clear(lab, pe)
        except LabError as error:
            complaints.append(f"{pe}: {error}")
        complaints += [f"{pe}: nesrv clear left {words}" for words in elements.leftovers(lab, pe)]
    elements.sweep(lab, pe)
    return complaints


def execute(lab: Lab, node: str, words: Sequence[str]) -> int:
    """Becomes the command, in the node's network namespace."""
    if node not in lab.topology.nodes:
        raise LabError(f"there is no node {node}; there are {', '.join(lab.topology.nodes)}")
    if not network.exists(lab, node):
        raise LabError(f"{node} is not up: lab/lab up")
    command = within(lab.space(node), words or ("sh",))
    os.execvp(command[0], command)


COMMANDS: dict[str, Callable[[Lab, Path], int]] = {"up": up, "status": status, "down": down}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab/lab", description="An example network on this machine.")
    parser.add_argument("--topology", type=Path, default=DEFAULT, metavar="FILE", help="TOML (lab/topology.toml)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start whatever does not run yet")
    commands.add_parser("status", help="what runs, and where the PEs listen")
    commands.add_parser("down", help="remove all of it")
    inside = commands.add_parser("exec", help="run a command in a node's network namespace")
    inside.add_argument("node", metavar="NODE")
    inside.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 error, or that of the command for ``exec``."""
    arguments = _parser().parse_args(argv)
    try:
        load(arguments.topology)
        lab = open_lab(arguments.topology)
        if arguments.command == "exec":
            words = arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
            return execute(lab, arguments.node, words)
        if arguments.command == "status":
            return status(lab, arguments.topology)
        with alone(lab):
            return COMMANDS[arguments.command](lab, arguments.topology)
    except (LabError, TopologyError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
