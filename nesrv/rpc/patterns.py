"""Subtree filters as patterns (RFC 6241 §6.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from nesrv.datastore.incoming import NETCONF, Element
from nesrv.schema.nodes import SchemaNode

_OF_HOLDERS = (NETCONF, "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda")
"""Namespaces that a filter has from the element it stands in: as good as none."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One element of a subtree filter. No children and no text: a selection node."""

    namespace: str | None
    name: str
    element: Element
    text: str | None
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Pattern, ...] = field(default=())

    def fits(self, schema: SchemaNode) -> bool:
        return self.name == schema.name and self.namespace in (None, "", schema.namespace) and not self.attributes

    @property
    def selects(self) -> bool:
        return not self.children and self.text is None


def compile_subtree(holder: Element) -> tuple[Pattern, ...]:
    """The patterns below ``<filter>``."""
    return tuple(_pattern(child) for child in holder if isinstance(child.tag, str))


def _pattern(element: Element) -> Pattern:
    qname = etree.QName(element)
    children = compile_subtree(element)
    text = (element.text or "").strip()
    namespace = qname.namespace
    return Pattern(
        None if namespace in _OF_HOLDERS else namespace,
        qname.localname,
        element,
        text if text and not children else None,
        tuple((str(name), str(value)) for name, value in element.attrib.items()),
        children,
    )
