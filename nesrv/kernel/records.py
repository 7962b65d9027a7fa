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
    """MTU, administrative state, addresses of global and link scope in the kernel's order, and routes as
    the kernel told them (``rtmsg``), in an order in which they can be given back."""

    mtu: int
    up: bool
    addresses: tuple[LinkAddress, ...] = ()
    routes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class NicRecord:
    """A NIC on its way from ``origin``, here, or on its way back; ``state`` is what it was there.

    Of a member ``origin`` is the VRF, and ``state`` what the NIC was outside.
    """

    name: str
    phase: Phase
    origin: Place
    state: LinkState


def _state_to_json(state: LinkState) -> dict[str, Any]:
    addresses = [
        {"address": a.address, "family": a.family, "scope": a.scope, "told": a.told.hex()} for a in state.addresses
    ]
    return {"mtu": state.mtu, "up": state.up, "addresses": addresses, "routes": [one.hex() for one in state.routes]}


def _state_from_json(value: dict[str, Any]) -> LinkState:
    addresses = tuple(
        LinkAddress(0, a["address"], a["scope"], a["family"], 0, bytes.fromhex(a["told"])) for a in value["addresses"]
    )
    return LinkState(value["mtu"], value["up"], addresses, tuple(map(bytes.fromhex, value.get("routes", ()))))


def _record_to_json(record: NicRecord) -> dict[str, Any]:
    origin = {"kind": record.origin.kind, "name": record.origin.name}
    return {"name": record.name, "phase": record.phase, "origin": origin, "state": _state_to_json(record.state)}


def _record_from_json(value: dict[str, Any]) -> NicRecord:
    origin = Place(value["origin"]["kind"], value["origin"]["name"])
    return NicRecord(value["name"], value["phase"], origin, _state_from_json(value["state"]))


class Records:
    """Files ``nic-``, ``member-`` and ``link-NAME.json`` in ``directory``; raises OSError where it cannot write."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.nics = self._read_records("nic")
        self.members = self._read_records("member")
        self.links: dict[str, LinkState] = {}
        for file in sorted(directory.glob("link-*.json")):
            value = json.loads(file.read_text())
            self.links[value["name"]] = _state_from_json(value["state"])

    def _read_records(self, kind: str) -> dict[str, NicRecord]:
        files = sorted(self._directory.glob(f"{kind}-*.json"))
        found = [_record_from_json(json.loads(file.read_text())) for file in files]
        return {record.name: record for record in found}

    def put_nic(self, record: NicRecord) -> None:
        self._write(f"nic-{record.name}.json", _record_to_json(record))
        self.nics[record.name] = record

    def put_member(self, record: NicRecord) -> None:
        self._write(f"member-{record.name}.json", _record_to_json(record))
        self.members[record.name] = record

    def drop_member(self, name: str) -> None:
        if self.members.pop(name, None) is not None:
            self._unlink(f"member-{name}.json")

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
