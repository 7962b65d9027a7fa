"""Every input by which an entry's facts may depend on another entry: its key, its value, who exports it.

Keys are made here only, so this file says all that reaches from one shard into another.
"""

from __future__ import annotations

from nesrv.features.feature import InputKey, Lookup

# From interfaces


def interface_kind(interface: str) -> InputKey:
    """``leg``, ``macvlan``, ``nic``, ``loopback`` or ``irb``."""
    return ("interface", interface)


def address(interface: str, subinterface: str) -> InputKey:
    """``ADDRESS/LENGTH``: the address that a VTEP here has."""
    return ("address", interface, subinterface)


def subnets(interface: str, subinterface: str) -> InputKey:
    """``ADDRESS/LENGTH`` of every address, sorted as texts."""
    return ("subnets", interface, subinterface)


def vlan_link(interface: str, subinterface: str) -> InputKey:
    """The kernel's name of a subinterface that is an 802.1Q link."""
    return ("vlan-link", interface, subinterface)


def nic_mtu(interface: str) -> InputKey:
    """MTU in bytes of a NIC or macvlan; legs and loopbacks have none of this."""
    return ("nic-mtu", interface)


def kernel_name(name: str) -> InputKey:
    """The path of its entry: nobody looks it up, two entries must not have one name (VRFs and links alike)."""
    return ("kernel-name", name)


def host_interface(namespace: str, name: str) -> InputKey:
    """Name of the leg: one leg only may have this host interface."""
    return ("host-interface", namespace, name)


# From the element as a whole

ELEMENT_INDEX: InputKey = ("element-index",)
"""The element's number among those that share its pools."""
POOL_ROUTER_ID: InputKey = ("pool-router-id",)
POOL_VTEPS: InputKey = ("pool-vteps",)
"""``ADDRESS/LENGTH``, IPv4 first."""

# From network instances

DEFAULT_INSTANCE: InputKey = ("default-instance",)
"""Name of the default network instance."""
UNDERLAY_INTERFACES: InputKey = ("underlay-interfaces",)
"""Names of the interfaces bound to the default instance, sorted."""
UNDERLAY_AS: InputKey = ("underlay-as",)
"""AS of the default instance's BGP speaker."""
UNDERLAY_EVPN: InputKey = ("underlay-evpn",)
"""1 where that speaker has the family L2VPN_EVPN."""


def binding(interface: str, subinterface: str) -> InputKey:
    """Name of the network instance that the interface is bound to."""
    return ("binding", interface, subinterface)


def port(interface: str, subinterface: str) -> InputKey:
    """Name of the L2VSI that the interface is bound to."""
    return ("port", interface, subinterface)


def routing_interfaces(instance: str) -> InputKey:
    """Names of the interfaces bound to an L2VSI without a subinterface: the one that routes for it is among them."""
    return ("routing-interfaces", instance)


def l2vsi(instance: str) -> InputKey:
    """(VNI, ``true`` or ``false`` for MAC learning) of an L2VSI with a VNI."""
    return ("l2vsi", instance)


def vlans(instance: str) -> InputKey:
    """Numbers and names of the VLANs of an L2VSI."""
    return ("vlans", instance)


def instance_type(instance: str) -> InputKey:
    """``DEFAULT_INSTANCE``, ``L3VRF`` or ``L2VSI``."""
    return ("instance", instance)


def vtep(instance: str, endpoint: str) -> InputKey:
    """(interface, subinterface) whose address the VTEP has."""
    return ("vtep", instance, endpoint)


def vtep_source(interface: str, subinterface: str) -> InputKey:
    """1 where a VTEP has its address from there."""
    return ("vtep-source", interface, subinterface)


def vteps(instance: str) -> InputKey:
    """Names of the endpoints that are VTEPs."""
    return ("vteps", instance)


def vni(number: int) -> InputKey:
    """Name of the L3VRF or L2VSI with this VNI."""
    return ("vni", str(number))


def overlay(instance: str) -> InputKey:
    """(network instance, endpoint) of the VTEP of an instance with a VNI, empty where not configured."""
    return ("overlay", instance)


def leaking_rd(rd: str) -> InputKey:
    """Name of the L3VRF whose routes are passed to others under this distinguisher: nobody looks it up."""
    return ("leaking-rd", rd)


# From BFD


def bfd_profile(interface: str, subinterface: str) -> InputKey:
    """Name of FRR's profile of the sessions on this interface; empty where none is wanted."""
    return ("bfd-profile", interface, subinterface)


# For raw lines of FRR


def frr_block(where: tuple[str, ...]) -> InputKey:
    """1 where an instance makes this block of FRR's, given with its context, outermost first."""
    return ("frr-block", *where)


def raw_block(where: tuple[str, ...]) -> InputKey:
    """1 where a raw line makes it."""
    return ("raw-block", *where)


def underlay_speaker(vrf: str) -> InputKey:
    """1 where the VRF (FRR's name) has a speaker in the underlay's AS."""
    return ("underlay-speaker", vrf)


# From routing policy


def prefix_lists(prefix_set: str) -> InputKey:
    """FRR's conditions of which one must hold: ``ip address prefix-list NAME``…"""
    return ("prefix-set", prefix_set)


def neighbor_set(name: str) -> InputKey:
    """Addresses, canonical and sorted."""
    return ("neighbor-set", name)


def tag_set(name: str) -> InputKey:
    """Tags, sorted."""
    return ("tag-set", name)


def community_set(name: str) -> InputKey:
    """Members as FRR writes them, sorted; expressions begin with ``_``."""
    return ("community-set", name)


def ext_community_set(name: str) -> InputKey:
    """Members as FRR writes them (``rt 65000:1``), sorted."""
    return ("ext-community-set", name)


def as_path_set(name: str) -> InputKey:
    """Expressions, sorted."""
    return ("as-path-set", name)


def policy(name: str) -> InputKey:
    """Its statements, one text each (``nesrv.features.policy.statements``)."""
    return ("policy", name)


def policy_falls_through(name: str) -> InputKey:
    """1 where the default policy may have to decide after it, 0 elsewhere."""
    return ("policy-falls-through", name)


def policy_asks_neighbor(name: str) -> InputKey:
    """1 where it has a condition on the neighbour, 0 elsewhere."""
    return ("policy-asks-neighbor", name)


# Looking up, with the type of the value


def text(lookup: Lookup, key: InputKey) -> str | None:
    value = lookup(key)
    return value if isinstance(value, str) else None


def number(lookup: Lookup, key: InputKey) -> int | None:
    value = lookup(key)
    return value if isinstance(value, int) else None


def several(lookup: Lookup, key: InputKey) -> tuple[str, ...]:
    value = lookup(key)
    return value if isinstance(value, tuple) else ()
