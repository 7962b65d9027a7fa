"""A real ``nesrv serve`` process for tests, on a free port of the loopback, with a state of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
USER, PASSWORD = "admin", "admin-secret"
USERS = f'[[user]]\nname = "{USER}"\npassword = "{PASSWORD}"\n'
NONE = ("--backend", "none")
PATIENCE = 60.0
"""Seconds within which a server is ready, or ended after SIGTERM."""

_READY = re.compile(rb"^nesrv ready on (?:\[.*\]|\S+):(\d+)$", re.MULTILINE)


class Serving:
    """The server runs between ``start`` and ``stop`` (or in a ``with`` block), and may be started again.

    ``options`` are further arguments of ``nesrv serve``, by default no back end; ``yang`` are directories of
    modules; ``users`` is the text of the users file; ``state_dir`` is the caller's, or a temporary one that lasts as
    long as the object's outermost ``with`` block; ``prefix`` goes before the command (``ip netns exec …``).
    """

    def __init__(
        self,
        *,
        options: Sequence[str] = NONE,
        yang: Sequence[Path] = (),
        users: str = USERS,
        state_dir: Path | None = None,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="nesrv-test-"))
        self.state_dir = state_dir or self._folder / "state"
        self.users = self._folder / "users.toml"
        self.users.touch(mode=0o600)
        self.users.write_text(users)
        self.host, self.port = "127.0.0.1", 0
        self._log = self._folder / "log"
        self._log.touch()
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        modules = [word for folder in yang for word in ("--yang", str(folder))]
        files = ["--state-dir", str(self.state_dir), "--users", str(self.users)]
        listen = ["--listen", f"{self.host}:0"]
        self.command = [*prefix, sys.executable, "-m", "nesrv", "serve", *listen, *files, *modules, *options]

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            sys.stderr.write(self.log())
        self.close()

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def memory(self) -> int:
        """What the process has of it (RSS), in bytes."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) * 1024

    def log(self) -> str:
        """Everything that all starts wrote to standard error so far."""
        return self._log.read_text(errors="replace")

    def launch(self) -> int:
        """Starts the process without waiting for it; returns the size of the log so far, for ``wait_ready``."""
        assert not self.running, "the server runs already"
        before = self._log.stat().st_size
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return before

    def wait_ready(self, since: int) -> int:
        """The port, once the log beyond ``since`` bytes says it; AssertionError if the process ends before."""
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ended = self._process.poll()
            found = _READY.search(self._log.read_bytes()[since:])
            if found:
                self.port = int(found[1])
                return self.port
            assert ended is None, f"nesrv ended with status {ended}:\n{self.log()}"
            time.sleep(0.01)
        raise AssertionError(f"nesrv was not ready after {PATIENCE:g} s:\n{self.log()}")

    def start(self) -> int:
        """Starts the server and returns its port."""
        return self.wait_ready(self.launch())

    def stop(self) -> int:
        """Ends the server by SIGTERM and returns its exit status; AssertionError if it stays."""
        assert self._process is not None
        if self.running:
            self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"nesrv did not end within {PATIENCE:g} s of SIGTERM:\n{self.log()}") from None

    def kill(self) -> None:
        """What a crash is: SIGKILL, and nothing is said to anybody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Stops what runs and removes the temporary files."""
        try:
            if self.running:
                self.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
