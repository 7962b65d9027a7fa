"""Configuration XML put into the bindings' objects, node by node, as a script would assign it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lxml import etree
from pyangbind.lib.yangtypes import safe_name

from tests.features.element import model

Element = etree._Element


def objects(document: str) -> list[Any]:
    """The module objects that hold ``document``, a forest of top-level containers."""
    made: list[Any] = []
    for top in etree.fromstring(f"<config>{document}</config>"):
        module = safe_name(model().data[str(top.tag)].module)
        made.append(getattr(import_module(f"bindings.classes.{module}"), module)())
        _fill(getattr(made[-1], safe_name(_name(top))), top)
    return made


def _fill(node: Any, element: Element) -> None:
    for child in element:
        attribute = safe_name(_name(child))
        target = getattr(node, attribute)
        if target._is_container == "list":
            keys = target._yang_keys.split(" ")
            found = {key: next(_value(one) for one in child if _name(one) == key) for key in keys}
            # pyangbind's own text of several keys is split at spaces: by name is the way that takes any text.
            entry = target.add(**{safe_name(key): value for key, value in found.items()})
            for one in list(child):
                if _name(one) in keys:
                    child.remove(one)
            _fill(entry, child)
        elif target._is_container == "container":
            if target._presence:
                target._set_present()
            _fill(target, child)
        else:
            _assign(node, attribute, _value(child))


def _assign(node: Any, attribute: str, value: str) -> None:
    leaf = getattr(node, attribute)
    if getattr(leaf, "_pybind_generated_by", None) == "TypedListType":
        leaf.append(value)
    else:
        setattr(node, attribute, value)


def _name(element: Element) -> str:
    return etree.QName(element).localname


def _value(element: Element) -> str:
    """Identities without their prefix, which stands for the same in no two documents."""
    text = element.text or ""
    head, _, name = text.partition(":")
    return name if head in element.nsmap and name else text
