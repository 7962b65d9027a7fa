"""XPath filters (RFC 6241 §8.9): from the expression to the nodes it selects, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lxml import etree

from nesrv import errors
from nesrv.datastore.incoming import Element
from nesrv.datastore.tree import Node
from nesrv.datastore.xpath.evaluate import WORK, Evaluator, TooComplex, equalities
from nesrv.datastore.xpath.syntax import (
    Binary,
    Call,
    Expression,
    Filtered,
    NameTest,
    Negative,
    Path,
    Step,
    TypeTest,
    XPathError,
    read,
)
from nesrv.datastore.xpath.values import Value
from nesrv.rpc.patterns import Pattern

_KINDS = {bool: "a truth value", float: "a number", str: "a text"}


def nodes_of(evaluator: Evaluator, text: str, namespaces: Mapping[str, str], element: str = "filter") -> list[Node]:
    """What the expression ``text`` selects; raises invalid-value for one that is wrong or that selects no nodes of
    the data model, resource-denied for one that asks for too much work. ``element`` is where it stands."""
    expression = expression_of(text, namespaces, element)
    if _ends_in_texts(expression):
        raise _no_nodes(
            f'The XPath "{text}" selects texts; select the nodes that hold them: leave out text().', element
        )
    try:
        found = evaluator.at_root(expression)
    except XPathError as error:
        raise _invalid(f'The XPath "{text}" cannot be used: {error}.', element) from error
    except RecursionError as error:
        raise _invalid("The XPath cannot be used: it has too many parts inside each other.", element) from error
    except TooComplex as error:
        raise errors.ResourceDenied(
            f'The XPath "{text}" would look at more than {WORK} nodes; name list entries by their keys.',
            app_tag="too-complex",
            type="protocol",
        ) from error
    return _checked(found, text, element)


def expression_of(text: str, namespaces: Mapping[str, str], element: str = "filter") -> Expression:
    """``text`` read; raises invalid-value. ``element`` is where it stands."""
    try:
        return read(text, namespaces)
    except XPathError as error:
        raise _invalid(f'The XPath "{text}" cannot be used: {error}.', element) from error
    except RecursionError as error:
        raise _invalid("The XPath cannot be used: it has too many parts inside each other.", element) from error


def _checked(found: Value, text: str, element: str) -> list[Node]:
    if not isinstance(found, list):
        raise _no_nodes(f'The XPath "{text}" gives {_KINDS[type(found)]}; it has to select nodes.', element)
    return [item for item in found if isinstance(item, Node)]


def _ends_in_texts(expression: Expression) -> bool:
    """Of a union, any part; from the last to the first, without recursion: chains may be long."""
    while isinstance(expression, Binary) and expression.operator == "|":
        if _ends_in_texts(expression.right):
            return True
        expression = expression.left
    match expression:
        case Path(_, _, (*_, Step(_, TypeTest("text")))):
            return True
    return False


def _no_nodes(words: str, element: str) -> errors.RpcError:
    """The app-tag is that of RFC 5717, section 2.4.1, which nothing keeps from being of use elsewhere."""
    return errors.InvalidValue(words, None, "not-a-node-set", (("bad-element", element),), "protocol")


def _invalid(words: str, element: str) -> errors.RpcError:
    return errors.InvalidValue(words, info=(("bad-element", element),), type="protocol")


# What an expression can reach, for those who read state

_INWARD = frozenset({"child", "self", "descendant", "descendant-or-self"})


def reached(text: str, namespaces: Mapping[str, str]) -> tuple[Pattern, ...] | None:
    """A subtree filter that reaches no less than the expression ``text`` looks at; None where that is everything, as
    for one that cannot be read."""
    try:
        return _reached(read(text, namespaces), namespaces)
    except (XPathError, RecursionError):
        return None


def _reached(expression: Expression, namespaces: Mapping[str, str]) -> tuple[Pattern, ...] | None:
    match expression:
        case Binary("|", left, right):
            first, second = _reached(left, namespaces), _reached(right, namespaces)
            return None if first is None or second is None else (*first, *second)
        case Path(_, None, steps) if steps and _is_named(steps[0]) and all(map(_stays_inside, steps)):
            return (_pattern(steps, namespaces),)
    return None


def _pattern(steps: Sequence[Step], namespaces: Mapping[str, str]) -> Pattern:
    """All that is below a step counts as reached where a predicate says more than what a leaf is equal to, and where
    the next step is more than a name."""
    step, rest = steps[0], steps[1:]
    assert isinstance(step.test, NameTest)
    found = [equalities(predicate) for predicate in step.predicates]
    matches = [_match(test, value, namespaces) for pairs in found for test, value in pairs or ()]
    goes_on = None not in found and bool(rest) and _is_named(rest[0])
    below = [_pattern(rest, namespaces)] if goes_on else []
    return Pattern(step.test.namespace, step.test.name, _element("", namespaces), None, (), (*matches, *below))


def _match(test: NameTest, value: str, namespaces: Mapping[str, str]) -> Pattern:
    return Pattern(test.namespace, test.name, _element(value, namespaces), value, (), ())


def _element(text: str, namespaces: Mapping[str, str]) -> Element:
    """Something for the reader of values to find text and prefixes in."""
    element = etree.Element("value", nsmap={prefix: uri for prefix, uri in namespaces.items() if uri})
    element.text = text
    return element


def _is_named(step: Step) -> bool:
    return step.axis == "child" and isinstance(step.test, NameTest) and step.test.name != "*"


def _stays_inside(part: Step | Expression) -> bool:
    """Whether nothing is looked at but what is below the context node."""
    match part:
        case Step(axis, _, predicates):
            return axis in _INWARD and all(map(_stays_inside, predicates))
        case Path(absolute, start, steps):
            return not absolute and start is None and all(map(_stays_inside, steps))
        case Binary(_, left, right):
            return _stays_inside(left) and _stays_inside(right)
        case Negative(operand):
            return _stays_inside(operand)
        case Call(name, arguments):
            return name not in ("deref", "current") and all(map(_stays_inside, arguments))
        case Filtered(primary, predicates):
            return all(map(_stays_inside, (primary, *predicates)))
    return True
