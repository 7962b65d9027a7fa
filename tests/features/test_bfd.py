"""The BFD session of a neighbour: whose timers it has, and what FRR is told."""

from __future__ import annotations

from nesrv.datastore.tree import Node
from nesrv.features import inputs
from nesrv.features.bfd import Session, session
from nesrv.features.feature import InputKey, InputValue
from tests.features.element import model

LINK = ("eth1", "0")


def enable_bfd(**config: object) -> Node:
    """As the container enable-bfd of a neighbour; bfd/interfaces/interface has the same leaves."""
    made = Node(model().node("/openconfig-bfd:bfd/interfaces/interface"))
    box = made.add(Node(made.schema.by_name["config"]))
    for name, value in config.items():
        leaf = box.schema.by_name[name.replace("_", "-")]
        box.add(Node(leaf, str(value).lower()))
    return made


def found(node: Node, interface: str | None) -> Session | None:
    def lookup(key: InputKey) -> InputValue | None:
        return interface if key == inputs.bfd_profile(*LINK) else None

    return session(node, "red-10.0.0.2", LINK, lookup)


def words(made: Session | None) -> list[str]:
    return [one for one, _ in made.words] if made is not None else []


def lines(made: Session | None) -> list[str]:
    return ["/".join((*one.context, one.text)) for one in made.profile] if made is not None else []


def test_none_unless_enabled() -> None:
    assert found(enable_bfd(), "interface-eth1") is None
    assert found(enable_bfd(enabled=False, detection_multiplier=4), "interface-eth1") is None


def test_the_interface_has_the_timers() -> None:
    made = found(enable_bfd(enabled=True), "interface-eth1")
    assert (words(made), lines(made)) == (["bfd", "bfd profile interface-eth1"], [])


def test_the_neighbour_has_them_rather() -> None:
    made = found(enable_bfd(enabled=True, detection_multiplier=4, desired_minimum_tx_interval=100000), "interface-eth1")
    assert words(made) == ["bfd", "bfd profile neighbor-red-10.0.0.2"]
    block = "bfd/profile neighbor-red-10.0.0.2"
    assert lines(made) == [block, f"{block}/detect-multiplier 4", f"{block}/transmit-interval 100"]


def test_timers_that_are_frr_s_own_still_win() -> None:
    made = found(enable_bfd(enabled=True, detection_multiplier=3), "interface-eth1")
    assert (words(made)[1], lines(made)) == ("bfd profile neighbor-red-10.0.0.2", ["bfd/profile neighbor-red-10.0.0.2"])


def test_frr_has_timers_for_the_rest() -> None:
    assert words(found(enable_bfd(enabled=True), None)) == ["bfd"]
    assert words(session(enable_bfd(enabled=True), "x", None, lambda key: "interface-eth1")) == ["bfd"]


def test_none_on_an_interface_where_bfd_is_disabled() -> None:
    assert found(enable_bfd(enabled=True, detection_multiplier=4), "") is None
