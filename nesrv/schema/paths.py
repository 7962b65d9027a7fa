"""nesrv's instance paths (``/module:a/b[key='v']/other:c``): made, taken apart, turned into XPath."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_HEAD = re.compile(r"/(?:(?P<module>[^/:\[\]'\"]+):)?(?P<name>[^/:\[\]'\"]+)")
_KEY = re.compile(r"\[(?:[^\[\]=:'\"]+:)?(?P<name>[^\[\]=:'\"]+)=")
_PIECE = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_CONCAT = re.compile(rf"concat\(((?:{_PIECE.pattern})(?:, (?:{_PIECE.pattern}))*)\)\]")


def predicate(key: str, value: str) -> str:
    """``[key='value']``, with the quotes that the value allows; a value with both kinds is put together."""
    return f"[{key}={_literal(value)}]"


def _literal(value: str) -> str:
    """XPath has no escapes: what holds both kinds of quotes is said with ``concat``."""
    if "'" not in value:
        return f"'{value}'"
    if '"' not in value:
        return f'"{value}"'
    pieces = value.split("'")
    return "concat(" + ', "\'", '.join(f"'{piece}'" for piece in pieces) + ")"


@dataclass(frozen=True, slots=True)
class PathStep:
    """``predicates`` are (name, value); the name ``.`` stands for a leaf-list's value."""

    module: str
    name: str
    predicates: tuple[tuple[str, str], ...] = ()


def split(path: str) -> list[PathStep]:
    """The steps of an instance path; raises ``ValueError`` when it is none."""
    steps: list[PathStep] = []
    module, position = "", 0
    while position < len(path):
        head = _HEAD.match(path, position)
        if head is None:
            raise ValueError(f"not an instance path: {path!r}")
        module, position = head["module"] or module, head.end()
        predicates: list[tuple[str, str]] = []
        while path.startswith("[", position):
            found, position = _predicate(path, position)
            predicates.append(found)
        steps.append(PathStep(module, head["name"], tuple(predicates)))
    if not steps:
        raise ValueError(f"not an instance path: {path!r}")
    return steps


def _predicate(path: str, start: int) -> tuple[tuple[str, str], int]:
    """The predicate at ``start`` and where it ends.

    libyang puts a value with both kinds of quotes between double ones all the same, so a value
    ends where its quote and a bracket do.
    """
    key = _KEY.match(path, start)
    if key is None:
        raise ValueError(f"not an instance path: {path!r}")
    if (joined := _CONCAT.match(path, key.end())) is not None:
        pieces = (single or double for single, double in _PIECE.findall(joined[1]))
        return (key["name"], "".join(pieces)), joined.end()
    quote = path[key.end() : key.end() + 1]
    if quote not in ("'", '"'):
        raise ValueError(f"not an instance path: {path!r}")
    end = path.index(f"{quote}]", key.end() + 1)
    return (key["name"], path[key.end() + 1 : end]), end + 2


def to_xpath(path: str, prefixes: Mapping[str, tuple[str, str]]) -> tuple[str, dict[str, str]]:
    """An XPath for ``error-path`` with (prefix → namespace); ``prefixes`` is module → (prefix, namespace).

    A path that is not an instance path is returned as it is.
    """
    try:
        steps = split(path)
    except ValueError:
        return path, {}
    used: dict[str, str] = {}
    text = ""
    for step in steps:
        if step.module not in prefixes:
            return path, {}
        prefix, namespace = prefixes[step.module]
        used[prefix] = namespace
        text += f"/{prefix}:{step.name}"
        text += "".join(predicate(n if n == "." else f"{prefix}:{n}", v) for n, v in step.predicates)
    return text, used
