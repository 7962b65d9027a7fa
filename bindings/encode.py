"""From pyangbind objects to the ``<config>`` of an edit-config.

pyangbind's own encoder prints an identityref that is a list's key without its prefix, fails on a leaf-list of
them, and leaves out the leaf in ``config`` that OpenConfig's keys refer to: a server must refuse what it makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from lxml import etree
from pyangbind.lib.serialise import XmlYangDataSerialiser
from pyangbind.lib.yangtypes import safe_name

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"


def config(*modules: Any) -> etree._Element:
    """A ``<config>`` with all that is set in the modules' objects (``openconfig_interfaces()``, …).

    Whatever was assigned is sent, YANG defaults included.  ``config/KEY`` of each list entry is filled in.
    """
    made = etree.Element(f"{{{BASE}}}config", nsmap=_default(BASE))
    for module in modules:
        made.extend(_children(module))
    return made


def _children(node: Any, keys: dict[str, etree._Element] | None = None) -> Iterator[etree._Element]:
    """``keys``: elements of the keys of the entry whose ``config`` this is, by name."""
    missing = dict(keys or {})
    for attribute in node._pyangbind_elements:
        child = getattr(node, attribute)
        missing.pop(child._yang_name, None)
        if keys and child._yang_name in keys:
            yield keys[child._yang_name]
        elif child._is_container == "list":
            for entry in child.values():
                yield _entry(child, entry)
        elif child._is_container == "container":
            found = list(_children(child))
            if found or (child._presence and child._present()):
                yield _element(child, *found)
        elif child._changed():
            yield from _leaves(child)
    assert not missing, f"keys without a leaf in config: {', '.join(missing)}"


def _entry(entries: Any, entry: Any) -> etree._Element:
    """A list entry: the keys, ``config`` with the keys again, all else."""
    names = entries._yang_keys.split(" ")
    keys = {name: _key(getattr(entry, safe_name(name))) for name in names}
    made = _element(entries, *map(deepcopy, keys.values()))
    inner = getattr(entry, "config", None)
    if inner is not None:
        made.append(_element(inner, *_children(inner, keys)))
    made.extend(one for one in _children(entry) if etree.QName(one).localname not in {*names, "config"})
    return made


def _key(key: Any) -> etree._Element:
    return _leaf(key, str(key), _identities(key))


def _leaves(leaf: Any) -> Iterator[etree._Element]:
    value = XmlYangDataSerialiser().default(leaf)
    if not isinstance(value, list):
        yield _leaf(leaf, value, _identities(leaf))
        return
    for one in leaf:
        yield _leaf(leaf, XmlYangDataSerialiser().default(one), _identities(one) or _identities_of(leaf))


def _identities_of(leaf_list: Any) -> dict[str, dict[str, str]] | None:
    """Of a union, in which pyangbind takes an identity's name for a string where one may stand there."""
    return next((found for member in leaf_list._allowed_type if (found := _identities(member))), None)


def _leaf(leaf: Any, value: object, identities: dict[str, dict[str, str]] | None) -> etree._Element:
    namespaces = _default(leaf._namespace)
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    name = text.rpartition(":")[2]
    if identities is not None and (identity := identities.get(text) or identities.get(name)) is not None:
        namespaces[identity["@module"]] = identity["@namespace"]
        text = f"{identity['@module']}:{name}"
    made = etree.Element(f"{{{leaf._namespace}}}{leaf._yang_name}", nsmap=namespaces)
    made.text = text
    return made


def _identities(value: Any) -> dict[str, dict[str, str]] | None:
    """Identity → module and namespace, where the type is an identityref."""
    found = getattr(value, "_enumeration_dict", None) or {}
    return found if any("@namespace" in one for one in found.values()) else None


def _element(node: Any, *children: etree._Element) -> etree._Element:
    made = etree.Element(f"{{{node._namespace}}}{node._yang_name}", nsmap=_default(node._namespace))
    made.extend(children)
    return made


def _default(namespace: str) -> Any:
    """As the default namespace, for which the stubs of lxml have no place."""
    return {None: namespace}
