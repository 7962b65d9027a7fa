"""XPath expressions over a forest: XML documents have one root element, datastores have many top-level nodes."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<text>'[^']*'|"[^"]*")|(?P<path>//?)|(?P<name>[^\W\d][\w.-]*(?::(?!:)(?:\*|[^\W\d][\w.-]*))?)"""
    r"""|(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<other>\.\.|::|!=|<=|>=|\S)|(?P<space>\s+)"""
)
_OPENS = frozenset({None, "@", "::", "(", "[", ",", "=", "!=", "<", "<=", ">", ">=", "+", "-", "|", "/", "//", "$"})
"""What an operand follows, never an operator (XPath 1.0, section 3.7)."""
_STEPS = frozenset({".", "..", "@", "*"})


def below_wrapper(expression: str) -> str:
    """``expression``, meant for a root node with many elements, for a document with one element around them."""
    tokens = [(found.lastgroup, found[0]) for found in _TOKEN.finditer(expression)]
    made: list[str] = []
    before: str | None = None
    for at, (kind, token) in enumerate(tokens):
        if kind == "space":
            made.append(token)
            continue
        operand = before in _OPENS
        if kind == "path" and operand and before not in ("/", "//"):
            made.append("/*" if token == "/" and not _starts_step(tokens[at + 1 :]) else "/*" + token)
        else:
            made.append(token)
        is_operator = not operand and (token == "*" or token in ("and", "or", "div", "mod"))
        before = "=" if is_operator else token if kind in ("path", "other") and token != "*" else "operand"
    return "".join(made)


def _starts_step(rest: list[tuple[str | None, str]]) -> bool:
    for kind, token in rest:
        if kind != "space":
            return kind == "name" or token in _STEPS
    return False
