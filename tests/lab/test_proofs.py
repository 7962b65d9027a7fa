"""Which calls prove traffic and isolation, and what counts as right."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.places import Lab
from lab.proofs import Outcome, proofs
from lab.topology import DEFAULT, load

LAB = Lab(load(DEFAULT), Path())


def calls(node: str) -> dict[str, str | None]:
    """Target → who must answer, of one tenant."""
    return {str(one.target.ip): one.expected for one in proofs(LAB) if one.tenant.node == node}


def test_every_service_of_the_own_vrf_must_answer_as_the_host_in_that_vrf() -> None:
    assert calls("h1-blue") == {
        "203.0.113.33": "h2 in blue",
        "2001:db8:f2::1": "h2 in blue",
        "203.0.113.49": "h2 in blue",
    }


def test_a_service_that_only_another_vrf_has_must_not_answer() -> None:
    assert calls("h1") == {"203.0.113.33": "h2 in red", "2001:db8:f2::1": "h2 in red", "203.0.113.49": None}
    assert calls("h2")["203.0.113.49"] is None


def test_a_call_comes_from_a_service_address_of_the_same_family() -> None:
    assert all(one.source.version == one.target.version for one in proofs(LAB))
    assert all(one.source in one.tenant.services for one in proofs(LAB))


@pytest.mark.parametrize(
    ("target", "answered", "pinged", "good"),
    [
        ("203.0.113.33", "h2 in red", True, True),
        ("203.0.113.33", "h2 in blue", True, False),
        ("203.0.113.33", "h2 in red", False, False),
        ("203.0.113.33", None, True, False),
        ("203.0.113.49", None, False, True),
        ("203.0.113.49", None, True, False),
        ("203.0.113.49", "h2 in blue", True, False),
    ],
)
def test_what_is_right(target: str, answered: str | None, pinged: bool, good: bool) -> None:
    proof = next(one for one in proofs(LAB) if one.tenant.node == "h1" and str(one.target.ip) == target)
    assert Outcome(proof, answered, pinged).good is good
