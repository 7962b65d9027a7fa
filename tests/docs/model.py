"""docs/model.md, made from the YANG modules: every configuration leaf and what becomes of it."""

from __future__ import annotations

import libyang

from nesrv.schema.modules import module_set
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.schema import Schema, load

HEAD = """# The model

Every configuration leaf that nesrv serves, by its path, with its YANG default and what nesrv makes of it. The modules
under `yang/openconfig` are wire-compatible with OpenConfig's for these nodes; nodes with the prefix `nesrv:` are
nesrv's own. List keys are left out: they repeat the leaf of the same name in `config`.

This page is generated from the modules' descriptions: `NESRV_DOCS=write make test LANES=unit` writes it anew.
"""


def _short(node: SchemaNode) -> str:
    steps: list[str] = []
    current: SchemaNode | None = node
    while current is not None:
        keys = "".join(f"[{key}]" for key in current.keys) if current.kind == "list" else ""
        prefix = f"{current.module}:" if current.module.startswith("nesrv") else ""
        steps.append(f"{prefix}{current.name}{keys}")
        current = current.parent
    return "/" + "/".join(reversed(steps))


def _description(schema: Schema, node: SchemaNode) -> str:
    text = libyang.SNode.new(schema.engine.context, node.compiled).description() or ""
    return " ".join(text.split()).replace("|", "\\|")


def page() -> str:
    schema = load(module_set([], with_model=True))
    parts = [HEAD]
    for top in sorted((node for node in schema.data.values() if node.module in schema.own), key=lambda n: n.name):
        rows = [node for node in top.walk() if node.config and not node.is_key and node.kind in ("leaf", "leaf-list")]
        if not rows:
            continue
        parts.append(f"\n## /{top.name}\n")
        for row in rows:
            default = f" (default `{row.defaults[0]}`)" if row.defaults else ""
            parts.append(f"- `{_short(row)}`{default}  \n  {_description(schema, row)}")
    return "\n".join(parts) + "\n"
