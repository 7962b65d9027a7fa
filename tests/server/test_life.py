"""From the first start to ``nesrv clear``: what is left behind, who may log in, and what the commands say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ncclient.transport.errors import AuthenticationError

from tests.server.configurations import Configuration
from tests.server.element import RUN, Element, differences, sh, until
from tests.server.scenes import changed, small
from tests.serving import ROOT, Serving


def cli(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((sys.executable, "-m", "nesrv", *words), cwd=ROOT, capture_output=True, text=True)


def test_clear_leaves_nothing_behind() -> None:
    with Element() as element:
        before = element.kernel_picture()
        daemons = [element.frr_pid(name) for name in ("zebra", "bgpd", "staticd", "bfdd")]
        element.commit(changed(element))
        assert differences(before, element.kernel_picture())
        running = element.config()
        element.stop()

        done = element.clear()

        assert done.returncode == 0, done.stderr
        assert differences(before, element.kernel_picture()) == []
        assert not (RUN / element.name).exists()
        assert not Path(f"/run/frr/{element.name}").exists()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in daemons), "FRR's daemons have ended")
        assert str(RUN / element.name) not in sh("mount")
        element.start()
        assert element.config() == running, "the state directory keeps the configuration, and it is applied again"
        assert element.starts()[-1] != "0 steps, 0 refused"


def test_users_of_the_datastore_log_in_while_they_are_there() -> None:
    with Element() as element:
        with pytest.raises(AuthenticationError):
            element.another_session("bob", "builder")
        element.commit(small(element))
        session = element.another_session("bob", "builder")
        assert session.connected
        element.commit(replace(small(element), users=(("bob", "changed"),)))
        with pytest.raises(AuthenticationError):
            element.another_session("bob", "builder")
        assert element.another_session("bob", "changed").connected
        element.kill()
        element.start()
        assert element.another_session("bob", "changed").connected
        element.commit(replace(small(element), users=()))
        with pytest.raises(AuthenticationError):
            element.another_session("bob", "changed")


def test_the_command_plan_prints_the_plan() -> None:
    with Element() as element:
        element.commit(small(element))
        nothing = cli("plan", "--state-dir", str(element.state_dir))
        assert (nothing.returncode, nothing.stdout) == (0, "# nothing to do\n")
        before = element.picture()
        element.edit(changed(element))
        steps = element.plan()

        printed = cli("plan", "--state-dir", str(element.state_dir))

        expected: list[str] = []
        for step in steps:
            (number,), (verb,), (path,) = step["number"], step["verb"], step["path"]
            expected += [f"# {number} {verb} {path}", *step.get("command", [])]
        assert printed.returncode == 2
        assert printed.stdout.splitlines() == [*expected, f"# {len(steps)} steps"]
        assert differences(before, element.picture()) == [], "a plan changes nothing"
        element.session.commit()
        assert element.plan() == []


def test_plan_refuses_in_the_words_of_commit() -> None:
    with Element() as element:
        wrong = replace(small(element), underlay=None)
        element.edit(wrong)
        planned, committed = element.refused(element.plan), element.refused(element.session.commit)
        assert (planned.message, planned.path) == (committed.message, committed.path)
        printed = cli("plan", "--state-dir", str(element.state_dir))
        assert printed.returncode == 1
        assert planned.message in printed.stderr


def test_sigterm_closes_the_sessions() -> None:
    with Element() as element:
        sessions = [element.another_session() for _ in range(3)]
        assert element.stop() == 0
        until(lambda: not any(session.connected for session in sessions), "the sessions are closed")


def test_a_second_server_on_the_same_state_says_so() -> None:
    with Element() as element:
        element.commit(small(element))
        second = Serving(options=("--netns", element.name), state_dir=element.state_dir)
        try:
            with pytest.raises(AssertionError, match="another nesrv runs on this state directory"):
                second.start()
        finally:
            second.close()
        assert element.config(), "the first one goes on"
        assert element.another_session().connected
        element.commit(Configuration())
