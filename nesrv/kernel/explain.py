"""Each step as the commands that a person would type for it (iproute2, sysctl); pure.

The commands can be run: fed to a shell they lead to the same kernel state as the writer.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nesrv.facts import Step
from nesrv.kernel import sysctls
from nesrv.kernel.facts import (
    DEFAULT_AGEING,
    DEFAULT_MTU,
    OVERHEAD,
    UNDERLAY,
    Address,
    Bridge,
    BridgePort,
    HostPort,
    Leg,
    LinkSettings,
    Macvlan,
    Member,
    Nic,
    NoIpv6,
    Place,
    Vlan,
    Vrf,
    Vxlan,
)
from nesrv.kernel.layout import (
    HOST_BRIDGE_MARK,
    OUR_GROUP,
    PORT_ALIAS,
    SETTINGS_MARK,
    TICKS,
    UNREACHABLE_METRIC,
    Layout,
    alias,
    describe,
    link_alias,
    table_for,
)

Lines = list[str]


@dataclass(frozen=True, slots=True)
class Known:
    """What commands depend on beside their own fact: legs and links above others by name, VRF tables by name, the
    underlay's MTU in bytes."""

    legs: Mapping[str, Leg] = field(default_factory=dict)
    stacked: Mapping[str, Vlan | Macvlan] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)
    underlay_mtu: int = DEFAULT_MTU


def explain(step: Step, layout: Layout, known: Known = Known()) -> Lines:
    """Shell commands, empty where the step changes nothing in the kernel."""
    return _EXPLAINERS[type(step.fact)](step, layout, known)


def attempt(step: Step) -> str:
    """What was tried, for the message of a refusal."""
    return f"{step.verb} {_NOUNS[type(step.fact)](step.fact)}"


def _inside(layout: Layout, place: Place) -> str:
    path = layout.namespace(place)
    own = (place.kind == "host" and not place.name) or (layout.underlay is None and place_is_underlay(layout, place))
    return "" if own else f"nsenter --net={shlex.quote(str(path))} "


def place_is_underlay(layout: Layout, place: Place) -> bool:
    """Whether links of ``place`` live in the element's own namespace."""
    return place.kind == "underlay" or (place.kind == "vrf" and layout.kind == "device")


def _sysctls(prefix: str, values: sysctls.Sysctls) -> Lines:
    return [f"{prefix}sysctl -qew " + " ".join(f"{name}={value}" for name, value in values.items())] if values else []


def _link_sysctls(layout: Layout, place: Place, name: str) -> Lines:
    return _sysctls(_inside(layout, place), sysctls.of_link(layout, place, name))


def _switch_sysctls(layout: Layout, fact: Bridge) -> Lines:
    return _sysctls(_inside(layout, fact.place), sysctls.of_switch(fact))


def _vrf(step: Step, layout: Layout, known: Known) -> Lines:
    fact = step.fact
    assert isinstance(fact, Vrf)
    if step.verb == "change":
        return []
    if layout.kind == "netns":
        return _namespace_vrf(step, fact.name, layout)
    return _device_vrf(step, fact.name, layout, known.tables.get(fact.name, table_for(fact.name, ())))


def _namespace_vrf(step: Step, name: str, layout: Layout) -> Lines:
    path = shlex.quote(str(layout.vrf_directory / name))
    if step.after is None:
        return [f"umount -l {path}", f"rm {path}"]
    enter = f"nsenter --net={path} "
    return [f"touch {path}", f"unshare --net={path} true", *_sysctls(enter, sysctls.VRF), f"{enter}ip link set lo up"]


def _device_vrf(step: Step, name: str, layout: Layout, table: int) -> Lines:
    enter = _inside(layout, UNDERLAY)
    last = f"unreachable default metric {UNREACHABLE_METRIC} table {table}"
    if step.after is None:
        routes = [f"{enter}ip -{version} route del {last}" for version in (4, 6)]
        return [*routes, f"{enter}ip link del {name}"]
    return [
        f"{enter}ip link add {name} group {OUR_GROUP} type vrf table {table}",
        *(f"{enter}ip -{version} route add {last} proto static" for version in (4, 6)),
        f'{enter}ip link set {name} alias "{alias()}" up',
    ]


