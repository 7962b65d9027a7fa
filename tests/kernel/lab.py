"""Namespaces for one test, and what iproute2 says of them: the second pair of eyes on everything the writer does."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from nesrv.facts import Fact, Step
from nesrv.kernel import namespaces
from nesrv.kernel.facts import Address, Bridge, Leg, LinkSettings, Place, Vrf, Vxlan
from nesrv.kernel.layout import BackendName, Layout
from nesrv.kernel.spaces import OPEN_SOCKETS
from nesrv.kernel.writer import Kernel

BACKEND: BackendName = "device" if os.environ.get("NESRV_TEST_VRF") == "device" else "netns"
"""The whole directory runs with VRF devices too, where the kernel has them (tests/uml)."""

POLL_SECONDS, POLLS = 0.02, 1500
TIMERS = ("gc_timer", "hello_timer", "tcn_timer", "topology_change_timer", "forward_delay_timer", "message_age_timer")
CARRIER = {"LOWER_UP", "NO-CARRIER", "M-DOWN", "linkdown"}
"""Follows the administrative state up to a second later."""
FOLLOWING = ("operstate", "tso_max_size", "tso_max_segs")
"""What a bridge takes from its ports does not go back when they leave."""
ROUTES = "route show table all"
_numbers = itertools.count()

assert OPEN_SOCKETS < 1024

Snapshot = dict[str, Any]


def sh(command: str) -> str:
    return subprocess.run(["bash", "-euc", command], check=True, capture_output=True, text=True).stdout


def _has_8021q() -> bool:
    name = f"nq{os.getpid()}"
    sh(f"ip link add {name} type veth")
    try:
        return "refused" not in sh(f"ip link add link {name} name {name}.1 type vlan id 1 2>&1 || echo refused")
    finally:
        sh(f"ip link del {name}")


HAS_8021Q = _has_8021q()


def until(condition: Callable[[], bool], what: str) -> None:
    for _attempt in range(POLLS):
        if condition():
            return
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"never came true: {what}")


def _succeeds(words: Sequence[str]) -> bool:
    return subprocess.run(words, capture_output=True).returncode == 0


class Lab(AbstractContextManager["Lab"]):
    """An element's namespace, a tenant's, a second tenant's, and a state directory."""

    def __init__(self) -> None:
        self.name = f"nk{os.getpid()}x{next(_numbers)}"
        self.underlay, self.tenant, self.other = f"{self.name}u", f"{self.name}t", f"{self.name}o"
        self._directory = tempfile.TemporaryDirectory(prefix="nesrv-kernel-")
        self.state = Path(self._directory.name) / "state"
        self.layout = Layout(BACKEND, Path(f"/run/nesrv/{self.name}"), Path(f"/run/netns/{self.underlay}"))

    def __enter__(self) -> Lab:
        sh(f"for name in {self.underlay} {self.tenant} {self.other}; do ip netns add $name; done")
        wire = f"link add nic0 type veth peer name wire0 netns {self.other}"
        _batch(("-n", self.underlay), "link set lo up", wire, "link set nic0 up")
        _batch(("-n", self.tenant), "link set lo up")
        _batch(("-n", self.other), "link set lo up", "link set wire0 up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        directory = self.layout.vrf_directory
        if directory.is_dir():
            sh(f"for f in {directory}/*; do [ ! -e $f ] || umount -l $f; done")
            sh(f"umount -l {directory}; rmdir {directory}")
        if self.layout.run.is_dir():
            self.layout.run.rmdir()
        spaces = f"/run/netns/{self.name}[uto]"
        sh(f"for f in {spaces}; do [ ! -e $f ] || ip netns del ${{f##*/}}; done")
        self._directory.cleanup()

    @property
    def host(self) -> Place:
        return Place("host", self.tenant)

    def kernel(self, on_change: Callable[[frozenset[Any]], None] | None = None) -> Kernel:
        return Kernel(self.layout, self.state, on_change)

    def inside(self, place: Place) -> str:
        return f"nsenter --net={self.layout.namespace(place)} "

    def ip(self, place: Place, command: str) -> Any:
        return json.loads(sh(f"{self.inside(place)}ip -d -j {command}") or "[]")

    def reaches(self, place: Place, *addresses: str) -> None:
        """Waits for an answer: a bridge's port forwards a moment after it joined, and a machine may be slow."""
        for address in addresses:
            words = ("nsenter", f"--net={self.layout.namespace(place)}", "ping", "-n", "-c", "1", "-W", "1", address)
            until(partial(_succeeds, words), f"{address} answers")

    def link(self, place: Place, name: str) -> dict[str, Any]:
        (found,) = self.ip(place, f"link show dev {name}")
        return dict(found)

    def addresses(self, place: Place, name: str) -> list[str]:
        (found,) = self.ip(place, f"addr show dev {name}")
        return [f"{a['local']}/{a['prefixlen']}" for a in found["addr_info"] if a["scope"] == "global"]

    def paths(self) -> dict[str, Path]:
        paths = {name[len(self.name) :]: Path("/run/netns", name) for name in (self.underlay, self.tenant, self.other)}
        if BACKEND == "netns" and self.layout.vrf_directory.is_dir():
            paths |= {f"vrf {p.name}": p for p in self.layout.vrf_directory.iterdir() if not p.is_dir()}
        return paths

    def snapshot(self) -> Snapshot:
        """All links, addresses and routes of all namespaces, without what changes by itself."""
        return {name: _state(path) for name, path in self.paths().items()}

    def portable_snapshot(self) -> Snapshot:
        """Without what differs each time that a link is made: indexes and random MACs."""
        return {name: [_portable(entry) for entry in entries] for name, entries in self.snapshot().items()}


def _state(path: Path) -> list[Any]:
    entries: list[Any] = []
    for document in _shown(path):
        for entry in document:
            if "fe80" in str(entry.get("dst")) or str(entry.get("dst")) in ("ff00::/8", "multicast"):
                continue
            if "addr_info" in entry:
                info = [a for a in entry["addr_info"] if a["scope"] == "global"]
                entry = {"ifname": entry["ifname"], "addr_info": info}
            # A bridge's port forwards a moment after it joined.
            entry.get("linkinfo", {}).get("info_slave_data", {}).pop("state", None)
            for name in TIMERS:
                entry.get("linkinfo", {}).get("info_data", {}).pop(name, None)
                entry.get("linkinfo", {}).get("info_slave_data", {}).pop(name, None)
            entry["flags"] = sorted(set(entry.get("flags", ())) - CARRIER)
            for name in FOLLOWING:
                entry.pop(name, None)
            entries.append(entry)
    return entries


def _shown(path: Path) -> Iterator[list[dict[str, Any]]]:
    """What iproute2 shows of a namespace, in as few processes as can be: under User-Mode Linux they cost most."""
    with namespaces.inside(path):
        said = _batch(("-d", "-j"), "link", "address", ROUTES) + _batch(("-6", "-d", "-j"), ROUTES)
    while said := said.strip():
        document, end = json.JSONDecoder().raw_decode(said)
        yield document
        said = said[end:]


def _batch(options: Sequence[str], *commands: str) -> str:
    """Several commands in one process."""
    words, typed = ("ip", *options, "-batch", "-"), "\n".join((*commands, ""))
    return subprocess.run(words, input=typed, check=True, capture_output=True, text=True).stdout


def _portable(entry: dict[str, Any]) -> dict[str, Any]:
    kind = entry.get("linkinfo", {}).get("info_kind")
    drop = {"ifindex", "link_index", "link_netnsid"} | ({"address"} if kind in ("veth", "vxlan", "vrf") else set())
    return {key: value for key, value in entry.items() if key not in drop}


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What only one of two snapshots has: a short answer to read when a test fails."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        old = {json.dumps(entry, sort_keys=True) for entry in before.get(name, [])}
        new = {json.dumps(entry, sort_keys=True) for entry in after.get(name, [])}
        lines += [f"{name} -{entry}" for entry in sorted(old - new)] + [
            f"{name} +{entry}" for entry in sorted(new - old)
        ]
        if (name in before) != (name in after):
            lines.append(f"namespace {name} is in one only")
    return lines


def vrf_facts(lab: Lab, name: str, number: int) -> list[Fact]:
    """All that a type-5 VRF with one leg has, in order of creation."""
    place = Place("vrf", name)
    leg, host = f"leg{number}", f"h{number}"
    return [
        Vrf(name, "/vrf"),
        Bridge(place, f"br{number}", f"02:00:00:00:00:{number % 256:02x}", "/bridge"),
        Vxlan(place, f"vx{number}", number, "192.0.2.1", 4789, f"br{number}", "/vxlan"),
        Leg(place, leg, lab.host, host, "/leg"),
        LinkSettings(place, leg, 1450, True, "/settings"),
        Address(place, leg, f"10.{number % 256}.0.1/24", "/v4"),
        Address(place, leg, f"2001:db8:{number:x}::1/64", "/v6"),
        Address(lab.host, host, f"10.{number % 256}.0.2/24", "/host-v4"),
    ]


def creation(facts: Sequence[Fact]) -> list[Step]:
    return [Step(None, fact) for fact in facts]


def deletion(facts: Sequence[Fact]) -> list[Step]:
    return [Step(fact, None) for fact in reversed(facts)]


def run(body: Callable[[], Any]) -> Any:
    return asyncio.run(body())


async def settle() -> None:
    """Lets the event loop hear what the kernel has told until now."""
    for _turn in range(5):
        await asyncio.sleep(0)
