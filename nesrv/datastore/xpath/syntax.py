"""XPath 1.0 expressions, read into small immutable trees (W3C recommendation, section 3).

Prefixes are resolved while reading. Names without a prefix keep no namespace: see ``NameTest``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_LENGTH = 20_000
"""Characters of an expression."""
MAX_DEPTH = 24
"""Levels of parentheses, predicates and arguments."""

AXES = frozenset(
    {
        "ancestor",
        "ancestor-or-self",
        "attribute",
        "child",
        "descendant",
        "descendant-or-self",
        "following",
        "following-sibling",
        "namespace",
        "parent",
        "preceding",
        "preceding-sibling",
        "self",
    }
)
_ABSENT_AXES = {"attribute": "attributes", "namespace": "namespace nodes"}
"""Of nodes that the data model does not have (RFC 7950, section 6.4.1)."""
FUNCTIONS: Mapping[str, tuple[int, int | None]] = {
    "last": (0, 0),
    "position": (0, 0),
    "count": (1, 1),
    "id": (1, 1),
    "local-name": (0, 1),
    "namespace-uri": (0, 1),
    "name": (0, 1),
    "string": (0, 1),
    "concat": (2, None),
    "starts-with": (2, 2),
    "contains": (2, 2),
    "substring-before": (2, 2),
    "substring-after": (2, 2),
    "substring": (2, 3),
    "string-length": (0, 1),
    "normalize-space": (0, 1),
    "translate": (3, 3),
    "boolean": (1, 1),
    "not": (1, 1),
    "true": (0, 0),
    "false": (0, 0),
    "lang": (1, 1),
    "number": (0, 1),
    "sum": (1, 1),
    "floor": (1, 1),
    "ceiling": (1, 1),
    "round": (1, 1),
    "current": (0, 0),
    "re-match": (2, 2),
    "deref": (1, 1),
    "derived-from": (2, 2),
    "derived-from-or-self": (2, 2),
    "enum-value": (1, 1),
    "bit-is-set": (2, 2),
}
"""Name → least and most arguments (None: any number): XPath 1.0, section 4, and RFC 7950, section 10."""
_NODE_TYPES = frozenset({"comment", "node", "processing-instruction", "text"})
_OPERATOR_NAMES = frozenset({"and", "or", "div", "mod"})
_TOKEN = re.compile(
    r"""(?P<literal>'[^']*'|"[^"]*")|(?P<number>\d+(?:\.\d*)?|\.\d+)"""
    r"""|(?P<name>[^\W\d][\w.-]*(?::(?!:)(?:\*|[^\W\d][\w.-]*))?)"""
    r"""|(?P<sign>\.\.|::|//|!=|<=|>=|[][()@,./|+=<>$*-])|(?P<space>[ \t\r\n]+)"""
)
_OPENS = frozenset({"@", "::", "(", "[", ",", "/", "//", "|", "+", "-", "=", "!=", "<", "<=", ">", ">=", "$"})
"""What an operand follows, never an operator (section 3.7)."""


class XPathError(ValueError):
    """An expression that is none, or one that means nothing here; the text says why."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: str


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """``operator``: or, and, =, !=, <, <=, >, >=, +, -, *, div, mod, | (union)."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Expression


@dataclass(frozen=True, slots=True)
class NameTest:
    """``name`` may be ``*``. Without a prefix ``namespace`` is None and any module's node of that name fits:
    there is no node of the data model without a namespace that it could mean instead."""

    namespace: str | None
    name: str


@dataclass(frozen=True, slots=True)
class TypeTest:
    """``kind``: node, text, comment or processing-instruction."""

    kind: str


@dataclass(frozen=True, slots=True)
class Step:
    axis: str
    test: NameTest | TypeTest
    predicates: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """``start``: None for the root (absolute) or the context node."""

    absolute: bool
    start: Expression | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Filtered:
    """An expression with predicates."""

    primary: Expression
    predicates: tuple[Expression, ...]


Expression = Literal | Number | Call | Binary | Negative | Path | Filtered

ANY_NODE = TypeTest("node")
DESCEND = Step("descendant-or-self", ANY_NODE)
"""What ``//`` stands for."""
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",),
    ("and",),
    ("=", "!="),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "div", "mod"),
)


def read(text: str, namespaces: Mapping[str, str]) -> Expression:
    """The expression that ``text`` is; raises ``XPathError``. ``namespaces``: prefix → namespace."""
    if len(text) > MAX_LENGTH:
        raise XPathError(f"it has {len(text)} characters, {MAX_LENGTH} are read")
    reader = _Reader(text, namespaces)
    found = reader.expression()
    reader.end()
    return found


@dataclass(frozen=True, slots=True)
class _Token:
    """``kind``: literal, number, name, sign or operator (also ``*`` and words such as ``and`` that stand for one)."""

    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise XPathError(f"{text[at]!r} at character {at + 1} belongs to nothing")
        kind, word = str(match.lastgroup), match[0]
        if kind != "space":
            after_operand = bool(found) and found[-1].kind != "operator" and found[-1].text not in _OPENS
            if after_operand and (word == "*" or word in _OPERATOR_NAMES):
                kind = "operator"
            found.append(_Token(kind, word, at))
        at = match.end()
    return found


