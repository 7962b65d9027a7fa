"""Network instances: the underlay and the L3VRFs, what is bound to them, where the VTEP is.

OpenConfig: /network-instances/network-instance/{config, interfaces, connection-points}.
"""

from __future__ import annotations

from collections.abc import Iterator

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs, names, vteps
from nesrv.features.feature import Export, Lookup
from nesrv.features.links import ITSELF
from nesrv.kernel.facts import Vrf

POINT = "/openconfig-network-instance:network-instances/network-instance"


def vrf_of(entry: Node) -> str | None:
    """The name of an L3VRF in kernel and FRR; None for an instance of another type."""
    return names.vrf_name(entry.text("name")) if entry.identity("config/type") == "L3VRF" else None


class Instances:
    name = "instances"
    point = POINT
    claims = frozenset(
        {
            "config/type",
            # A text for people.
            "config/description",
            "interfaces/interface/config/interface",
            "interfaces/interface/config/subinterface",
            # VXLAN is the only encapsulation, LOCAL the only type of endpoint in the model; a VTEP ranks with none.
            "encapsulation/config/encapsulation-type",
            "connection-points/connection-point/endpoints/endpoint/config/type",
            "connection-points/connection-point/endpoints/endpoint/config/precedence",
            "connection-points/connection-point/endpoints/endpoint/local/config/interface",
            "connection-points/connection-point/endpoints/endpoint/local/config/subinterface",
            "connection-points/connection-point/endpoints/endpoint/vxlan/config/enabled",
            "connection-points/connection-point/endpoints/endpoint/vxlan/config/source-interface",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        instance, path = entry.text("name"), entry.path_of("config/type")
        kind = entry.identity("config/type") or ""
        yield Export(inputs.instance_type(instance), kind, f"network instance {instance}", path)
        if kind == "L3VRF":
            known = names.vrf_name(instance)
            name_path = entry.path_of("config/name")
            yield Export(inputs.kernel_name(known), entry.path, f"kernel name {known}", name_path)
        elif kind == "DEFAULT_INSTANCE":
            yield Export(inputs.DEFAULT_INSTANCE, instance, "The type DEFAULT_INSTANCE", path)
            bound = tuple(sorted({link for link, _, _ in bindings(entry)}))
            if bound:
                yield Export(inputs.UNDERLAY_INTERFACES, bound, "the underlay's interfaces", path)
            yield from vteps.exports(instance, entry)
        for link, subinterface, node in bindings(entry):
            key = (inputs.port if kind == "L2VSI" else inputs.binding)(link, subinterface)
            yield Export(key, instance, f"interface {link}.{subinterface}", node.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        instance = entry.text("name")
        kind = entry.identity("config/type")
        _check_bindings(entry)
        if kind == "L2VSI":
            return
        if kind == "DEFAULT_INSTANCE":
            vteps.check(instance, entry, lookup)
            return
        _check_vrf(entry)
        yield Vrf(names.vrf_name(instance), entry.path_of("config/name"))


def bindings(entry: Node) -> Iterator[tuple[str, str, Node]]:
    """(interface, subinterface, binding); a binding of no interface is left to ``_check_bindings``."""
    for node in entry.all("interfaces/interface"):
        link = node.leaf("config/interface")
        if link is not None:
            yield link, node.leaf("config/subinterface") or ITSELF, node


def _check_bindings(entry: Node) -> None:
    for node in entry.all("interfaces/interface"):
        if node.leaf("config/interface") is None:
            raise errors.DataMissing(
                f"Binding {node.text('id')} names no interface; set config/interface.",
                node.path_of("config/interface"),
                "nesrv-binding-without-interface",
            )
    seen: set[tuple[str, str]] = set()
    for link, subinterface, node in bindings(entry):
        if (link, subinterface) in seen:
            raise errors.InvalidValue(
                f"{link}.{subinterface} is bound twice; remove one of the two bindings.",
                node.path,
                "nesrv-bound-twice",
            )
        seen.add((link, subinterface))


def _check_vrf(entry: Node) -> None:
    for endpoint in entry.all(vteps.ENDPOINTS):
        raise errors.OperationNotSupported(
            f"Endpoint {endpoint.text('endpoint-id')} is in an L3VRF; a VTEP can only be in the default instance.",
            endpoint.path,
            "nesrv-vtep-in-vrf",
        )
