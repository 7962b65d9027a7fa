"""The BFD session of a neighbour: whose timers it has, and what FRR is told."""

from __future__ import annotations

from nesrv.datastore.tree import Node
from nesrv.features import inputs
from nesrv.features.bfd import Session, session
from nesrv.features.bgp.peers import Settings
from nesrv.features.feature import InputKey, InputValue
from tests.features.element import model

LINK = ("eth1", "0")
NEIGHBOR = "/openconfig-network-instance:network-instances/network-instance/protocols/protocol/bgp/neighbors/neighbor"


def enable_bfd(*places: dict[str, object]) -> Settings:
    """As of a neighbour, and of its group after it; each place is the container's config."""
    return Settings(tuple(_neighbor(place) for place in places or ({},)))


def _neighbor(config: dict[str, object]) -> Node:
    made = Node(model().node(NEIGHBOR))
    inner = made.add(Node(made.schema.by_name["enable-bfd"]))
    box = inner.add(Node(inner.schema.by_name["config"]))
    for name, value in config.items():
        leaf = box.schema.by_name[name.replace("_", "-")]
        box.add(Node(leaf, str(value).lower()))
    return made


def found(settings: Settings, interface: str | None) -> Session | None:
    def lookup(key: InputKey) -> InputValue | None:
        return interface if key == inputs.bfd_profile(*LINK) else None

    return session(settings, "neighbor-x", LINK, lookup)


def words(made: Session | None) -> list[str]:
    return [one for one, _ in made.words] if made is not None else []


def lines(made: Session | None) -> list[str]:
    return ["/".join((*one.context, one.text)) for one in made.profile] if made is not None else []


ON: dict[str, object] = {"enabled": True}


def test_none_unless_enabled() -> None:
    assert found(enable_bfd(), "interface-eth1") is None
    assert found(enable_bfd({"enabled": False, "detection_multiplier": 4}), "interface-eth1") is None


def test_the_interface_has_the_timers() -> None:
    made = found(enable_bfd(ON), "interface-eth1")
    assert (words(made), lines(made)) == (["bfd", "bfd profile interface-eth1"], [])


def test_the_neighbour_has_them_rather() -> None:
    timers = {"detection_multiplier": 4, "desired_minimum_tx_interval": 100000}
    made = found(enable_bfd(ON | timers), "interface-eth1")
    assert words(made) == ["bfd", "bfd profile neighbor-x"]
    block = "bfd/profile neighbor-x"
    assert lines(made) == [block, f"{block}/detect-multiplier 4", f"{block}/transmit-interval 100"]


def test_its_group_has_what_it_has_not() -> None:
    group = ON | {"detection_multiplier": 4, "passive_mode": True, "minimum_ttl": 250}
    block = "bfd/profile neighbor-x"
    assert lines(found(enable_bfd({"detection_multiplier": 5, "passive_mode": False}, group), "interface-eth1")) == [
        block,
        f"{block}/detect-multiplier 5",
        f"{block}/minimum-ttl 250",
    ]
    assert f"{block}/passive-mode" in lines(found(enable_bfd({}, group), None))
    assert found(enable_bfd({"enabled": False}, group), None) is None


def test_timers_that_are_frr_s_own_still_win() -> None:
    for timers in ({"detection_multiplier": 3}, {"minimum_ttl": 254}, {"passive_mode": False}):
        made = found(enable_bfd(ON | timers), "interface-eth1")
        assert (words(made)[1], lines(made)) == ("bfd profile neighbor-x", ["bfd/profile neighbor-x"])


def test_frr_has_timers_for_the_rest() -> None:
    assert words(found(enable_bfd(ON), None)) == ["bfd"]
    assert words(session(enable_bfd(ON), "x", None, lambda key: "interface-eth1")) == ["bfd"]


def test_none_on_an_interface_where_bfd_is_disabled() -> None:
    assert found(enable_bfd(ON | {"detection_multiplier": 4}), "") is None