def _nic(step: Step, layout: Layout, known: Known) -> Lines:
    """Addresses, MTU and state go along; which they are only the kernel knows."""
    fact = step.fact
    assert isinstance(fact, Nic)
    if step.before is not None and step.after is not None:
        return _nic(Step(step.before, None), layout, known) + _nic(Step(None, step.after), layout, known)
    here, there = (fact.origin, UNDERLAY) if step.after is not None else (UNDERLAY, fact.origin)
    return _moved(fact.name, here, there, layout)


def _moved(name: str, here: Place, there: Place, layout: Layout) -> Lines:
    """Routes that go back with it only nesrv's records know."""
    target = shlex.quote(str(layout.namespace(there)))
    if str(layout.namespace(there)).startswith("/proc/self"):
        target = "$$"
    save = f"saved=$(mktemp) && {_inside(layout, here)}ip addr save dev {name} scope global >$saved"
    up = f"{_inside(layout, here)}ip -o link show up dev {name} | grep -q . && up=up || up=down"
    return [
        save,
        up,
        f"{_inside(layout, here)}ip link set {name} netns {target}",
        f"{_inside(layout, there)}ip link set {name} $up",
        f"{_inside(layout, there)}ip addr restore <$saved; rm $saved",
    ]


def _member(step: Step, layout: Layout, known: Known) -> Lines:
    """A VRF device keeps IPv4 addresses of a new port; the others are given back."""
    fact = step.fact
    assert isinstance(fact, Member)
    if step.before is not None and step.after is not None:
        return _member(Step(step.before, None), layout, known) + _member(Step(None, step.after), layout, known)
    master = layout.master(fact.place)
    if not master:
        here, there = (UNDERLAY, fact.place) if step.after is not None else (fact.place, UNDERLAY)
        return _moved(fact.name, here, there, layout)
    enter = _inside(layout, UNDERLAY)
    where = f"master {master}" if step.after is not None else "nomaster"
    return [
        f"saved=$(mktemp) && {enter}ip -6 addr save dev {fact.name} scope global >$saved",
        f"{enter}ip link set {fact.name} {where}",
        f"{enter}ip addr restore <$saved; rm $saved",
    ]


def _bridge(step: Step, layout: Layout, known: Known) -> Lines:
    fact = step.fact
    assert isinstance(fact, Bridge)
    ip = f"{_inside(layout, fact.place)}ip link"
    if step.after is None:
        return [f"{ip} del {fact.name}"]
    if isinstance(step.before, Bridge):
        return _changed_bridge(step.before, fact, layout)
    master = layout.master(fact.place)
    enslaved = f" master {master}" if master else ""
    ageing = f" ageing_time {fact.ageing * TICKS}" if fact.ageing != DEFAULT_AGEING else ""
    return [
        f"{ip} add {fact.name} group {OUR_GROUP} address {fact.mac}{enslaved} type bridge stp_state 0{ageing}",
        *_link_sysctls(layout, fact.place, fact.name),
        *_switch_sysctls(layout, fact),
        f"{ip} set {fact.name} addrgenmode {'eui64' if fact.is_gateway else 'none'}",
        f'{ip} set {fact.name} alias "{link_alias(fact)}" up',
    ]


def _changed_bridge(before: Bridge, fact: Bridge, layout: Layout) -> Lines:
    ip = f"{_inside(layout, fact.place)}ip link set {fact.name}"
    lines = []
    if before.mac != fact.mac or before.is_gateway != fact.is_gateway:
        flush = f"{_inside(layout, fact.place)}ip -6 addr flush dev {fact.name} scope link"
        lines += [flush, f"{ip} address {fact.mac} addrgenmode none"]
        lines += [f"{ip} addrgenmode eui64"] if fact.is_gateway else []
    if before.ageing != fact.ageing:
        lines.append(f"{ip} type bridge ageing_time {fact.ageing * TICKS}")
    if before.switch != fact.switch:
        lines += [*_switch_sysctls(layout, fact), f'{ip} alias "{link_alias(fact)}"']
    return lines


SUPPRESSION: Mapping[str, str] = {
    "all": "neigh_suppress on proxy_arp_wifi off",
    "arp": "neigh_suppress off proxy_arp_wifi on",
    "none": "neigh_suppress off proxy_arp_wifi off",
}