class _Reader:
    def __init__(self, text: str, namespaces: Mapping[str, str]) -> None:
        self._tokens = _tokens(text)
        self._namespaces = namespaces
        self._at = 0
        self._depth = 0

    # Tokens

    def _peek(self, ahead: int = 0) -> _Token | None:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def _is(self, *texts: str, ahead: int = 0) -> bool:
        """Whether a sign or operator among ``texts`` comes."""
        token = self._peek(ahead)
        return token is not None and token.kind in ("sign", "operator") and token.text in texts

    def _take(self) -> _Token:
        token = self._peek()
        if token is None:
            raise XPathError("it ends too early")
        self._at += 1
        return token

    def _expect(self, text: str) -> None:
        token = self._take()
        if token.kind != "sign" or token.text != text:
            raise XPathError(f"{token.text!r} stands at character {token.at + 1} where {text!r} should")

    def end(self) -> None:
        token = self._peek()
        if token is not None:
            raise XPathError(f"{token.text!r} at character {token.at + 1} is one too many")

    # Expressions, loosest binding first

    def expression(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise XPathError(f"it is nested deeper than {MAX_DEPTH} levels")
        found = self._binary(0)
        self._depth -= 1
        return found

    def _binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._is(*_LEVELS[level]):
            left = Binary(self._take().text, left, self._binary(level + 1))
        return left

    def _unary(self) -> Expression:
        negative, signs = False, 0
        while self._is("-"):
            self._take()
            negative, signs = not negative, signs + 1
        operand = self._union()
        # An even number of signs is still arithmetic: it makes a number of what follows.
        return operand if not signs else Negative(operand) if negative else Negative(Negative(operand))

    def _union(self) -> Expression:
        left = self._path()
        while self._is("|"):
            self._take()
            left = Binary("|", left, self._path())
        return left

    # Paths

    def _path(self) -> Expression:
        if self._is("/"):
            self._take()
            return Path(True, None, self._relative() if self._starts_step() else ())
        if self._is("//"):
            self._take()
            return Path(True, None, (DESCEND, *self._relative()))
        if not self._starts_primary():
            return Path(False, None, self._relative())
        primary = self._primary()
        predicates = self._predicates()
        start = Filtered(primary, predicates) if predicates else primary
        if self._is("/"):
            self._take()
            return Path(False, start, self._relative())
        if self._is("//"):
            self._take()
            return Path(False, start, (DESCEND, *self._relative()))
        return start

    def _starts_step(self) -> bool:
        token = self._peek()
        return token is not None and (token.kind == "name" or token.text in (".", "..", "@", "*"))

    def _starts_primary(self) -> bool:
        token = self._peek()
        if token is None:
            raise XPathError("it ends too early" if self._at else "it is empty")
        if token.kind in ("literal", "number") or token.text in ("(", "$"):
            return True
        return token.kind == "name" and token.text not in _NODE_TYPES and self._is("(", ahead=1)

    def _relative(self) -> tuple[Step, ...]:
        steps = [self._step()]
        while self._is("/", "//"):
            if self._take().text == "//":
                steps.append(DESCEND)
            steps.append(self._step())
        return tuple(steps)

    def _step(self) -> Step:
        if self._is(".", ".."):
            return Step("self" if self._take().text == "." else "parent", ANY_NODE)
        axis = "child"
        if self._is("@"):
            axis = "attribute"
            self._take()
        elif self._is("::", ahead=1):
            token = self._take()
            axis = token.text
            if axis not in AXES:
                raise XPathError(f"there is no axis {axis!r}")
            self._take()
        if axis in _ABSENT_AXES:
            raise XPathError(f"nodes of the data model have no {_ABSENT_AXES[axis]}")
        return Step(axis, self._test(), self._predicates())

    def _test(self) -> NameTest | TypeTest:
        token = self._take()
        if token.text == "*":
            return NameTest(None, "*")
        if token.kind != "name":
            raise XPathError(f"{token.text!r} stands at character {token.at + 1} where a name should")
        if token.text in _NODE_TYPES and self._is("("):
            self._take()
            if token.text == "processing-instruction" and not self._is(")"):
                self._take()
            self._expect(")")
            return TypeTest(token.text)
        prefix, colon, name = token.text.rpartition(":")
        if not colon:
            return NameTest(None, name)
        if prefix not in self._namespaces:
            raise XPathError(f"the prefix {prefix!r} is not declared")
        return NameTest(self._namespaces[prefix], name)

    def _predicates(self) -> tuple[Expression, ...]:
        found = []
        while self._is("["):
            self._take()
            found.append(self.expression())
            self._expect("]")
        return tuple(found)

    def _primary(self) -> Expression:
        token = self._take()
        if token.kind == "literal":
            return Literal(token.text[1:-1])
        if token.kind == "number":
            return Number(float(token.text))
        if token.text == "$":
            raise XPathError("there are no variables")
        if token.text == "(":
            found = self.expression()
            self._expect(")")
            return found
        return self._call(token.text)

    def _call(self, name: str) -> Call:
        self._expect("(")
        arguments: list[Expression] = []
        while not self._is(")"):
            if arguments:
                self._expect(",")
            arguments.append(self.expression())
        self._take()
        if name not in FUNCTIONS:
            raise XPathError(f"there is no function {name}()")
        (least, most), count = FUNCTIONS[name], len(arguments)
        if count < least or (most is not None and count > most):
            raise XPathError(f"{name}() does not take {count} argument{'' if count == 1 else 's'}")
        return Call(name, tuple(arguments))
