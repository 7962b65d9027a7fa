"""One element for tests: its namespaces, its server, a NETCONF session, and a picture of all that exists."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ncclient.transport.session
from lxml import etree
from ncclient import manager
from ncclient.operations import RPCError

from tests.server.configurations import BASE, INSTANCES, INTERFACES, NESRV, SYSTEM, Configuration, text
from tests.serving import PASSWORD, ROOT, USER, Serving

ncclient.transport.session.TICK = 0.002

RUN = Path("/run/nesrv")
POLL_SECONDS, PATIENCE = 0.02, 90.0
TIMERS = ("forward_delay_timer", "gc_timer", "hello_timer", "tcn_timer", "topology_change_timer")
HOLDERS = (f"{{{INTERFACES}}}interfaces", f"{{{INSTANCES}}}network-instances", f"{{{SYSTEM}}}users")
VOLATILE = {"ifindex", "link_index", "link_netnsid", "operstate", "link_pointtopoint", "new_netnsid"}
FOLLOWS_CARRIER = {"LOWER_UP", "NO-CARRIER", "M-DOWN", "linkdown"}
BRIDGE_TIMES = ("bridge_id", "root_id", "designated_bridge", "designated_root", "hold_timer", "message_age_timer")

Picture = dict[str, list[str]]


def sh(*words: str) -> str:
    """Standard output; CalledProcessError with what it said otherwise."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr)
    return done.stdout


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(POLL_SECONDS)


