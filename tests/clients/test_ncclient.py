"""Two sessions of ncclient: who may do what while the other one is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ncclient import manager
from ncclient.operations import RPCError
from ncclient.transport.errors import AuthenticationError, SessionCloseError, TransportError

from tests.clients import harbour
from tests.clients.test_handlers import connect, leaves
from tests.serving import USER, Serving

PATIENCE = 20.0
CLOSED = (SessionCloseError, TransportError)


@pytest.fixture
def first(server: Serving) -> Iterator[Any]:
    with connect(server) as client:
        yield client
        if client.connected:
            client.discard_changes()


@pytest.fixture
def second(server: Serving) -> Iterator[Any]:
    with connect(server) as client:
        yield client


def has(client: Any, source: str, name: str) -> bool:
    return "depth" in leaves(client.get_config(source=source, filter=("subtree", harbour.subtree(name))))


def write(client: Any, name: str) -> None:
    client.edit_config(target="candidate", config=harbour.config(name, 7))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_wrong_password(server: Serving) -> None:
    with pytest.raises(AuthenticationError):
        manager.connect(
            host=server.host, port=server.port, username=USER, password="wrong", hostkey_verify=False,
            look_for_keys=False, allow_agent=False,
        )  # fmt: skip


def test_lock_names_its_holder(first: Any, second: Any) -> None:
    with first.locked("candidate"):
        with pytest.raises(RPCError) as caught:
            second.lock("candidate")
        assert caught.value.tag == "lock-denied"
        assert f"<session-id>{first.session_id}</session-id>" in caught.value.info
    with second.locked("candidate"):
        pass


@pytest.mark.parametrize("change", ["edit", "commit", "discard", "unlock"])
def test_lock_keeps_others_out(first: Any, second: Any, change: str) -> None:
    changes: dict[str, Callable[[], object]] = {
        "edit": lambda: write(second, "kept-out"),
        "commit": second.commit,
        "discard": second.discard_changes,
        "unlock": lambda: second.unlock("candidate"),
    }
    with first.locked("candidate"):
        write(first, "mine")
        with pytest.raises(RPCError) as caught:
            changes[change]()
        # RFC 6241: what a lock forbids is in-use, and a lock not held is operation-failed.
        assert caught.value.tag == ("operation-failed" if change == "unlock" else "in-use")
        assert has(first, "candidate", "mine")
    assert not has(second, "running", "mine")


def test_lock_of_running_keeps_a_commit_out(first: Any, second: Any) -> None:
    with first.locked("running"):
        write(second, "later")
        with pytest.raises(RPCError) as caught:
            second.commit()
        assert caught.value.tag == "in-use"
        assert not has(first, "running", "later")
    second.commit()
    assert has(first, "running", "later")


def test_unlock_discards(first: Any, second: Any) -> None:
    with first.locked("candidate"):
        write(first, "unlocked")
        assert has(second, "candidate", "unlocked")
    assert not has(second, "candidate", "unlocked")


def test_disconnect_discards_and_unlocks(server: Serving, second: Any) -> None:
    with connect(server) as leaving:
        leaving.lock("candidate")
        write(leaving, "left")
    until(lambda: not has(second, "candidate", "left"))
    with second.locked("candidate"):
        second.commit()
    assert not has(second, "running", "left")


def test_lost_connection_discards_and_unlocks(server: Serving, second: Any) -> None:
    """The client says nothing, its connection just ends."""
    lost = connect(server)
    lost.lock("candidate")
    write(lost, "lost")
    lost._session.transport.sock.close()

    def free() -> bool:
        try:
            second.lock("candidate")
        except RPCError as error:
            assert error.tag == "lock-denied"
            return False
        return True

    until(free)
    assert not has(second, "candidate", "lost")
    second.unlock("candidate")


def test_dirty_candidate_cannot_be_locked_by_another(first: Any, second: Any) -> None:
    write(first, "dirty")
    with pytest.raises(RPCError) as caught:
        second.lock("candidate")
    assert caught.value.tag == "lock-denied"
    first.discard_changes()
    with second.locked("candidate"):
        pass


def test_kill_session_kills(server: Serving, first: Any) -> None:
    victim = connect(server)
    victim.lock("candidate")
    write(victim, "killed")
    first.kill_session(victim.session_id)
    # The answer means that it is gone, with its lock and its changes.
    with first.locked("candidate"):
        assert not has(first, "candidate", "killed")
    with pytest.raises(CLOSED):
        victim.get_config("running")
    until(lambda: not victim.connected)


@pytest.mark.parametrize("whom", ["0", "own", "4294967295"])
def test_kill_session_of_nobody(first: Any, whom: str) -> None:
    with pytest.raises(RPCError) as caught:
        first.kill_session(first.session_id if whom == "own" else whom)
    assert caught.value.tag == "invalid-value"
    assert first.get_config("running").ok


def test_commit_is_seen_by_the_other(first: Any, second: Any) -> None:
    write(first, "shared")
    first.validate("candidate")
    assert not has(second, "running", "shared")
    first.commit()
    assert has(second, "running", "shared")


def test_delete_is_seen_by_the_other(first: Any, second: Any) -> None:
    write(first, "short-lived")
    first.commit()
    first.edit_config(
        target="candidate",
        config=f'<config xmlns:nc="{harbour.BASE}"><harbour xmlns="{harbour.NS}"><berth nc:operation="delete">'
        "<name>short-lived</name></berth></harbour></config>",
    )
    first.commit()
    assert not has(second, "running", "short-lived")


def test_schema_of_every_module_can_be_fetched(first: Any) -> None:
    text = first.get_schema("harbour").data
    assert text.strip() == (harbour.MODULES / "harbour.yang").read_text().strip()


def test_xpath(first: Any) -> None:
    write(first, "by-path")
    first.commit()
    select = ("xpath", ({"h": harbour.NS}, "/h:harbour/h:berth[h:name='by-path']/h:depth"))
    assert leaves(first.get_config("running", filter=select)) == {"name": "by-path", "depth": "7"}


def test_a_subscription_brings_what_the_other_session_does(first: Any, second: Any) -> None:
    first.create_subscription(stream_name="NETCONF")
    write(second, "told")
    second.commit()
    found = first.take_notification(timeout=PATIENCE)
    assert "netconf-config-change" in found.notification_xml
    assert f"<session-id>{second.session_id}</session-id>" in found.notification_xml
    assert has(first, "running", "told"), "requests are answered in between"
