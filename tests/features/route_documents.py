"""Pieces of configuration for tests: static routes, redistribution, BFD, raw lines of FRR."""

from __future__ import annotations

from tests.features.documents import box, entry, leaves

LOC_RT = 'xmlns:oc-loc-rt="http://openconfig.net/yang/local-routing"'
TYPES = 'xmlns:oc-types="http://openconfig.net/yang/openconfig-types"'
BFD = 'xmlns="http://openconfig.net/yang/bfd"'
DROP, LOCAL_LINK = "oc-loc-rt:DROP", "oc-loc-rt:LOCAL_LINK"


def protocol(identity: str, inner: str = "", name: str | None = None, **config: object) -> str:
    """A protocol of a network instance that is not BGP."""
    identifier = f"oc-pol-types:{identity}"
    made = entry("protocol", "name", name or identity.lower(), inner, identifier=identifier, **config)
    return made.replace("<protocol>", f"<protocol><identifier>{identifier}</identifier>", 1)


def static(*routes: str, **config: object) -> str:
    return protocol("STATIC", f"<static-routes {LOC_RT}>{''.join(routes)}</static-routes>", **config)  # type: ignore[arg-type]


def route(prefix: str, *hops: str, **config: object) -> str:
    inner = f"<next-hops>{''.join(hops)}</next-hops>" if hops else ""
    return entry("static", "prefix", prefix, inner, **config)


def hop(index: object, next_hop: str | None = None, link: str | None = None, **config: object) -> str:
    """``link`` goes into the interface-ref."""
    return entry("next-hop", "index", index, reference(link) if link else "", next_hop=next_hop, **config)


def reference(link: str, subinterface: object = 0) -> str:
    return box("interface-ref", interface=link, subinterface=subinterface)


def tables(*names: str) -> str:
    """Each name is ``PROTOCOL FAMILY``."""
    made = ""
    for name in names:
        identity, _, family = name.partition(" ")
        keys = leaves(protocol=f"oc-pol-types:{identity}", address_family=f"oc-types:{family}")
        made += f"<table>{keys}<config>{keys}</config></table>"
    return f"<tables {TYPES}>{made}</tables>"


def connection(source: str, family: str = "IPV4", target: str = "BGP", **config: object) -> str:
    keys = leaves(
        src_protocol=f"oc-pol-types:{source}",
        dst_protocol=f"oc-pol-types:{target}",
        address_family=f"oc-types:{family}",
    )
    return f"<table-connection>{keys}<config>{keys}{leaves(**config)}</config></table-connection>"


def connections(*made: str) -> str:
    return f"<table-connections {TYPES}>{''.join(made)}</table-connections>"


def raw(*blocks: str) -> str:
    return f'<frr xmlns="urn:nesrv:frr">{"".join(blocks)}</frr>'


def raw_block(name: str, *texts: str, context: tuple[str, ...] = ()) -> str:
    """The lines are numbered from 1."""
    made = "".join(entry("line", "number", number, text=text) for number, text in enumerate(texts, start=1))
    return entry("block", "name", name, made, context=context)


def bfd(*interfaces: str) -> str:
    return f"<bfd {BFD}><interfaces>{''.join(interfaces)}</interfaces></bfd>"


def bfd_interface(name: str, link: str | None = None, **config: object) -> str:
    return entry("interface", "id", name, reference(link) if link else "", **config)
