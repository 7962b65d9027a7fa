"""The core functions of XPath 1.0 (section 4) and those of YANG (RFC 7950, section 10)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml import etree

from nesrv.datastore.tree import Node
from nesrv.datastore.xpath.syntax import Expression, XPathError, read
from nesrv.datastore.xpath.values import Item, Value, boolean, number, string, text_of
from nesrv.schema import paths

if TYPE_CHECKING:
    from nesrv.datastore.xpath.evaluate import Context, Evaluator

MAX_MATCHED = 10_000
"""Characters of a text that re-match looks at."""
MAX_PATTERN = 500
MATCH_WORK = 200
"""What a re-match counts as, in nodes looked at."""
TEXT_WORK = 64
"""So many characters count as one node looked at."""

_XSD = "http://www.w3.org/2001/XMLSchema"


@dataclass(frozen=True, slots=True)
class _Function:
    """``nodes``: positions of the arguments that must be node-sets."""

    run: Callable[[Evaluator, Context, Sequence[Value]], Value]
    nodes: tuple[int, ...] = ()


def call(evaluator: Evaluator, name: str, arguments: Sequence[Expression], context: Context) -> Value:
    """``syntax`` has seen to it that there is such a function with so many arguments; raises ``XPathError`` for an
    argument that it does not take."""
    function = _FUNCTIONS[name]
    values = [evaluator.evaluate(argument, context) for argument in arguments]
    for at in function.nodes:
        if at < len(values) and not isinstance(values[at], list):
            raise XPathError(f"{name}() takes nodes as its argument {at + 1}")
    found = function.run(evaluator, context, values)
    if isinstance(found, str):
        evaluator.charge(len(found) // TEXT_WORK)
    return found


def _nodes(value: Value) -> list[Item]:
    assert isinstance(value, list)
    return value


def _strings(run: Callable[..., Value]) -> Callable[[Evaluator, Context, Sequence[Value]], Value]:
    """A function of texts."""

    def adapted(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
        return run(*(string(evaluator, value) for value in values))

    return adapted


def _own_text(run: Callable[[str], Value]) -> Callable[[Evaluator, Context, Sequence[Value]], Value]:
    """A function of one text, by default that of the context node."""

    def adapted(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
        return run(string(evaluator, values[0]) if values else text_of(evaluator, context.node))

    return adapted


def _first(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Item | None:
    if not values:
        return context.node
    nodes = evaluator.ordered(_nodes(values[0]))
    return nodes[0] if nodes else None


# Nodes


def _named(part: Callable[[Node], str]) -> Callable[[Evaluator, Context, Sequence[Value]], Value]:
    def name(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
        node = _first(evaluator, context, values)
        return part(node) if isinstance(node, Node) else ""

    return name


def _step(node: Node) -> str:
    return f"{node.schema.module}:{node.schema.name}" if node.schema.name else ""


# Texts


def _before(text: str, mark: str) -> str:
    head, found, _ = text.partition(mark)
    return head if found or not mark else ""


def _after(text: str, mark: str) -> str:
    return text.partition(mark)[2] if mark else text


def _substring(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
    text, start = string(evaluator, values[0]), _rounded(number(evaluator, values[1]))
    end = start + _rounded(number(evaluator, values[2])) if len(values) > 2 else math.inf
    if math.isnan(start) or math.isnan(end):
        return ""
    first = max(1, start)
    last = min(len(text) + 1, end)
    return text[int(first) - 1 : int(last) - 1] if first < last else ""


def _translate(text: str, old: str, new: str) -> str:
    table: dict[int, str | None] = {}
    for at, sign in enumerate(old):
        table.setdefault(ord(sign), new[at] if at < len(new) else None)
    return text.translate(table)


# Numbers


def _rounded(value: float) -> float:
    """The nearest whole number, of two the greater (section 4.4)."""
    return float(math.floor(value + 0.5)) if math.isfinite(value) else value


def _whole(run: Callable[[float], float]) -> Callable[[Evaluator, Context, Sequence[Value]], Value]:
    def adapted(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
        value = number(evaluator, values[0])
        return float(run(value)) if math.isfinite(value) else value

    return adapted


def _sum(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
    nodes = _nodes(values[0])
    evaluator.charge(len(nodes))
    return float(sum(number(evaluator, text_of(evaluator, node)) for node in nodes))


# YANG


@lru_cache(maxsize=64)
def _pattern(pattern: str) -> etree.XMLSchema:
    """YANG's regular expressions are those of XML Schema: its validator matches them (RFC 7950, section 9.4.5)."""
    schema = etree.Element(f"{{{_XSD}}}schema", nsmap={"xs": _XSD})
    element = etree.SubElement(schema, f"{{{_XSD}}}element", name="v")
    kind = etree.SubElement(etree.SubElement(element, f"{{{_XSD}}}simpleType"), f"{{{_XSD}}}restriction")
    kind.set("base", "xs:string")
    etree.SubElement(kind, f"{{{_XSD}}}pattern", value=pattern)
    return etree.XMLSchema(schema)


