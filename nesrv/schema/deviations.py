"""The module of deviations as text (RFC 7950, section 7.20.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MODULE = "nesrv-openconfig-deviations"
FILE = f"{MODULE}.yang"
NAMESPACE = "urn:nesrv:openconfig-deviations"
PREFIX = "nesrv-oc-dev"

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_PREFIX = re.compile(r"([A-Za-z_][\w.-]*):[A-Za-z_]")


@dataclass(frozen=True, slots=True)
class Deviation:
    """``target`` names modules for prefixes; ``changes`` are ``deviate`` statements."""

    target: str
    changes: tuple[str, ...]


def delete_musts(musts: Sequence[str]) -> str:
    return "deviate delete {\n" + "".join(f"      must {quoted(must)};\n" for must in musts) + "    }"


def add_must(condition: str, message: str, app_tag: str) -> str:
    """A condition whose prefixes are names of modules."""
    return (
        f"deviate add {{\n      must {quoted(condition)} {{\n        error-message {quoted(message)};\n"
        f"        error-app-tag {quoted(app_tag)};\n      }}\n    }}"
    )


def module(deviations: Iterable[Deviation], revision: str) -> str:
    """The module's text; ``revision`` is that of the release, "" for none."""
    found = list(deviations)
    names = sorted({name for one in found for name in _modules(one)})
    imports = "".join(f"  import {name} {{\n    prefix {name};\n  }}\n" for name in names)
    dated = f'  revision {revision} {{\n    description "For the release of this date.";\n  }}\n' if revision else ""
    head = (
        f"module {MODULE} {{\n  yang-version 1.1;\n  namespace {quoted(NAMESPACE)};\n  prefix {PREFIX};\n\n{imports}\n"
        '  organization "nesrv";\n  contact "The operator of this network element";\n'
        '  description "What nesrv does not support of the published OpenConfig modules.";\n\n'
    )
    return head + dated + "".join(map(_deviation, found)) + "}\n"


def _deviation(one: Deviation) -> str:
    changes = "".join(f"    {change}\n" for change in one.changes)
    return f"\n  deviation {quoted(one.target)} {{\n{changes}  }}\n"


def _modules(one: Deviation) -> set[str]:
    """The modules that the target and the conditions of our own name."""
    own = [change for change in one.changes if change.startswith("deviate add")]
    return {found for text in (one.target, *own) for found in _PREFIX.findall(text)}


def quoted(text: str) -> str:
    """A YANG string that reads back as ``text``, white space included (RFC 7950, section 6.1.3)."""
    return '"' + "".join(_ESCAPES.get(character, character) for character in text) + '"'
