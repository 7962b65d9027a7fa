"""What YANG cannot forbid of a peer, its group's leaves included; every function raises RpcError."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.features import inputs
from nesrv.features.bgp.checks import evpn_in_vrf
from nesrv.features.bgp.families import (
    CLIENT,
    COMMUNITIES,
    CONTAINERS,
    KINDS,
    MINUTE,
    OVERRIDE,
    OWN_AS,
    RESTART_TIME,
    sent_communities,
)
from nesrv.features.bgp.peers import Peer, Settings
from nesrv.features.bgp.sessions import MULTIHOP, RESTART, SOURCE, TIMERS
from nesrv.features.feature import Lookup
from nesrv.features.links import ITSELF
from nesrv.features.speaker import Speaker

MAX_PASSWORD_BYTES = 80
MAX_DESCRIPTION_BYTES = 1024
MAX_ALLOWED_AS = 10
MIN_HOLD = 3

Refusals = Iterator[tuple[str, str, str]]
"""(sentence, path, app tag)"""


def check_peer(entry: Node, speaker: Speaker, peer: Peer, lookup: Lookup) -> None:
    if peer.remote_as is None:
        raise errors.DataMissing(
            f"{peer.what} has no peer-as, and no peer-type either.",
            peer.settings.path("config/peer-as"),
            "nesrv-peer-as-missing",
        )
    for rule in RULES:
        for sentence, path, tag in rule(speaker, peer):
            raise errors.InvalidValue(f"{peer.what}: {sentence}", path, tag)
    evpn = peer.families.get("L2VPN_EVPN")
    if evpn is not None and evpn.flag("config/enabled") and speaker.vrf is not None:
        raise evpn_in_vrf(evpn.path("config/enabled"))
    if peer.kind == "link":
        _check_link(entry, peer, lookup)
    elif (source := peer.settings.leaf(SOURCE)) is not None:
        _check_source(entry, peer, source, lookup)


def _address(_: Speaker, peer: Peer) -> Refusals:
    if peer.kind == "address":
        address, path = ip_address(peer.name), peer.settings.path("neighbor-address")
        if address.is_multicast or address.is_unspecified:
            yield "no neighbour can have this address.", path, "nesrv-neighbor-address"
        if address.version == 6 and address.is_link_local:
            sentence = "a link-local address does not say on which link; put it among the unnumbered-neighbors."
            yield sentence, path, "nesrv-neighbor-address"
    if peer.kind != "group" and peer.settings.number("config/neighbor-port") == 0:
        yield "its port must be at least 1.", peer.settings.path("config/neighbor-port"), "nesrv-neighbor-port"


def _systems(speaker: Speaker, peer: Peer) -> Refusals:
    settings = peer.settings
    for leaf in ("peer-as", "local-as"):
        if settings.number(f"config/{leaf}") == 0:
            yield "AS 0 is nobody's.", settings.path(f"config/{leaf}"), "nesrv-as-zero"
    internal, local_as = peer.is_internal(speaker), settings.number("config/local-as")
    kind = settings.leaf("config/peer-type")
    if kind is not None and (kind == "INTERNAL") != internal:
        sentence = f"AS {peer.peer_as} is not {kind} to a speaker in AS {speaker.asn}."
        yield sentence, settings.path("config/peer-type"), "nesrv-peer-type"
    if local_as not in (None, speaker.asn):
        path = settings.path("config/local-as")
        if internal:
            yield "it is of the own AS and knows that; local-as is for others.", path, "nesrv-local-as"
        if local_as == peer.peer_as:
            yield "local-as is its own AS.", path, "nesrv-local-as"
    if internal and settings.flag(OVERRIDE):
        sentence = "replace-peer-as is for neighbours of another AS."
        yield sentence, settings.path(OVERRIDE), "nesrv-replace-peer-as"
    if not internal and settings.flag(CLIENT):
        sentence = "a route reflector's client is of the same AS."
        yield sentence, settings.path(CLIENT), "nesrv-route-reflector-client"


def _texts(_: Speaker, peer: Peer) -> Refusals:
    leaf = "config/description"
    description, path = peer.settings.leaf(leaf) or "", peer.settings.path(leaf)
    if len(description.encode()) > MAX_DESCRIPTION_BYTES:
        yield f"its description is longer than {MAX_DESCRIPTION_BYTES} bytes.", path, "nesrv-text"
    if any(not character.isprintable() for character in description):
        yield "its description has line breaks or other control characters.", path, "nesrv-text"
    password = peer.settings.leaf("config/auth-password")
    if password is None:
        return
    path, tag = peer.settings.path("config/auth-password"), "nesrv-auth-password"
    if not 0 < len(password.encode()) <= MAX_PASSWORD_BYTES:
        yield f"its auth-password must have 1 to {MAX_PASSWORD_BYTES} bytes.", path, tag
    if any(character.isspace() or not character.isprintable() for character in password):
        yield "its auth-password has spaces or control characters, which FRR cannot take.", path, tag


def _timers(_: Speaker, peer: Peer) -> Refusals:
    settings = peer.settings
    hold = int(settings.text(f"{TIMERS}/hold-time"))
    keepalive = settings.explicit(f"{TIMERS}/keepalive-interval")
    if 0 < hold < MIN_HOLD:
        sentence = f"hold-time must be 0 or at least {MIN_HOLD} seconds."
        yield sentence, settings.path(f"{TIMERS}/hold-time"), "nesrv-hold-time"
    if keepalive is not None and hold and int(keepalive.value or 0) > hold:
        sentence = f"keepalive-interval {keepalive.value} is longer than hold-time {hold}."
        yield sentence, keepalive.path, "nesrv-keepalive-interval"
    if settings.number(f"{TIMERS}/connect-retry") == 0:
        sentence = "connect-retry must be at least 1 second."
        yield sentence, settings.path(f"{TIMERS}/connect-retry"), "nesrv-connect-retry"
    restart = settings.number(RESTART_TIME)
    if restart is not None and (restart < MINUTE or restart % MINUTE):
        yield "FRR counts restart-time in whole minutes.", settings.path(RESTART_TIME), "nesrv-restart-time"


def _ranges(_: Speaker, peer: Peer) -> Refusals:
    settings = peer.settings
    ttl = settings.explicit(f"{MULTIHOP}/multihop-ttl")
    if ttl is not None and ttl.value == "0":
        yield "multihop-ttl must be at least 1.", ttl.path, "nesrv-multihop-ttl"
    if (settings.number(OWN_AS) or 0) > MAX_ALLOWED_AS:
        yield f"allow-own-as can be {MAX_ALLOWED_AS} at most.", settings.path(OWN_AS), "nesrv-allow-own-as"
    if settings.number("transport/config/tcp-mss") == 0:
        yield "tcp-mss must be at least 1.", settings.path("transport/config/tcp-mss"), "nesrv-tcp-mss"
    if settings.leaf(f"{RESTART}/enabled") == "false" and settings.flag(f"{RESTART}/helper-only"):
        sentence = "helper-only is graceful restart, which is not enabled."
        yield sentence, settings.path(f"{RESTART}/helper-only"), "nesrv-graceful-restart"


def _families(_: Speaker, peer: Peer) -> Refusals:
    for where in (peer.settings, *peer.families.values()):
        listed = where.several(COMMUNITIES)
        if "NONE" in listed and len(listed) > 1:
            sentence = "NONE stands alone among send-community-type."
            yield sentence, where.path(COMMUNITIES), "nesrv-send-community-type"
    evpn = peer.families.get("L2VPN_EVPN")
    listed = evpn.several(COMMUNITIES) if evpn is not None else frozenset()
    if evpn is not None and listed and sent_communities(listed) != KINDS.keys():
        sentence = "FRR sends all communities in L2VPN_EVPN; list BOTH and LARGE, or none."
        yield sentence, evpn.path(COMMUNITIES), "nesrv-send-community-type"
    for name, family in peer.families.items():
        if name in CONTAINERS:
            yield from _limits(family, f"{CONTAINERS[name]}/prefix-limit-received/config")


def _limits(family: Settings, config: str) -> Refusals:
    if family.number(f"{config}/max-prefixes") == 0:
        path = family.path(f"{config}/max-prefixes")
        yield "max-prefixes must be at least 1; disable the family for none.", path, "nesrv-max-prefixes"
    if family.number(f"{config}/warning-threshold-pct") == 0:
        path = family.path(f"{config}/warning-threshold-pct")
        yield "warning-threshold-pct must be at least 1.", path, "nesrv-warning-threshold"


RULES: tuple[Callable[[Speaker, Peer], Refusals], ...] = (_address, _systems, _texts, _timers, _ranges, _families)


def _check_link(entry: Node, peer: Peer, lookup: Lookup) -> None:
    interface, path = peer.own.text("interface"), peer.own.path
    if lookup(inputs.interface_kind(interface)) == "loopback":
        raise errors.InvalidValue(f"{peer.what}: nobody is on a loopback.", path, "nesrv-unnumbered")
    if not _belongs(entry, interface, lookup):
        raise errors.InvalidValue(
            f"{peer.what}: that is not an interface of {entry.text('name')}.", path, "nesrv-unnumbered"
        )
    source, multihop = (peer.settings.explicit(leaf) for leaf in (SOURCE, f"{MULTIHOP}/enabled"))
    if source is not None:
        raise errors.InvalidValue(
            f"{peer.what} is talked to from the link-local address; its peer group has a local-address.",
            source.path,
            "nesrv-unnumbered",
        )
    if multihop is not None and multihop.value == "true":
        raise errors.InvalidValue(
            f"{peer.what} is next door; its peer group has ebgp-multihop.", multihop.path, "nesrv-unnumbered"
        )


def _belongs(entry: Node, interface: str, lookup: Lookup) -> bool:
    """Whether the interface is of the instance; those bound to none are the underlay's."""
    home = inputs.text(lookup, inputs.binding(interface, ITSELF))
    return home == entry.text("name") or (home is None and entry.identity("config/type") != "L3VRF")


def _check_source(entry: Node, peer: Peer, source: str, lookup: Lookup) -> None:
    path = peer.settings.path(SOURCE)
    about = f"{peer.what}: local-address {source}"
    try:
        address = ip_address(source)
    except ValueError:
        _check_source_interface(entry, source, lookup, about, path)
        return
    if peer.kind == "address" and address.version != ip_address(peer.name).version:
        raise errors.InvalidValue(f"{about} is of the other IP version.", path, "nesrv-local-address")


def _check_source_interface(entry: Node, source: str, lookup: Lookup, about: str, path: str) -> None:
    kind = lookup(inputs.interface_kind(source))
    if kind is None:
        raise errors.InvalidValue(
            f"{about} is neither an address (without a length) nor an interface of this element.",
            path,
            "nesrv-local-address",
        )
    if not _belongs(entry, source, lookup):
        raise errors.InvalidValue(f"{about} is not an interface of {entry.text('name')}.", path, "nesrv-local-address")
    if kind == "loopback" and entry.identity("config/type") == "L3VRF":
        raise errors.OperationNotSupported(
            f"{about} is a loopback, which has no name of its own in an L3VRF; give its address.",
            path,
            "nesrv-local-address",
        )
