"""A confirmed commit that nobody confirms: kernel, FRR and disk are what they were before it."""

from __future__ import annotations

import pytest

from tests.server.element import Element, same, until
from tests.server.scenes import changed, small


def test_the_time_runs_out() -> None:
    with Element() as element:
        element.commit(small(element))
        expected = element.applied()
        element.edit(changed(element))
        element.session.commit(confirmed=True, timeout="1")
        assert element.vrf_names() == ["blue", "red"]
        until(lambda: "is taken back: not confirmed in time" in element.serving.log(), "the time runs out")
        same(expected, element.applied)
        element.stop()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"


@pytest.mark.parametrize("persist", ["token", None])
def test_killed_while_it_is_pending(persist: str | None) -> None:
    with Element() as element:
        element.commit(small(element))
        expected = element.applied()
        element.edit(changed(element))
        element.session.commit(confirmed=True, persist=persist)
        assert element.vrf_names() == ["blue", "red"]
        element.kill()
        element.start()
        assert not element.starts()[-1].startswith("0 steps")
        assert element.starts()[-1].endswith(" 0 refused")
        same(expected, element.applied)
        element.stop()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"


def test_confirmed_it_stays() -> None:
    with Element() as element:
        element.commit(small(element))
        element.edit(changed(element))
        element.session.commit(confirmed=True, persist="token")
        expected = element.applied()
        element.disconnect()
        element.session.commit(persist_id="token")
        element.kill()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"
        same(expected, element.applied)
