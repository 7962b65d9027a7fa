"""BFD: the timers of sessions as profiles of FRR's bfdd, and what a BGP neighbour needs for its session.

OpenConfig: /bfd/interfaces/interface, and enable-bfd of a neighbour or peer group; FRR: bfd / profile NAME,
neighbor X bfd, neighbor X bfd profile NAME.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, names
from nesrv.features.feature import Export, Lookup
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
TIMERS = (MULTIPLIER, *INTERVALS)


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
            *(f"config/{leaf}" for leaf in TIMERS),
            "interface-ref/config/interface",
            "interface-ref/config/subinterface",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        interface = entry.leaf("interface-ref/config/interface")
        if interface is None:
            return
        subinterface = entry.leaf("interface-ref/config/subinterface") or "0"
        wanted = names.profile_name("interface", entry.text("id")) if _enabled(entry) else ""
        key = inputs.bfd_profile(interface, subinterface)
        yield Export(key, wanted, f"BFD on {interface}.{subinterface}", entry.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        if entry.leaf("interface-ref/config/interface") is None:
            raise errors.DataMissing(
                f"BFD interface {entry.text('id')} names no interface; set interface-ref/config/interface.",
                entry.path_of("interface-ref/config/interface"),
                "nesrv-bfd-without-interface",
            )
        if _enabled(entry):
            yield from profile(names.profile_name("interface", entry.text("id")), entry)


def session(enable_bfd: Node, owner: str, link: tuple[str, str] | None, lookup: Lookup) -> Session | None:
    """The session of one neighbour or peer group; None without one.  Raises InvalidValue.

    ``enable_bfd`` is its container of that name; ``owner`` tells it from all others of the element, and is
    short and of one word where it can be; ``link`` is the (interface, subinterface) that leads to it, None if
    none does.  Timers of its own win over the interface's, and those over FRR's.
    """
    if not enable_bfd.flag("config/enabled"):
        return None
    known = inputs.text(lookup, inputs.bfd_profile(*link)) if link is not None else None
    if known == "":
        return None
    path = enable_bfd.path_of("config/enabled")
    own = tuple(leaf for leaf in TIMERS if enable_bfd.leaf(f"config/{leaf}") is not None)
    if own:
        name = names.profile_name("neighbor", owner)
        chosen = ("bfd", path), (f"bfd profile {name}", enable_bfd.path_of(f"config/{own[0]}"))
        return Session(chosen, tuple(profile(name, enable_bfd)))
    return Session((("bfd", path),) + (((f"bfd profile {known}", path),) if known is not None else ()))


def profile(name: str, node: Node) -> Iterator[FrrLine]:
    """The block of a profile with the timers of ``node``'s config, without those that are FRR's own."""
    block = f"profile {name}"
    yield line(("bfd",), block, node.path)
    multiplier = node.number(f"config/{MULTIPLIER}")
    if multiplier is not None and multiplier < MIN_MULTIPLIER:
        raise errors.InvalidValue(
            f"{MULTIPLIER} must be at least {MIN_MULTIPLIER}.", node.path_of(f"config/{MULTIPLIER}"), "nesrv-bfd-timer"
        )
    if multiplier not in (None, DEFAULT_MULTIPLIER):
        yield line(("bfd", block), f"detect-multiplier {multiplier}", node.path_of(f"config/{MULTIPLIER}"))
    for leaf, word in INTERVALS.items():
        interval = _milliseconds(node, leaf)
        if interval not in (None, DEFAULT_MS):
            yield line(("bfd", block), f"{word} {interval}", node.path_of(f"config/{leaf}"))


def _milliseconds(node: Node, leaf: str) -> int | None:
    value = node.number(f"config/{leaf}")
    if value is None:
        return None
    if value % 1000 or not MIN_MS <= value // 1000 <= MAX_MS:
        raise errors.InvalidValue(
            f"{leaf} is in microseconds and must be whole milliseconds, from {MIN_MS * 1000} to {MAX_MS * 1000}.",
            node.path_of(f"config/{leaf}"),
            "nesrv-bfd-timer",
        )
    return value // 1000


def _enabled(entry: Node) -> bool:
    return entry.leaf("config/enabled") != "false"
