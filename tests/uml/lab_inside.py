"""The example network with real VRF devices; runs within the machine (test_lab_devices), in the order written."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from lab import elements
from lab.configure import connected
from lab.places import open_lab

ROOT = Path(__file__).resolve().parents[2]
RUN = Path("/run/lab")
TOPOLOGY = RUN / "topology.toml"
PES = ("nesrv-pe1", "nesrv-pe2")
UNDERLAY = ("198.51.100.1", "198.51.100.2", "192.0.2.0", "192.0.2.1")
"""Own addresses and neighbours of pe1 in its underlay: no address of a VRF."""
SERVICE, OTHER_SERVICE, SOURCE = "203.0.113.33", "2001:db8:f2::1", "203.0.113.17"
PATIENCE, POLL_SECONDS = 60.0, 0.2
PASSIVE = """
<config><network-instances xmlns="http://openconfig.net/yang/network-instance"><network-instance><name>red</name>
<protocols><protocol><identifier xmlns:p="http://openconfig.net/yang/policy-types">p:BGP</identifier><name>bgp</name>
<bgp><neighbors><neighbor><neighbor-address>10.2.0.2</neighbor-address>
<transport><config><passive-mode>true</passive-mode></config></transport>
</neighbor></neighbors></bgp></protocol></protocols></network-instance></network-instances></config>"""


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=ROOT)


def said(*words: str | Path) -> str:
    done = run(*words)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def lab(*words: str) -> subprocess.CompletedProcess[str]:
    return run(ROOT / "lab" / "lab", "--topology", TOPOLOGY, *words)


def within(node: str, *words: str) -> Sequence[str]:
    return ("ip", "netns", "exec", f"nesrv-{node}", *words)


def vtysh(space: str, *commands: str) -> str:
    return said("vtysh", "-N", space, *(word for command in commands for word in ("-c", command)))


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(POLL_SECONDS)


def prove() -> None:
    """Configures what is configured already, and proves traffic and isolation."""
    proved = run(sys.executable, ROOT / "lab" / "configure.py", "--topology", TOPOLOGY)
    assert proved.returncode == 0, f"{proved.stdout}{proved.stderr}{logs()}"
    assert "11 proofs of traffic and isolation, 0 wrong" in proved.stdout


def logs() -> str:
    files = [*RUN.glob(".run/pe*.log"), *Path("/run/nesrv").glob("*/frr/*"), *Path("/var/tmp/frr").glob("*/crashlog")]
    return "".join(f"\n{file}:\n{file.read_text(errors='replace')[-3000:]}" for file in files)


@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[None]:
    RUN.mkdir()
    TOPOLOGY.write_text((ROOT / "lab" / "topology.toml").read_text())
    up = lab("up")
    assert up.returncode == 0, f"{up.stderr}{logs()}"
    yield
    lab("down")


def test_traffic_and_isolation() -> None:
    prove()


def test_auto_chose_vrf_devices() -> None:
    for space in PES:
        links = json.loads(said("ip", "-n", space, "-detail", "-json", "link", "show", "type", "vrf"))
        tables = {link["ifname"]: link["linkinfo"]["info_data"]["table"] for link in links}
        assert set(tables) == {"red", "blue"}
        assert len(set(tables.values())) == 2
        known = re.findall(r"^vrf (\S+) id \d+ table (\d+) ", vtysh(space, "show vrf"), re.MULTILINE)
        assert {name: int(table) for name, table in known} == tables
        assert not Path("/run/nesrv", space, "netns").exists()


def test_a_miss_in_a_vrf_stays_in_it() -> None:
    """Neither the underlay's routes nor its own addresses are within a tenant's reach."""
    said("ip", "-n", "nesrv-h1", "route", "add", "default", "via", "10.1.0.1")
    for address in UNDERLAY:
        assert address in said("ip", "-n", PES[0], "route", "get", address)
        for way in (("vrf", "red"), ("from", SOURCE, "iif", "h1-red")):
            lookup = run("ip", "-n", PES[0], "route", "get", address, *way)
            assert (lookup.returncode, lookup.stderr) == (2, "RTNETLINK answers: No route to host\n"), lookup.stdout
        ping = run(*within("h1", "ping", "-n", "-c", "1", "-W", "2", "-I", SOURCE, address))
        assert "1 packets transmitted, 0 received" in ping.stdout
    lookup = run("ip", "-n", PES[0], "route", "get", "2001:db8:99::1", "vrf", "red")
    assert "No route to host" in lookup.stderr
    said("ip", "-n", "nesrv-h1", "route", "delete", "default")


def test_forwarding_goes_on_while_nesrv_is_killed_and_comes_back() -> None:
    """A planner that finds everything as it was has nothing to do."""
    opened = open_lab(TOPOLOGY)
    running = elements.pid(opened, "pe1")
    assert running is not None
    pings = [
        subprocess.Popen(within("h1", "ping", "-q", "-n", "-i", "0.1", target), stdout=subprocess.PIPE, text=True)
        for target in (SERVICE, OTHER_SERVICE)
    ]
    os.kill(running, signal.SIGKILL)
    until(lambda: elements.pid(opened, "pe1") is None, "nesrv of pe1 is gone")
    again = lab("up")
    for ping in pings:
        ping.send_signal(signal.SIGINT)
    heard = [ping.communicate()[0] for ping in pings]
    assert again.returncode == 0, f"{again.stderr}{logs()}"
    log = opened.file("pe1", "log").read_text()
    assert "start: 0 steps, 0 refused" in log
    started = log.split(f"FRR of {PES[0]}: started ")[1].splitlines()[0]
    # bfdd, of no use here, has been seen to crash by itself inside User-Mode Linux.
    assert started in ("nothing, all found running", "bfdd"), f"{started}{logs()}"
    for text in heard:
        assert " 0% packet loss" in text, text
    plan = run(sys.executable, "-m", "nesrv", "plan", "--state-dir", opened.state("pe1"))
    assert (plan.returncode, plan.stdout) == (0, "# nothing to do\n"), plan.stderr


def test_sessions_within_vrfs_open_both_ways() -> None:
    """On pe1 the PE must connect, as its tenant only listens; on pe2 it is the tenant that must."""
    vtysh("nesrv-h1", "configure terminal", "router bgp 64515", "neighbor 10.1.0.1 passive")
    endpoints = json.loads((RUN / ".run" / "endpoints.json").read_text())
    with connected(endpoints["pe2"]) as session:
        session.edit_config(target="candidate", config=PASSIVE)
        session.commit()
    for space, neighbor, opened_here in ((PES[0], "10.1.0.2", True), (PES[1], "10.2.0.2", False)):

        def up(space: str = space, neighbor: str = neighbor, opened_here: bool = opened_here) -> bool:
            found = json.loads(vtysh(space, f"show bgp vrf red neighbors {neighbor} json"))[neighbor]
            return found["bgpState"] == "Established" and (found["portLocal"] != 179) is opened_here

        until(up, f"the session of {space} with {neighbor}, opened {'here' if opened_here else 'there'}")


def test_down_leaves_nothing() -> None:
    down = lab("down")
    assert (down.returncode, down.stderr) == (0, ""), f"{down.stderr}{logs()}"
    assert [link["ifname"] for link in json.loads(said("ip", "-json", "link", "show"))] == ["lo"]
    assert [path for place in ("netns", "nesrv", "frr") for path in Path("/run", place).iterdir()] == []
    assert "nesrv" not in Path("/proc/self/mountinfo").read_text()
    assert list(RUN.iterdir()) == [TOPOLOGY]
