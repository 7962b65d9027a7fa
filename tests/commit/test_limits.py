"""What the FRR that runs cannot do is told by ``validate`` and ``plan``, not by ``commit`` alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from lxml import etree

from nesrv import errors
from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.edit import Editor
from nesrv.datastore.journal import Journal
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.features.feature import Feature
from nesrv.features.limits import Ipv4VtepsOnly
from nesrv.features.registry import FEATURES
from tests.features.cases import GOLDEN, Case
from tests.features.element import model

IPV6 = Case(GOLDEN / "evpn" / "vtep-of-ipv6").config

Ask = Callable[[Pipeline, Snapshot], Coroutine[object, object, object]]


def opened(directory: Path, *limits: Feature) -> tuple[Pipeline, Snapshot]:
    """A pipeline without engines, and a candidate with a VTEP of IPv6."""
    shards = Shards(model())
    pipeline = Pipeline(shards, [*FEATURES, *limits], Journal(directory / "journal", 1), {})
    return pipeline, Editor(shards).edit(EMPTY, etree.fromstring(f"<config>{IPV6}</config>"))


@pytest.mark.parametrize("ask", [Pipeline.check, Pipeline.plan], ids=["validate", "plan"])
def test_a_limit_of_frr_is_told_before_the_commit(tmp_path: Path, ask: Ask) -> None:
    pipeline, candidate = opened(tmp_path, Ipv4VtepsOnly())
    with pytest.raises(errors.OperationNotSupported) as refused:
        asyncio.run(ask(pipeline, candidate))
    assert refused.value.app_tag == "nesrv-vtep-of-ipv6"
    assert pipeline.running is EMPTY


def test_an_frr_without_the_limit_takes_it(tmp_path: Path) -> None:
    pipeline, candidate = opened(tmp_path)
    asyncio.run(pipeline.check(candidate))
