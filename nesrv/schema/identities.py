"""Which identities are derived from which (RFC 7950, section 7.18), and the numbers of enumerations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cffi  # type: ignore[import-untyped]
import libyang
from _libyang import ffi

from nesrv.schema.engine import Engine
from nesrv.schema.nodes import SchemaNode

# The binding knows this structure of libyang's by name only; it has been the same since its second generation.
_FFI = cffi.FFI()
_FFI.cdef("""
struct identity {
    const char *name, *description, *reference;
    void *module;
    struct identity **derived;
    void *extensions;
    uint16_t flags;
};
""")


@lru_cache(maxsize=4)
def derivations(engine: Engine) -> Mapping[str, frozenset[str]]:
    """``module:identity`` → every identity derived from it, over any number of steps."""
    direct: dict[str, set[str]] = {}
    modules = {int(ffi.cast("uintptr_t", module.cdata)): str(module.name()) for module in engine.context}

    def named(identity: Any) -> str:
        return f"{modules[int(_FFI.cast('uintptr_t', identity.module))]}:{_FFI.string(identity.name).decode()}"

    for module in engine.context:
        first = int(ffi.cast("uintptr_t", module.cdata.identities))
        identities = _FFI.cast("struct identity *", first)
        for at in range(_count(first)):
            derived = identities[at].derived
            below = range(_count(int(_FFI.cast("uintptr_t", derived))))
            direct[named(identities[at])] = {named(derived[inner]) for inner in below}
    return {name: frozenset(_closure(direct, name)) for name in direct}


def _closure(direct: Mapping[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        new = direct.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


def _count(array: int) -> int:
    """Items of an array of libyang's: its length stands before it."""
    return int(_FFI.cast("uint64_t *", array)[-1]) if array else 0


@lru_cache(maxsize=1024)
def enum_values(engine: Engine, schema: SchemaNode) -> Mapping[str, int]:
    """Name → number of an enumeration; empty for other types."""
    if schema.kind not in ("leaf", "leaf-list"):
        return {}
    kind = libyang.SNode.new(engine.context, schema.compiled).type()
    if kind.base() != libyang.Type.ENUM:
        return {}
    return {str(item.name()): int(item.value()) for item in kind.enums()}