class Element:
    """``spaces`` outside it are ``host``, ``other`` (for legs) and ``outside``, where the NIC eth1 waits for adoption.

    The server and a session run within the ``with`` block; the names differ in every process and test.
    """

    def __init__(self, *options: str) -> None:
        self.name = f"e{secrets.token_hex(3)}"
        self.host, self.other, self.outside = (f"{self.name}{end}" for end in "abo")
        self._folder = Path(tempfile.mkdtemp(prefix="nesrv-element-"))
        self.state_dir = self._folder / "state"
        self.serving = Serving(options=("--netns", self.name, *options), state_dir=self.state_dir)
        self.plain_command = list(self.serving.command)
        self._session: Any = None

    # Life

    def __enter__(self) -> Self:
        try:
            for space in (self.name, self.host, self.other, self.outside):
                sh("ip", "netns", "add", space)
                sh("ip", "-n", space, "link", "set", "lo", "up")
            wire = ("type", "veth", "peer", "name", "wire1", "netns", self.other)
            sh("ip", "-n", self.outside, "link", "add", "eth1", *wire)
            sh("ip", "-n", self.outside, "link", "set", "eth1", "up")
            sh("ip", "-n", self.other, "link", "set", "wire1", "up")
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            sys.stderr.write(self.serving.log()[-8000:])
        self.close()

    def start(self) -> None:
        self.serving.start()
        self.connect()

    def launch(self, command: Sequence[str]) -> None:
        """Starts another program in the server's place, for this once."""
        self.serving.command = list(command)
        try:
            self.start()
        finally:
            self.serving.command = list(self.plain_command)

    def kill(self) -> None:
        self.disconnect()
        self.serving.kill()

    def wait_killed(self) -> int:
        """The exit status of a server that ends by itself."""
        until(lambda: not self.serving.running, "the server has ended")
        return self.serving.stop()

    def stop(self) -> int:
        self.disconnect()
        return self.serving.stop()

    def close(self) -> None:
        self.disconnect()
        with contextlib.suppress(AssertionError):
            self.serving.close()
        self.clear()
        self._clear_by_force()
        for space in (self.name, self.host, self.other, self.outside):
            subprocess.run(("ip", "netns", "del", space), capture_output=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _clear_by_force(self) -> None:
        """Where ``nesrv clear`` left something, which is for its own test to find."""
        for file in Path(f"/run/frr/{self.name}").glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(file.read_text()), signal.SIGKILL)
        shutil.rmtree(f"/run/frr/{self.name}", ignore_errors=True)
        mounts = [row.split()[4] for row in Path("/proc/self/mountinfo").read_text().splitlines()]
        for mount in sorted((one for one in mounts if one.startswith(f"{RUN / self.name}/")), reverse=True):
            subprocess.run(("umount", "-l", mount))
        shutil.rmtree(RUN / self.name, ignore_errors=True)

    def clear(self) -> subprocess.CompletedProcess[str]:
        """``nesrv clear``; its outcome is the caller's to look at."""
        command = (sys.executable, "-m", "nesrv", "clear", "--state-dir", str(self.state_dir), "--netns", self.name)
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    # Session

    @property
    def session(self) -> Any:
        if self._session is None:
            self.connect()
        return self._session

    def connect(self, user: str = USER, password: str = PASSWORD) -> Any:
        self._session = self.another_session(user, password)
        return self._session

    def another_session(self, user: str = USER, password: str = PASSWORD) -> Any:
        return manager.connect(
            host=self.serving.host,
            port=self.serving.port,
            username=user,
            password=password,
            hostkey_verify=False,
            look_for_keys=False,
            allow_agent=False,
            timeout=60,
        )

    def disconnect(self) -> None:
        session, self._session = self._session, None
        if session is not None and self.serving.running and session.connected:
            with contextlib.suppress(Exception):
                session.close_session()

    def edit(self, config: Configuration) -> None:
        """The candidate becomes ``config``, whatever it was (copy-config)."""
        self.edit_text(text(config))

    def edit_text(self, xml: str) -> None:
        """The same for the text of a ``<config>``."""
        self.session.copy_config(source=etree.fromstring(f'<source xmlns="{BASE}">{xml}</source>'), target="candidate")

    def commit(self, config: Configuration) -> None:
        self.commit_text(text(config))

    def commit_text(self, xml: str) -> None:
        self.edit_text(xml)
        self.session.commit()

    def merge(self, config: etree._Element | str) -> None:
        """The candidate takes in a ``<config>`` (edit-config)."""
        self.session.edit_config(config=config, target="candidate")

    def refused(self, action: Callable[[], object]) -> RPCError:
        """The error that ``action`` is answered with."""
        try:
            action()
        except RPCError as error:
            return error
        raise AssertionError("it was not refused")

    def plan(self) -> list[dict[str, list[str]]]:
        """The steps of the RPC ``plan``: number, verb, domain, path, command."""
        reply = self.session.dispatch(etree.Element(f"{{{NESRV}}}plan")).xml
        found: list[dict[str, list[str]]] = []
        for step in etree.fromstring(reply.encode()).iter(f"{{{NESRV}}}step"):
            fields: dict[str, list[str]] = {}
            for leaf in step:
                fields.setdefault(etree.QName(leaf).localname, []).append(leaf.text or "")
            found.append(fields)
        return found

    def config(self, source: str = "running") -> list[str]:
        """get-config, a row for each element; entries of the outermost lists sorted, their order says nothing."""
        data = etree.fromstring(self.session.get_config(source).data_xml.encode())
        for holder in data.iter(*HOLDERS):
            holder[:] = sorted(holder, key=lambda entry: entry[0].text or "")
        for node in data.iter():
            node.tail = None
        etree.indent(data)
        return etree.tostring(data).decode().splitlines()[1:]

    def starts(self) -> list[str]:
        """What each start of the server did, by its log: ``N steps, M refused``."""
        rows = self.serving.log().splitlines()
        return [row.split("start: ", 1)[1] for row in rows if "nesrv.server: start: " in row]

    # What there is

    def vtysh(self, command: str, space: str | None = None) -> str:
        return sh("vtysh", "-N", space or self.name, "-c", command)

    def frr_pid(self, daemon: str) -> int:
        return int(Path(f"/run/frr/{self.name}/{daemon}.pid").read_text())

    def vrf_names(self) -> list[str]:
        folder = RUN / self.name / "netns"
        return sorted(path.name for path in folder.glob("[!.]*"))

    def inside_vrf(self, name: str) -> tuple[str, ...]:
        return ("nsenter", f"--net={RUN / self.name / 'netns' / name}")

    def kernel_picture(self) -> Picture:
        spaces = (self.name, self.host, self.other, self.outside)
        picture = {f"namespace {name[len(self.name) :]}": _kernel(("ip", "netns", "exec", name)) for name in spaces}
        return picture | {f"vrf {name}": _kernel(self.inside_vrf(name)) for name in self.vrf_names()}

    def frr_picture(self) -> Picture:
        """Sorted lines by the context that they stand in."""
        picture: Picture = {}
        context: list[str] = []
        for row in self.vtysh("show running-config").splitlines():
            words = row.strip()
            # zebra hears of a namespace on its own way, and says so in the VRF's block.
            if not words or words.startswith(("!", "Building", "Current", "end", "exit", "netns /")):
                continue
            del context[len(row) - len(row.lstrip()) :]
            opens = words == "bfd" or words.startswith(("vrf ", "interface ", "address-family "))
            if not opens:
                picture.setdefault(" / ".join(("frr", *context)), []).append(words)
            context.append(words)
        return {name: sorted(rows) for name, rows in picture.items()}

    def disk_picture(self) -> Picture:
        """What is in the state directory, from a copy: the server keeps the database to itself."""
        picture: Picture = {}
        with tempfile.TemporaryDirectory(prefix="nesrv-copy-") as folder:
            for path in self.state_dir.glob("nesrv.db*"):
                shutil.copy(path, folder)
            with contextlib.closing(sqlite3.connect(Path(folder) / "nesrv.db")) as database:
                for table in ("shard", "history", "intent"):
                    columns = "path, xml" if table == "shard" else "*"
                    rows = database.execute(f"SELECT {columns} FROM {table}").fetchall()
                    picture[f"disk {table}"] = sorted(map(repr, rows))
        for path in sorted(self.state_dir.rglob("*.json")):
            picture[f"disk {path.relative_to(self.state_dir)}"] = path.read_text().splitlines()
        return picture

    def picture(self) -> Picture:
        """All that exists: kernel, FRR, running, disk."""
        return self.kernel_picture() | self.frr_picture() | self.disk_picture() | {"running": self.config()}

    def applied(self) -> Picture:
        """What exists of a configuration, however the element came to it: without the history."""
        picture = self.picture()
        return {name: rows for name, rows in picture.items() if name != "disk history"}


