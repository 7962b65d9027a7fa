"""What a release of FRR cannot do."""

from __future__ import annotations

import pytest

from nesrv import errors
from nesrv.features.limits import Ipv4VtepsOnly
from nesrv.features.registry import FEATURES
from tests.features.cases import GOLDEN, Case
from tests.features.element import Element

VTEP = "connection-point[connection-point-id='VTEP']/endpoints/endpoint[endpoint-id='VTEP']/local/config/interface"


def limited() -> Element:
    return Element([*FEATURES, Ipv4VtepsOnly()])


def test_a_vtep_of_ipv6_is_refused_at_the_interface_that_it_names() -> None:
    with pytest.raises(errors.OperationNotSupported) as refused:
        limited().commit(Case(GOLDEN / "evpn" / "vtep-of-ipv6").config)
    assert refused.value.app_tag == "nesrv-vtep-of-ipv6"
    assert str(refused.value.path).endswith(VTEP)


def test_one_of_ipv4_is_not_even_beside_an_ipv6_address() -> None:
    """A loopback with both has the IPv4 one for its VTEP."""
    case = Case(GOLDEN / "pools" / "vtep-of-ipv6-added")
    plain = Element()
    plain.commit(case.config)
    element = limited()
    element.commit(case.config)
    assert element.facts() == plain.facts()
