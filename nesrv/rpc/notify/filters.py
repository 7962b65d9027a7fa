"""Which notifications a subscription wants: a filter passes one whole or not at all (RFC 5277 §3.6, RFC 8639 §2.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY
from nesrv.datastore.tree import Node
from nesrv.datastore.xpath.evaluate import Evaluator, TooComplex
from nesrv.datastore.xpath.syntax import XPathError
from nesrv.datastore.xpath.values import boolean
from nesrv.rpc.configure import xpath_of
from nesrv.rpc.filters import Selection
from nesrv.rpc.notify.log import Record
from nesrv.rpc.patterns import compile_subtree
from nesrv.rpc.views import Configuration
from nesrv.rpc.xpath import expression_of

Passes = Callable[[Record], bool]

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def everything(record: Record) -> bool:
    """No filter."""
    return True


def of_holder(shards: Shards, holder: Any | None) -> Passes:
    """A ``<filter>`` as in get; raises bad-attribute, missing-attribute, invalid-value."""
    if holder is None:
        return everything
    by_xpath = xpath_of(holder)
    return subtree(shards, holder) if by_xpath is None else xpath(shards, *by_xpath)


def subtree(shards: Shards, holder: Any) -> Passes:
    """Something of the notification is left by the elements below ``holder``."""
    patterns, selection = compile_subtree(holder), Selection(shards, Configuration(shards, EMPTY))

    def passes(record: Record) -> bool:
        schema = shards.schema.notifications.get(record.tag)
        if schema is None or not any(pattern.fits(schema) for pattern in patterns):
            return False
        node = _tree(shards, record)
        return node is not None and selection.matches([node], patterns)

    return passes


def xpath(shards: Shards, text: str, prefixes: Mapping[str, str]) -> Passes:
    """``text`` is true of a document with the notification in it; raises invalid-value."""
    expression = expression_of(text, prefixes)

    def passes(record: Record) -> bool:
        node = _tree(shards, record)
        if node is None:
            return False
        evaluator = Evaluator.of_trees(shards, [node], prefixes)
        try:
            return boolean(evaluator.at_root(expression))
        except (XPathError, TooComplex, RecursionError):
            return False

    return passes


def _tree(shards: Shards, record: Record) -> Node | None:
    """The notification; None for one that was logged when its module had nodes that it has no more."""
    schema = shards.schema.notifications.get(record.tag)
    if schema is None:
        return None
    try:
        return shards.reader.fixed(etree.fromstring(record.xml, _PARSER), schema, None)
    except KeyError:
        return None
