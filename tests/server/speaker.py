"""A tenant's BGP speaker: bgpd alone, in a host namespace and a pathspace of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.places import launch, within
from tests.server.element import Element, until

BGPD = "/usr/lib/frr/bgpd"
CONFIGURATION = """\
router bgp {asn}
 bgp router-id 192.0.2.99
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor {peer} remote-as {peer_as}
 neighbor {peer} timers connect 1
 address-family ipv4 unicast
  network 203.0.113.0/24
 exit-address-family
"""


@dataclass(frozen=True, slots=True)
class Session:
    established: bool
    transitions: int
    prefixes: int


@contextmanager
def speaker(element: Element, space: str, asn: int, peer: str, peer_as: int) -> Iterator[str]:
    """The speaker's pathspace; it is ended by its pid."""
    path = f"{space}t"
    home = Path("/run/frr") / path
    home.mkdir()
    shutil.chown(home, "frr", "frr")
    (home / "bgpd.conf").write_text(CONFIGURATION.format(asn=asn, peer=peer, peer_as=peer_as))
    (home / "bgpd.conf").chmod(0o644)
    words = (BGPD, "-d", "-n", "-N", path, "-P", "0", "-f", str(home / "bgpd.conf"))
    try:
        launch(within(space, words))
        yield path
    finally:
        end(home / "bgpd.pid")
        shutil.rmtree(home, ignore_errors=True)


def end(file: Path) -> None:
    """The daemon of a pid file, SIGTERM and gone."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(file.read_text())
        os.kill(pid, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{pid}").exists(), f"bgpd {pid} has ended")


def session(element: Element, vrf: str, peer: str) -> Session:
    """What the element's bgpd says of its neighbour ``peer``."""
    shown = json.loads(element.vtysh(f"show bgp vrf {vrf} neighbors {peer} json"))
    found = shown.get(peer, {})
    family = found.get("addressFamilyInfo", {}).get("ipv4Unicast", {})
    return Session(
        found.get("bgpState") == "Established",
        found.get("connectionsEstablished", 0),
        family.get("acceptedPrefixCounter", 0),
    )
