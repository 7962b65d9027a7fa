"""Links without IPv6, and link-local addresses that somebody configured."""

from __future__ import annotations

from nesrv.facts import Step
from nesrv.kernel.facts import UNDERLAY, Address, LinkSettings, NoIpv6, Place, Vrf
from tests.kernel.lab import Lab, creation, deletion, differences, run, sh, vrf_facts

RED = Place("vrf", "red")


def six(lab: Lab, place: Place, name: str) -> str:
    return sh(f"{lab.inside(place)}ip -6 addr show dev {name}")


def test_a_nic_loses_ipv6_and_gets_back_what_it_had(lab: Lab) -> None:
    async def body() -> None:
        sh(f"{lab.inside(UNDERLAY)}ip addr add 2001:db8:5::1/64 dev nic0 nodad")
        kernel = lab.kernel()
        await kernel.start()
        before = lab.portable_snapshot()
        off = NoIpv6(UNDERLAY, "nic0", "")
        await kernel.apply([Step(None, off)])
        assert kernel.actual[off.key] == off and not six(lab, UNDERLAY, "nic0")
        await kernel.apply([Step(off, None)])
        assert off.key not in kernel.actual
        assert differences(before, lab.portable_snapshot()) == []
        await kernel.stop()

    run(body)


def test_a_leg_without_ipv6(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = [fact for fact in vrf_facts(lab, "red", 100) if not isinstance(fact, Address)]
        off = NoIpv6(RED, "leg100", "")
        await kernel.apply(creation([*facts, off]))
        assert kernel.owns(off.key) and not six(lab, RED, "leg100")
        await kernel.stop()
        again = lab.kernel()
        await again.start()
        assert again.actual[off.key] == off
        await again.apply([Step(off, None), *deletion(facts)])
        await again.stop()

    run(body)


def test_a_link_local_address_of_ones_own_is_an_address_like_any(lab: Lab) -> None:
    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        facts = [*vrf_facts(lab, "red", 100), Address(RED, "leg100", "fe80::1/64", "")]
        await kernel.apply(creation(facts))
        assert kernel.actual[facts[-1].key] == facts[-1] and kernel.owns(facts[-1].key)
        assert "fe80::1/64" in six(lab, RED, "leg100")
        await kernel.apply([Step(facts[-1], None)])
        assert "fe80::1/64" not in six(lab, RED, "leg100")
        await kernel.clear()

    run(body)


def test_addresses_change_places_in_one_go(lab: Lab) -> None:
    """As the planner orders it: what goes goes first."""

    async def body() -> None:
        kernel = lab.kernel()
        await kernel.start()
        first, second = vrf_facts(lab, "red", 1), vrf_facts(lab, "red", 2)[1:]
        await kernel.apply(creation([*first, *second]))
        pairs = (("10.1.0.1/24", "leg1", "leg2"), ("2001:db8:2::1/64", "leg2", "leg1"))
        away = [Step(Address(RED, old, address, ""), None) for address, old, _new in pairs]
        there = [Step(None, Address(RED, new, address, "")) for address, _old, new in pairs]
        await kernel.apply([*away, *there])
        assert "10.1.0.1/24" in lab.addresses(RED, "leg2") and "10.1.0.1/24" not in lab.addresses(RED, "leg1")
        assert "2001:db8:2::1/64" in lab.addresses(RED, "leg1")
        await kernel.clear()

    run(body)


def test_settings_come_before_addresses(lab: Lab) -> None:
    """A link without IPv6 takes no IPv6 address: it must have gone before one comes."""
    assert LinkSettings.rank < NoIpv6.rank < Address.rank
    assert Vrf.rank < NoIpv6.rank
