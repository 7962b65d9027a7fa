"""The peer: Debian's netconfd behind an OpenSSH server of its own on the loopback."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh

from tests.bench.client import Place

PATIENCE = 30.0
SSHD = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
Subsystem netconf "/usr/sbin/netconf-subsystem --ncxserver-sockname={port}@{folder}/ncx.sock"
"""


@contextmanager
def netconfd(modules: Path, key: asyncssh.SSHKey) -> Iterator[Place]:
    """The server, with the module ``bench`` of ``modules`` and ``key`` let in."""
    folder = Path(tempfile.mkdtemp(prefix="netconfd-"))
    user = getpass.getuser()
    started: list[subprocess.Popen[bytes]] = []
    try:
        port = _free_port()
        _write_keys(folder, key)
        (folder / "sshd_config").write_text(SSHD.format(port=port, folder=folder))
        Path("/run/sshd").mkdir(exist_ok=True)
        with (folder / "log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    _netconfd(folder, modules, user, port), stdout=log, stderr=log, env=_home(folder), cwd=folder
                )
            )
            _until(started[-1], (folder / "ncx.sock").exists, folder)
            sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")]
            started.append(subprocess.Popen(sshd, stdout=log, stderr=log))
            _until(started[-1], lambda: _answers(port), folder)
        yield Place("netconfd", port, user, key)
    finally:
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _netconfd(folder: Path, modules: Path, user: str, port: int) -> list[str]:
    return [
        "/usr/sbin/netconfd",
        f"--ncxserver-sockname={folder}/ncx.sock",
        f"--module={modules}/bench.yang",
        f"--port={port}",
        f"--superuser={user}",
        "--access-control=off",
        "--log-level=error",
        "--no-startup",
        "--target=candidate",
        "--max-sessions=1024",
    ]


def _home(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder)}


def _write_keys(folder: Path, key: asyncssh.SSHKey) -> None:
    host_key = folder / "host_key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(host_key)
    host_key.chmod(0o600)
    (folder / "authorized_keys").write_bytes(key.export_public_key())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(process: subprocess.Popen[bytes], condition: object, folder: Path) -> None:
    assert callable(condition)
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"{process.args!r}:\n{(folder / 'log').read_text(errors='replace')}")
        time.sleep(0.02)
