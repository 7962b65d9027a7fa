"""nesrv's instance paths (``/module:a/b[key='v']/other:c``): made, taken apart, turned into XPath."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


def predicate(key: str, value: str) -> str:
    """``[key='value']``, with the quotes that the value allows."""
    quote = '"' if "'" in value else "'"
    return f"[{key}={quote}{value}{quote}]"


@dataclass(frozen=True, slots=True)
class PathStep:
    """``predicates`` are (name, value); the name ``.`` stands for a leaf-list's value."""

    module: str
    name: str
    predicates: tuple[tuple[str, str], ...] = ()


def split(path: str) -> list[PathStep]:
    """The steps of an instance path; raises ``ValueError`` when it is none."""
    steps: list[PathStep] = []
    module = ""
    for raw in _raw_steps(path):
        head, _, rest = raw.partition("[")
        if ":" in head:
            module, head = head.split(":", 1)
        steps.append(PathStep(module, head, tuple(_predicates("[" + rest if rest else ""))))
    return steps


def _raw_steps(path: str) -> Iterable[str]:
    if not path.startswith("/"):
        raise ValueError(f"not an instance path: {path!r}")
    start, quote = 1, ""
    for position, character in enumerate(path[1:], 1):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "/":
            yield path[start:position]
            start = position + 1
    yield path[start:]


def _predicates(text: str) -> Iterable[tuple[str, str]]:
    while text:
        name, _, rest = text[1:].partition("=")
        quote = rest[0]
        value, _, text = rest[1:].partition(quote)
        text = text[1:]
        yield name.split(":")[-1], value


def to_xpath(path: str, prefixes: Mapping[str, tuple[str, str]]) -> tuple[str, dict[str, str]]:
    """An XPath for ``error-path`` with (prefix → namespace); ``prefixes`` is module → (prefix, namespace).

    A path that is not an instance path is returned as it is.
    """
    try:
        steps = split(path)
    except (ValueError, IndexError):
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
