"""A server run from the wheel alone serves the modules that the wheel carries."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ncclient import manager

READY = re.compile(r"nesrv ready on 127\.0\.0\.1:(\d+)")


@pytest.fixture
def port(installed: Path, tmp_path: Path) -> Iterator[int]:
    """Of a server that runs from the wheel, with nothing behind it."""
    users = tmp_path / "users.toml"
    users.write_text('[[user]]\nname = "admin"\npassword = "secret"\n')
    users.chmod(0o600)
    state = ["--state-dir", str(tmp_path / "state"), "--users", str(users)]
    command = [str(installed / "nesrv"), "serve", "--backend", "none", "--listen", "127.0.0.1:0", *state]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield ready_port(server)
        finally:
            server.terminate()
            server.communicate()


def ready_port(server: subprocess.Popen[str]) -> int:
    """Reads what the server says until it is ready; its end is the bound."""
    assert server.stderr is not None
    said = []
    for line in server.stderr:
        said.append(line)
        match = READY.search(line)
        if match:
            return int(match.group(1))
    raise AssertionError("the server ended:\n" + "".join(said))


def test_modules_of_the_wheel_are_served_as_they_are(port: int, root: Path) -> None:
    paths = sorted((root / "yang").rglob("*.yang"))
    assert paths
    with manager.connect(
        host="127.0.0.1", port=port, username="admin", password="secret", hostkey_verify=False, look_for_keys=False
    ) as client:
        for path in paths:
            module = re.match(r"[\w.-]+?(?=@|\.yang$)", path.name)
            assert module is not None
            assert client.get_schema(module.group()).data.strip() == path.read_text().strip()
