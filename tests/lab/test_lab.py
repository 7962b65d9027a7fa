"""The whole lab from outside: up, configured over NETCONF, traffic and isolation, down, and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "lab" / "lab"
CONFIGURE = ROOT / "lab" / "configure.py"
RED_SERVICE, BLUE_ONLY = "203.0.113.33", "203.0.113.49"
SOURCE = "203.0.113.17"
WHOAMI = str(ROOT / "lab" / "whoami.py")


class Running:
    """A lab of the test's own: its name differs from the example's, so that a lab that is up goes on."""

    def __init__(self, directory: Path) -> None:
        self.name = f"t{os.getpid() % 10000}"
        self.topology = directory / "topology.toml"
        text = (ROOT / "lab" / "topology.toml").read_text()
        assert 'name = "nesrv"\n' in text
        self.topology.write_text(text.replace('name = "nesrv"\n', f'name = "{self.name}"\n'))

    def lab(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([LAB, "--topology", self.topology, *words], capture_output=True, text=True)

    def configure(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, CONFIGURE, "--topology", self.topology], capture_output=True, text=True)

    def ask(self, node: str, address: str) -> str:
        return self.lab("exec", node, "--", sys.executable, WHOAMI, "ask", address, SOURCE).stdout.strip()

    def left(self) -> dict[str, list[str]]:
        """Everything on the machine that has the lab's name or runs in its namespaces."""
        prefix = f"{self.name}-"
        processes = []
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = process.read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if f" {prefix}" in command or str(self.topology.parent) in command:
                processes.append(command)
        places = [Path("/run/netns"), Path("/run/nesrv"), Path("/run/frr"), Path("/sys/class/net")]
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return {
            "processes": processes,
            "mounts": [line for line in mounts if f"/{prefix}" in line],
            "files": [str(one) for place in places if place.is_dir() for one in place.glob(f"{prefix}*")],
            "run": sorted(str(one) for one in self.topology.parent.iterdir() if one != self.topology),
        }


NOTHING: dict[str, list[str]] = {"processes": [], "mounts": [], "files": [], "run": []}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    try:
        yield made
    finally:
        made.lab("down")


def crash_logs() -> set[str]:
    """FRR's directories, one for each process."""
    return {one.name for one in Path("/var/tmp/frr").glob("*.*")}


def test_the_lab_from_up_to_down(running: Running) -> None:
    assert running.left() == NOTHING
    others = crash_logs()
    up = running.lab("up")
    assert up.returncode == 0, up.stderr
    endpoints = json.loads((running.topology.parent / ".run" / "endpoints.json").read_text())
    assert set(endpoints) == {"pe1", "pe2"}
    assert all({"host", "port", "user", "key"} <= set(one) for one in endpoints.values())
    configured = running.configure()
    assert configured.returncode == 0, configured.stdout + configured.stderr
    assert configured.stdout.count("ESTABLISHED") >= 6
    _check_traffic(running)
    _check_isolation(running)
    _check_readme(running)
    _check_bindings(running)
    _check_zebra_comes_back(running)
    again = running.lab("up")
    assert again.returncode == 0, again.stderr
    assert all(line.endswith(": 0 made") or ": 0 started" in line for line in again.stdout.splitlines()[:5])
    assert json.loads((running.topology.parent / ".run" / "endpoints.json").read_text()) == endpoints
    status = running.lab("status")
    assert status.returncode == 0, status.stdout
    assert all(node in status.stdout for node in ("spine", "pe1", "pe2", "h1-blue", "h2-blue"))
    mine = {
        word for line in status.stdout.splitlines()[1:] for word in line.replace(",", " ").split() if word.isdigit()
    }
    down = running.lab("down")
    assert (down.returncode, down.stderr) == (0, "")
    assert running.left() == NOTHING
    assert not {name for name in crash_logs() - others if name.rpartition(".")[2] in mine}


