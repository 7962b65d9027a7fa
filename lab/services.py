"""The tenants' services: one whoami process each."""

from __future__ import annotations

import subprocess

from lab import processes
from lab.places import ROOT, Lab, LabError, python, run, within
from lab.topology import Tenant

PROGRAM = ROOT / "lab" / "whoami.py"


def name(tenant: Tenant) -> str:
    """What a tenant's service answers."""
    return f"{tenant.host} in {tenant.vrf}"


def pid(lab: Lab, tenant: Tenant) -> int | None:
    return processes.alive(lab.file(tenant.node, "pid"), (str(PROGRAM), name(tenant)))


def start(lab: Lab, tenant: Tenant) -> bool:
    """False if it runs already."""
    if pid(lab, tenant) is not None:
        return False
    space = lab.space(tenant.node)
    with lab.file(tenant.node, "log").open("wb") as log:
        process = subprocess.Popen(
            within(space, (python(), str(PROGRAM), "serve", name(tenant))),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    lab.file(tenant.node, "pid").write_text(f"{process.pid}\n")
    return True


def stop(lab: Lab, tenant: Tenant) -> None:
    running = pid(lab, tenant)
    if running is not None:
        processes.end(running)


def ask(lab: Lab, tenant: Tenant, address: str, source: str) -> str | None:
    """Who answers a tenant at an address, None if nobody does."""
    try:
        return run(within(lab.space(tenant.node), (python(), str(PROGRAM), "ask", address, source))).strip()
    except LabError:
        return None


def ping(lab: Lab, tenant: Tenant, address: str, source: str) -> bool:
    """Three packets from an address of the tenant, all of them answered within a second."""
    words = ("ping", "-q", "-n", "-c", "3", "-i", "0.1", "-W", "1", "-I", source, address)
    done = subprocess.run(within(lab.space(tenant.node), words), capture_output=True)
    return done.returncode == 0 and b" 0% packet loss" in done.stdout
