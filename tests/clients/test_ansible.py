"""Ansible's netconf_config, netconf_get and netconf_rpc: the playbooks that docs/clients.md names."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import harbour
from tests.clients.test_environments import ANSIBLE
from tests.clients.test_handlers import connect, leaves
from tests.serving import NONE, PASSWORD, USER, USERS, Serving

PLAYBOOKS = Path(__file__).parent / "ansible"
PATIENCE = 180


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with Serving(yang=[harbour.MODULES], users=USERS, options=(*NONE, "--startup-datastore")) as running:
        yield running


def play(server: Serving, home: Path, playbook: str, *options: str, **values: object) -> tuple[int, str]:
    """The exit status and what it said."""
    login = {"NESRV_HOST": server.host, "NESRV_PORT": str(server.port), "NESRV_USER": USER, "NESRV_PASSWORD": PASSWORD}
    own = {"HOME": str(home), "ANSIBLE_HOME": str(home), "ANSIBLE_LOCAL_TEMP": str(home), "LC_ALL": "C.UTF-8"}
    extra = [word for name, value in values.items() for word in ("-e", f"{name}={value}")]
    done = subprocess.run(
        [ANSIBLE, "-i", "inventory.ini", playbook, *options, *extra],
        cwd=PLAYBOOKS, env={**os.environ, **login, **own, "PATH": f"{ANSIBLE.parent}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def changed(said: str) -> int:
    """The tasks that changed something, by the recap of a play that failed nowhere."""
    found = re.search(r"changed=(\d+)\s+unreachable=0\s+failed=0", said)
    assert found, said
    return int(found[1])


def depth(server: Serving, source: str, name: str) -> str | None:
    with connect(server) as client:
        return leaves(client.get_config(source=source, filter=("subtree", harbour.subtree(name)))).get("depth")


def test_a_second_run_changes_nothing(server: Serving, tmp_path: Path) -> None:
    for changes in (1, 0):
        status, said = play(server, tmp_path, "berth.yml", berth="ansible", depth=12)
        assert (status, changed(said)) == (0, changes), said
    assert depth(server, "running", "ansible") == depth(server, "startup", "ansible") == "12"
    status, said = play(server, tmp_path, "read.yml", berth="ansible", depth=12)
    assert (status, changed(said)) == (0, 0), said


def test_check_mode_tells_and_leaves_nothing(server: Serving, tmp_path: Path) -> None:
    status, said = play(server, tmp_path, "berth.yml", "--check", berth="checked", depth=3)
    assert (status, changed(said)) == (0, 1), said
    assert depth(server, "running", "checked") is depth(server, "candidate", "checked") is None


def test_a_commit_on_trial_is_confirmed(server: Serving, tmp_path: Path) -> None:
    status, said = play(server, tmp_path, "confirmed.yml", berth="trial", depth=4)
    assert (status, changed(said)) == (0, 1), said
    assert depth(server, "running", "trial") == "4"


def test_an_error_is_seen_and_the_candidate_left_clean(server: Serving, tmp_path: Path) -> None:
    status, said = play(server, tmp_path, "berth.yml", berth="wrong", depth=70_000)
    assert status != 0
    assert "failed=1" in said
    assert "70000" in said
    with connect(server) as client, client.locked("candidate"):
        assert depth(server, "candidate", "wrong") is None
