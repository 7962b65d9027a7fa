"""A checkout of the published OpenConfig modules against nesrv's own: what of it is not supported.

What comes out is a module of deviations (RFC 7950, section 5.6.3): ``not-supported`` at the highest
node of which nesrv has nothing, ``delete`` for each ``must`` that refuses what nesrv takes, ``add``
for a ``must`` where an identity is published that nesrv does nothing with.  What no deviation can
say, or needs to, is a ``Difference``, for people.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import libyang
from _libyang import ffi

from nesrv.schema import deviations
from nesrv.schema.deviations import Deviation
from nesrv.schema.engine import Engine
from nesrv.schema.modules import SERVED_IETF, Release, module_names, module_set, own_directory
from nesrv.schema.nodes import SchemaNode, compile_nodes, musts_of

ROUNDS = 4
"""What is taken away can make libyang look at a further module, so the result is compared again."""
APP_TAG = "nesrv-identity"

_IDENTITY = re.compile(r"^\s*identity\s+\"?([\w.-]+)", re.M)
_MODULE = re.compile(r"^\s*(?:module\s+([\w.-]+)|belongs-to\s+\"?([\w.-]+))", re.M)
_NUMBERS = frozenset({"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "decimal64"})

Nodes = Mapping[str, SchemaNode]


@dataclass(frozen=True, slots=True)
class Difference:
    """``ours`` and ``published`` are what each says of ``what`` at ``path``."""

    path: str
    what: str
    ours: str
    published: str


@dataclass(frozen=True, slots=True)
class Survey:
    """``missing`` are schema paths that nesrv translates and the release does not have."""

    deviations: tuple[Deviation, ...]
    differences: tuple[Difference, ...]
    missing: tuple[str, ...]
    revision: str
    """The newest revision of the modules compared."""

    @property
    def text(self) -> str:
        """The module."""
        return deviations.module(self.deviations, self.revision)


class Tree:
    """One set of modules, compiled."""

    def __init__(self, release: Release | None) -> None:
        modules = module_set((), with_model=True, release=release)
        self.engine = Engine(modules.directories, modules.modules)
        nodes = compile_nodes(self.engine)
        self.data, self.rpcs = nodes.data, nodes.rpcs

    def words(self, node: SchemaNode) -> Any:
        """libyang's view of ``node``."""
        return libyang.SNode.new(self.engine.context, node.compiled)

    def accepted(self, node: SchemaNode, identities: Iterable[str]) -> frozenset[str]:
        """Which of ``identities`` (``module:name``) are values of the leaf."""
        return frozenset(one for one in identities if self.engine.canonical(node.compiled, one) is not None)

    def revision(self, names: Iterable[str]) -> str:
        wanted = set(names)
        dates = (
            str(one.date()) for module in self.engine.context if module.name() in wanted for one in module.revisions()
        )
        return max(dates, default="")


def survey(directory: Path) -> Survey:
    """Compare the ``*.yang`` anywhere below ``directory``; raises ``ValueError`` where they cannot be served."""
    comparison = Comparison(Tree(None), Tree(Release(directory)), directory)
    found = list(comparison.deviations())
    differences, missing = tuple(comparison.differences()), tuple(comparison.missing())
    revision = comparison.theirs.revision(comparison.names)
    result = Survey(tuple(found), differences, missing, revision)
    with TemporaryDirectory(prefix="nesrv-yang-") as folder:
        for _ in range(ROUNDS):
            (Path(folder) / deviations.FILE).write_text(result.text, encoding="utf-8")
            left = Comparison(comparison.ours, Tree(Release(directory, Path(folder))), directory)
            more = [*left.unsupported(), *left.foreign()]
            if not more:
                return result
            found += more
            result = Survey(tuple(found), differences, missing, revision)
    raise ValueError(f"{len(more)} nodes cannot be taken away, first {more[0].target}")


def table(found: Survey) -> list[str]:
    """What differs, for people: aligned columns, a row for each node, then the count of deviations."""
    rows = [("node", "what", "nesrv", "published")]
    rows += [(path, "node", "there", "missing") for path in found.missing]
    rows += [(one.path, one.what, one.ours or "-", one.published or "-") for one in found.differences]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shown = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows] if len(rows) > 1 else []
    return [*shown, f"{len(found.deviations)} deviations, {len(rows) - 1} differences"]


def prepare(directory: Path, cache: Path) -> Release:
    """``directory`` ready to be served: its deviations stand in a folder of ``cache`` that is named after all that
    they depend on, and are made where it is not there. Raises ``ValueError``, ``OSError``."""
    folder = cache / _fingerprint(directory)
    if not (folder / deviations.FILE).exists():
        found = survey(directory)
        if found.missing:
            what = f"{len(found.missing)} nodes that nesrv translates, first {found.missing[0]}"
            raise ValueError(f"the release lacks {what}; take one that is not older than nesrv's own profiles")
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{deviations.FILE}.new"
        unfinished.write_text(found.text, encoding="utf-8")
        unfinished.rename(folder / deviations.FILE)
    return Release(directory, folder)


