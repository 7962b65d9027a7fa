"""Which release speaks how."""

from __future__ import annotations

import pytest

from nesrv.frr.dialect import FRR_8, FRR_10, FRR_10_6, Dialect, dialect_of


@pytest.mark.parametrize(
    ("version", "dialect"),
    [
        ("FRRouting 8.4.4 (pe1) on Linux(6.1.0).", FRR_8),
        ("FRRouting 9.1 (pe1) on Linux(6.1.0).", FRR_8),
        ("FRRouting 10.3 (pe1) on Linux(6.12.0).", FRR_10),
        ("FRRouting 10.3.1-1 (pe1) on Linux(6.12.0).", FRR_10),
        ("FRRouting 10.6.0_git (pe1) on Linux(6.12.0).", FRR_10_6),
        ("FRRouting 11.0 (pe1) on Linux(6.12.0).", FRR_10_6),
        ("something else", FRR_10_6),
    ],
)
def test_a_release_has_its_dialect(version: str, dialect: Dialect) -> None:
    assert dialect_of(version) is dialect


def test_ipv6_vteps_are_announced_from_10_6_on() -> None:
    assert [dialect.ipv6_vteps for dialect in (FRR_8, FRR_10, FRR_10_6)] == [False, False, True]
