"""Golden configurations on kernel and FRR: one after the other in one commit each, and from nothing and back to it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice, zip_longest

import pytest
from lxml import etree

from nesrv.frr.text import BETWEEN_VRFS, FrrLine
from nesrv.kernel.facts import Bridge, HostPort, Leg, LinkSettings, Macvlan, Member, Nic, Vlan, Vxlan
from tests.features.cases import Case, all_cases
from tests.features.element import Element as Translation
from tests.server.configurations import BASE, NESRV
from tests.server.element import Element, Picture, same, sh

SAMPLE = 24
NEEDS_MORE = (Vlan, Macvlan, HostPort)
"""Facts for which the kernel needs 802.1Q, or the host links and bridges: tests/uml and test_links have them."""
_HOST, _ADOPT = f"{{{NESRV}}}leg", f"{{{NESRV}}}adopt"


def facts(case: Case) -> list[object]:
    translation = Translation()
    translation.commit(case.config)
    return list(translation.facts().values())


def is_possible(case: Case) -> bool:
    """Here, where VRFs are network namespaces and NICs come by adoption only."""
    found = facts(case)
    if any(
        isinstance(fact, NEEDS_MORE) or (isinstance(fact, FrrLine) and BETWEEN_VRFS.match(fact.text)) for fact in found
    ):
        return False
    made = {fact.name for fact in found if isinstance(fact, (Nic, Leg, Bridge, Vxlan))} | {"lo"}
    return {fact.name for fact in found if isinstance(fact, (LinkSettings, Member))} <= made and "users/" not in str(
        case
    )


def sample() -> list[Case]:
    """The same each time, and of each feature as many as of any other where it has so many."""
    chance = random.Random(6241)
    by_feature: dict[str, list[Case]] = {}
    for case in all_cases():
        by_feature.setdefault(case.folder.parent.name, []).append(case)
    for cases in by_feature.values():
        chance.shuffle(cases)
    mixed = [case for row in zip_longest(*by_feature.values()) for case in row if case is not None]
    found = list(islice(filter(is_possible, mixed), SAMPLE))
    chance.shuffle(found)
    return found


def placed(element: Element, case: Case) -> str:
    """The case as a ``<config>``, its legs' other ends and its NICs in this element's namespaces."""
    root = etree.fromstring(f'<config xmlns="{BASE}">{case.config}</config>')
    for tag, leaf, space in ((_HOST, "host-namespace", element.host), (_ADOPT, "from-namespace", element.outside)):
        for node in root.iter(tag):
            config = node.find(f"{{{NESRV}}}config")
            if config is None:
                config = etree.SubElement(node, f"{{{NESRV}}}config")
            for said in config.findall(f"{{{NESRV}}}{leaf}"):
                config.remove(said)
            etree.SubElement(config, f"{{{NESRV}}}{leaf}").text = space
    return etree.tostring(root).decode()


def add_nics(element: Element, cases: list[Case]) -> None:
    """eth1 is there already."""
    names = {fact.name for case in cases for fact in facts(case) if isinstance(fact, Nic)}
    for name in sorted(names - {"eth1"}):
        wire = ("type", "veth", "peer", "name", f"far-{name}", "netns", element.other)
        sh("ip", "-n", element.outside, "link", "add", name, *wire)
        sh("ip", "-n", element.outside, "link", "set", name, "up")
        sh("ip", "-n", element.other, "link", "set", f"far-{name}", "up")


@pytest.fixture(scope="module")
def element() -> Iterator[Element]:
    with Element() as made:
        yield made


def test_golden_configurations_follow_each_other_and_nothing(element: Element) -> None:
    cases = sample()
    add_nics(element, cases)
    empty = element.applied()
    documents = [placed(element, case) for case in cases]
    reached: list[Picture] = []
    for document in documents:
        element.commit_text(document)
        reached.append(element.applied())
    for document, picture in zip(documents, reached, strict=True):
        element.commit_text("<config/>")
        same(empty, element.applied)
        element.commit_text(document)
        same(picture, element.applied)
