"""What the kernel cannot tell: how NICs and links that nesrv did not make were before it touched them.

One small JSON file for each, synced before the change that it can undo.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nesrv.kernel.facts import Place
from nesrv.kernel.message import LinkAddress

Phase = Literal["taking", "taken", "returning"]


@dataclass(frozen=True, slots=True)
class LinkState:
    """MTU, administrative state and addresses of global scope, in the kernel's order."""

    mtu: int
    up: bool
    addresses: tuple[LinkAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class NicRecord:
    """A NIC on its way from ``origin``, here, or on its way back; ``state`` is what it was there."""

    name: str
    phase: Phase
    origin: Place
    state: LinkState


def _state_to_json(state: LinkState) -> dict[str, Any]:
    addresses = [
        {"address": a.address, "family": a.family, "scope": a.scope, "told": a.told.hex()} for a in state.addresses
    ]
    return {"mtu": state.mtu, "up": state.up, "addresses": addresses}


def _state_from_json(value: dict[str, Any]) -> LinkState:
    addresses = tuple(
        LinkAddress(0, a["address"], a["scope"], a["family"], 0, bytes.fromhex(a["told"])) for a in value["addresses"]
    )
    return LinkState(value["mtu"], value["up"], addresses)


class Records:
    """Files ``nic-NAME.json`` and ``link-NAME.json`` in ``directory``; raises OSError where it cannot write."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.nics: dict[str, NicRecord] = {}
        self.links: dict[str, LinkState] = {}
        for file in sorted(directory.glob("nic-*.json")):
            value = json.loads(file.read_text())
            origin = Place(value["origin"]["kind"], value["origin"]["name"])
            record = NicRecord(value["name"], value["phase"], origin, _state_from_json(value["state"]))
            self.nics[record.name] = record
        for file in sorted(directory.glob("link-*.json")):
            value = json.loads(file.read_text())
            self.links[value["name"]] = _state_from_json(value["state"])

    def put_nic(self, record: NicRecord) -> None:
        origin = {"kind": record.origin.kind, "name": record.origin.name}
        value = {
            "name": record.name,
            "phase": record.phase,
            "origin": origin,
            "state": _state_to_json(record.state),
        }
        self._write(f"nic-{record.name}.json", value)
        self.nics[record.name] = record

    def drop_nic(self, name: str) -> None:
        if self.nics.pop(name, None) is not None:
            self._unlink(f"nic-{name}.json")

    def put_link(self, name: str, state: LinkState) -> None:
        self._write(f"link-{name}.json", {"name": name, "state": _state_to_json(state)})
        self.links[name] = state

    def drop_link(self, name: str) -> None:
        if self.links.pop(name, None) is not None:
            self._unlink(f"link-{name}.json")

    def _write(self, name: str, value: dict[str, Any]) -> None:
        new = self._directory / f"{name}.new"
        with new.open("w") as file:
            json.dump(value, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self._directory / name)
        self._sync_directory()

    def _unlink(self, name: str) -> None:
        (self._directory / name).unlink(missing_ok=True)
        self._sync_directory()

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
