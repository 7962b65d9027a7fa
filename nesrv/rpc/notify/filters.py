"""Which notifications a subscription wants: a filter passes one whole or not at all (RFC 5277 §3.6, RFC 8639 §2.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from nesrv import errors
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY
from nesrv.rpc.configure import xpath_of
from nesrv.rpc.filters import Selection, compile_subtree
from nesrv.rpc.notify.log import Record
from nesrv.rpc.xpath import below_wrapper

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
    return subtree(shards, holder) if by_xpath is None else xpath(*by_xpath)


def subtree(shards: Shards, holder: Any) -> Passes:
    """Something of the notification is left by the elements below ``holder``."""
    patterns, selection = compile_subtree(holder), Selection(shards, EMPTY)

    def passes(record: Record) -> bool:
        schema = shards.schema.notifications.get(record.tag)
        if schema is None or not any(pattern.fits(schema) for pattern in patterns):
            return False
        try:
            node = shards.reader.fixed(etree.fromstring(record.xml, _PARSER), schema, None)
        except KeyError:  # logged when its module had nodes that it has no more
            return False
        return selection.matches([node], patterns)

    return passes


def xpath(expression: str, prefixes: Mapping[str, str]) -> Passes:
    """``expression`` is true of a document with the notification in it; raises invalid-value."""
    try:
        query = etree.XPath(below_wrapper(expression), namespaces=dict(prefixes))
        query(etree.Element("data"))
    except etree.XPathError as error:
        raise errors.InvalidValue(
            f'"{expression}" is no XPath: {error}.', info=(("bad-element", "filter"),), type="protocol"
        ) from error

    def passes(record: Record) -> bool:
        top = etree.Element("data")
        top.append(etree.fromstring(record.xml, _PARSER))
        try:
            return bool(query(top))
        except etree.XPathError:
            return False

    return passes
