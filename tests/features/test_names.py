from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nesrv.features import names

ANY = st.text(min_size=1, max_size=60)
LONG = st.text("abc-", min_size=16, max_size=40)


@given(ANY)
def test_kernel_and_frr_can_take_it(name: str) -> None:
    for known in (names.vrf_name(name), names.link_name(name)):
        assert 1 <= len(known.encode()) <= 15
        assert names.fits(known)
        assert known == known.strip() and not set(known) & set(" /:'\"?!#|\\\n")


@given(st.sets(ANY | LONG, max_size=200))
def test_different_names_stay_different(found: set[str]) -> None:
    assert len({names.vrf_name(name) for name in found}) == len(found)
    assert len({names.link_name(name) for name in found}) == len(found)


@given(st.from_regex(names.FITTING, fullmatch=True))
def test_a_name_that_fits_is_kept(name: str) -> None:
    if names.fits(name):
        assert names.vrf_name(name) == names.link_name(name) == name


def test_many_tenants_with_one_head() -> None:
    tenants = [f"customer-number-{number}" for number in range(10_000)]
    assert len({names.vrf_name(name) for name in tenants}) == len(tenants)


def test_names_of_before_are_names_of_today() -> None:
    """A name that changed with a release would remake every VRF."""
    assert names.vrf_name("a-tenant-with-a-long-name") == "a-tenan-e3dnzdi"
    assert names.link_name("a-leg-with-a-long-name-1") == "a-leg-w-r3idffw"
    assert names.link_name("é") == "link-vu2hkwj"


def test_names_that_mean_something_else_are_not_used() -> None:
    for name in ("default", "lo", "all", "br1", "vx16777215", ".", "..", "-x", "a b", "a/b", "ä", "", "a" * 16):
        assert not names.fits(name), name
        assert names.fits(names.vrf_name(name))


def test_vrf_and_link_of_one_long_name_do_not_collide() -> None:
    assert names.vrf_name("the-same-long-name") != names.link_name("the-same-long-name")


@given(st.integers(1, 16777215))
def test_bridges_and_vxlans_are_reserved(vni: int) -> None:
    for name in (names.bridge_name(vni), names.vxlan_name(vni)):
        assert len(name) <= 15
        assert not names.fits(name)


@given(st.ip_addresses(), st.ip_addresses(), st.integers(1, 16777215))
def test_router_mac(one: object, other: object, vni: int) -> None:
    mac = names.router_mac(str(one), vni)
    first = int(mac[:2], 16)
    assert first & 0x03 == 0x02, "unicast, locally administered"
    assert len(mac) == 17
    assert mac == names.router_mac(str(one), vni)
    assert one == other or mac != names.router_mac(str(other), vni)
    assert mac != names.router_mac(str(one), vni + 1)
