"""A configuration translated: as a commit does, up to the plan."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache

from lxml import etree

from nesrv.commit.derive import Derivation
from nesrv.commit.plan import FactKey, plan
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY
from nesrv.datastore.validate import Validator
from nesrv.facts import Fact, Step
from nesrv.features.feature import Feature
from nesrv.features.registry import FEATURES
from nesrv.frr.text import FrrLine
from nesrv.kernel.facts import Place
from nesrv.schema import modules, schema


@cache
def model() -> schema.Schema:
    return schema.load(modules.module_set([], True))


class Element:
    """Takes whole configurations one after the other, as running would."""

    def __init__(self, features: Iterable[Feature] = FEATURES) -> None:
        self._shards = Shards(model())
        self._editor = Editor(self._shards)
        self._validator = Validator(self._shards)
        self.derivation = Derivation(features, self._shards)
        self._running = EMPTY

    def commit(self, document: str) -> list[Step]:
        """Replaces the configuration; returns the plan.  Raises what the translation raises."""
        return self.commit_edits([document])

    def commit_edits(self, documents: Iterable[str]) -> list[Step]:
        """The same with a configuration that comes in several edits."""
        after = EMPTY
        for document in documents:
            after = self._editor.edit(after, etree.fromstring(f"<config>{document}</config>"))
        changes = self._running.changes_to(after)
        self._validator.validate(after, changes)
        preview = asyncio.run(self.derivation.preview(after, changes))
        before = self.facts()
        self._validator.adopt(changes)
        self.derivation.adopt(preview)
        self._running = after
        return plan(preview.wanted, before.get, lambda wanted, actual: wanted == actual)

    def facts(self) -> dict[FactKey, Fact]:
        return {fact.key: fact for fact in self.derivation.facts()}

    def lines(self) -> list[FrrLine]:
        return [fact for fact in self.derivation.facts() if isinstance(fact, FrrLine)]

    def texts(self) -> list[str]:
        """FRR's lines as ``context / … / text``."""
        return [" / ".join((*fact.context, fact.text)) for fact in self.lines()]


def written(fact: Fact) -> str:
    """One line of text for one fact, without its path and what is as by default."""
    if isinstance(fact, FrrLine):
        return "frr " + " / ".join((*fact.context, fact.text))
    assert is_dataclass(fact)
    shown = [part for part in fields(fact) if part.name != "path" and getattr(fact, part.name) != part.default]
    values = (f"{part.name}={_value(getattr(fact, part.name))}" for part in shown)
    return " ".join((type(fact).__name__.lower(), *values))


def _value(value: object) -> str:
    if isinstance(value, Place):
        return f"{value.kind}:{value.name}" if value.name else value.kind
    return str(value)
