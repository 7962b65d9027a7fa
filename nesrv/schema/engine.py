"""libyang, kept in one room: load modules, parse, validate, print; its errors become RFC 6241 errors.

Nothing outside this file calls libyang's C functions on data.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libyang
from _libyang import ffi, lib

from nesrv import heap
from nesrv.schema import generations
from nesrv.schema.failures import Finding, to_error
from nesrv.schema.locate import missing

# Without the callback that this switches on, libyang's errors carry no path.
libyang.configure_logging(True, logging.ERROR)
logging.getLogger("libyang").propagate = False

_PARSE = lib.LYD_PARSE_STRICT | lib.LYD_PARSE_NO_STATE

DEFAULTS = "urn:ietf:params:xml:ns:netconf:default:1.0"
"""The namespace of the attribute ``default`` (RFC 6243, section 6)."""
DEFAULT_TAG = f' xmlns:wd="{DEFAULTS}" wd:default="true"'.encode()
# libyang takes the module's namespace instead. Text holds no ">" as it stands, so what is replaced is in a tag.
_LIBYANG_TAG = re.compile(
    rb' xmlns:ncwd="urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults" ncwd:default="true"(?=[^<>]*>)'
)
_SHOWN = {"report-all": lib.LYD_PRINT_WD_ALL, "report-all-tagged": lib.LYD_PRINT_WD_IMPL_TAG}
"""How libyang prints what is there by default, by the mode of RFC 6243."""


class DataNode:
    """A node of a parsed tree, valid while the ``with`` block of the parse lasts."""

    __slots__ = ("_c", "_flags")

    def __init__(self, c: Any, flags: int = 0) -> None:
        self._c = c
        self._flags = flags

    @property
    def schema_address(self) -> int:
        """Tells which ``SchemaNode`` the node is an instance of."""
        return address(self._c.schema)

    def children(self) -> Iterator[DataNode]:
        child = lib.lyd_child(self._c)
        while child != ffi.NULL:
            yield DataNode(child, self._flags)
            child = child.next

    def first_values(self, count: int) -> list[str]:
        """The values of the first children: libyang keeps a list entry's keys in front, in the schema's order."""
        values, child = [], lib.lyd_child(self._c)
        for _ in range(count):
            values.append(ffi.string(lib.lyd_get_value(child)).decode())
            child = child.next
        return values

    def xml(self) -> bytes:
        """The node and what is below it, no white space, ASCII; of what is there by default only what the mode that
        was asked for shows."""
        text = _printed(self._c, lib.LYD_PRINT_SHRINK | self._flags)
        return _LIBYANG_TAG.sub(DEFAULT_TAG, text) if self._flags & lib.LYD_PRINT_WD_IMPL_TAG else text


def address(schema_node: Any) -> int:
    """A number for one of libyang's schema nodes."""
    return int(ffi.cast("uintptr_t", schema_node))


def _printed(node: Any, flags: int) -> bytes:
    out = ffi.new("char **")
    if lib.lyd_print_mem(out, node, lib.LYD_XML, flags) != lib.LY_SUCCESS:
        raise RuntimeError("libyang could not print a tree")
    if out[0] == ffi.NULL:
        return b""
    text: bytes = ffi.string(out[0])
    lib.free(out[0])
    return text if text.isascii() else text.decode().encode("ascii", "xmlcharrefreplace")


def _enable(module: libyang.Module, features: tuple[str, ...] | None) -> None:
    """Implement ``module`` with just these features (the binding's own call sets one at a time only)."""
    if features is None:
        module.feature_enable_all()
        return
    texts = [ffi.new("char[]", feature.encode()) for feature in features]
    if lib.lys_set_implemented(module.cdata, ffi.new("const char *[]", [*texts, ffi.NULL])) != lib.LY_SUCCESS:
        raise module.context.error("cannot set the features %s", features)


