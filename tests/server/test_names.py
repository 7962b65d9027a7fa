"""Names that kernel and FRR could not take, on both of them: made, read, found again after a restart, removed."""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from nesrv.features import names
from tests.features.names import SPECIAL
from tests.server.configurations import INSTANCES, INTERFACES, NESRV, Configuration, Underlay, Vrf
from tests.server.element import Element, same
from tests.server.scenes import tenant

OPENCONFIG_STATE = {"ni": INSTANCES, "if": INTERFACES, "nesrv": NESRV}
TAKEN = {"default", "lo"}


def tenants(element: Element) -> Configuration:
    """A VRF with leg, VNI and neighbour for each name; the leg has the VRF's name and a dash."""
    made: list[Vrf] = []
    for number, name in enumerate((name for name in SPECIAL if name not in TAKEN), 100):
        plain = tenant(element, f"t{number}", number)
        made.append(replace(plain, name=name, legs=(replace(plain.legs[0], name=f"{name}-"[:64]),)))
    return Configuration(Underlay(), tuple(made))


def kernel_names(element: Element, kind: str) -> dict[str, str]:
    """Name → kernel-name, as state says them."""
    data = etree.fromstring(element.session.get().data_xml.encode())
    entries = {"ni": "//ni:network-instance", "if": "//if:interfaces/if:interface"}[kind]
    found: dict[str, str] = {}
    for entry in data.iterfind(f".{entries}", OPENCONFIG_STATE):
        known = entry.findtext(f"{kind}:state/nesrv:kernel-name", None, OPENCONFIG_STATE)
        if known is not None:
            found[entry[0].text or ""] = known
    return found


def test_any_name_lives_on_kernel_and_frr() -> None:
    with Element() as element:
        empty = element.applied()
        configuration = tenants(element)
        element.commit(configuration)
        wanted = {vrf.name: names.vrf_name(vrf.name) for vrf in configuration.vrfs}
        legs = {leg.name: names.link_name(leg.name) for vrf in configuration.vrfs for leg in vrf.legs}
        assert len(set(wanted.values()) | set(legs.values())) == len(wanted) + len(legs)
        assert kernel_names(element, "ni") == wanted
        assert kernel_names(element, "if").items() >= legs.items()
        assert element.vrf_names() == sorted(wanted.values())
        there = element.applied()
        element.kill()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"
        same(there, element.applied)
        element.commit_text("<config/>")
        same(empty, element.applied)
