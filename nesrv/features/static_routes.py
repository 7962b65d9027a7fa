"""Static routes as lines of FRR's staticd.

OpenConfig: network-instance/protocols/protocol[identifier=STATIC]/static-routes; FRR: ip route, ipv6 route.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs
from nesrv.features.attached import link_of, link_towards
from nesrv.features.feature import Export, Lookup
from nesrv.features.instances import POINT, vrf_of
from nesrv.features.links import ITSELF
from nesrv.frr.text import FrrLine, line

STATIC = "protocols/protocol/static-routes/static"
HOP = f"{STATIC}/next-hops/next-hop"
DEFAULT_DISTANCE, MAX_DISTANCE = 1, 255
MAX_TAG = 2**32 - 1
BLACKHOLE = "blackhole"

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Hop:
    """``target`` is what FRR's line has after the prefix: address, link or both, or ``blackhole``."""

    target: str
    distance: int
    node: Node


class StaticRoutes:
    name = "static-routes"
    point = POINT
    claims = frozenset(
        {
            f"{STATIC}/config/set-tag",
            # A text for people.
            f"{STATIC}/config/description",
            f"{HOP}/config/next-hop",
            f"{HOP}/config/recurse",
            f"{HOP}/config/preference",
            f"{HOP}/interface-ref/config/interface",
            f"{HOP}/interface-ref/config/subinterface",
        }
    )

    def exports(self, entry: Node) -> Iterator[Export]:
        return iter(())

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        seen: set[Network] = set()
        for protocol in entry.all("protocols/protocol"):
            kind, disabled = protocol.identity("identifier"), protocol.leaf("config/enabled") == "false"
            if kind == "DIRECTLY_CONNECTED" and disabled:
                raise errors.OperationNotSupported(
                    "DIRECTLY_CONNECTED cannot be disabled: the subnets of an instance's links are always in its "
                    "table.",
                    protocol.path_of("config/enabled"),
                    "nesrv-connected-disabled",
                )
            if kind == "STATIC" and not disabled:
                for route in protocol.all("static-routes/static"):
                    yield from _route(entry, route, seen, lookup)


def _route(entry: Node, route: Node, seen: set[Network], lookup: Lookup) -> Iterator[FrrLine]:
    network = ip_network(route.text("prefix"), strict=False)
    if network in seen:
        raise errors.InvalidValue(
            f"There are two static routes to {network}; put all next hops into one.", route.path, "nesrv-static-twice"
        )
    seen.add(network)
    hops = [_hop(entry, network, node, lookup) for node in route.all("next-hops/next-hop")]
    _check_together(network, route, hops)
    tag = _tag(route)
    vrf = vrf_of(entry)
    context = (f"vrf {vrf}",) if vrf is not None else ()
    for hop in hops:
        words = ["ip" if network.version == 4 else "ipv6", "route", str(network), hop.target]
        words += ["tag", str(tag)] if tag is not None else []
        words += [str(hop.distance)] if hop.distance != DEFAULT_DISTANCE else []
        yield line(context, " ".join(words), hop.node.path)


def _tag(route: Node) -> int | None:
    """A number of 32 bits, hexadecimal where it is no decimal one."""
    value = route.leaf("config/set-tag")
    if value is None:
        return None
    tag = int(value, 10 if value.isdigit() and int(value) <= MAX_TAG else 16) if value else 0
    if not 0 < tag <= MAX_TAG:
        raise errors.InvalidValue(
            f"set-tag must be a number from 1 to {MAX_TAG}.", route.path_of("config/set-tag"), "nesrv-static-tag"
        )
    return tag


def _hop(entry: Node, network: Network, node: Node, lookup: Lookup) -> Hop:
    distance = node.number("config/preference")
    if distance is not None and not 0 < distance <= MAX_DISTANCE:
        raise errors.InvalidValue(
            f"preference must be a number from 1 to {MAX_DISTANCE}.",
            node.path_of("config/preference"),
            "nesrv-static-preference",
        )
    return Hop(_target(entry, network, node, lookup), DEFAULT_DISTANCE if distance is None else distance, node)


def _target(entry: Node, network: Network, node: Node, lookup: Lookup) -> str:
    link = _named_link(entry, node, lookup)
    said = (node.leaf("config/next-hop") or "LOCAL_LINK").rpartition(":")[2]
    if said == "DROP":
        return _drop(node, link)
    if said == "LOCAL_LINK":
        return _on_link(node, link)
    return _address(entry, network, node, link, lookup)


