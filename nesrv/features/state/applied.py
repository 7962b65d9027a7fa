"""Configuration that is applied, as ``state`` shows it beside ``config`` (OpenConfig: applied configuration); pure.

What a commit answered ``<ok/>`` for is applied, so running is where it is read.  Leaves that
kernel or FRR can tell are left out here: they come from there or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv.datastore.build import Plain
from nesrv.datastore.tree import Node
from nesrv.schema.nodes import SchemaNode

TOLD_BY_KERNEL = frozenset(
    {
        "state/mtu",
        "state/enabled",
        "leg/state/host-namespace",
        "leg/state/host-interface",
        "leg/state/host-address",
        "leg/state/host-bridge",
        "macvlan",
        "adopt",
        "subinterfaces/subinterface/state/enabled",
        "subinterfaces/subinterface/ipv4/addresses",
        "subinterfaces/subinterface/ipv6/addresses",
        "subinterfaces/subinterface/vlan",
        "routed-vlan/ipv4",
        "routed-vlan/ipv6",
        "interfaces/interface",
        "evpn/evpn-instances/evpn-instance/vxlan/state/vni",
        "evpn/evpn-instances/evpn-instance/vxlan/state/udp-port",
    }
)
TOLD_BY_FRR = frozenset(
    {
        "evpn/evpn-instances/evpn-instance/state/route-distinguisher",
        "evpn/evpn-instances/evpn-instance/import-export-policy",
        "protocols/protocol/bgp/neighbors/neighbor/state/peer-as",
        "protocols/protocol/bgp/neighbors/neighbor/state/description",
        "protocols/protocol/bgp/neighbors/neighbor/transport/state/local-address",
        "protocols/protocol/bgp/unnumbered-neighbors/unnumbered-neighbor/state/peer-as",
        "protocols/protocol/bgp/unnumbered-neighbors/unnumbered-neighbor/state/description",
    }
)
MADE_BY_FRR = frozenset(
    {
        "protocols",
        "evpn",
        "tables",
        "table-connections",
        "inter-instance-policies",
        "state/hostname",
        "state/domain-name",
    }
)
"""Nothing of these is applied where there is no FRR."""


def leaves(point: SchemaNode, told: frozenset[str]) -> tuple[str, ...]:
    """Schema paths of the leaves that ``applied`` can give entries of ``point``."""
    return tuple(_leaves_below(point, "", told))


def _leaves_below(schema: SchemaNode, path: str, told: frozenset[str]) -> Iterator[str]:
    for child in schema.children.values():
        below = f"{path}/{child.name}" if path else child.name
        if below in told or child.kind not in ("container", "list"):
            continue
        if child.name == "state" and (config := schema.by_name.get("config")) is not None:
            shown = (leaf for leaf in child.children.values() if leaf.name in config.by_name)
            yield from (leaf.path for leaf in shown if f"{below}/{leaf.name}" not in told)
        elif child.config:
            yield from _leaves_below(child, below, told)


def applied(entry: Node, told: frozenset[str]) -> dict[str, Plain]:
    """``entry`` with the ``state`` that its ``config`` became, but for paths (below the entry) in ``told``."""
    return _copies(entry, "", told)


def _copies(node: Node, path: str, told: frozenset[str]) -> dict[str, Plain]:
    found: dict[str, Plain] = {child.name: child.value for child in node.children if child.schema.is_key}
    lists: dict[str, list[Plain]] = {}
    for child in node.children:
        below = f"{path}/{child.name}" if path else child.name
        if child.schema.kind not in ("container", "list") or below in told:
            continue
        if child.name == "config" and "state" in node.schema.by_name:
            state = _state(child, f"{path}/state" if path else "state", told)
            if state:
                found["state"] = state
            continue
        copies = _copies(child, below, told)
        if len(copies) > len(child.schema.keys):
            if child.schema.kind == "list":
                lists.setdefault(child.name, []).append(copies)
            else:
                found[child.name] = copies
    return {**found, **lists}


def _state(config: Node, path: str, told: frozenset[str]) -> dict[str, Plain]:
    assert config.schema.parent is not None
    shown = config.schema.parent.by_name["state"].by_name
    found: dict[str, Plain] = {}
    for name, values in _leaves(config):
        if name in shown and f"{path}/{name}" not in told:
            found[name] = values if shown[name].kind == "leaf-list" else values[0]
    return found


def _leaves(config: Node) -> Iterator[tuple[str, list[str]]]:
    values: dict[str, list[str]] = {}
    for child in config.children:
        if child.value is not None:
            values.setdefault(child.name, []).append(child.value)
    yield from values.items()
