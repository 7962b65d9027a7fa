"""kill -9 at every point of a commit: the next start is the last acknowledged configuration, exactly."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.server import crashing
from tests.server.configurations import Configuration
from tests.server.element import Element, same
from tests.server.scenes import changed, small

Scene = Callable[[Element], Configuration]
BEFORE_SEAL = "begin"
SEALED = "sealed"


def crash(element: Element, point: str, goal: Configuration) -> None:
    """The session that commits ``goal`` sees its connection die, and no ``<ok/>``."""
    at = element.plain_command.index("-m")
    program = [crashing.__file__, point, *element.plain_command[at + 2 :]]
    element.launch([*element.plain_command[:at], *program])
    element.edit(goal)
    try:
        element.session.commit()
    except Exception as error:
        assert "rpc-error" not in str(error)
    else:
        raise AssertionError(f"the commit was acknowledged in spite of the crash at {point}")
    assert element.wait_killed() == -9, f"the server lived on after {point}"
    element.disconnect()


def steps_between(element: Element, goal: Configuration) -> int:
    element.edit(goal)
    count = len(element.plan())
    element.session.discard_changes()
    return count


@pytest.mark.parametrize(("origin", "goal"), [(small, changed), (changed, small)], ids=["forward", "backward"])
def test_killed_after_any_step_of_a_commit(origin: Scene, goal: Scene) -> None:
    with Element() as element:
        before, after = origin(element), goal(element)
        element.commit(before)
        expected = element.applied()
        count = steps_between(element, after)
        assert count > 20, "the change is to touch everything"
        element.stop()
        for point in (BEFORE_SEAL, *map(str, range(1, count + 1))):
            crash(element, point, after)
            assert element.starts()[-1] == "0 steps, 0 refused", f"left by the crash before {point}"
            element.start()
            assert element.starts()[-1].endswith(" 0 refused"), point
            assert element.disk_picture()["disk intent"] == []
            try:
                same(expected, element.applied)
            except AssertionError as error:
                raise AssertionError(f"after a crash at {point}:\n{error}") from None
            element.stop()


def test_a_commit_that_reached_the_disk_is_kept_though_nobody_was_told() -> None:
    with Element() as element:
        element.commit(changed(element))
        expected = element.applied()
        element.commit(small(element))
        element.stop()
        crash(element, SEALED, changed(element))
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"
        same(expected, element.applied)