def _check_traffic(running: Running) -> None:
    """The same address is another host in each VRF; both ways."""
    assert running.ask("h1", RED_SERVICE) == "h2 in red"
    assert running.ask("h1-blue", RED_SERVICE) == "h2 in blue"
    assert running.ask("h1-blue", BLUE_ONLY) == "h2 in blue"
    for node, target, source in (
        ("h1", RED_SERVICE, SOURCE),
        ("h2", SOURCE, RED_SERVICE),
        ("h2-blue", SOURCE, BLUE_ONLY),
    ):
        ping = running.lab("exec", node, "--", "ping", "-c", "2", "-i", "0.1", "-W", "2", "-I", source, target)
        assert " 0% packet loss" in ping.stdout, ping.stdout + ping.stderr


def _check_isolation(running: Running) -> None:
    """Not even a tenant that sends it to its PE gets a packet across."""
    assert running.ask("h1", BLUE_ONLY) == ""
    running.lab("exec", "h1", "--", "ip", "route", "add", f"{BLUE_ONLY}/32", "via", "10.1.0.1")
    ping = running.lab("exec", "h1", "--", "ping", "-c", "1", "-W", "1", "-I", SOURCE, BLUE_ONLY)
    assert "1 packets transmitted, 0 received" in ping.stdout
    assert running.ask("h1", BLUE_ONLY) == ""
    running.lab("exec", "h1", "--", "ip", "route", "delete", f"{BLUE_ONLY}/32")


def _check_readme(running: Running) -> None:
    """The session of README.md prints what README.md says."""
    readme = (ROOT / "README.md").read_text()
    code, output = (readme.split(f"```{language}\n")[1].split("\n```", 1)[0] for language in ("python", "text"))
    clone = running.topology.parent / ".run" / "clone"
    clone.mkdir()
    (clone / "lab").symlink_to(running.topology.parent)
    ran = subprocess.run([sys.executable, "-c", code], cwd=clone, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.replace(f"{running.name}-pe1", "nesrv-pe1").rstrip() == output


def _check_bindings(running: Running) -> None:
    """What lab/add_vrf.py adds is there, in kernel and FRR."""
    script = str(ROOT / "lab" / "add_vrf.py")
    words = (sys.executable, script, "--topology", str(running.topology), "--name", "violet")
    added = subprocess.run([*words, "--vni", "400"], capture_output=True, text=True)
    assert added.returncode == 0, added.stderr
    assert added.stdout == "pe1 has VRF violet with VNI 400\n"
    asked = running.lab("exec", "pe1", "--", "vtysh", "-N", f"{running.name}-pe1", "-c", "show evpn vni 400")
    assert "Tenant VRF: violet" in asked.stdout, asked.stdout + asked.stderr
    refused = subprocess.run([*words, "--vni", "0"], capture_output=True, text=True)
    assert refused.returncode != 0


def _check_zebra_comes_back(running: Running) -> None:
    """A zebra that died takes its clients along; afterwards everything works again."""
    folder = Path("/run/frr") / f"{running.name}-pe1"
    before = (folder / "bgpd.pid").read_text()
    os.kill(int((folder / "zebra.pid").read_text()), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not (folder / "bgpd.pid").exists() or (folder / "bgpd.pid").read_text() in ("", before):
        assert time.monotonic() < deadline, "bgpd was not restarted with zebra"
        time.sleep(0.1)
    configured = running.configure()
    assert configured.returncode == 0, configured.stdout + configured.stderr


def test_another_topology_is_not_laid_over_one_that_is_up(running: Running) -> None:
    """Nothing is started for this: what is kept of a run is enough."""
    run = running.topology.parent / ".run"
    run.mkdir()
    (run / "topology.toml").write_text(running.topology.read_text() + "\n# changed meanwhile\n")
    up = running.lab("up")
    assert up.returncode == 1
    assert "lab/lab down first" in up.stderr
    assert running.left()["files"] == []


def test_exec_passes_the_status_on(running: Running) -> None:
    assert running.lab("exec", "pe1", "--", "true").returncode == 1
    assert "pe1 is not up" in running.lab("exec", "pe1", "--", "true").stderr
    assert "there is no node pe9" in running.lab("exec", "pe9", "--", "true").stderr