def _drop(node: Node, link: str | None) -> str:
    if link is not None or node.flag("config/recurse"):
        leaf = "interface-ref/config/interface" if link is not None else "config/recurse"
        raise errors.InvalidValue(
            "A next hop that drops has neither an interface nor anything to look up; leave them out.",
            node.path_of(leaf),
            "nesrv-static-drop",
        )
    return BLACKHOLE


def _on_link(node: Node, link: str | None) -> str:
    if link is None:
        raise errors.DataMissing(
            f"Next hop {node.text('index')} names neither an address nor an interface; set next-hop or interface-ref.",
            node.path_of("config/next-hop"),
            "nesrv-static-without-next-hop",
        )
    if node.flag("config/recurse"):
        raise _recurses(node)
    return link


def _address(entry: Node, network: Network, node: Node, link: str | None, lookup: Lookup) -> str:
    address, path = ip_address(node.text("config/next-hop")), node.path_of("config/next-hop")
    if address.version != network.version:
        raise errors.OperationNotSupported(
            f"Next hop {address} is of another IP version than {network}.", path, "nesrv-static-next-hop"
        )
    if address.is_multicast or address.is_unspecified:
        raise errors.InvalidValue(f"No next hop can have the address {address}.", path, "nesrv-static-next-hop")
    found = link_towards(entry, address, lookup)
    if found is not None and found.address.ip == address:
        raise errors.InvalidValue(
            f"{address} is the address of {found.interface} itself.", path, "nesrv-static-next-hop"
        )
    if node.flag("config/recurse"):
        if link is not None:
            raise _recurses(node)
        return str(address)
    if link is None and found is None:
        raise errors.InvalidValue(
            f"{address} is in no subnet of the interfaces bound to {entry.text('name')}; name the interface, or set "
            "recurse to true to have it looked up.",
            path,
            "nesrv-static-not-connected",
        )
    if link is None and found is not None:
        link = link_of(found.interface, found.subinterface, lookup)
    return f"{address} {link}"


def _named_link(entry: Node, node: Node, lookup: Lookup) -> str | None:
    """FRR's name of the link in interface-ref."""
    interface = node.leaf("interface-ref/config/interface")
    if interface is None:
        return None
    path, instance = node.path_of("interface-ref/config/interface"), entry.text("name")
    subinterface = node.leaf("interface-ref/config/subinterface") or ITSELF
    home = inputs.text(lookup, inputs.binding(interface, subinterface))
    if home != instance and (vrf_of(entry) is not None or home is not None):
        raise errors.InvalidValue(
            f"{interface}.{subinterface} is not an interface of {instance}; bind it first.",
            path,
            "nesrv-static-interface",
        )
    if lookup(inputs.interface_kind(interface)) == "loopback":
        raise errors.OperationNotSupported(
            f"{interface} is a loopback, which leads nowhere; to drop packets use the next hop DROP.",
            path,
            "nesrv-static-interface",
        )
    return link_of(interface, subinterface, lookup)


def _check_together(network: Network, route: Node, hops: list[Hop]) -> None:
    if not hops:
        raise errors.DataMissing(
            f"The static route to {network} has no next hop; DROP is one, too.",
            route.path_of("next-hops"),
            "nesrv-static-without-next-hop",
        )
    seen: set[str] = set()
    for hop in hops:
        if hop.target in seen:
            raise errors.InvalidValue(
                f"The static route to {network} has the next hop {hop.target} twice; remove one.",
                hop.node.path,
                "nesrv-static-next-hop-twice",
            )
        seen.add(hop.target)
    for hop in hops:
        others = [one for one in hops if one.distance == hop.distance and one is not hop]
        if hop.target == BLACKHOLE and others:
            raise errors.InvalidValue(
                f"The static route to {network} both drops packets and sends them to {others[0].target}; give one of "
                "the next hops another preference.",
                hop.node.path,
                "nesrv-static-drop",
            )


def _recurses(node: Node) -> errors.RpcError:
    return errors.InvalidValue(
        "With an interface there is nothing to look up; set recurse to false or leave the interface out.",
        node.path_of("config/recurse"),
        "nesrv-static-recurse",
    )
