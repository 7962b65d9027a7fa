"""The project's YANG modules, as libyang and as pyang see them."""

from __future__ import annotations

import lzma
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import libyang
from pyang.context import Context as PyangContext
from pyang.repository import FileRepository

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "data"
STANDARD = Path(sysconfig.get_path("data")) / "share" / "yang" / "modules"
FOLDERS = (ROOT / "yang/openconfig", ROOT / "yang/nesrv", ROOT / "yang/netconf", STANDARD / "ietf", STANDARD / "iana")
FILES = tuple(sorted((ROOT / "yang").glob("*/*.yang")))
SUBMODULES = tuple(file.stem for file in FILES if file.read_text().startswith("submodule "))
NAMES = tuple(file.stem for file in FILES if file.stem not in SUBMODULES)
OPENCONFIG = tuple(name for name in NAMES if name.startswith("openconfig-"))


def libyang_context() -> libyang.Context:
    """Every module implemented (identities of modules merely imported would not be accepted as values)."""
    context = libyang.Context(":".join(map(str, FOLDERS)), explicit_compile=True)
    for name in ("iana-if-type", *NAMES):
        context.load_module(name)
    context.compile_schema()
    return context


def pyang_context() -> PyangContext:
    context = PyangContext(FileRepository(":".join(map(str, FOLDERS)), use_env=False))
    context.strict = True
    for file in FILES:
        context.add_module(str(file), file.read_text())
    context.validate()
    return context


def table(name: str) -> list[tuple[str, ...]]:
    """Rows of tests/yang/data/openconfig-NAME.tsv.xz, without the headings."""
    text = lzma.decompress((DATA / f"openconfig-{name}.tsv.xz").read_bytes()).decode()
    return [tuple(line.split("\t")) for line in text.splitlines()[1:]]


@dataclass(frozen=True, slots=True)
class Node:
    """A data node in the words of the table; ``bases`` of an identityref, ``type`` otherwise exact."""

    path: str
    kind: str
    readonly: bool
    type: str = ""
    default: str = ""
    units: str = ""
    notes: frozenset[str] = field(default_factory=frozenset)
    bases: frozenset[str] = field(default_factory=frozenset)


def rows_as_nodes(rows: list[tuple[str, ...]]) -> dict[str, Node]:
    """By path. A list or leaf inside a read-only one is read-only; containers are left to their leaves."""
    nodes: dict[str, Node] = {}
    for path, kind, config, type_, default, units, notes in rows:
        identities = re.fullmatch(r"identityref \{(.*)\}", type_)
        nodes[path] = Node(
            path,
            kind,
            config == "ro",
            "identityref" if identities else type_,
            default.rpartition(":")[2],
            units,
            frozenset(re.findall(r"key=.*?(?= mandatory| ordered-by-user|$)|mandatory|ordered-by-user", notes)),
            frozenset(identities[1].split("|") if identities else ()),
        )
    return nodes


def data_nodes(context: PyangContext) -> Iterator[Node]:
    """Every data node of the OpenConfig namespaces, in the table's words."""
    for name in NAMES:
        for child in context.get_module(name).i_children:
            if child.keyword in ("container", "list"):
                yield from _below(child, "")


def _below(statement: Any, parent: str) -> Iterator[Node]:
    module = statement.i_module.i_modulename
    if module not in OPENCONFIG:
        return
    above = statement.parent.i_module.i_modulename if statement.parent.keyword != "module" else None
    path = f"{parent}/{statement.arg if module == above else f'{module}:{statement.arg}'}"
    yield _node(statement, path)
    for child in getattr(statement, "i_children", ()):
        yield from _below(child, path)


def _node(statement: Any, path: str) -> Node:
    notes = set()
    if (key := statement.search_one("key")) is not None:
        notes.add(f"key={key.arg}")
    if (mandatory := statement.search_one("mandatory")) is not None and mandatory.arg == "true":
        notes.add("mandatory")
    if (ordered := statement.search_one("ordered-by")) is not None and ordered.arg == "user":
        notes.add("ordered-by-user")
    type_ = statement.search_one("type")
    default, units = statement.search_one("default"), statement.search_one("units")
    return Node(
        path,
        statement.keyword,
        not statement.i_config,
        _type(type_) if type_ is not None else "",
        default.arg.rpartition(":")[2] if default is not None else "",
        units.arg if units is not None else "",
        frozenset(notes),
        frozenset(base.arg for base in _resolved(type_).search("base")) if type_ is not None else frozenset(),
    )


def _resolved(type_: Any) -> Any:
    """The built-in type that a typedef comes to."""
    while type_.i_typedef is not None:
        type_ = type_.i_typedef.search_one("type")
    return type_


def _type(type_: Any) -> str:
    """As the table writes it: ``prefix:typedef(base)``, then members, restriction or target."""
    base = _resolved(type_)
    if base.arg == "identityref":
        return "identityref"
    name = type_.arg if base is type_ else f"{type_.arg}({base.arg})"
    if base.arg == "leafref":
        return "leafref " + re.sub(r"\s", "", base.search_one("path").arg)
    if base.arg == "enumeration":
        return f"{name} {{{'|'.join(enum.arg for enum in base.search('enum'))}}}"
    if base.arg == "union":
        return f"{name} {{{'|'.join(sorted(_members(base)))}}}"
    restriction = type_.search_one("range")
    return f"{name} range[{restriction.arg}]" if restriction is not None else name


def _members(union: Any) -> set[str]:
    """A typedef'd union is listed by its base types in the table, other members by their names."""
    named = union.parent.keyword == "typedef"
    members = set()
    for member in union.search("type"):
        if named:
            while member.i_typedef is not None:
                member = member.i_typedef.search_one("type")
        members.add(member.arg)
    return members
