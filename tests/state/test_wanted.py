"""What a subtree filter can reach, and which entries it names."""

from __future__ import annotations

import pytest
from lxml import etree

from nesrv.rpc.known import INSTANCE, INTERFACE
from nesrv.rpc.patterns import compile_subtree
from nesrv.rpc.wanted import Wanted
from tests.state import element, entries

NI = element.NAMESPACES["ni"]
NEIGHBOR = f"{INSTANCE}/protocols/protocol/bgp/neighbors/neighbor"


def wanted(inner: str) -> Wanted:
    subtree = f'<filter><network-instances xmlns="{NI}">{inner}</network-instances></filter>'
    return Wanted(entries.shards(), compile_subtree(etree.fromstring(subtree)))


RED = "<network-instance><name>red</name>{}</network-instance>"


def test_no_filter_reaches_all() -> None:
    everything = Wanted(entries.shards(), None)
    assert everything.reaches(INTERFACE)
    assert everything.entries(INSTANCE) is None


@pytest.mark.parametrize(
    ("inner", "names"),
    [
        (RED.format(""), {"red"}),
        (RED.format("<state/>"), {"red"}),
        (RED.format("") + RED.format("").replace("red", "blue"), {"red", "blue"}),
        ("", None),
        ("<network-instance/>", None),
        ("<network-instance><name/></network-instance>", None),
        ("<network-instance><config><description>x</description></config></network-instance>", None),
        (RED.format("") + "<network-instance><state/></network-instance>", None),
    ],
)
def test_entries_by_key(inner: str, names: set[str] | None) -> None:
    paths = None if names is None else {f"{INSTANCE}[name='{name}']" for name in names}
    assert wanted(inner).entries(INSTANCE) == paths


def test_a_filter_on_another_module_names_none() -> None:
    assert wanted("").entries(INTERFACE) == frozenset()
    assert not wanted("").reaches(INTERFACE)


@pytest.mark.parametrize(
    ("inner", "path", "reached"),
    [
        ("", NEIGHBOR, True),
        (RED.format(""), NEIGHBOR, True),
        (RED.format("<state/>"), NEIGHBOR, False),
        (RED.format("<state/>"), f"{INSTANCE}/state/nesrv:kernel-name", True),
        (RED.format("<protocols/>"), NEIGHBOR, True),
        (RED.format("<protocols/>"), f"{INSTANCE}/state", False),
        (RED.format("<state><name/></state>"), f"{INSTANCE}/state/name", True),
        (RED.format("<state><name/></state>"), f"{INSTANCE}/state/type", False),
        (RED.format("<state><name>red</name><type/></state>"), f"{INSTANCE}/state/name", True),
        (RED.format("<state><name>red</name></state>"), f"{INSTANCE}/state/type", True),
    ],
)
def test_reach(inner: str, path: str, reached: bool) -> None:
    assert wanted(inner).reaches(path) is reached
