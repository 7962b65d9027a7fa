"""The four types of XPath, and how one becomes another (XPath 1.0, sections 3.2 to 3.5 and 4)."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nesrv.datastore.tree import Node

if TYPE_CHECKING:
    from nesrv.datastore.xpath.evaluate import Evaluator


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """The text node of a leaf."""

    leaf: Node


Item = Node | Text
Value = list[Item] | str | float | bool

_NUMBER = re.compile(r"[ \t\r\n]*-?(?:\d+(?:\.\d*)?|\.\d+)[ \t\r\n]*")


def _remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) and not math.isnan(right) else math.nan


def _quotient(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) or math.isnan(right) else math.copysign(math.inf, left * right)


ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": _quotient,
    "mod": _remainder,
}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def text_of(evaluator: Evaluator, item: Item) -> str:
    """The string-value of a node; an identity is told with the name of its module."""
    if isinstance(item, Text):
        return item.leaf.value or ""
    if item.value is not None:
        return item.value if item.schema.kind in ("leaf", "leaf-list") else ""
    return "".join(_texts(evaluator, item))


def _texts(evaluator: Evaluator, node: Node) -> Iterable[str]:
    for child in evaluator.forest.children(node):
        if child.value is None:
            yield from _texts(evaluator, child)
        elif child.schema.kind in ("leaf", "leaf-list"):
            yield child.value


def string(evaluator: Evaluator, value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return text_of(evaluator, evaluator.ordered(value)[0]) if value else ""
    return _of_number(value)


def _of_number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value):
        return str(int(value))
    shown = f"{value:.17f}" if abs(value) < 1e-4 else repr(value)
    return shown.rstrip("0") if "e" not in shown else format(value, "f")


def number(evaluator: Evaluator, value: Value) -> float:
    if isinstance(value, bool | float):
        return float(value)
    return _to_number(string(evaluator, value))


def _to_number(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def boolean(value: Value) -> bool:
    if isinstance(value, float):
        return not math.isnan(value) and value != 0
    return bool(value)


def compare(evaluator: Evaluator, sign: str, left: Value, right: Value) -> bool:
    """Section 3.4: with nodes on a side, whether any of them makes it true."""
    if isinstance(left, list) and isinstance(right, list):
        return _compare_nodes(evaluator, sign, left, right)
    if isinstance(left, list):
        return _compare_each(evaluator, sign, left, right, False)
    if isinstance(right, list):
        return _compare_each(evaluator, sign, right, left, True)
    return _compare_plain(evaluator, sign, left, right)


def _compare_plain(evaluator: Evaluator, sign: str, left: Value, right: Value) -> bool:
    if sign in ("=", "!="):
        if isinstance(left, bool) or isinstance(right, bool):
            return (boolean(left) == boolean(right)) == (sign == "=")
        if isinstance(left, str) and isinstance(right, str):
            return (left == right) == (sign == "=")
    return COMPARISONS[sign](number(evaluator, left), number(evaluator, right))


def _compare_each(evaluator: Evaluator, sign: str, nodes: list[Item], other: Value, swapped: bool) -> bool:
    if isinstance(other, bool):
        return _compare_plain(evaluator, sign, other if swapped else bool(nodes), bool(nodes) if swapped else other)
    evaluator.charge(len(nodes))
    if isinstance(other, str) and sign in ("=", "!="):
        return any(_is_called(evaluator, item, other) == (sign == "=") for item in nodes)
    wanted = number(evaluator, other)
    for item in nodes:
        found = _to_number(text_of(evaluator, item))
        if COMPARISONS[sign](wanted, found) if swapped else COMPARISONS[sign](found, wanted):
            return True
    return False


def _is_called(evaluator: Evaluator, item: Item, text: str) -> bool:
    """Whether ``item`` has this value. An identity also answers to its name alone, and to its name with a prefix
    that the client declared: its canonical form depends on prefixes (RFC 7950, section 9.10.3)."""
    found = text_of(evaluator, item)
    if found == text:
        return True
    leaf = item.leaf if isinstance(item, Text) else item
    if not leaf.schema.holds_qname or ":" not in found:
        return False
    return found in (evaluator.exactly(text), f"{found.partition(':')[0]}:{text}")


def _compare_nodes(evaluator: Evaluator, sign: str, left: list[Item], right: list[Item]) -> bool:
    here = [text_of(evaluator, item) for item in left]
    there = [text_of(evaluator, item) for item in right]
    evaluator.charge(len(here) + len(there))
    if sign == "=":
        return not set(here).isdisjoint(there)
    if sign == "!=":
        return bool(here) and bool(there) and len({*here, *there}) > 1
    mine, others = _range(here), _range(there)
    if mine is None or others is None:
        return False
    # Some pair fulfils the comparison when the extremes do.
    if sign in ("<", "<="):
        return COMPARISONS[sign](mine[0], others[1])
    return COMPARISONS[sign](mine[1], others[0])


def _range(texts: Iterable[str]) -> tuple[float, float] | None:
    numbers = [found for found in map(_to_number, texts) if not math.isnan(found)]
    return (min(numbers), max(numbers)) if numbers else None
