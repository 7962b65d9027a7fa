"""XPath expressions as values of leaves: prefixes become names of modules, strings stay what they are."""

from __future__ import annotations

import re
from collections.abc import Callable

from nesrv.schema import paths
from nesrv.schema.schema import Schema

_TOKEN = re.compile(r"(?P<text>'[^']*'|\"[^\"]*\")|(?P<prefix>[A-Za-z_][\w.-]*):(?=[A-Za-z_*])")

ModuleOf = Callable[[str], str | None]
"""The module that a prefix stands for."""


def with_modules(text: str, module_of: ModuleOf, schema: Schema) -> str:
    """``text`` with names of modules for prefixes; in strings only where one is the key of an instance path whose
    values are qualified names themselves (identityrefs)."""

    def named(found: re.Match[str]) -> str:
        module = module_of(found["prefix"]) if found["prefix"] else None
        return f"{module}:" if module else found[0]

    made = _TOKEN.sub(named, text)
    try:
        steps = paths.split(made)
    except ValueError:
        return made
    return _joined(steps, module_of, schema) or made


def _joined(steps: list[paths.PathStep], module_of: ModuleOf, schema: Schema) -> str | None:
    """None where the path has nothing to translate in its keys, or is none of this schema."""
    children, joined, translated = schema.data, "", False
    for step in steps:
        info = schema.modules.get(step.module)
        node = children.get(f"{{{info.namespace}}}{step.name}") if info is not None else None
        if node is None:
            return None
        joined += f"/{step.module}:{step.name}"
        for key, value in step.predicates:
            leaf = node if key == "." else node.by_name.get(key)
            prefix, colon, name = value.partition(":")
            module = module_of(prefix) if colon and leaf is not None and leaf.holds_qname else None
            translated |= module is not None
            joined += paths.predicate(
                key if key == "." else f"{step.module}:{key}", f"{module}:{name}" if module else value
            )
        children = node.children
    return joined if translated else None
