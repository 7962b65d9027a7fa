"""Evaluation of expressions over a forest (XPath 1.0, sections 2 and 3), with a bound on the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nesrv.datastore.shards import Shards
from nesrv.datastore.tree import Node
from nesrv.datastore.xpath import axes, functions, values
from nesrv.datastore.xpath.forest import NOTHING, Forest, Source, Trees, fits
from nesrv.datastore.xpath.syntax import (
    DESCEND,
    Binary,
    Call,
    Expression,
    Filtered,
    Literal,
    NameTest,
    Negative,
    Number,
    Path,
    Step,
    XPathError,
)
from nesrv.datastore.xpath.values import Item, Value, boolean, number

if TYPE_CHECKING:
    from nesrv.schema.nodes import SchemaNode

WORK = 1_000_000
"""Nodes that one expression may look at: one to two seconds of one processor."""


class TooComplex(Exception):
    """The expression would look at more than ``WORK`` nodes."""


@dataclass(frozen=True, slots=True)
class Context:
    """``current`` is where the whole expression starts (RFC 7950, section 10.1.1)."""

    node: Item
    position: int
    size: int
    current: Item


class Evaluator:
    """Expressions over one forest; ``namespaces`` (prefix → namespace) are for identities that are named in text."""

    def __init__(self, shards: Shards, source: Source, namespaces: Mapping[str, str], work: int = WORK) -> None:
        self._left = work
        self.shards = shards
        self.forest = Forest(shards, source, self.charge)
        modules = {namespace: name for name, namespace in shards.schema.namespaces.items()}
        self.modules = {prefix: modules[uri] for prefix, uri in namespaces.items() if uri in modules}

    @classmethod
    def of_trees(cls, shards: Shards, nodes: Sequence[Node], namespaces: Mapping[str, str]) -> Evaluator:
        """Over these trees instead of a datastore."""
        made = cls(shards, NOTHING, namespaces)
        made.forest = Trees(shards, nodes, made.charge)
        return made

    def charge(self, nodes: int) -> None:
        """Count work; raises ``TooComplex``."""
        self._left -= nodes
        if self._left < 0:
            raise TooComplex

    def at_root(self, expression: Expression) -> Value:
        """With the root as the context node (RFC 6241, section 8.9.1); raises ``XPathError``, ``TooComplex``."""
        root = self.forest.root
        return self.evaluate(expression, Context(root, 1, 1, root))

    def evaluate(self, expression: Expression, context: Context) -> Value:
        match expression:
            case Literal(value) | Number(value):
                return value
            case Path():
                return self._path(expression, context)
            case Filtered(primary, predicates):
                return self._filtered(self.ordered(self._nodes(primary, context)), predicates, context.current)
            case Binary():
                return self._binary(expression, context)
            case Negative(operand):
                return -number(self, self.evaluate(operand, context))
            case Call(name, arguments):
                self.charge(1)
                return functions.call(self, name, arguments, context)

    def ordered(self, nodes: list[Item]) -> list[Item]:
        """In document order."""
        return nodes if len(nodes) < 2 else sorted(nodes, key=partial(axes.order, self.forest))

    def _nodes(self, expression: Expression, context: Context) -> list[Item]:
        return _checked(self.evaluate(expression, context))

    # Operators

    def _binary(self, expression: Binary, context: Context) -> Value:
        """From the innermost left on, without recursion: chains may be long."""
        chain: list[Binary] = []
        first: Expression = expression
        while isinstance(first, Binary):
            chain.append(first)
            first = first.left
        found = self.evaluate(first, context)
        for link in reversed(chain):
            found = self._combined(link.operator, found, link.right, context)
        return found

    def _combined(self, operator: str, left: Value, right: Expression, context: Context) -> Value:
        if operator in ("and", "or"):
            decided = boolean(left)
            return decided if decided is (operator == "or") else boolean(self.evaluate(right, context))
        if operator == "|":
            return list(dict.fromkeys((*_checked(left), *self._nodes(right, context))))
        other = self.evaluate(right, context)
        if operator in values.COMPARISONS:
            return values.compare(self, operator, left, other)
        return values.ARITHMETIC[operator](number(self, left), number(self, other))

    # Paths

    def _path(self, path: Path, context: Context) -> list[Item]:
        nodes: list[Item]
        if path.absolute:
            nodes = [self.forest.root]
        elif path.start is not None:
            nodes = self._nodes(path.start, context)
        else:
            nodes = [context.node]
        steps = list(path.steps)
        while steps and nodes:
            step = steps.pop(0)
            named = _name_below(step, steps[0]) if steps else None
            if named is not None:
                nodes = axes.above_name(self.forest, nodes, named)
            else:
                nodes = self._step(nodes, step, context.current)
        return nodes

    def _step(self, nodes: Iterable[Item], step: Step, current: Item) -> list[Item]:
        found: dict[Item, None] = {}
        for node in nodes:
            self.charge(1)
            candidates = self._candidates(node, step)
            found.update(dict.fromkeys(self._filtered(candidates, step.predicates, current)))
        return list(found)

    def _candidates(self, node: Item, step: Step) -> list[Item]:
        if step.axis == "child" and isinstance(node, Node):
            if (named := self._named(node, step)) is not None:
                return list(named)
            if isinstance(step.test, NameTest):
                below = self.forest.children(node, step.test)
                return [child for child in below if fits(child.schema, step.test)]
        return [item for item in axes.along(self.forest, step.axis, node) if axes.accepts(item, step.test)]

    def _named(self, node: Node, step: Step) -> Sequence[Item] | None:
        """The one entry that leading predicates name by all keys; None where they do not."""
        if not step.predicates or not isinstance(step.test, NameTest) or not self.forest.is_holder(node):
            return None
        inner = self.shards.schema.data if node is self.forest.root else node.schema.children
        fitting = [child for child in inner.values() if fits(child, step.test)]
        if len(fitting) != 1 or fitting[0] not in self.shards.schema.points:
            return None
        keys = self._keys(fitting[0], step.predicates)
        return None if keys is None else self.forest.entry(node, fitting[0], keys)

    def _keys(self, point: SchemaNode, predicates: Iterable[Expression]) -> list[str] | None:
        found: dict[str, str] = {}
        for predicate in predicates:
            pairs = equalities(predicate)
            if pairs is None:
                break
            for test, literal in pairs:
                key = next((key for key in point.keys if fits(point.by_name[key], test)), None)
                if key is not None:
                    exact = self.exactly(literal) if point.by_name[key].holds_qname else literal
                    if exact is None:
                        return None
                    found.setdefault(key, exact)
        return [found[key] for key in point.keys] if len(found) == len(point.keys) else None

    def exactly(self, text: str) -> str | None:
        """``prefix:name`` with the module's name for the prefix; None where there is no such prefix."""
        prefix, colon, name = text.partition(":")
        return f"{self.modules[prefix]}:{name}" if colon and prefix in self.modules else None

    def _filtered(self, nodes: list[Item], predicates: Iterable[Expression], current: Item) -> list[Item]:
        for predicate in predicates:
            size = len(nodes)
            self.charge(size)
            chosen = self._chooser(predicate, size, current)
            nodes = [node for position, node in enumerate(nodes, 1) if chosen(node, position)]
        return nodes

    def _chooser(self, predicate: Expression, size: int, current: Item) -> Callable[[Item, int], bool]:
        def chosen(node: Item, position: int) -> bool:
            found = self.evaluate(predicate, Context(node, position, size, current))
            # A number is a position (section 2.4); a bool is an int, not a float.
            return found == position if isinstance(found, float) else boolean(found)

        return chosen


def _checked(value: Value) -> list[Item]:
    if not isinstance(value, list):
        raise XPathError("paths, predicates and unions are for nodes")
    return value


def equalities(expression: Expression) -> list[tuple[NameTest, str]] | None:
    """(child, literal) for each ``child = 'literal'`` of a conjunction of nothing else; None for anything else."""
    match expression:
        case Binary("and", left, right):
            first, second = equalities(left), equalities(right)
            return None if first is None or second is None else [*first, *second]
        case Binary("=", Path(False, None, (Step("child", NameTest() as test, ()),)), Literal(value)):
            return [(test, value)]
        case Binary("=", Literal(value), Path(False, None, (Step("child", NameTest() as test, ()),))):
            return [(test, value)]
    return None


def _name_below(step: Step, after: Step) -> NameTest | None:
    """The name in ``//name``: nothing has to be looked at that cannot have such a child."""
    if step != DESCEND or after.axis != "child" or not isinstance(after.test, NameTest):
        return None
    return after.test