def same(before: Picture, take: Callable[[], Picture]) -> None:
    """``take`` comes to show ``before``; news between kernel and FRR may be under way for a moment."""
    deadline = time.monotonic() + PATIENCE / 4
    while (after := take()) != before and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    assert after == before, "\n".join(differences(before, after))


def differences(before: Picture, after: Picture) -> list[str]:
    rows: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            rows.append(f"{name}: only {'after' if name in after else 'before'}")
            continue
        old, new = Counter(before[name]), Counter(after[name])
        gone, come = list((old - new).elements()), list((new - old).elements())
        rows += [f"{name} - {_apart(row, come)}" for row in gone] + [f"{name} + {_apart(row, gone)}" for row in come]
    return rows


def _apart(row: str, others: Sequence[str]) -> str:
    """Of a link that is on both sides, only what differs."""
    if not row.startswith("{"):
        return row
    mine = json.loads(row)
    twin: dict[str, Any] = next(
        (two for two in map(json.loads, others) if two.get("ifname", "") == mine.get("ifname")), {}
    )
    kept = {key: value for key, value in mine.items() if key == "ifname" or twin.get(key) != value}
    return json.dumps(kept, sort_keys=True)


def _kernel(inside: Sequence[str]) -> list[str]:
    found: list[str] = []
    for words in ("-d link", "addr", "-4 route show table all", "-6 route show table all"):
        rows = json.loads(sh(*inside, "ip", "-j", *words.split()) or "[]")
        found += [json.dumps(kept, sort_keys=True) for row in rows if (kept := _kept(words, row))]
    return sorted(found)


def _kept(words: str, row: dict[str, Any]) -> dict[str, Any]:
    if "route" in words:
        return _route(row)
    if words == "addr":
        known = [{key: one.get(key) for key in ("family", "local", "prefixlen")} for one in row["addr_info"]]
        return {row["ifname"]: [one for one in known if not str(one["local"]).startswith("fe80")]}
    kind = row.get("linkinfo", {})
    for part in ("info_data", "info_slave_data"):
        for name in (*TIMERS, *BRIDGE_TIMES):
            kind.get(part, {}).pop(name, None)
    drop = VOLATILE | ({"address"} if kind.get("info_kind") in ("veth", "vxlan") else set())
    kept = {key: value for key, value in row.items() if key not in drop}
    return kept | {"flags": sorted(set(row["flags"]) - FOLLOWS_CARRIER)}


def _route(row: dict[str, Any]) -> dict[str, Any]:
    """Routes that follow from addresses when the kernel is ready, and those that BGP brings, are not compared."""
    target = str(row.get("dst"))
    if row.get("type") in ("local", "broadcast", "anycast", "multicast") or row.get("protocol") == "bgp":
        return {}
    if target.startswith(("fe80", "ff00", "multicast")) or row.get("table") == "local":
        return {}
    return {key: row.get(key) for key in ("type", "dst", "dev", "gateway", "metric", "table", "protocol", "prefsrc")}
