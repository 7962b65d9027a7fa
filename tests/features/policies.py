"""Pieces of routing policy for tests, put together from OpenConfig XML."""

from __future__ import annotations

from lxml import etree

from tests.features.documents import box, entry, leaves

NAMESPACES = (
    'xmlns="http://openconfig.net/yang/routing-policy" xmlns:oc-bgp-types="http://openconfig.net/yang/bgp-types"'
)
BGP = 'xmlns="http://openconfig.net/yang/bgp-policy"'
ACCEPT, REJECT = "ACCEPT_ROUTE", "REJECT_ROUTE"
LISTS = frozenset(
    {
        "policy-definition",
        "statement",
        "prefix",
        *(f"{kind}-set" for kind in ("prefix", "neighbor", "tag", "community", "ext-community", "as-path")),
    }
)
BGP_SETS = ("community", "ext-community", "as-path")


def prefix_set(name: str, *rows: str, mode: str | None = None) -> str:
    """``rows``: ``PREFIX`` or ``PREFIX FROM..TO``."""
    made = ""
    for row in rows:
        prefix, _, lengths = row.partition(" ")
        keys = leaves(ip_prefix=prefix, masklength_range=lengths or "exact")
        made += f"<prefix>{keys}<config>{keys}</config></prefix>"
    return _set("prefix-set", entry("prefix-set", "name", name, f"<prefixes>{made}</prefixes>", mode=mode))


def neighbor_set(name: str, *addresses: str) -> str:
    return _set("neighbor-set", entry("neighbor-set", "name", name, address=addresses))


def tag_set(name: str, *tags: object) -> str:
    return _set("tag-set", entry("tag-set", "name", name, tag_value=tags))


def community_set(name: str, *members: str) -> str:
    return _bgp_set("community", entry("community-set", "community-set-name", name, community_member=members))


def ext_community_set(name: str, *members: str) -> str:
    made = entry("ext-community-set", "ext-community-set-name", name, ext_community_member=members)
    return _bgp_set("ext-community", made)


def as_path_set(name: str, *members: str) -> str:
    return _bgp_set("as-path", entry("as-path-set", "as-path-set-name", name, as_path_set_member=members))


def _set(kind: str, made: str) -> str:
    return f"<defined-sets><{kind}s>{made}</{kind}s></defined-sets>"


def _bgp_set(kind: str, made: str) -> str:
    inner = f"<{kind}-sets>{made}</{kind}-sets>"
    return f"<defined-sets><bgp-defined-sets {BGP}>{inner}</bgp-defined-sets></defined-sets>"


def match(kind: str, name: str, option: str | None = None) -> str:
    """A condition on a set: ``kind`` is ``prefix``, ``neighbor``, ``tag``, ``community``…"""
    made = box(f"match-{kind}-set", **{f"{kind}_set".replace("-", "_"): name}, match_set_options=option)
    inner = f"<bgp-conditions {BGP}>{made}</bgp-conditions>" if kind in BGP_SETS else made
    return f"<conditions>{inner}</conditions>"


def when(**config: object) -> str:
    """A condition on an attribute: ``med_eq=5``."""
    return f"<conditions>{_config('bgp-conditions', leaves(**config))}</conditions>"


def give(**config: object) -> str:
    """An action on an attribute: ``set_med=5``."""
    return f"<actions>{_config('bgp-actions', leaves(**config))}</actions>"


def prepend(**config: object) -> str:
    return _bgp_action(box("set-as-path-prepend", **config))


def communities(option: str | None, *members: str, kind: str = "community", method: str | None = "INLINE") -> str:
    """``members`` are sets' names where ``method`` is REFERENCE."""
    inline = box("inline", communities=members) if method == "INLINE" else ""
    refs = {f"{kind}_set_refs".replace("-", "_"): members}
    reference = box("reference", **refs) if method == "REFERENCE" else ""
    config = f"<config>{leaves(method=method, options=option)}</config>"
    return _bgp_action(f"<set-{kind}>{config}{inline}{reference}</set-{kind}>")


def tag(mode: str, *tags: object, of: str | None = None) -> str:
    inner = f"<config>{leaves(mode=mode)}</config>"
    inner += box("inline", tag=tags) if tags else ""
    inner += box("reference", tag_set=of) if of else ""
    return f"<actions><set-tag>{inner}</set-tag></actions>"


def result(value: str) -> str:
    return f"<actions><config>{leaves(policy_result=value)}</config></actions>"


def _config(name: str, inner: str) -> str:
    return f"<{name} {BGP}><config>{inner}</config></{name}>"


def _bgp_action(inner: str) -> str:
    return f"<actions><bgp-actions {BGP}>{inner}</bgp-actions></actions>"


def statement(name: str, *parts: str) -> str:
    """``parts``: conditions and actions; a word (ACCEPT_ROUTE) is the result."""
    return entry("statement", "name", name, "".join(part if part.startswith("<") else result(part) for part in parts))


def policy(name: str, *statements: str) -> str:
    made = entry("policy-definition", "name", name, f"<statements>{''.join(statements)}</statements>")
    return f"<policy-definitions>{made}</policy-definitions>"


def routing_policy(*parts: str) -> str:
    root = etree.fromstring(f"<routing-policy {NAMESPACES}>{''.join(parts)}</routing-policy>")
    _merge(root)
    return etree.tostring(root, encoding="unicode")


def _merge(node: etree._Element) -> None:
    """Makes one container of several alike."""
    seen: dict[str, etree._Element] = {}
    for child in list(node):
        first = seen.setdefault(str(child.tag), child)
        if first is not child and len(child) and etree.QName(child).localname not in LISTS:
            first.extend(list(child))
            node.remove(child)
    for child in node:
        _merge(child)
