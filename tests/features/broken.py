"""Configurations that YANG allows and the translation refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from nesrv import errors
from tests.features.documents import (
    LO,
    V4,
    bgp,
    default,
    document,
    neighbor,
    protocols,
    underlay,
    vrf,
)
from tests.features.element import Element

InvalidValue, NotSupported, Missing = errors.InvalidValue, errors.OperationNotSupported, errors.DataMissing


@dataclass(frozen=True, slots=True)
class Broken:
    """``path``: the end of the error-path; ``words``: part of the message."""

    document: str
    error: type[errors.RpcError]
    tag: str
    path: str
    words: str


def peer(address: str = "198.51.100.1", *names: str, inner: str = "", **config: object) -> str:
    """A default instance with one neighbour, of AS 1 unless said."""
    found = neighbor(address, *names, inner=inner, **{"peer_as": 1, **config})
    return document((), [default(protocols(bgp(64514, (V4,), found)))])


def tenant(*inner: str, **config: object) -> str:
    """An L3VRF beside a complete underlay."""
    return document([LO], [underlay(), vrf("red", *inner, **config)])


def refusals(**groups: Mapping[str, Broken]) -> pytest.MarkDecorator:
    """One test for each, called by its group and name."""
    found = {f"{group}: {name}": broken for group, named in groups.items() for name, broken in named.items()}
    return pytest.mark.parametrize("broken", found.values(), ids=list(found))


def assert_refused(broken: Broken) -> None:
    element = Element()
    with pytest.raises(errors.RpcError) as caught:
        element.commit(broken.document)
    error = caught.value
    assert (type(error), error.app_tag) == (broken.error, broken.tag)
    assert error.path is not None and error.path.endswith(broken.path)
    assert broken.words in error.message
    assert error.message.endswith((".", "…"))
    assert element.facts() == {}
