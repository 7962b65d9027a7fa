"""What cannot be is refused with the leaf that asks for it, and leaves kernel, FRR, running and disk as they were."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.server.configurations import Configuration, Leg, Neighbor, Underlay, Vrf, text
from tests.server.element import Element, differences, sh, until
from tests.server.scenes import leg, small, tenant

Change = Callable[[Element, Configuration], Configuration]
INTERFACE = "/interfaces/interface"
INSTANCE = "/network-instances/network-instance"
PREFIX = re.compile(r"(?<=[/\[])[\w-]+:")
SELF = "203.0.113.1"
BGP = "protocols/protocol[identifier='openconfig-policy-types:BGP'][name='bgp']/bgp"
VNI = "evpn/evpn-instances/evpn-instance[evi='green']/vxlan/config/vni"


def nothing(element: Element, origin: Configuration) -> Configuration:
    return origin


def untouched(element: Element) -> None:
    return


@dataclass(frozen=True, slots=True)
class Refusal:
    """``wrong`` is refused at commit with ``path``, ``tag`` and ``words``; ``mended`` (after ``outside``) is not."""

    wrong: Change
    path: str
    tag: str
    words: str
    mended: Change
    prepare: Callable[[Element], None] = untouched
    outside: Callable[[Element], None] = untouched


def green(element: Element, **settings: object) -> Vrf:
    return replace(tenant(element, "green", 30), **settings)  # type: ignore[arg-type]


def with_green(**settings: object) -> Change:
    def change(element: Element, origin: Configuration) -> Configuration:
        underlay = origin.underlay or Underlay()
        return replace(origin, underlay=underlay, vrfs=(*origin.vrfs, green(element, **settings)))

    return change


def with_green_leg(**settings: object) -> Change:
    def change(element: Element, origin: Configuration) -> Configuration:
        made: Leg = replace(leg(element, "green", 30), **settings)  # type: ignore[arg-type]
        return with_green(legs=(made,))(element, origin)

    return change


def with_underlay_of_green(**settings: object) -> Change:
    """Green and, sorted before or after it, something in the default instance."""

    def change(element: Element, origin: Configuration) -> Configuration:
        whole = with_green()(element, origin)
        assert whole.underlay is not None
        return replace(whole, underlay=replace(whole.underlay, **settings))  # type: ignore[arg-type]

    return change


def with_nic(name: str) -> Change:
    def change(element: Element, origin: Configuration) -> Configuration:
        return with_underlay_of_green(nics=((name, element.outside, ("192.0.2.1/31",)),))(element, origin)

    return change


def taken_host_interface(element: Element) -> None:
    sh("ip", "-n", element.host, "link", "add", "green0", "type", "veth", "peer", "name", "green1")


def nic_that_was_missing(element: Element) -> None:
    sh("ip", "-n", element.outside, "link", "add", "eth9", "type", "veth", "peer", "name", "wire9")


def nic_name_taken(element: Element) -> None:
    sh("ip", "-n", element.name, "link", "add", "eth1", "type", "veth", "peer", "name", "wire")


def nic_name_freed(element: Element) -> None:
    sh("ip", "-n", element.name, "link", "del", "eth1")


def address_of_its_own(element: Element) -> None:
    """The operator's, not nesrv's: FRR takes no neighbour with an address of its own."""
    sh("ip", "-n", element.name, "addr", "add", f"{SELF}/32", "dev", "lo")
    until(lambda: SELF in element.vtysh("show interface vrf default"), "FRR has heard of the address")


def dangling(element: Element, origin: Configuration) -> Configuration:
    """Green is bound to a leg that the configuration does not have."""
    whole = with_green()(element, origin)
    return replace(whole, vrfs=(*whole.vrfs[:-1], replace(whole.vrfs[-1], more_members=("pe-ghost",))))


def vni_twice(element: Element, origin: Configuration) -> Configuration:
    second = replace(tenant(element, "olive", 31), vni=30, rd=None, target=None)
    whole = with_green()(element, origin)
    return replace(whole, vrfs=(*whole.vrfs, second))


REFUSALS = {
    "kernel: the host has such an interface": Refusal(
        wrong=with_green(),
        prepare=taken_host_interface,
        path=f"{INTERFACE}[name='pe-green']/leg/config/host-interface",
        tag="kernel-refused",
        words="File exists",
        mended=with_green_leg(host_interface="green9"),
    ),
    "kernel: no such NIC": Refusal(
        wrong=with_nic("eth9"),
        path=f"{INTERFACE}[name='eth9']/adopt",
        tag="kernel-refused",
        words="eth9",
        mended=with_nic("eth9"),
        outside=nic_that_was_missing,
    ),
    "kernel: the NIC's name is taken": Refusal(
        wrong=with_nic("eth1"),
        prepare=nic_name_taken,
        path=f"{INTERFACE}[name='eth1']/adopt",
        tag="kernel-refused",
        words="eth1",
        mended=with_nic("eth1"),
        outside=nic_name_freed,
    ),
    "frr: itself as neighbour": Refusal(
        wrong=with_underlay_of_green(neighbors=(Neighbor(SELF, 64512),)),
        prepare=address_of_its_own,
        path=f"{INSTANCE}[name='default']/{BGP}/neighbors/neighbor[neighbor-address='{SELF}']/config/peer-as",
        tag="frr-refused",
        words="local system",
        mended=with_underlay_of_green(neighbors=(Neighbor("192.0.2.9", 64512),)),
    ),
    "value: hold-time": Refusal(
        wrong=with_green(neighbors=(Neighbor("10.30.0.2", 64515, hold=2),)),
        path=f"{INSTANCE}[name='green']/{BGP}/neighbors/neighbor[neighbor-address='10.30.0.2']/timers/config/hold-time",
        tag="nesrv-hold-time",
        words="hold-time",
        mended=with_green(neighbors=(Neighbor("10.30.0.2", 64515, hold=3, keepalive=1),)),
    ),
    "reference: to no interface": Refusal(
        wrong=dangling,
        path=f"{INSTANCE}[name='green']/interfaces/interface[id='pe-ghost.0']/config/subinterface",
        tag="instance-required",
        words="",
        mended=with_green(),
    ),
    "value: VNI used twice": Refusal(
        wrong=vni_twice,
        path=f"{INSTANCE}[name='olive']/{VNI.replace('green', 'olive')}",
        tag="in-use-elsewhere",
        words="VNI 30",
        mended=with_green(),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("origin", [lambda element: Configuration(), small], ids=["empty", "running"])
def test_refused_commit_changes_nothing(name: str, origin: Callable[[Element], Configuration]) -> None:
    refusal = REFUSALS[name]
    with Element() as element:
        start = origin(element)
        element.commit(start)
        refusal.prepare(element)
        before = element.picture()
        wrong = refusal.wrong(element, start)
        element.edit(wrong)
        candidate = element.config("candidate")

        error = element.refused(element.session.commit)

        assert (PREFIX.sub("", error.path), error.app_tag) == (refusal.path, refusal.tag), error.message
        assert refusal.words in error.message
        assert differences(before, element.picture()) == []
        assert element.config("candidate") == candidate, "the edit is still there to be mended"
        refusal.outside(element)
        element.edit(refusal.mended(element, start))
        element.session.commit()
        assert element.config() == element.config("candidate")
        assert "green" in element.vrf_names()
        element.kill()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"


@pytest.mark.parametrize("prefix", ["999", "x"])
def test_invalid_value_never_reaches_the_candidate(prefix: str) -> None:
    with Element() as element:
        element.commit(small(element))
        before = element.picture()
        wrong = with_green_leg(addresses=("10.30.0.1/24",))(element, small(element))
        xml = text(wrong).replace("<prefix-length>24<", f"<prefix-length>{prefix}<", 1)

        error = element.refused(lambda: element.merge(xml))

        assert error.tag == "invalid-value"
        assert PREFIX.sub("", error.path).endswith("/config/prefix-length")
        assert element.config("candidate") == element.config()
        assert differences(before, element.picture()) == []
