"""RFC 6241, sections 7.5 and 7.6."""

from __future__ import annotations

import pytest

from nesrv import errors
from nesrv.datastore.locks import Locks


def test_one_holder_at_a_time() -> None:
    locks = Locks()
    locks.lock("running", 1, 10.0)
    assert (locks.holder("running"), locks.since("running"), locks.holder("candidate")) == (1, 10.0, None)
    for session in (1, 2):
        with pytest.raises(errors.LockDenied) as refusal:
            locks.lock("running", session, 11.0)
        assert refusal.value.info == (("session-id", "1"),)
    locks.lock("candidate", 2, 12.0)
    assert locks.holder("candidate") == 2


def test_changes_of_somebody_stand_in_the_way() -> None:
    locks = Locks()
    with pytest.raises(errors.LockDenied) as refusal:
        locks.lock("candidate", 1, 0.0, {7, 5})
    assert refusal.value.info == (("session-id", "5"),)
    assert locks.holder("candidate") is None


def test_only_the_holder_unlocks() -> None:
    locks = Locks()
    for session in (1, 2):
        with pytest.raises(errors.OperationFailed):
            locks.unlock("running", session)
        locks.lock("running", 3, 0.0) if session == 1 else None
    locks.unlock("running", 3)
    locks.lock("running", 1, 0.0)


def test_others_are_kept_out() -> None:
    locks = Locks()
    locks.check("running", 1)
    locks.lock("running", 1, 0.0)
    locks.check("running", 1)
    with pytest.raises(errors.InUse):
        locks.check("running", 2)


def test_a_session_that_ends_leaves_its_locks() -> None:
    locks = Locks()
    locks.lock("running", 1, 0.0)
    locks.lock("candidate", 1, 0.0)
    assert locks.release(2) == []
    assert sorted(locks.release(1)) == ["candidate", "running"]
    assert locks.holder("running") is None
    assert locks.release(1) == []
