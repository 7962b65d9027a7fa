"""XPath filters (RFC 6241 §8.9): from the expression to the nodes it selects, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.datastore.xpath.evaluate import WORK, Evaluator, TooComplex
from nesrv.datastore.xpath.syntax import Binary, Expression, Path, Step, TypeTest, XPathError, read
from nesrv.datastore.xpath.values import Value

_KINDS = {bool: "a truth value", float: "a number", str: "a text"}


def nodes_of(evaluator: Evaluator, text: str, namespaces: Mapping[str, str], element: str = "filter") -> list[Node]:
    """What the expression ``text`` selects; raises invalid-value for one that is wrong or that selects no nodes of
    the data model, resource-denied for one that asks for too much work. ``element`` is where it stands."""
    try:
        expression = read(text, namespaces)
        if _ends_in_texts(expression):
            raise XPathError("it selects texts; select the nodes that hold them: leave out text()")
        found = evaluator.at_root(expression)
    except XPathError as error:
        raise _invalid(f'The XPath "{text}" cannot be used: {error}.', element) from error
    except TooComplex as error:
        raise errors.ResourceDenied(
            f'The XPath "{text}" would look at more than {WORK} nodes; name list entries by their keys.',
            app_tag="too-complex",
            type="protocol",
        ) from error
    return _checked(found, text, element)


def _checked(found: Value, text: str, element: str) -> list[Node]:
    if not isinstance(found, list):
        raise _invalid(f'The XPath "{text}" gives {_KINDS[type(found)]}; a filter has to select nodes.', element)
    return [item for item in found if isinstance(item, Node)]


def _ends_in_texts(expression: Expression) -> bool:
    match expression:
        case Path(_, _, (*_, Step(_, TypeTest("text")))):
            return True
        case Binary("|", left, right):
            return _ends_in_texts(left) or _ends_in_texts(right)
    return False


def _invalid(words: str, element: str) -> errors.RpcError:
    return errors.InvalidValue(words, info=(("bad-element", element),), type="protocol")
