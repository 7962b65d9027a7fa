"""docs/openconfig.md, made from the table of published nodes and the modules served: what of it is supported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nesrv.schema.modules import module_set
from nesrv.schema.schema import load
from tests.yang import models

HEAD = """# What of OpenConfig is supported

Counted in configuration leaves, list keys left out, of OpenConfig as published on 2026-07-21. A row is a container or
list with leaves of its own that nesrv serves; a leaf that nesrv does not have is refused as unknown, never ignored.
Subtrees of which nothing is served are listed under each table, the topmost only. What nesrv makes of each leaf is in
[model.md](model.md).

This page is generated: `NESRV_DOCS=write make test LANES=unit` writes it anew.

"""


@dataclass(slots=True)
class Place:
    """A published container or list: its own configuration leaves, and what is in it."""

    leaves: list[str] = field(default_factory=list)
    below: dict[str, Place] = field(default_factory=dict)

    def count(self, path: str, served: frozenset[str]) -> tuple[int, int]:
        """(served, published) leaves here and below."""
        counts = [below.count(f"{path}/{name}", served) for name, below in self.below.items()]
        own = sum(f"{path}/{leaf}" in served for leaf in self.leaves)
        return own + sum(one for one, _ in counts), len(self.leaves) + sum(all_ for _, all_ in counts)


def page() -> str:
    served, published = _served(), _published()
    totals, parts = [], []
    for name, place in sorted(published.items()):
        if not place.count(f"/{name}", served)[0]:
            continue
        short = name.partition(":")[2]
        ours, all_ = place.count(f"/{name}", served)
        totals.append(f"| [/{short}](#{short}) | {ours} | {all_} |")
        parts += [f"\n## /{short}\n", "| path | served | not served |", "|---|---|---|"]
        parts += _rows(f"/{name}", place, served)
        absent = [f"`{_short(path)}` ({count})" for path, count in _absent(f"/{name}", place, served)]
        parts += ["\nNothing is served of: " + ", ".join(absent) + "."] if absent else []
    return "\n".join([HEAD + "| tree | served | published |", "|---|---|---|", *totals, *parts]) + "\n"


def _served() -> frozenset[str]:
    schema = load(module_set([], with_model=True))
    return frozenset(node.path for top in schema.data.values() for node in top.walk() if node.config)


def _published() -> dict[str, Place]:
    top = Place()
    nodes = models.rows_as_nodes(models.table("nodes"))
    keys: dict[str, set[str]] = defaultdict(set)
    for path, node in nodes.items():
        for note in node.notes:
            if note.startswith("key="):
                keys[path] = set(note.removeprefix("key=").split())
    for path, node in nodes.items():
        if node.readonly or node.kind not in ("leaf", "leaf-list") or not path.startswith("/openconfig-"):
            continue
        *above, leaf = path[1:].split("/")
        if leaf in keys["/" + "/".join(above)]:
            continue
        place = top
        for step in above:
            place = place.below.setdefault(step, Place())
        place.leaves.append(leaf)
    return top.below


def _rows(path: str, place: Place, served: frozenset[str]) -> Iterator[str]:
    have = [leaf for leaf in place.leaves if f"{path}/{leaf}" in served]
    if have:
        lack = [leaf for leaf in place.leaves if leaf not in have]
        yield f"| `{_short(path)}` | {_listed(have)} | {_listed(lack)} |"
    for name, below in sorted(place.below.items()):
        yield from _rows(f"{path}/{name}", below, served)


def _absent(path: str, place: Place, served: frozenset[str]) -> Iterator[tuple[str, int]]:
    """The topmost subtrees without a served leaf, with the number of their leaves."""
    ours, all_ = place.count(path, served)
    if not ours:
        yield path, all_
        return
    for name, below in sorted(place.below.items()):
        yield from _absent(f"{path}/{name}", below, served)


def _listed(leaves: Iterable[str]) -> str:
    return ", ".join(map(_bare, leaves))


def _short(path: str) -> str:
    """Without module names, and without the ``config`` that every leaf is in."""
    return "/".join(map(_bare, path.split("/"))).removesuffix("/config")


def _bare(step: str) -> str:
    return step.rpartition(":")[2]