def _vxlan(step: Step, layout: Layout, known: Known) -> Lines:
    """Made from the underlay, where its socket is, straight into the namespace of its VRF."""
    fact = step.fact
    assert isinstance(fact, Vxlan)
    ip = f"{_inside(layout, fact.place)}ip link"
    delete = f"{ip} del {fact.name}"
    if step.after is None:
        return [delete]
    port = f"{ip} set {fact.name} type bridge_slave {SUPPRESSION[fact.suppress]} learning off"
    if isinstance(step.before, Vxlan) and replace(step.before, suppress=fact.suppress) == fact:
        return [port]
    target = "" if place_is_underlay(layout, fact.place) else f" netns {layout.namespace(fact.place)}"
    kind = f"type vxlan id {fact.vni} local {fact.local} dstport {fact.port} nolearning"
    mtu = known.underlay_mtu - OVERHEAD[ipaddress.ip_address(fact.local).version]
    return [
        *([delete] if step.before is not None else []),
        f"{_inside(layout, UNDERLAY)}ip link add {fact.name}{target} mtu {mtu} group {OUR_GROUP} {kind}",
        f"{ip} set {fact.name} master {fact.bridge} addrgenmode none",
        port,
        f'{ip} set {fact.name} alias "{alias()}" up',
    ]


def _leg(step: Step, layout: Layout, known: Known) -> Lines:
    fact = step.fact
    assert isinstance(fact, Leg)
    delete = [f"{_inside(layout, step.before.place)}ip link del {fact.name}"] if isinstance(step.before, Leg) else []
    if step.after is None:
        return delete
    ip = f"{_inside(layout, fact.place)}ip link"
    master = layout.master(fact.place)
    host = "/proc/$$/ns/net" if not fact.host.name else str(layout.namespace(fact.host))
    same = layout.namespace(fact.host) == layout.namespace(fact.place)
    peer = f"peer name {fact.host_name}" + ("" if same else f" netns {host}")
    return [
        *delete,
        f"{ip} add {fact.name} group {OUR_GROUP}{f' master {master}' if master else ''} type veth {peer}",
        *_link_sysctls(layout, fact.place, fact.name),
        f'{ip} set {fact.name} alias "{link_alias(fact)}"',
    ]


def _vlan(step: Step, layout: Layout, known: Known) -> Lines:
    fact = step.fact
    assert isinstance(fact, Vlan)
    return _stacked(step, fact, f"type vlan id {fact.vlan} loose_binding on", layout)


def _macvlan(step: Step, layout: Layout, known: Known) -> Lines:
    fact = step.fact
    assert isinstance(fact, Macvlan)
    return _stacked(step, fact, f"type macvlan mode {fact.mode}", layout)


def _stacked(step: Step, fact: Vlan | Macvlan, kind: str, layout: Layout) -> Lines:
    """Made where the parent is, straight into its own place."""
    before = step.before
    delete = []
    if isinstance(before, (Vlan, Macvlan)):
        delete = [f"{_inside(layout, before.place)}ip link del {before.name}"]
    if step.after is None:
        return delete
    here, there = layout.namespace(fact.home), layout.namespace(fact.place)
    target = "" if here == there else f" netns {'$$' if str(there).startswith('/proc/self') else there}"
    master = layout.master(fact.place)
    add = f"ip link add link {fact.parent} name {fact.name}{target} group {OUR_GROUP} {kind}"
    ip = f"{_inside(layout, fact.place)}ip link set {fact.name}"
    return [
        *delete,
        f"{_inside(layout, fact.home)}{add}",
        *([f"{ip} master {master}"] if master else []),
        *_link_sysctls(layout, fact.place, fact.name),
        f'{ip} alias "{link_alias(fact)}"',
    ]


def _host_port(step: Step, layout: Layout, known: Known) -> Lines:
    """A bridge that nesrv made goes with the last of its ports."""
    fact = step.fact
    assert isinstance(fact, HostPort)
    ip = f"{_inside(layout, fact.host)}ip link"
    if step.after is None:
        return [f'{ip} set {fact.name} nomaster alias ""']
    make = f'{ip} add {fact.bridge} group {OUR_GROUP} type bridge stp_state 0 && {ip} set {fact.bridge} alias "'
    make += f'{alias(HOST_BRIDGE_MARK)}" up'
    return [
        *([f"{ip} show {fact.bridge} >/dev/null 2>&1 || {{ {make}; }}"] if fact.create else []),
        f'{ip} set {fact.name} master {fact.bridge} alias "{PORT_ALIAS}"',
    ]


def _no_ipv6(step: Step, layout: Layout, known: Known) -> Lines:
    fact = step.fact
    assert isinstance(fact, NoIpv6)
    if step.verb == "change":
        return []
    name = layout.link(fact.place, fact.link)
    return _sysctls(_inside(layout, fact.place), sysctls.of_ipv6(name, off=step.after is not None))


