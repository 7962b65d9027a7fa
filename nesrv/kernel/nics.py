"""NICs that change namespace and keep what they had: into the element, and back to where they came from.

What a NIC was is on disk before it moves (``records``), so that a nesrv that ends half-way
can finish the move at its next start.
"""

from __future__ import annotations

import errno
from dataclasses import replace

from nesrv.kernel.facts import UNDERLAY, Nic, Vlan
from nesrv.kernel.keeping import Keeper, finish_moves
from nesrv.kernel.layout import describe
from nesrv.kernel.overlay import Overlay
from nesrv.kernel.reader import Reader
from nesrv.kernel.records import LinkState, NicRecord, Records
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces


class Nics:
    """Adopts and gives back; raises Refused with the NIC where it was and as it was."""

    def __init__(self, spaces: Spaces, reader: Reader, records: Records, overlay: Overlay) -> None:
        self._spaces, self._reader, self._records, self._overlay = spaces, reader, records, overlay
        self._keeper = Keeper(spaces, reader, overlay)
        self._given_back: tuple[Nic | None, LinkState | None] = (None, None)

    def adopt(self, fact: Nic) -> None:
        """The inverse of a give-back (the same fact object) also restores what the NIC had here."""
        origin, link = self._spaces.need(fact.origin, fact.name)
        target = self._spaces.underlay
        if origin is target:
            raise Refused(errno.EEXIST, f"{fact.name} is in {describe(UNDERLAY)} already")
        if target.link(fact.name) is not None:
            raise Refused(errno.EEXIST, f"{describe(UNDERLAY)} has a link named {fact.name} already")
        found = self._keeper.state(origin, link)
        here = replace(found, routes=())
        kept, inside = self._given_back
        self._records.put_nic(NicRecord(fact.name, "taking", fact.origin, found))
        try:
            self._keeper.move(origin, link, target)
            self._keeper.settle(target, fact.name, inside if kept is fact and inside is not None else here)
        except Refused:
            self._bring_back(fact.name, target, origin, found)
            self._records.drop_nic(fact.name)
            raise
        self._records.put_nic(NicRecord(fact.name, "taken", fact.origin, found))
        self._given_back = (None, None)
        self._keeper.arrived(target, fact.name)

    def give_back(self, fact: Nic) -> None:
        space, link = self._spaces.find(UNDERLAY, fact.name)
        record = self._records.nics.get(fact.name)
        if link is None:
            self._records.drop_nic(fact.name)
            return
        origin = self._spaces.at(fact.origin)
        if origin.link(fact.name) is not None:
            raise Refused(errno.EEXIST, f"{describe(fact.origin)} has a link named {fact.name} already")
        inside = replace(self._keeper.state(space, link), routes=())
        state = record.state if record is not None else inside
        self._records.put_nic(NicRecord(fact.name, "returning", fact.origin, state))
        try:
            self._keeper.move(space, link, origin)
            self._keeper.settle(origin, fact.name, state)
        except Refused:
            self._bring_back(fact.name, origin, space, inside)
            self._records.put_nic(NicRecord(fact.name, "taken", fact.origin, state))
            raise
        self._records.drop_nic(fact.name)
        self._given_back = (fact, inside)
        self._overlay.retune()

    def change_origin(self, before: Nic, after: Nic) -> None:
        """Back to where it came from, and the NIC of that name in the other place instead."""
        above = [
            fact.name for fact in self._reader.actual.values() if isinstance(fact, Vlan) and fact.parent == before.name
        ]
        if above or before.name in self._records.members:
            what = f"{', '.join(above)} is above it" if above else "it is in a VRF"
            raise Refused(errno.EBUSY, f"{before.name} cannot be exchanged while {what}")
        self.give_back(before)
        try:
            self.adopt(after)
        except Refused:
            self.adopt(before)
            raise

    def recover(self) -> None:
        """Finishes the moves that an earlier nesrv began."""
        finish_moves(self._records.nics.values(), self._recover_one)

    def _recover_one(self, record: NicRecord) -> None:
        """Where the NIC is says how far it came; there it gets its addresses, and the record what is true now."""
        target = self._spaces.underlay
        if target.link(record.name) is not None:
            self._keeper.settle(target, record.name, replace(record.state, routes=()))
            self._records.put_nic(NicRecord(record.name, "taken", record.origin, record.state))
            self._keeper.arrived(target, record.name)
            return
        origin = self._spaces.at(record.origin)
        if origin.link(record.name) is not None:
            self._keeper.settle(origin, record.name, record.state)
            self._records.drop_nic(record.name)

    def _bring_back(self, name: str, source: Space, target: Space, state: LinkState) -> None:
        link = source.link(name)
        if link is not None:
            self._keeper.move(source, link, target)
        self._keeper.settle(target, name, state)
