"""What makes links ports of the bridge of an L2VSI, a network-instance of that type in OpenConfig; pure."""

from __future__ import annotations

from collections.abc import Iterator

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.features import inputs, names
from nesrv.features.feature import Lookup
from nesrv.kernel.facts import BridgePort, Place


def home_of(entry: Node, subinterface: str, lookup: Lookup) -> str | None:
    """The network instance, of any type, that a subinterface of the interface ``entry`` is bound to."""
    interface = entry.text("name")
    routed = inputs.text(lookup, inputs.binding(interface, subinterface))
    switched = inputs.text(lookup, inputs.port(interface, subinterface))
    if routed is not None and switched is not None:
        raise errors.InvalidValue(
            f"{interface}.{subinterface} is bound to {routed} and to the L2VSI {switched}; it can be in one of them.",
            entry.path,
            "nesrv-bound-to-both",
        )
    return switched or routed


def port(entry: Node, subinterface: str, place: Place, link: str, lookup: Lookup) -> Iterator[BridgePort]:
    """The fact that makes ``link``, of any kind, a port, where a subinterface of ``entry`` is bound to an L2VSI."""
    l2vsi = inputs.text(lookup, inputs.port(entry.text("name"), subinterface))
    if l2vsi is None:
        return
    _check(entry, subinterface, l2vsi, lookup)
    found = inputs.several(lookup, inputs.l2vsi(l2vsi))
    if found:
        yield BridgePort(place, link, names.bridge_name(int(found[0])), found[1] == "true", entry.path)


def _check(entry: Node, subinterface: str, l2vsi: str, lookup: Lookup) -> None:
    interface, kind = entry.text("name"), lookup(inputs.interface_kind(entry.text("name")))
    if kind == "loopback":
        raise errors.OperationNotSupported(
            f"{interface} is a loopback; only legs and NICs can be in an L2VSI.", entry.path, "nesrv-loopback"
        )
    for one in entry.all("subinterfaces/subinterface"):
        for family in ("ipv4", "ipv6"):
            address = one.at(f"{family}/addresses/address")
            if address is not None and one.text("index") == subinterface:
                raise errors.InvalidValue(
                    f"{interface} is a port of the L2VSI {l2vsi} and can have no address; give it to an interface of "
                    "type l3ipvlan.",
                    address.path,
                    "nesrv-address-on-port",
                )