def _bridge_port(step: Step, layout: Layout, known: Known) -> Lines:
    fact = step.fact
    assert isinstance(fact, BridgePort)
    ip = f"{_inside(layout, fact.place)}ip link set {fact.name}"
    leg = known.legs.get(fact.name)
    made = leg is not None and leg.place == fact.place
    if step.after is None:
        above = layout.master(fact.place) if made else ""
        return [f"{ip} {f'master {above}' if above else 'nomaster'}{' addrgenmode eui64' if made else ''}"]
    joins = [f"{ip} master {fact.bridge}{' addrgenmode none' if made else ''}"] if step.before is None else []
    return [*joins, f"{ip} type bridge_slave learning {'on' if fact.learning else 'off'}"]


def _settings(step: Step, layout: Layout, known: Known) -> Lines:
    """A leg's host end goes with it; what a link that nesrv did not make had before, only its records know."""
    fact = step.fact
    assert isinstance(fact, LinkSettings)
    leg = known.legs.get(fact.name)
    made = leg is not None and leg.place == fact.place
    wanted = (
        fact
        if step.after is not None
        else LinkSettings(fact.place, fact.name, DEFAULT_MTU if made else None, False, "")
    )
    words = (f" mtu {wanted.mtu}" if wanted.mtu is not None else "") + (" up" if wanted.up else " down")
    lines = []
    mark = ""
    if leg is not None and made:
        lines = [f"{_inside(layout, leg.host)}ip link set {leg.host_name}{words}"]
        suffix = (SETTINGS_MARK,) if step.after is not None else ()
        mark = f' alias "{link_alias(leg, *suffix)}"'
    if (above := known.stacked.get(fact.name)) is not None:
        suffix = (SETTINGS_MARK,) if step.after is not None else ()
        mark = f' alias "{link_alias(above, *suffix)}"'
    return [*lines, f"{_inside(layout, fact.place)}ip link set {fact.name}{mark}{words}"]


def _address(step: Step, layout: Layout, known: Known) -> Lines:
    fact = step.fact
    assert isinstance(fact, Address)
    if step.verb == "change":
        return []
    verb = "add" if step.after is not None else "del"
    link = layout.link(fact.place, fact.link)
    nodad = " nodad" if verb == "add" and ipaddress.ip_interface(fact.address).version == 6 else ""
    return [f"{_inside(layout, fact.place)}ip addr {verb} {fact.address} dev {link}{nodad}"]


_EXPLAINERS: dict[type, Callable[[Step, Layout, Known], Lines]] = {
    Vrf: _vrf,
    Nic: _nic,
    Member: _member,
    Bridge: _bridge,
    Vxlan: _vxlan,
    Leg: _leg,
    Vlan: _vlan,
    Macvlan: _macvlan,
    HostPort: _host_port,
    BridgePort: _bridge_port,
    LinkSettings: _settings,
    NoIpv6: _no_ipv6,
    Address: _address,
}

_NOUNS: dict[type, Callable[[Any], str]] = {
    Vrf: lambda f: f"VRF {f.name}",
    Nic: lambda f: f"NIC {f.name} of {describe(f.origin)}",
    Member: lambda f: f"NIC {f.name} of {describe(f.place)}",
    Bridge: lambda f: f"bridge {f.name} in {describe(f.place)}",
    Vxlan: lambda f: f"VXLAN {f.name} (VNI {f.vni}, {f.local}, port {f.port}) in {describe(f.place)}",
    Leg: lambda f: f"leg {f.name} in {describe(f.place)} with {f.host_name} in {describe(f.host)}",
    Vlan: lambda f: f"VLAN {f.vlan} of {f.parent} in {describe(f.place)}",
    Macvlan: lambda f: f"macvlan {f.name} of {f.parent} in {describe(f.place)}",
    HostPort: lambda f: f"port {f.name} of bridge {f.bridge} in {describe(f.host)}",
    BridgePort: lambda f: f"port {f.name} of bridge {f.bridge} in {describe(f.place)}",
    LinkSettings: lambda f: f"settings of {f.name} in {describe(f.place)}",
    NoIpv6: lambda f: f"no IPv6 on {f.link} in {describe(f.place)}",
    Address: lambda f: f"address {f.address} on {f.link} in {describe(f.place)}",
}
