"""Which profile a watched peer has: names that nobody else has, and the link that leads to it."""

from __future__ import annotations

from itertools import product

import pytest

from nesrv import errors
from tests.features.documents import V4, bound, box, document, entry, families, leg, neighbor, nic, vrf
from tests.features.element import Element
from tests.features.route_documents import bfd, bfd_interface, raw, raw_block
from tests.features.test_bgp_sessions import group, speaker

LINKS = {"eth1": "192.0.2.1/25", "eth2": "192.0.2.129/25"}
TIMERS = box("enable-bfd", enabled=True, detection_multiplier=4)


def watched_group(*prefixes: str) -> list[str]:
    """The lines about the BFD of a group with dynamic neighbours of these prefixes; eth1 and eth2 have timers."""
    dynamic = "".join(entry("dynamic-neighbor-prefix", "prefix", one, peer_group="far") for one in prefixes)
    far = group("far", families((V4,)) + box("enable-bfd", enabled=True), peer_as=65001)
    known = speaker(groups=far, dynamic=dynamic).replace(nic("eth1"), nic("eth1", LINKS["eth1"]))
    known = known.replace(nic("eth2"), nic("eth2", LINKS["eth2"])).replace(bound("lo"), bound("lo", *LINKS))
    element = Element()
    element.commit(known + bfd(*(bfd_interface(name, name) for name in LINKS)))
    return sorted(line.text for line in element.lines() if line.text.startswith("neighbor far bfd"))


@pytest.mark.parametrize(
    ("prefixes", "profile"),
    [
        (("192.0.2.0/25",), "interface-eth1"),
        (("192.0.2.16/28", "192.0.2.32/28"), "interface-eth1"),
        (("192.0.2.128/28",), "interface-eth2"),
        (("192.0.2.0/28", "192.0.2.128/28"), None),
        (("192.0.2.0/24",), None),
        (("192.0.2.0/25", "10.0.0.0/8"), None),
        (("10.0.0.0/8",), None),
    ],
)
def test_dynamic_neighbours_on_one_link_have_its_timers(prefixes: tuple[str, ...], profile: str | None) -> None:
    wanted = ["neighbor far bfd"] + ([f"neighbor far bfd profile {profile}"] if profile else [])
    assert watched_group(*prefixes) == wanted


def test_no_two_peers_share_a_profile_of_their_own() -> None:
    """Names chosen so that joining them carelessly would make two alike."""
    instances, groups = ("a", "a-b", "b", "x:a"), ("b", "a", "b-a", "a-b")
    made = []
    for number, name in enumerate(instances):
        inner = "".join(group(one, families((V4,)) + TIMERS, peer_as=1) for one in groups)
        listens = "".join(
            entry("dynamic-neighbor-prefix", "prefix", f"10.{index}.0.0/16", peer_group=one)
            for index, one in enumerate(groups)
        )
        whole = speaker(neighbor("10.9.0.2", V4, inner=TIMERS, peer_as=1), inner, dynamic=listens)
        protocol = whole[whole.index("<protocols>") : whole.index("</protocols>") + len("</protocols>")]
        made.append((leg(f"leg{number}", "10.9.0.1/24", host=f"h{number}"), vrf(name, bound(f"leg{number}"), protocol)))
    element = Element()
    element.commit(document([link for link, _ in made], [instance for _, instance in made]))
    profiles = [line.text for line in element.lines() if line.context == ("bfd",)]
    assert len(profiles) == len(set(profiles)) == len(instances) * (len(groups) + 1)
    for own, other in product(profiles, profiles):
        assert own == other or own.lower() != other.lower()


def test_a_raw_line_may_be_in_the_profile_of_an_interface() -> None:
    lines = raw(raw_block("echo", "echo-mode", context=("bfd", "profile interface-eth1")))
    known = document([nic("eth1")])
    Element().commit(known + bfd(bfd_interface("eth1", "eth1")) + lines)
    for absent in ("", bfd(bfd_interface("eth1", "eth1", enabled=False))):
        with pytest.raises(errors.InvalidValue, match="profile interface-eth1"):
            Element().commit(known + absent + lines)


def test_timers_that_frr_cannot_have_are_refused_where_they_were_said() -> None:
    timers = box("enable-bfd", enabled=True, desired_minimum_tx_interval=1500)
    with pytest.raises(errors.InvalidValue, match="whole milliseconds") as refused:
        Element().commit(speaker(neighbor("198.51.100.1", V4, peer_group="far"), group("far", timers, peer_as=1)))
    assert "peer-group[peer-group-name='far']/enable-bfd" in str(refused.value.path)