def _fingerprint(directory: Path) -> str:
    """Of the release, of our own modules, and of what compares them."""
    files = [*sorted(directory.rglob("*.yang")), *sorted(own_directory().rglob("*.yang"))]
    digest = hashlib.sha256()
    for path in (*files, Path(__file__), Path(deviations.__file__)):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Comparison:
    ours: Tree
    theirs: Tree
    directory: Path

    @cached_property
    def names(self) -> frozenset[str]:
        """The modules of which nesrv has a profile."""
        return frozenset(module_names(own_directory() / "openconfig"))

    @cached_property
    def identities(self) -> tuple[str, ...]:
        """Every identity of the release as ``module:name``."""
        found: set[str] = set()
        for path in self.directory.rglob("*.yang"):
            text = path.read_text(encoding="utf-8", errors="replace")
            if (home := _MODULE.search(text)) is not None:
                found.update(f"{home[1] or home[2]}:{name}" for name in _IDENTITY.findall(text))
        return tuple(sorted(found))

    def deviations(self) -> Iterator[Deviation]:
        yield from self.unsupported()
        for mine, their in self._both(self.ours.data, self.theirs.data):
            yield from self._constraints(mine, their)

    # What nesrv does not have

    def unsupported(self) -> Iterator[Deviation]:
        """In the modules of which nesrv has a profile."""
        for mine, their in ((self.ours.data, self.theirs.data), (self.ours.rpcs, self.theirs.rpcs)):
            profiled = {tag: node for tag, node in their.items() if node.module in self.names}
            yield from self._unsupported(mine, profiled)

    def foreign(self) -> Iterator[Deviation]:
        """In modules that libyang implements by itself, because leaves refer to them."""
        for nodes in (self.theirs.data, self.theirs.rpcs):
            others = {tag: node for tag, node in nodes.items() if node.module not in self.names}
            yield from self._unsupported({}, {tag: node for tag, node in others.items() if self._is_published(node)})

    def _unsupported(self, mine: Nodes, their: Nodes) -> Iterator[Deviation]:
        for tag, node in their.items():
            known = mine.get(tag)
            if known is None or known.kind != node.kind:
                yield Deviation(target(node), ("deviate not-supported;",))
            else:
                yield from self._unsupported(known.children, node.children)

    def _is_published(self, top: SchemaNode) -> bool:
        if top.module in {name for name, _ in SERVED_IETF}:
            return False
        path = self.theirs.engine.context.get_module(top.module).filepath()
        return path is not None and Path(path).resolve().is_relative_to(self.directory.resolve())

    # What both have

    def _both(self, mine: Nodes, their: Nodes) -> Iterator[tuple[SchemaNode, SchemaNode]]:
        for tag, node in mine.items():
            other = their.get(tag)
            if other is not None and other.kind == node.kind:
                if node.module in self.names:
                    yield node, other
                yield from self._both(node.children, other.children)

    def _constraints(self, mine: SchemaNode, their: SchemaNode) -> Iterator[Deviation]:
        known = {" ".join(must.split()) for must in musts_of(mine.compiled)}
        foreign = [must for must in musts_of(their.compiled) if " ".join(must.split()) not in known]
        changes = []
        if foreign:
            changes.append(deviations.delete_musts(foreign))
        if their.base == "identityref" and their.config:
            extra = self._extra_identities(mine, their)
            if extra:
                changes.append(deviations.add_must(_none_of(extra), "nesrv makes nothing of this identity.", APP_TAG))
        if changes:
            yield Deviation(target(their), tuple(changes))

    def _extra_identities(self, mine: SchemaNode, their: SchemaNode) -> list[str]:
        return sorted(self.theirs.accepted(their, self.identities) - self.ours.accepted(mine, self.identities))

    def missing(self) -> Iterator[str]:
        return self._missing(self.ours.data, self.theirs.data)

    def _missing(self, mine: Nodes, their: Nodes) -> Iterator[str]:
        for tag, node in mine.items():
            other = their.get(tag)
            if other is not None and other.kind == node.kind:
                yield from self._missing(node.children, other.children)
            elif node.module in self.names:
                yield node.path

    def differences(self) -> Iterator[Difference]:
        for mine, their in self._both(self.ours.data, self.theirs.data):
            for what, ours, published in self._compared(mine, their):
                if ours != published:
                    yield Difference(mine.path, what, ours, published)

    def _compared(self, mine: SchemaNode, their: SchemaNode) -> Iterator[tuple[str, str, str]]:
        yield "config", str(mine.config).lower(), str(their.config).lower()
        yield "mandatory", str(mine.mandatory).lower(), str(their.mandatory).lower()
        yield "keys", " ".join(mine.keys), " ".join(their.keys)
        if mine.kind in ("leaf", "leaf-list"):
            yield "type", _type(self.ours.words(mine).type()), _type(self.theirs.words(their).type())
            yield "default", ", ".join(mine.defaults), ", ".join(their.defaults)
        ours, published = (
            " and ".join(
                sorted(" ".join(text.split()) for text in set(node.constraints) - set(musts_of(node.compiled)))
            )
            for node in (mine, their)
        )
        yield "when", ours, published


def target(node: SchemaNode) -> str:
    """The schema node identifier, choices and cases included; prefixes are names of modules."""
    steps: list[str] = []
    compiled = node.compiled
    while compiled != ffi.NULL:
        steps.append(f"{_text(compiled.module.name)}:{_text(compiled.name)}")
        compiled = compiled.parent
    return "/" + "/".join(reversed(steps))


def _text(c: Any) -> str:
    return str(ffi.string(c).decode())


def _none_of(identities: Sequence[str]) -> str:
    return "not(" + " or ".join(f"derived-from-or-self(., '{one}')" for one in identities) + ")"


def _type(kind: Any) -> str:
    """What of a type can be compared; patterns are left out, as each side words them in its own way."""
    base = str(kind.basename())
    if base == "union":
        return f"union {{{' | '.join(sorted({_type(member) for member in kind.union_types()}))}}}"
    if base == "enumeration":
        return f"enumeration {{{' '.join(sorted(one.name() for one in kind.enums()))}}}"
    if base == "leafref":
        return f"leafref {kind.leafref_path()}"
    limits = next(kind.all_ranges(), None) if base in _NUMBERS else None
    return f"{base} {limits}" if limits else base
