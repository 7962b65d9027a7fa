"""Snapshots are maps that share what they have in common, and never change."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nesrv.datastore import snapshot as module
from nesrv.datastore.shards import Shard
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.schema.nodes import SchemaNode

POINT = SchemaNode("p", "m", "urn:m", "list", True, None)


def shard(path: str, text: str = "") -> Shard:
    return Shard(path, POINT, text.encode())


changes = st.dictionaries(st.sampled_from("abcdefgh"), st.one_of(st.none(), st.sampled_from(["1", "2"])), max_size=5)


@settings(deadline=None)
@given(st.lists(changes, max_size=8), st.sampled_from([0, 2, 512]))
def test_a_snapshot_is_the_map_that_its_changes_make(steps: list[dict[str, str | None]], overlay: int) -> None:
    model: dict[str, bytes] = {}
    current = EMPTY
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_OVERLAY", overlay)
        for step in steps:
            before, earlier = dict(model), current
            made = {path: None if text is None else shard(path, text) for path, text in step.items()}
            current = current.with_changes(made)
            for path, text in step.items():
                model.pop(path, None) if text is None else model.update({path: text.encode()})
            assert {path: found.xml for path, found in current.items()} == model
            assert len(current) == len(model) == len(list(current))
            assert all((path in current) == (path in model) for path in "abcdefgh")
            assert {path: found.xml for path, found in earlier.items()} == before
            assert differing(earlier, current) == {
                path for path in {**before, **model} if before.get(path) != model.get(path)
            }


def differing(here: Snapshot, there: Snapshot) -> set[str]:
    found = here.changes_to(there)
    for path, (old, new) in found.items():
        assert (old, new) == (here.get(path), there.get(path))
    return set(found)


def test_the_same_snapshot_differs_in_nothing() -> None:
    one = EMPTY.with_changes({"a": shard("a")})
    assert one.changes_to(one) == {}
    assert one.changes_to(EMPTY.with_changes({"a": shard("a")})) == {}


def test_replaced_shards_keep_their_place() -> None:
    one = Snapshot({path: shard(path) for path in "abc"})
    assert list(one.with_changes({"b": shard("b", "new"), "d": shard("d")})) == ["a", "b", "c", "d"]


def test_what_is_not_there() -> None:
    with pytest.raises(KeyError):
        EMPTY["a"]
    assert EMPTY.get("a") is None
