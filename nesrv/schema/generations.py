"""What differs between the generations of libyang and its binding: 2.8 on libyang 2.1, and 3.3 on libyang 3.12."""

from __future__ import annotations

import ctypes
from typing import Any

import _libyang
from _libyang import ffi, lib

_SEPARATE_PATHS = "path" not in dict(ffi.typeof("struct ly_err_item").fields)
# The second binding leaves this function out; the library that its extension is linked to has it.
_NATIVE = None if hasattr(lib, "lyd_value_validate") else ctypes.CDLL(_libyang.__file__).lyd_value_validate


def where(item: Any) -> str:
    """The location text of one of libyang's errors, in the words of the first generation:
    ``Data location "/m:a/b", line number 1.``"""
    if not _SEPARATE_PATHS:
        return _text(item.path)
    schema, data = _text(item.schema_path), _text(item.data_path)
    parts = [f'Schema location "{schema}"'] if schema else []
    parts += [f'{"d" if parts else "D"}ata location "{data}"'] if data else []
    parts += [f"line number {item.line}"] if item.line else []
    return ", ".join(parts) + "." if parts else ""


def value_validate(context: Any, schema_node: Any, value: bytes) -> tuple[int, str | None]:
    """libyang's status for ``value`` (in JSON's notation), and its canonical form where there is one."""
    if _NATIVE is None:
        out = ffi.new("char **")
        status = lib.lyd_value_validate(
            context, schema_node, value, len(value), ffi.NULL, ffi.NULL, ffi.cast("const char **", out)
        )
        return int(status), _text(out[0]) if out[0] != ffi.NULL else None
    found = ctypes.c_char_p()
    status = _NATIVE(
        _pointer(context), _pointer(schema_node), value, ctypes.c_size_t(len(value)), None, None, ctypes.byref(found)
    )
    return int(status), found.value.decode() if found.value is not None else None


def _pointer(c: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(int(ffi.cast("uintptr_t", c)))


def _text(c: Any) -> str:
    return str(ffi.string(c).decode()) if c != ffi.NULL else ""
