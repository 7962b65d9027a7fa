"""What README.md shows of the command is what the command says; the session is run in tests/lab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced blocks of README.md in ``language``, in order."""
    return [part.split("\n```", 1)[0] for part in README.split(f"```{language}\n")[1:]]


def test_the_options_are_those_of_the_command() -> None:
    environment = {**os.environ, "COLUMNS": "100"}
    words = [sys.executable, "-m", "nesrv", "serve", "--help"]
    shown = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert blocks("text")[1] == shown.rstrip()


def test_every_file_that_is_linked_exists() -> None:
    for part in README.split("](")[1:]:
        assert (ROOT / part.split(")", 1)[0]).exists(), part


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in ("lab", "test", "lab-down", "help"):
        assert f"make {target}" in README
        assert f"\n{target}:" in makefile
