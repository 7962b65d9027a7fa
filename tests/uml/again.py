"""Tests of other rooms again, under a kernel that has VRF devices, and what came of each of them there."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.uml.boot import run_in_uml

OPTIONS = ("-q", "-rA", "--color=no", "-o", "cache_dir=/run/pytest")
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED) (tests/\S+::.*?|\[\d+\] \S+:\d+: .*?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Again:
    """``status`` and ``output`` of pytest."""

    status: int
    output: str

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """(PASSED, FAILED, ERROR or SKIPPED, test); of skipped ones their number, place and reason."""
        return OUTCOME.findall(self.output)


def run_again(*places: str, seconds: float, more: tuple[str, ...] = (), environment: Mapping[str, str] = {}) -> Again:
    """pytest of files or folders, with ``more`` of its options."""
    arguments = ("-m", "pytest", *places, *OPTIONS, *more)
    return Again(*run_in_uml(sys.executable, seconds, arguments=arguments, environment={**ENVIRONMENT, **environment}))


def assert_passed(again: Again, subtests: pytest.Subtests, least: int, skipped: str = "") -> None:
    """More than ``least`` tests, each of them; one may be skipped where its reason has ``skipped`` in it."""
    assert sum(outcome == "PASSED" for outcome, _name in again.outcomes) > least, again.output
    for outcome, name in again.outcomes:
        with subtests.test(msg=name):
            assert outcome == "PASSED" or (outcome == "SKIPPED" and skipped in name), again.output
    assert again.status == 0, again.output