class Engine:
    """One libyang context with its modules compiled; it is never changed afterwards."""

    def __init__(self, directories: Sequence[Path], modules: Sequence[tuple[str, tuple[str, ...] | None]]) -> None:
        """``modules`` are (name, features; None: all of them); a module that fails raises ``ValueError``."""
        search = ":".join(str(directory) for directory in directories)
        self.context = libyang.Context(search, explicit_compile=True)
        for name, features in modules:
            try:
                _enable(self.context.load_module(name), features)
            except libyang.LibyangError as error:
                raise ValueError(f"YANG module {name}: {error}") from error
        try:
            self.context.compile_schema()
        except libyang.LibyangError as error:
            raise ValueError(f"YANG modules do not compile: {error}") from error

    def findings(self) -> list[Finding]:
        """What libyang has to say about the last call, oldest first."""
        found = []
        item = lib.ly_err_first(self.context.cdata)
        while item != ffi.NULL:
            words = ffi.string(item.msg).decode() if item.msg != ffi.NULL else ""
            app_tag = ffi.string(item.apptag).decode() if item.apptag != ffi.NULL else None
            found.append(Finding(words, generations.where(item), app_tag))
            item = item.next
        lib.ly_err_clean(self.context.cdata, ffi.NULL)
        return found

    @contextmanager
    def parsed(self, document: bytes) -> Iterator[list[DataNode]]:
        """The top-level nodes of ``document`` (a forest of configuration), types checked, constraints not.

        Raises the ``RpcError`` that libyang's finding stands for.
        """
        with self._tree(document) as node:
            top = []
            while node != ffi.NULL:
                top.append(DataNode(node))
                node = node.next
            yield top

    @contextmanager
    def completed(self, document: bytes, mode: str) -> Iterator[list[DataNode]]:
        """``parsed``, with the nodes that are there by default (RFC 7950, section 7.6.1), as ``mode`` shows them:
        report-all or report-all-tagged. Not all that ``when`` looks at need be part of ``document``."""
        tree = ffi.new("struct lyd_node **")
        try:
            if self._read(document, _PARSE | lib.LYD_PARSE_ONLY, 0, tree) != lib.LY_SUCCESS:
                raise to_error(self.findings())
            if lib.lyd_new_implicit_all(tree, self.context.cdata, lib.LYD_IMPLICIT_NO_STATE, ffi.NULL):
                raise to_error(self.findings())
            top, node = [], tree[0]
            while node != ffi.NULL:
                top.append(DataNode(node, _SHOWN[mode]))
                node = node.next
            yield top
        finally:
            lib.lyd_free_all(tree[0])
            heap.tidy(len(document))

    def validate(self, document: bytes) -> None:
        """Everything YANG says about ``document`` as a whole configuration; raises ``RpcError``."""
        tree = ffi.new("struct lyd_node **")
        if self._read(document, _PARSE, lib.LYD_VALIDATE_NO_STATE, tree) == lib.LY_SUCCESS:
            lib.lyd_free_all(tree[0])
            heap.tidy(len(document))
            return
        findings = self.findings()
        error = to_error(findings)
        if error.path is not None and findings[0].names_schema:
            with self._tree(document) as first:
                error.path = missing(self.context.cdata, first, error.path)
        raise error

    @contextmanager
    def _tree(self, document: bytes) -> Iterator[Any]:
        """libyang's first node of ``document``, read without its constraints; raises ``RpcError``."""
        tree = ffi.new("struct lyd_node **")
        try:
            if self._read(document, _PARSE | lib.LYD_PARSE_ONLY, 0, tree) != lib.LY_SUCCESS:
                raise to_error(self.findings())
            yield tree[0]
        finally:
            lib.lyd_free_all(tree[0])
            heap.tidy(len(document))

    def _read(self, document: bytes, parse: int, validate: int, tree: Any) -> int:
        return int(lib.lyd_parse_data_mem(self.context.cdata, document, lib.LYD_XML, parse, validate, tree))

    def canonical(self, schema_node: Any, value: str) -> str | None:
        """``value`` (prefixes: module names) in canonical form, or None when its type refuses it."""
        status, canonical = generations.value_validate(self.context.cdata, schema_node, value.encode())
        if status not in (lib.LY_SUCCESS, lib.LY_EINCOMPLETE):
            lib.ly_err_clean(self.context.cdata, ffi.NULL)
            return None
        return value if canonical is None else canonical
