"""NICs in L3VRFs: ports of a VRF device, or moved into the VRF's namespace; and out again as they were before.

What a NIC was is on disk before it changes (``records``), so that a nesrv that ends
half-way can finish the change at its next start.
"""

from __future__ import annotations

import contextlib
import errno
from dataclasses import replace

from nesrv.kernel import requests
from nesrv.kernel.facts import UNDERLAY, Member, Place
from nesrv.kernel.keeping import Keeper, finish_moves
from nesrv.kernel.layout import Layout, describe
from nesrv.kernel.message import Link
from nesrv.kernel.overlay import Overlay
from nesrv.kernel.reader import Reader, ours
from nesrv.kernel.records import LinkState, NicRecord, Records
from nesrv.kernel.sockets import Refused
from nesrv.kernel.spaces import Space, Spaces


class Members:
    """Lets NICs in and out of VRFs; raises Refused with the NIC where it was and as it was."""

    def __init__(self, layout: Layout, spaces: Spaces, reader: Reader, records: Records, overlay: Overlay) -> None:
        self._layout, self._spaces, self._reader = layout, spaces, reader
        self._records = records
        self._keeper = Keeper(spaces, reader, overlay)
        self._let_out: tuple[Member | None, LinkState | None] = (None, None)

    def let_in(self, fact: Member) -> None:
        """The inverse of letting out (the same fact object) also restores what the NIC had in the VRF."""
        home, link = self._spaces.need(UNDERLAY, fact.name)
        if ours(link):
            raise Refused(errno.EPERM, f"{fact.name} is no NIC: nesrv made it")
        target = self._spaces.at(fact.place)
        if target is not home and target.link(fact.name) is not None:
            raise Refused(errno.EEXIST, f"{describe(fact.place)} has a link named {fact.name} already")
        found = self._keeper.state(home, link)
        kept, inside = self._let_out
        self._records.put_member(NicRecord(fact.name, "taking", fact.place, found))
        try:
            self._enter(home, link, fact.place)
            wanted = inside if kept is fact and inside is not None else replace(found, routes=())
            self._keeper.settle(target, fact.name, wanted)
        except Refused:
            self._leave(fact)
            self._keeper.settle(home, fact.name, found)
            self._records.drop_member(fact.name)
            raise
        self._records.put_member(NicRecord(fact.name, "taken", fact.place, found))
        self._let_out = (None, None)
        self._keeper.arrived(target, fact.name)

    def let_out(self, fact: Member) -> None:
        record = self._records.members.get(fact.name)
        try:
            space, link = self._spaces.find(fact.place, fact.name)
        except Refused:
            link = None
        if link is None:
            self._records.drop_member(fact.name)
            return
        home = self._spaces.underlay
        if home is not space and home.link(fact.name) is not None:
            raise Refused(errno.EEXIST, f"{describe(UNDERLAY)} has a link named {fact.name} already")
        inside = replace(self._keeper.state(space, link), routes=())
        state = record.state if record is not None else inside
        self._records.put_member(NicRecord(fact.name, "returning", fact.place, state))
        try:
            self._leave(fact)
            self._keeper.settle(home, fact.name, state)
        except Refused:
            self._go_back_in(fact, inside)
            self._records.put_member(NicRecord(fact.name, "taken", fact.place, state))
            raise
        self._records.drop_member(fact.name)
        self._let_out = (fact, inside)
        self._keeper.arrived(home, fact.name)

    def change_vrf(self, before: Member, after: Member) -> None:
        self.let_out(before)
        try:
            self.let_in(after)
        except Refused:
            self.let_in(before)
            raise

    def recover(self) -> None:
        """Finishes what an earlier nesrv began: a NIC that is in its VRF is let in, any other is let out."""
        finish_moves(self._records.members.values(), self._recover_one)

    def _recover_one(self, record: NicRecord) -> None:
        if ("member", record.name) in self._reader.actual:
            target = self._spaces.at(record.origin)
            self._keeper.settle(target, record.name, replace(record.state, routes=()))
            self._records.put_member(replace(record, phase="taken"))
            self._keeper.arrived(target, record.name)
        elif self._spaces.underlay.link(record.name) is not None:
            self._keeper.settle(self._spaces.underlay, record.name, record.state)
            self._records.drop_member(record.name)

    def _enter(self, home: Space, link: Link, place: Place) -> None:
        master = self._layout.master(place)
        if not master:
            self._keeper.move(home, link, self._spaces.at(place))
            return
        _space, device = self._spaces.need(UNDERLAY, master)
        self._enslave(home, link.name, device.index)

    def _leave(self, fact: Member) -> None:
        """Back in the element's own routing, if it is not there."""
        space, link = self._spaces.find(fact.place, fact.name)
        if link is None:
            return
        if self._layout.master(fact.place):
            self._enslave(space, fact.name, 0)
        else:
            self._keeper.move(space, link, self._spaces.underlay)

    def _go_back_in(self, fact: Member, inside: LinkState) -> None:
        home, link = self._spaces.find(UNDERLAY, fact.name)
        if link is not None:
            with contextlib.suppress(Refused):
                self._enter(home, link, fact.place)
        self._keeper.settle(self._spaces.at(fact.place), fact.name, inside)

    def _enslave(self, space: Space, name: str, master: int) -> None:
        self._spaces.socket(space).do(requests.change_link(name, ("IFLA_MASTER", master)))
        self._reader.refresh(self._spaces.drain())
