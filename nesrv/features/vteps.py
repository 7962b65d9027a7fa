"""VTEPs: the endpoints of the default instance whose address VXLAN devices use.

OpenConfig: network-instance/connection-points/connection-point/endpoints/endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.features import inputs
from nesrv.features.feature import Export, Lookup
from nesrv.features.links import ITSELF
from nesrv.kernel.facts import DEFAULT_MTU

ENDPOINTS = "connection-points/connection-point/endpoints/endpoint"

VtepAddress = IPv4Interface | IPv6Interface


@dataclass(frozen=True, slots=True)
class Source:
    """Where a VTEP has its address from; ``path`` is the leaf that says so."""

    interface: str
    subinterface: str
    path: str


def enabled(endpoint: Node) -> bool:
    return endpoint.flag("vxlan/config/enabled")


def source(endpoint: Node) -> Source | None:
    """The link that the endpoint names, in either of the two places where OpenConfig can."""
    interface = endpoint.leaf("local/config/interface")
    if interface is not None:
        subinterface = endpoint.leaf("local/config/subinterface") or ITSELF
        return Source(interface, subinterface, endpoint.path_of("local/config/interface"))
    interface = endpoint.leaf("vxlan/config/source-interface")
    return (
        Source(interface, ITSELF, endpoint.path_of("vxlan/config/source-interface")) if interface is not None else None
    )


def exports(instance: str, entry: Node) -> Iterator[Export]:
    names: list[str] = []
    for endpoint in entry.all(ENDPOINTS):
        found = source(endpoint)
        if enabled(endpoint) and found is not None:
            name = endpoint.text("endpoint-id")
            names.append(name)
            yield Export(inputs.vtep_source(found.interface, found.subinterface), 1, f"VTEP {name}", endpoint.path)
            key = inputs.vtep(instance, name)
            yield Export(key, (found.interface, found.subinterface), f"VTEP {name}", endpoint.path)
    if names:
        yield Export(inputs.vteps(instance), tuple(names), f"the VTEPs of {instance}", entry.path)


def check(instance: str, entry: Node, lookup: Lookup) -> None:
    """Raises RpcError for an endpoint that cannot be a VTEP."""
    seen: set[str] = set()
    for endpoint in entry.all(ENDPOINTS):
        name = endpoint.text("endpoint-id")
        if name in seen:
            raise errors.InvalidValue(
                f"Two connection points have an endpoint {name}; give one of them another name.",
                endpoint.path_of("endpoint-id"),
                "nesrv-endpoint-twice",
            )
        seen.add(name)
        if enabled(endpoint):
            _check(instance, endpoint, lookup)


def _check(instance: str, endpoint: Node, lookup: Lookup) -> None:
    name = endpoint.text("endpoint-id")
    found = source(endpoint)
    if found is None:
        raise errors.DataMissing(
            f"VTEP {name} names no interface; set local/config/interface or vxlan/config/source-interface.",
            endpoint.path_of("vxlan/config/source-interface"),
            "nesrv-vtep-without-interface",
        )
    other = endpoint.leaf("vxlan/config/source-interface")
    if other is not None and other != found.interface:
        raise errors.InvalidValue(
            f"VTEP {name} has two interfaces, {found.interface} and {other}; make them the same or leave one out.",
            endpoint.path_of("vxlan/config/source-interface"),
            "nesrv-vtep-interfaces-differ",
        )
    home = inputs.text(lookup, inputs.binding(found.interface, found.subinterface))
    if home not in (None, instance):
        raise errors.InvalidValue(
            f"VTEP {name} is on {found.interface}, which is bound to {home}; take an interface of {instance}.",
            found.path,
            "nesrv-vtep-elsewhere",
        )
    if address_at(found.interface, found.subinterface, lookup) is None:
        raise errors.InvalidValue(
            f"VTEP {name} has no address: {found.interface} subinterface {found.subinterface} has none that fits.",
            found.path,
            "nesrv-vtep-without-address",
        )


def addresses(entry: Node, lookup: Lookup) -> Iterator[tuple[VtepAddress, str]]:
    """(address with length, path) of every VTEP of the default instance ``entry``."""
    for endpoint in entry.all(ENDPOINTS):
        found = source(endpoint)
        if enabled(endpoint) and found is not None:
            address = address_at(found.interface, found.subinterface, lookup)
            if address is not None:
                yield address, found.path


def address_of(instance: str, lookup: Lookup) -> VtepAddress | None:
    """The VTEP address that the VNI of L3VRF or L2VSI ``instance`` uses; None without VNI or without a usable VTEP."""
    found = inputs.several(lookup, inputs.overlay(instance))
    if not found:
        return None
    home = found[0] or inputs.text(lookup, inputs.DEFAULT_INSTANCE)
    if home is None:
        return None
    endpoint = found[1]
    if not endpoint:
        names = inputs.several(lookup, inputs.vteps(home))
        if len(names) != 1:
            return None
        endpoint = names[0]
    link = inputs.several(lookup, inputs.vtep(home, endpoint))
    return address_at(link[0], link[1], lookup) if link else None


def address_at(interface: str, subinterface: str, lookup: Lookup) -> VtepAddress | None:
    """The address of a VTEP that is there: the first that is configured, on a loopback without one the pool's."""
    value = inputs.text(lookup, inputs.address(interface, subinterface))
    if value is not None:
        return ip_interface(value)
    if lookup(inputs.interface_kind(interface)) != "loopback":
        return None
    pooled = inputs.several(lookup, inputs.POOL_VTEPS)
    return ip_interface(pooled[0]) if pooled else None


def underlay_mtu(lookup: Lookup) -> int:
    """The least MTU of the NICs of the default instance; one without a configured MTU counts as 1500."""
    names = inputs.several(lookup, inputs.UNDERLAY_INTERFACES)
    found = (inputs.number(lookup, inputs.nic_mtu(name)) for name in names)
    return min((mtu for mtu in found if mtu is not None), default=DEFAULT_MTU)
