from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nesrv.kernel.facts import UNDERLAY, LinkSettings, Place, satisfies
from nesrv.kernel.layout import FIRST_TABLE, TABLES, Layout, alias, table_for

RUN = Path("/run/nesrv/e")


def test_places_by_back_end() -> None:
    red, tenant = Place("vrf", "red"), Place("host", "tenant")
    netns, device = Layout("netns", RUN, Path("/run/netns/pe")), Layout("device", RUN, Path("/run/netns/pe"))
    assert netns.namespace(red) == RUN / "netns" / "red"
    assert device.namespace(red) == device.namespace(UNDERLAY) == Path("/run/netns/pe")
    assert netns.namespace(tenant) == Path("/run/netns/tenant")
    assert (netns.master(red), device.master(red), device.master(UNDERLAY)) == ("", "red", "")
    assert (netns.link(red, "lo"), device.link(red, "lo"), device.link(red, "leg1")) == ("lo", "red", "leg1")


@given(st.lists(st.text(min_size=1, max_size=15), unique=True, max_size=50))
def test_tables_are_stable_distinct_and_far_from_the_kernels(names: list[str]) -> None:
    taken: set[int] = set()
    for name in names:
        table = table_for(name, taken)
        assert FIRST_TABLE <= table < FIRST_TABLE + TABLES and table not in taken
        assert table_for(name, taken) == table
        taken.add(table)


def test_a_taken_table_is_passed_over() -> None:
    first = table_for("red", ())
    assert table_for("red", {first}) != first


def test_settings_without_an_mtu_are_content_with_any() -> None:
    actual = LinkSettings(UNDERLAY, "eth0", 1500, True, "")
    assert satisfies(LinkSettings(UNDERLAY, "eth0", None, True, "/x"), actual)
    assert not satisfies(LinkSettings(UNDERLAY, "eth0", None, False, ""), actual)
    assert not satisfies(LinkSettings(UNDERLAY, "eth0", 1400, True, ""), actual)
    assert not satisfies(LinkSettings(UNDERLAY, "eth1", None, True, ""), actual)


def test_the_mark() -> None:
    assert alias("host=t", "set") == "nesrv host=t set"
