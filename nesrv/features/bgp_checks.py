"""What YANG cannot forbid of BGP speakers and neighbours; every function raises RpcError."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.features import inputs, speaker
from nesrv.features.feature import Lookup
from nesrv.features.neighbors import TIMERS, address_of

MAX_PASSWORD_BYTES = 80
MAX_DESCRIPTION_BYTES = 1024
MAX_ALLOWED_AS = 10
MIN_HOLD = 3

Refusal = tuple[str, str, str]
"""(sentence, leaf, app tag)"""


def check(entry: Node) -> None:
    """The speaker and the list of its neighbours."""
    second = next((found for number, found in enumerate(speaker.protocols(entry)) if number == 1), None)
    if second is not None:
        raise errors.InvalidValue(
            f"{entry.text('name')} has two BGP protocols; it can have one.", second.path, "nesrv-second-bgp"
        )
    if entry.leaf("config/router-id") == "0.0.0.0":
        raise _no_router_id(entry, "config/router-id")
    bgp = speaker.own_bgp(entry)
    if bgp is None:
        return
    if speaker.own_as(bgp) == 0:
        raise errors.InvalidValue("AS 0 is nobody's.", bgp.path_of("global/config/as"), "nesrv-as-zero")
    if bgp.leaf("global/config/router-id") == "0.0.0.0":
        raise _no_router_id(bgp, "global/config/router-id")
    if entry.identity("config/type") == "L3VRF" and (evpn := speaker.enabled_families(bgp).get("L2VPN_EVPN")):
        raise _evpn_in_vrf(evpn)
    seen: set[str] = set()
    for neighbor in bgp.all("neighbors/neighbor"):
        address = address_of(neighbor)
        if address in seen:
            raise errors.InvalidValue(f"Neighbour {address} is there twice.", neighbor.path, "nesrv-neighbor-twice")
        seen.add(address)


def check_neighbor(entry: Node, neighbor: Node, lookup: Lookup) -> None:
    if neighbor.leaf("config/peer-as") is None:
        raise errors.DataMissing(
            f"Neighbour {address_of(neighbor)} has no peer-as.",
            neighbor.path_of("config/peer-as"),
            "nesrv-peer-as-missing",
        )
    for rule in RULES:
        for sentence, leaf, tag in rule(neighbor):
            raise errors.InvalidValue(f"Neighbour {address_of(neighbor)}: {sentence}", neighbor.path_of(leaf), tag)
    if entry.identity("config/type") == "L3VRF":
        for family in neighbor.all("afi-safis/afi-safi"):
            if family.identity("afi-safi-name") == "L2VPN_EVPN" and family.flag("config/enabled"):
                raise _evpn_in_vrf(family.path_of("config/enabled"))
    source = neighbor.leaf("transport/config/local-address")
    if source is not None:
        _check_source(entry, neighbor, source, lookup)


def _address(neighbor: Node) -> Iterator[Refusal]:
    address = ip_address(neighbor.text("neighbor-address"))
    if address.is_multicast or address.is_unspecified:
        yield "no neighbour can have this address.", "neighbor-address", "nesrv-neighbor-address"
    if address.version == 6 and address.is_link_local:
        yield (
            "a link-local address does not say on which link; use another.",
            "neighbor-address",
            "nesrv-neighbor-address",
        )
    if neighbor.number("config/peer-as") == 0:
        yield "AS 0 is nobody's.", "config/peer-as", "nesrv-as-zero"


def _texts(neighbor: Node) -> Iterator[Refusal]:
    description = neighbor.leaf("config/description") or ""
    if len(description.encode()) > MAX_DESCRIPTION_BYTES:
        yield f"its description is longer than {MAX_DESCRIPTION_BYTES} bytes.", "config/description", "nesrv-text"
    if any(not character.isprintable() for character in description):
        yield "its description has line breaks or other control characters.", "config/description", "nesrv-text"
    password = neighbor.leaf("config/auth-password")
    if password is None:
        return
    if not 0 < len(password.encode()) <= MAX_PASSWORD_BYTES:
        yield (
            f"its auth-password must have 1 to {MAX_PASSWORD_BYTES} bytes.",
            "config/auth-password",
            "nesrv-auth-password",
        )
    if any(character.isspace() or not character.isprintable() for character in password):
        yield (
            "its auth-password has spaces or control characters, which FRR cannot take.",
            "config/auth-password",
            "nesrv-auth-password",
        )


def _timers(neighbor: Node) -> Iterator[Refusal]:
    hold = int(neighbor.text(f"{TIMERS}/hold-time"))
    keepalive = neighbor.at(f"{TIMERS}/keepalive-interval")
    if 0 < hold < MIN_HOLD:
        yield f"hold-time must be 0 or at least {MIN_HOLD} seconds.", f"{TIMERS}/hold-time", "nesrv-hold-time"
    if keepalive is not None and hold and int(keepalive.value or 0) > hold:
        yield (
            f"keepalive-interval {keepalive.value} is longer than hold-time {hold}.",
            f"{TIMERS}/keepalive-interval",
            "nesrv-keepalive-interval",
        )
    if neighbor.number(f"{TIMERS}/connect-retry") == 0:
        yield "connect-retry must be at least 1 second.", f"{TIMERS}/connect-retry", "nesrv-connect-retry"


def _ranges(neighbor: Node) -> Iterator[Refusal]:
    if neighbor.number("ebgp-multihop/config/multihop-ttl") == 0:
        yield "multihop-ttl must be at least 1.", "ebgp-multihop/config/multihop-ttl", "nesrv-multihop-ttl"
    if (neighbor.number("as-path-options/config/allow-own-as") or 0) > MAX_ALLOWED_AS:
        yield (
            f"allow-own-as can be {MAX_ALLOWED_AS} at most.",
            "as-path-options/config/allow-own-as",
            "nesrv-allow-own-as",
        )


RULES: tuple[Callable[[Node], Iterator[Refusal]], ...] = (_address, _texts, _timers, _ranges)


def _check_source(entry: Node, neighbor: Node, source: str, lookup: Lookup) -> None:
    peer, path = ip_address(neighbor.text("neighbor-address")), neighbor.path_of("transport/config/local-address")
    about = f"Neighbour {peer}: local-address {source}"
    try:
        address = ip_address(source)
    except ValueError:
        _check_source_interface(entry, source, lookup, about, path)
        return
    if address.version != peer.version:
        raise errors.InvalidValue(f"{about} is of the other IP version.", path, "nesrv-local-address")


def _check_source_interface(entry: Node, source: str, lookup: Lookup, about: str, path: str) -> None:
    kind = lookup(inputs.interface_kind(source))
    if kind is None:
        raise errors.InvalidValue(
            f"{about} is neither an address (without a length) nor an interface of this element.",
            path,
            "nesrv-local-address",
        )
    is_vrf = entry.identity("config/type") == "L3VRF"
    home = inputs.text(lookup, inputs.binding(source, "0"))
    if home != entry.text("name") and (is_vrf or home is not None):
        raise errors.InvalidValue(f"{about} is not an interface of {entry.text('name')}.", path, "nesrv-local-address")
    if is_vrf and kind == "loopback":
        raise errors.OperationNotSupported(
            f"{about} is a loopback, which has no name of its own in an L3VRF; give its address.",
            path,
            "nesrv-local-address",
        )


def _no_router_id(node: Node, leaf: str) -> errors.RpcError:
    return errors.InvalidValue("Router id 0.0.0.0 is none.", node.path_of(leaf), "nesrv-router-id")


def _evpn_in_vrf(path: str) -> errors.RpcError:
    return errors.OperationNotSupported(
        "L2VPN_EVPN belongs to the default instance; an L3VRF announces its routes by its VNI.",
        path,
        "nesrv-evpn-in-vrf",
    )
