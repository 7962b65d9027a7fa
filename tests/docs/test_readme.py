"""What README.md shows and names is there, and what is served is named; the session is run in tests/lab."""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import asyncssh

from nesrv import rpc
from nesrv.transport.users import UserStore
from tests.rpc.client import session
from tests.serving import Serving

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PASSWORD = "Hello world!"
HASH = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
"""Of the password, as the specification of SHA-crypt gives it."""


def blocks(language: str) -> list[str]:
    """The fenced blocks of README.md in ``language``, in order."""
    return [part.split("\n```", 1)[0] for part in README.split(f"```{language}\n")[1:]]


def test_the_options_are_those_of_the_command() -> None:
    environment = {**os.environ, "COLUMNS": "100"}
    words = [sys.executable, "-m", "nesrv", "serve", "--help"]
    shown = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert blocks("text")[1] == shown.rstrip()


def test_the_users_file_lets_its_user_in(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()[1]
    shown = textwrap.dedent(README.split("```toml\n", 1)[1].split("```", 1)[0])
    file = tmp_path / "users.toml"
    file.write_text(shown.replace("$6$…", HASH).replace("AAAA…", key))
    file.chmod(0o600)
    users = UserStore.load(file)
    assert users.check_password("admin", PASSWORD)
    assert len(users.keys("admin")) == 1


def test_every_file_that_is_linked_exists() -> None:
    for part in README.split("](")[1:]:
        assert (ROOT / part.split(")", 1)[0]).exists(), part


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in ("lab", "test", "lab-down", "help"):
        assert f"make {target}" in README
        assert f"\n{target}:" in makefile


def helps(*words: str) -> bool:
    return subprocess.run([sys.executable, *words, "--help"], cwd=ROOT, capture_output=True).returncode == 0


def test_every_command_that_is_named_exists() -> None:
    named = set(re.findall(r"`nesrv ((?:yang )?[a-z]+)", README))
    assert {"plan", "clear", "yang deviations"} <= named
    assert all(helps("-m", "nesrv", *command.split()) for command in named), named


def test_every_command_of_the_lab_that_is_named_exists() -> None:
    named = set(re.findall(r"lab/lab ([a-z]+)", README))
    assert {"status", "exec"} <= named
    assert all(helps("lab/lab", command) for command in named), named


def served() -> str:
    """The section that tells what is served, up to its table."""
    return README.split("\n## What it serves\n", 1)[1].split("\n|", 1)[0]


def operations() -> Iterator[str]:
    for module in pkgutil.iter_modules(rpc.__path__, f"{rpc.__name__}."):
        for name in getattr(importlib.import_module(module.name), "OPERATIONS", ()):
            yield name.partition("}")[2]


def test_every_operation_is_named() -> None:
    found = list(operations())
    assert "edit-config" in found
    assert [name for name in found if not re.search(rf"(?<![\w-]){name}(?![\w-])", served())] == []


def test_every_capability_is_named() -> None:
    wanted = (
        '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><capabilities/></netconf-state>'
    )

    async def listed() -> list[str]:
        with Serving() as server:
            async with session(server) as client:
                found = await client.data(f'<get><filter type="subtree">{wanted}</filter></get>')
                return [one.text or "" for one in found.iter("{*}capability")]

    announced = [uri.split(":capability:")[1].split(":")[0] for uri in asyncio.run(listed()) if ":capability:" in uri]
    assert "candidate" in announced
    assert [name for name in announced if name not in served()] == []
