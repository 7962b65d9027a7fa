from __future__ import annotations

import os

from nesrv.kernel import sysctls
from nesrv.kernel.backends import detect
from nesrv.kernel.facts import UNDERLAY, Place, Vrf
from tests.kernel.lab import BACKEND, Lab, creation, differences, run, sh


def test_the_back_end_is_found_by_trying(lab: Lab) -> None:
    before = lab.snapshot()
    assert detect(lab.layout.namespace(UNDERLAY)) == BACKEND
    assert differences(before, lab.snapshot()) == []


def test_a_vrf_forwards(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation([Vrf("red", "")]))
        await kernel.stop()

    run(body)
    inside = lab.inside(Place("vrf", "red"))
    names = sysctls.VRF if BACKEND == "netns" else {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}
    for name, value in names.items():
        assert sh(f"{inside}sysctl -n {name}").strip() == value


def test_the_process_stays_in_its_own_namespace(lab: Lab) -> None:
    before = os.stat("/proc/thread-self/ns/net").st_ino

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation([Vrf(f"v{i}", "") for i in range(3)]))
        await kernel.clear()

    run(body)
    assert os.stat("/proc/thread-self/ns/net").st_ino == before


def test_vrfs_live_on_without_the_process_and_can_be_seen_by_path(lab: Lab) -> None:
    """FRR's mount namespace sees them because the directory is a shared mount."""

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        await kernel.apply(creation([Vrf("red", "")]))
        await kernel.stop()

    run(body)
    if BACKEND == "netns":
        directory = lab.layout.vrf_directory
        assert "shared" in sh(f"findmnt -no PROPAGATION {directory}")
        sh(f"nsenter --net={directory}/red ip link show lo up")
    else:
        assert lab.link(UNDERLAY, "red")["linkinfo"]["info_kind"] == "vrf"
