"""Instances and interfaces of any name: each gets facts of its own, and errors point at the right entry."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from nesrv import errors
from nesrv.features import names
from nesrv.kernel.facts import Leg, Vrf
from tests.features.documents import (
    LO,
    V4,
    bgp,
    bound,
    document,
    entry,
    evi,
    evpn,
    leg,
    neighbor,
    protocols,
    underlay,
    vrf,
)
from tests.features.element import Element, model
from tests.features.names import NAMES, SPECIAL

TAKEN = {"default", "lo"}
"""The underlay and its loopback have these names here."""
FREE = NAMES.filter(lambda name: name not in TAKEN)
PAIRS = st.lists(FREE, min_size=2, max_size=2, unique=True).map(lambda pair: (pair[0], pair[1]))


def two_tenants(instances: tuple[str, str], links: tuple[str, str]) -> str:
    legs = [leg(name, f"10.0.{number}.1/24", host=f"host{number}") for number, name in enumerate(links)]
    tenants = [
        vrf(
            name,
            bound(f"{link}.0"),
            evpn(evi(100 + number)),
            protocols(bgp(64514, (V4,), neighbor(f"10.0.{number}.2", V4, peer_as=1))),
        )
        for number, (name, link) in enumerate(zip(instances, links, strict=True))
    ]
    return document([LO, *legs], [underlay(), *tenants])


@settings(max_examples=60, deadline=None)
@given(PAIRS, PAIRS)
@example(
    ("a tenant of a long name 1", "a tenant of a long name 2"), ("a leg of a long name 1", "a leg of a long name 2")
)
@example(("default'\"<&>", "default'\"<&> "), ("]/'\"", "]/\"'"))
@example(("vrf red", "exit"), ("br100", "vx100"))
@example(("a.1", "."), ("..", "b.1"))
def test_each_name_has_its_own_facts(instances: tuple[str, str], links: tuple[str, str]) -> None:
    assume(not {name for name in instances if names.fits(name)} & set(links))
    element = Element()
    element.commit(two_tenants(instances, links))
    facts = list(element.facts().values())
    assert {fact.name for fact in facts if isinstance(fact, Vrf)} == {names.vrf_name(name) for name in instances}
    assert {fact.name for fact in facts if isinstance(fact, Leg)} == {names.link_name(name) for name in links}
    assert len({names.vrf_name(name) for name in instances}) == 2
    for line in element.lines():
        assert line.text.isascii() and line.text == " ".join(line.text.split())
    assert element.commit(two_tenants(instances, links)) == []
    element.commit("")
    assert element.facts() == {}


def test_a_vrf_and_a_link_of_one_name_are_refused() -> None:
    """With VRF devices they are links of one namespace."""
    with pytest.raises(errors.InvalidValue, match="kernel name same"):
        Element().commit(two_tenants(("same", "other"), ("same", "leg")))


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES)
@example("a'b\"c", "x']/\"")
def test_an_error_points_at_the_entry(instance: str, link: str) -> None:
    """The error-path is an XPath that finds just the one leaf in what was sent."""
    nameless = f"<interfaces>{entry('interface', 'id', link)}</interfaces>"
    sent = document((), [vrf(f"{instance}x", bound()), vrf(instance, nameless)])
    with pytest.raises(errors.RpcError) as caught:
        Element().commit(sent)
    assert caught.value.path is not None
    found = found_in(sent, caught.value.path.rpartition("/")[0])
    assert found == [instance]


@pytest.mark.parametrize("name", SPECIAL)
def test_what_libyang_refuses_points_at_the_entry(name: str) -> None:
    sent = document((), [vrf("fine"), vrf(name, bound("absent"))])
    with pytest.raises(errors.RpcError) as caught:
        Element().commit(sent)
    assert caught.value.path is not None
    found = found_in(sent, caught.value.path)
    assert found == [name]


def found_in(sent: str, path: str) -> list[str]:
    """The names of the network instances that the nodes at an error's path stand in."""
    xpath, namespaces = model().xpath(path)
    nodes: Any = etree.fromstring(f"<config>{sent}</config>").xpath("/config" + xpath, namespaces=namespaces)
    return [str(node.xpath("string(ancestor::*[local-name()='network-instance']/*[1])")) for node in nodes]
