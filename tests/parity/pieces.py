"""Short XML of what ``tests.server.configurations`` does not say, for ``network.merge``."""

from __future__ import annotations

from collections.abc import Sequence

from tests.server.configurations import INSTANCES, INTERFACES, IP, NESRV, PREFIXES, SYSTEM

BGP, FRR = "urn:nesrv:bgp", "urn:nesrv:frr"
_PREFIXES = {
    **PREFIXES,
    "oc-types": "http://openconfig.net/yang/openconfig-types",
    "oc-ip": IP,
    "nesrv": NESRV,
    "nesrv-bgp": BGP,
}
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _PREFIXES.items())

Value = str | int | Sequence[str]


def tag(name: str, *content: str) -> str:
    """``name`` may have a prefix and attributes."""
    return f"<{name}>{''.join(content)}</{name.split()[0]}>"


def leaves(space: str = "", /, **values: Value) -> str:
    """``hold_time=9`` is ``<hold-time>9</hold-time>``; several texts are a leaf-list."""
    found = ""
    for name, value in values.items():
        several = [value] if isinstance(value, str | int) else value
        found += "".join(tag(space + name.replace("_", "-"), str(one)) for one in several)
    return found


def config(**values: Value) -> str:
    return tag("config", leaves(**values))


def instance(name: str, *content: str) -> str:
    """Into a network instance."""
    entry = tag("network-instance", leaves(name=name), *content)
    return tag(f'network-instances xmlns="{INSTANCES}" {_DECLARED}', entry)


def bgp(name: str, *content: str) -> str:
    """Into the ``bgp`` of an instance."""
    keys = leaves(identifier="oc-pol-types:BGP", name="bgp")
    return instance(name, tag("protocols", tag("protocol", keys, tag("bgp", *content))))


def neighbor(address: str, *content: str) -> str:
    """Into a neighbour of ``bgp``."""
    return tag("neighbors", tag("neighbor", leaves(neighbor_address=address), *content))


def timers(hold: int = 9, keepalive: int = 3, retry: int = 1) -> str:
    return tag("timers", config(connect_retry=retry, hold_time=hold, keepalive_interval=keepalive))


def families(*names: str) -> str:
    return tag("afi-safis", *map(family, names))


def family(name: str, *content: str) -> str:
    """One enabled entry of ``afi-safis``."""
    identity = f"oc-bgp-types:{name}"
    return tag("afi-safi", leaves(afi_safi_name=identity), config(afi_safi_name=identity, enabled="true"), *content)


def unnumbered(interface: str, peer_as: int, *content: str) -> str:
    """A neighbour by its link; all below is in nesrv's namespace."""
    entry = tag(
        "unnumbered-neighbor", leaves(interface=interface), config(interface=interface, peer_as=peer_as), *content
    )
    return tag(f'unnumbered-neighbors xmlns="{BGP}"', entry)


def interface(name: str, *content: str) -> str:
    """Into an interface."""
    return tag(f'interfaces xmlns="{INTERFACES}" {_DECLARED}', tag("interface", leaves(name=name), *content))


def address(ip: str, attributes: str = "") -> str:
    """An IPv4 address of subinterface 0, within an interface."""
    entry = tag(f"oc-ip:address {attributes}".strip(), leaves("oc-ip:", ip=ip))
    found = tag("oc-ip:ipv4", tag("oc-ip:addresses", entry))
    return tag("subinterfaces", tag("subinterface", leaves(index=0), found))


def leg(name: str, **values: Value) -> str:
    """Into the leg of an interface."""
    return interface(name, tag("nesrv:leg", tag("nesrv:config", leaves("nesrv:", **values))))


def pool(**values: Value) -> str:
    return tag(
        f'system xmlns="{SYSTEM}" {_DECLARED}', tag("nesrv:pool", tag("nesrv:config", leaves("nesrv:", **values)))
    )


def raw(name: str, context: Sequence[str], *lines: str) -> str:
    """A block of FRR's lines."""
    rows = [
        tag("line", leaves(number=number), config(number=number, text=text)) for number, text in enumerate(lines, 1)
    ]
    return tag(f'frr xmlns="{FRR}"', tag("block", leaves(name=name), config(name=name, context=context), *rows))


def static_route(name: str, prefix: str, next_hop: str) -> str:
    """Into an L3VRF."""
    hop = tag("next-hop", leaves(index="0"), config(index="0", next_hop=next_hop))
    route = tag("static", leaves(prefix=prefix), config(prefix=prefix), tag("next-hops", hop))
    keys = leaves(identifier="oc-pol-types:STATIC", name="static")
    protocol = tag("protocol", keys, tag("config", keys), tag("static-routes", route))
    return instance(name, tag("protocols", protocol))


def table_connection(name: str, source: str, policy: str, addresses: str = "IPV4") -> str:
    """From ``source`` (the identity's name) into BGP; ``policy``: ACCEPT_ROUTE or REJECT_ROUTE."""
    ends, family = (f"oc-pol-types:{source}", "oc-pol-types:BGP"), f"oc-types:{addresses}"
    tables = [leaves(protocol=end, address_family=family) for end in ends]
    rows = [tag("table", keys, tag("config", keys)) for keys in tables]
    known = leaves(identifier=ends[0], name=source.lower())
    protocols = tag("protocols", tag("protocol", known, tag("config", known)))
    keys = leaves(src_protocol=ends[0], dst_protocol=ends[1], address_family=family)
    entry = tag("table-connection", keys, tag("config", keys, leaves(default_import_policy=policy)))
    return instance(name, protocols, tag("tables", *rows), tag("table-connections", entry))
