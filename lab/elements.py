"""The PEs: one nesrv each, with a key to log in, and the file that says where they listen."""

from __future__ import annotations

import json
import re
import select
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import processes
from lab.places import ELEMENT_RUN, ROOT, Lab, LabError, python, run
from lab.speakers import forget_crash_log, pids
from lab.speakers import stop as stop_frr

USER = "admin"
READY = re.compile(r"nesrv ready on 127\.0\.0\.1:(\d+)")
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a PE listens: ``key`` is the file of the client's private key, ``hostkey`` the server's public one."""

    host: str
    port: int
    user: str
    key: str
    hostkey: str


def read_endpoints(lab: Lab) -> dict[str, Endpoint]:
    """By node; raises LabError where the lab is not up."""
    try:
        found = json.loads(lab.endpoints.read_text())
    except FileNotFoundError:
        raise LabError(f"there is no {lab.endpoints}: start the lab with lab/lab up") from None
    return {node: Endpoint(**one) for node, one in found.items()}


def write_endpoints(lab: Lab, endpoints: dict[str, Endpoint]) -> None:
    text = json.dumps({node: asdict(one) for node, one in endpoints.items()}, indent=2) + "\n"
    lab.endpoints.write_text(text)


def make_key(lab: Lab) -> bool:
    """The operator's SSH key and the users file that knows it; False if they are there."""
    if lab.users.exists():
        return False
    for old in (lab.key, lab.key.with_suffix(".pub")):
        old.unlink(missing_ok=True)
    comment = f"{USER}@{lab.topology.name}"
    run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(lab.key)))
    public = lab.key.with_suffix(".pub").read_text().strip()
    lab.users.write_text(f'[[user]]\nname = "{USER}"\nauthorized_keys = ["{public}"]\n')
    lab.users.chmod(0o600)
    return True


def pid(lab: Lab, pe: str) -> int | None:
    """Of the PE's nesrv."""
    return processes.alive(lab.file(pe, "pid"), ("nesrv", "serve", "--netns", lab.space(pe)))


def start(lab: Lab, pe: str) -> tuple[Endpoint, bool]:
    """Starts the PE's nesrv, or finds it; returns where it listens and whether it was started.  Raises LabError."""
    launched = _launch(lab, pe) if pid(lab, pe) is None else None
    port = _await_port(lab, pe, launched)
    return Endpoint("127.0.0.1", port, USER, str(lab.key), _host_key(lab, pe)), launched is not None


def _options(lab: Lab, pe: str) -> list[str]:
    return ["--netns", lab.space(pe), "--state-dir", str(lab.state(pe))]


def _launch(lab: Lab, pe: str) -> subprocess.Popen[bytes]:
    """Port 0 lets the kernel choose; the log says which it was."""
    words = [python(), "-m", "nesrv", "serve", "--listen", "127.0.0.1:0", "--users", str(lab.users)]
    with lab.file(pe, "log").open("wb") as log:
        process = subprocess.Popen(
            [*words, *_options(lab, pe)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    lab.file(pe, "pid").write_text(f"{process.pid}\n")
    return process


def _await_port(lab: Lab, pe: str, launched: subprocess.Popen[bytes] | None) -> int:
    log, deadline = lab.file(pe, "log"), time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        if found := READY.search(text):
            return int(found[1])
        if launched is not None and launched.poll() is not None:
            raise LabError(f"nesrv of {pe} ended: {text.strip()[-2000:]}")
        select.select([], [], [], 0.05)
    raise LabError(f"nesrv of {pe} is not ready after {READY_SECONDS:.0f} s: see {log}")


def _host_key(lab: Lab, pe: str) -> str:
    return run(("ssh-keygen", "-y", "-f", str(lab.state(pe) / "ssh_host_ed25519_key"))).split()[1]


def stop(lab: Lab, pe: str) -> None:
    """Ends the PE's nesrv; forwarding goes on."""
    running = pid(lab, pe)
    if running is not None:
        processes.end(running)


def clear(lab: Lab, pe: str) -> None:
    """Takes the element out of kernel and FRR; raises LabError with its words."""
    space = lab.space(pe)
    daemons = pids(space)
    if lab.state(pe).exists():
        run((python(), "-m", "nesrv", "clear", "--log-level", "warning", *_options(lab, pe)))
    for daemon, number in daemons.items():
        if number is not None:
            forget_crash_log(daemon, number)


def leftovers(lab: Lab, pe: str) -> list[str]:
    """What ``clear`` should have taken away and did not."""
    space = lab.space(pe)
    running = [f"{name} (pid {number})" for name, number in pids(space).items() if number is not None]
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = f"{ELEMENT_RUN / space}/"
    return running + [f"mount {mount}" for mount in mounts if mount.startswith(below)]


def sweep(lab: Lab, pe: str) -> None:
    """Ends and unmounts what is left of an element, also of one that died half-way."""
    space = lab.space(pe)
    stop_frr(space)
    for mount in reversed([one.removeprefix("mount ") for one in leftovers(lab, pe) if one.startswith("mount ")]):
        run(("umount", "--lazy", mount))
    shutil.rmtree(ELEMENT_RUN / space, ignore_errors=True)
