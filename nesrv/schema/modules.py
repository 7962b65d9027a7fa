"""Where YANG modules are found and which of them are served."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nesrv

_MODULE = re.compile(r"^\s*(?:/\*.*?\*/\s*|//[^\n]*\n\s*)*(module|submodule)\s+([\w.-]+)", re.S)

_INCLUDE = re.compile(r"(?:^|[;{}])\s*include\s+\"?([\w.-]+)", re.M)
_REVISION = re.compile(r"(?:^|[;{}])\s*revision\s+\"?(\d{4}-\d\d-\d\d)", re.M)

SERVED_IETF = (
    ("ietf-netconf", ("candidate", "confirmed-commit", "validate", "rollback-on-error", "xpath")),
    ("ietf-netconf-monitoring", None),
    ("ietf-netconf-acm", ()),
    ("ietf-netconf-partial-lock", ()),
    ("ietf-netconf-with-defaults", ()),
    ("ietf-netconf-nmda", ("origin", "with-defaults")),
    ("ietf-origin", ()),
    ("ietf-nmda-compare", ()),
    ("ietf-datastores", ()),
    ("ietf-yang-library", ()),
    ("iana-if-type", ()),
    ("nesrv-history", ()),
    ("notifications", ()),
    ("nc-notifications", ()),
    ("ietf-netconf-notifications", ()),
    ("ietf-subscribed-notifications", ("encode-xml", "replay", "subtree", "xpath")),
    ("ietf-yang-push", ("on-change",)),
    ("nesrv-subscriptions", ()),
)
"""Modules that the server implements itself, whatever else is served, with the features it has."""


@dataclass(frozen=True, slots=True)
class ModuleSet:
    """Search directories, and the modules to implement with their features (None: all)."""

    directories: tuple[Path, ...]
    modules: tuple[tuple[str, tuple[str, ...] | None], ...]
    own: frozenset[str]
    """Names of the modules that nesrv translates: the completeness gate holds for them."""


@dataclass(frozen=True, slots=True)
class Release:
    """Published OpenConfig modules, anywhere below ``directory``, in the place of our profiles of them;
    ``deviations`` is where the module stands that says what is not supported, once it is there."""

    directory: Path
    deviations: Path | None = None

    @property
    def directories(self) -> tuple[Path, ...]:
        found = {path.parent for path in self.directory.rglob("*.yang")}
        return (*sorted(found), *([self.deviations] if self.deviations is not None else []))


@dataclass(frozen=True, slots=True)
class Submodule:
    """A part of a module in a file of its own; ``revision`` may be empty."""

    name: str
    revision: str
    path: Path


def submodules(module: Path, directories: Iterable[Path]) -> tuple[Submodule, ...]:
    """What the module in the file ``module`` includes, sorted by name."""
    found = []
    searched = (module.parent, *directories)
    for name in sorted(set(_INCLUDE.findall(module.read_text(encoding="utf-8", errors="replace")))):
        files = (
            file
            for folder in searched
            for file in sorted((*folder.glob(f"{name}.yang"), *folder.glob(f"{name}@*.yang")))
        )
        file = next(files, None)
        if file is not None:
            revision = _REVISION.search(file.read_text(encoding="utf-8", errors="replace"))
            found.append(Submodule(name, revision[1] if revision else "", file))
    return tuple(found)


def own_directory() -> Path:
    """``yang/``: inside the installed package, or beside it in a checkout."""
    package = Path(nesrv.__file__).parent
    installed = package / "_yang"
    return installed if installed.is_dir() else package.parent / "yang"


def ietf_directories() -> tuple[Path, ...]:
    """The IETF and IANA modules that the package pyang installs."""
    base = Path(sysconfig.get_path("data")) / "share" / "yang" / "modules"
    return (base / "ietf", base / "iana")


def module_names(directory: Path) -> list[str]:
    """Names of the modules (not submodules) in ``directory``, sorted; a file that is none is skipped."""
    names = set()
    for path in sorted(directory.glob("*.yang")):
        match = _MODULE.search(path.read_text(encoding="utf-8", errors="replace"))
        if match and match.group(1) == "module":
            names.add(match.group(2))
    return sorted(names)


def module_set(
    extra: Iterable[Path], with_model: bool, release: Release | None = None, features: Iterable[str] = ()
) -> ModuleSet:
    """``extra`` are the ``--yang`` directories; ``with_model`` serves nesrv's own model as well, with ``release``
    its OpenConfig part as published; ``features`` of ietf-netconf are served besides those that always are."""
    own = own_directory()
    model = [own / "openconfig", own / "nesrv"] if with_model else []
    always = {name for name, _ in SERVED_IETF}
    names = [name for directory in model for name in module_names(directory) if name not in always]
    extra = list(extra)
    if release is not None and with_model:
        model = [*release.directories, own / "nesrv"]
        names += module_names(release.deviations) if release.deviations is not None else []
    further = [name for directory in extra for name in module_names(directory) if name not in names]
    asked = {"ietf-netconf": tuple(features)}
    served = ((name, (*known, *asked.get(name, ())) if known is not None else None) for name, known in SERVED_IETF)
    return ModuleSet(
        (*model, *extra, own / "nesrv", own / "netconf", *ietf_directories()),
        (*served, *((name, None) for name in (*names, *further))),
        frozenset(names),
    )