def _re_match(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
    text, pattern = string(evaluator, values[0]), string(evaluator, values[1])
    if len(text) > MAX_MATCHED or len(pattern) > MAX_PATTERN:
        raise XPathError(f"re-match() takes texts up to {MAX_MATCHED} and patterns up to {MAX_PATTERN} characters")
    evaluator.charge(MATCH_WORK + len(text))
    element = etree.Element("v")
    try:
        element.text = text
        return bool(_pattern(pattern).validate(element))
    except (etree.XMLSchemaParseError, ValueError) as error:
        raise XPathError(f"{pattern!r} is no regular expression of YANG") from error


def _deref(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
    """RFC 7950 §10.3.1."""
    node = _first(evaluator, context, values)
    if not isinstance(node, Node) or not node.value:
        return []
    names = evaluator.shards.schema.namespaces
    if node.schema.leafref is not None:
        inner = type(context)(node, 1, 1, node)
        found = evaluator.evaluate(read(node.schema.leafref, names), inner)
        return [item for item in _nodes(found) if text_of(evaluator, item) == node.value]
    if node.schema.base == "instance-id":
        try:
            steps = paths.split(node.value)
            text = "".join(_instance_step(step.module, step.name, step.predicates) for step in steps)
            return evaluator.evaluate(read(text, names), context)
        except ValueError:
            return []
    return []


def _instance_step(module: str, name: str, predicates: Sequence[tuple[str, str]]) -> str:
    chosen = "".join(
        paths.predicate(key if key == "." or ":" in key else f"{module}:{key}", value) for key, value in predicates
    )
    return f"/{module}:{name}{chosen}"


def _derived(or_self: bool) -> Callable[[Evaluator, Context, Sequence[Value]], Value]:
    """RFC 7950 §10.4."""

    def derived(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
        wanted = string(evaluator, values[1])
        known = evaluator.shards.schema.identities
        if ":" in wanted:
            exact = evaluator.exactly(wanted)
            bases = [exact] if exact is not None else []
        else:
            bases = [name for name in known if name.partition(":")[2] == wanted]
        nodes = _nodes(values[0])
        evaluator.charge(len(nodes))
        held = {text_of(evaluator, node) for node in nodes}
        return any(held & known.get(base, frozenset()) or (or_self and base in held) for base in bases)

    return derived


def _enum_value(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
    """RFC 7950 §10.5.1."""
    node = _first(evaluator, context, values)
    if not isinstance(node, Node) or node.value is None:
        return math.nan
    found = evaluator.shards.schema.enum_values(node.schema).get(node.value)
    return math.nan if found is None else float(found)


def _bit_is_set(evaluator: Evaluator, context: Context, values: Sequence[Value]) -> Value:
    """RFC 7950 §10.6.1."""
    node = _first(evaluator, context, values)
    if not isinstance(node, Node) or node.schema.base != "bits":
        return False
    return string(evaluator, values[1]) in (node.value or "").split()


_FUNCTIONS: Mapping[str, _Function] = {
    "last": _Function(lambda evaluator, context, values: float(context.size)),
    "position": _Function(lambda evaluator, context, values: float(context.position)),
    "count": _Function(lambda evaluator, context, values: float(len(_nodes(values[0]))), (0,)),
    # No node of the data model has an ID that a DTD declares.
    "id": _Function(lambda evaluator, context, values: []),
    "local-name": _Function(_named(lambda node: node.schema.name), (0,)),
    "namespace-uri": _Function(_named(lambda node: node.schema.namespace), (0,)),
    "name": _Function(_named(_step), (0,)),
    "string": _Function(_own_text(lambda text: text)),
    "concat": _Function(_strings(lambda *texts: "".join(texts))),
    "starts-with": _Function(_strings(lambda text, start: text.startswith(start))),
    "contains": _Function(_strings(lambda text, part: part in text)),
    "substring-before": _Function(_strings(_before)),
    "substring-after": _Function(_strings(_after)),
    "substring": _Function(_substring),
    "string-length": _Function(_own_text(lambda text: float(len(text)))),
    "normalize-space": _Function(_own_text(lambda text: " ".join(text.split(None)))),
    "translate": _Function(_strings(_translate)),
    "boolean": _Function(lambda evaluator, context, values: boolean(values[0])),
    "not": _Function(lambda evaluator, context, values: not boolean(values[0])),
    "true": _Function(lambda evaluator, context, values: True),
    "false": _Function(lambda evaluator, context, values: False),
    # Nodes of the data model have no attributes, xml:lang neither.
    "lang": _Function(lambda evaluator, context, values: False),
    "number": _Function(lambda evaluator, context, values: number(evaluator, values[0] if values else [context.node])),
    "sum": _Function(_sum, (0,)),
    "floor": _Function(_whole(math.floor)),
    "ceiling": _Function(_whole(math.ceil)),
    "round": _Function(_whole(_rounded)),
    "current": _Function(lambda evaluator, context, values: [context.current]),
    "re-match": _Function(_re_match),
    "deref": _Function(_deref, (0,)),
    "derived-from": _Function(_derived(False), (0,)),
    "derived-from-or-self": _Function(_derived(True), (0,)),
    "enum-value": _Function(_enum_value, (0,)),
    "bit-is-set": _Function(_bit_is_set, (0,)),
}
