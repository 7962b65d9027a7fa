"""BFD: the timers of sessions as profiles of FRR's bfdd, and what a BGP neighbour needs for its session.

OpenConfig: /bfd/interfaces/interface, and enable-bfd of a neighbour or peer group, with what nesrv-bfd adds to
them; FRR: bfd / profile NAME, neighbor X bfd, neighbor X bfd profile NAME.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, names
from nesrv.features.bgp.peers import Settings
from nesrv.features.feature import Export, Lookup
from nesrv.features.links import ITSELF
from nesrv.frr.text import FrrLine, line

POINT = "/openconfig-bfd:bfd/interfaces/interface"
MULTIPLIER = "detection-multiplier"
DEFAULT_MULTIPLIER, MIN_MULTIPLIER = 3, 2
DEFAULT_MS, MIN_MS, MAX_MS = 300, 10, 60_000
INTERVALS = {
    "desired-minimum-tx-interval": "transmit-interval",
    "required-minimum-receive": "receive-interval",
}
"""FRR's word by the leaf."""
PASSIVE, MINIMUM_TTL = "passive-mode", "minimum-ttl"
FRR_MINIMUM_TTL = 254
INTERFACE_LEAVES = (MULTIPLIER, *INTERVALS, PASSIVE)
SESSION_LEAVES = (*INTERFACE_LEAVES, MINIMUM_TTL)
"""What makes a profile, besides the leaf that enables it."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a neighbour with BFD comes to: (words after ``neighbor X``, path) and the lines of its own profile."""

    words: tuple[tuple[str, str], ...]
    profile: tuple[FrrLine, ...] = ()


class Bfd:
    name = "bfd"
    point = POINT
    claims = frozenset(
        {
            "config/enabled",
            *(f"config/{leaf}" for leaf in INTERFACE_LEAVES),
            "interface-ref/config/interface",
            "interface-ref/config/subinterface",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        interface = entry.leaf("interface-ref/config/interface")
        if interface is None:
            return
        subinterface = entry.leaf("interface-ref/config/subinterface") or ITSELF
        name = names.profile_name("interface", entry.text("id"))
        key = inputs.bfd_profile(interface, subinterface)
        yield Export(key, name if _enabled(entry) else "", f"BFD on {interface}.{subinterface}", entry.path)
        if _enabled(entry):
            block = inputs.frr_block(("bfd", f"profile {name}"))
            yield Export(block, 1, f"FRR's BFD profile {name}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        if entry.leaf("interface-ref/config/interface") is None:
            raise errors.DataMissing(
                f"BFD interface {entry.text('id')} names no interface; set interface-ref/config/interface.",
                entry.path_of("interface-ref/config/interface"),
                "nesrv-bfd-without-interface",
            )
        if _enabled(entry):
            yield from _profile(
                names.profile_name("interface", entry.text("id")), Settings((entry,)), "config", entry.path
            )


def session(settings: Settings, name: str, link: tuple[str, str] | None, lookup: Lookup) -> Session | None:
    """The session of one neighbour, or of the dynamic ones of a peer group; None without one.  Raises InvalidValue.

    ``settings`` are those of the peer; ``name`` is for a profile of its own and tells it from all others of the
    element; ``link`` is the (interface, subinterface) that leads to it, None if none does.
    """
    box = "enable-bfd/config"
    enabled = f"{box}/enabled"
    if not settings.flag(enabled):
        return None
    shared = inputs.text(lookup, inputs.bfd_profile(*link)) if link is not None else None
    if shared == "":
        return None
    watched = ("bfd", settings.path(enabled))
    own = next((f"{box}/{leaf}" for leaf in SESSION_LEAVES if settings.explicit(f"{box}/{leaf}")), None)
    if own is not None:
        profile = tuple(_profile(name, settings, box, settings.path("enable-bfd")))
        return Session((watched, (f"bfd profile {name}", settings.path(own))), profile)
    return Session((watched,) if shared is None else (watched, (f"bfd profile {shared}", settings.path(enabled))))


def _profile(name: str, settings: Settings, box: str, path: str) -> Iterator[FrrLine]:
    """The block of a profile with what the container ``box`` says, without what is FRR's own."""
    block = f"profile {name}"
    yield line(("bfd",), block, path)
    for leaf, words in _said(settings, box):
        yield line(("bfd", block), words, settings.path(leaf))


def _said(settings: Settings, box: str) -> Iterator[tuple[str, str]]:
    """(leaf, line of a profile)"""
    multiplier = settings.number(f"{box}/{MULTIPLIER}")
    if multiplier is not None and multiplier < MIN_MULTIPLIER:
        raise errors.InvalidValue(
            f"{MULTIPLIER} must be at least {MIN_MULTIPLIER}.", settings.path(f"{box}/{MULTIPLIER}"), "nesrv-bfd-timer"
        )
    if multiplier not in (None, DEFAULT_MULTIPLIER):
        yield f"{box}/{MULTIPLIER}", f"detect-multiplier {multiplier}"
    for leaf, word in INTERVALS.items():
        interval = _milliseconds(settings, box, leaf)
        if interval not in (None, DEFAULT_MS):
            yield f"{box}/{leaf}", f"{word} {interval}"
    if settings.flag(f"{box}/{PASSIVE}"):
        yield f"{box}/{PASSIVE}", PASSIVE
    # The schema of an interface does not have this leaf.
    hops = settings.explicit(f"{box}/{MINIMUM_TTL}")
    if hops is not None and hops.value != str(FRR_MINIMUM_TTL):
        yield f"{box}/{MINIMUM_TTL}", f"{MINIMUM_TTL} {hops.value}"


def _milliseconds(settings: Settings, box: str, leaf: str) -> int | None:
    value = settings.number(f"{box}/{leaf}")
    if value is None:
        return None
    if value % 1000 or not MIN_MS <= value // 1000 <= MAX_MS:
        raise errors.InvalidValue(
            f"{leaf} is in microseconds and must be whole milliseconds, from {MIN_MS * 1000} to {MAX_MS * 1000}.",
            settings.path(f"{box}/{leaf}"),
            "nesrv-bfd-timer",
        )
    return value // 1000


def _enabled(entry: Node) -> bool:
    return entry.leaf("config/enabled") != "false"
