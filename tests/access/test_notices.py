"""Which notifications a user may be sent (RFC 8341, section 3.4.6)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.journal import Journal
from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.events import Notice
from nesrv.rpc.nacm import Nacm
from nesrv.transport.runner import SessionRunner
from tests.access.test_rights import SHARDS, snapshot
from tests.rpc.acm import GUARDED, nacm, path, rule

NETMOD = "urn:ietf:params:xml:ns:netmod:notification"


class Peer(SessionRunner):
    """Somebody who has logged in; no bytes flow."""

    def __init__(self, user: str, groups: tuple[str, ...]) -> None:
        self.user = user
        self.groups = groups


def received(state: Path, config: str, tag: str, groups: tuple[str, ...] = ("tenants",)) -> tuple[bool, int]:
    """Whether it is, and how many were denied."""

    async def run() -> tuple[bool, int]:
        pipeline = Pipeline(SHARDS, (), Journal(state / "nesrv.db"), {})
        pipeline.running = snapshot(config)
        access = Nacm(Element(SHARDS, pipeline))
        answer = access.receives(SessionState(1, Peer("ted", groups), 0.0), Notice(0.0, tag))
        return answer, access.denials.notifications

    return asyncio.run(run())


TICK, ALARM = f"{{{GUARDED}}}tick", f"{{{GUARDED}}}alarm"
NAMED = "<notification-name>{}</notification-name>"


@pytest.mark.parametrize(
    ("config", "tag", "answer"),
    [
        ("", TICK, True),
        ("", ALARM, False),
        (nacm(leaves="<read-default>deny</read-default>"), TICK, False),
        (nacm(leaves="<read-default>deny</read-default>"), f"{{{NETMOD}}}replayComplete", True),
        (nacm(rule("deny")), f"{{{NETMOD}}}notificationComplete", True),
        (nacm(rule("deny", NAMED.format("tick"))), TICK, False),
        (nacm(rule("deny", NAMED.format("tick"), "read")), TICK, False),
        (nacm(rule("deny", NAMED.format("tick"), "exec")), TICK, True),
        (nacm(rule("deny", NAMED.format("tock"))), TICK, True),
        (nacm(rule("deny", NAMED.format("*"))), TICK, False),
        (nacm(rule("deny", module="guarded")), TICK, False),
        (nacm(rule("deny", module="kinds")), TICK, True),
        (nacm(rule("deny", path("/"))), TICK, True),
        (nacm(rule("permit", NAMED.format("alarm"))), ALARM, True),
        (nacm(leaves="<enable-nacm>false</enable-nacm>"), ALARM, True),
    ],
)
def test_notifications(tmp_path: Path, config: str, tag: str, answer: bool) -> None:
    assert received(tmp_path, config, tag) == (answer, int(not answer))


def test_an_administrator_is_sent_all_of_them(tmp_path: Path) -> None:
    assert received(tmp_path, nacm(rule("deny")), ALARM, ("SYSTEM_ROLE_ADMIN",)) == (True, 0)
