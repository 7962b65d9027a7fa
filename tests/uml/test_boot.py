"""The machine itself: status, output, and nothing left behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.uml.boot import BootFailed, run_in_uml

SECONDS = 120


def script(directory: Path, text: str) -> Path:
    path = directory / "script"
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def own_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this test's machine keeps its files, and no other's: several machines may run at once.

    Short, because the machine's own socket lies below it (108 characters).
    """
    with tempfile.TemporaryDirectory(prefix="boot-") as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)
        monkeypatch.undo()


def test_status_and_output_come_back(tmp_path: Path, own_directory: Path) -> None:
    text = 'ip link add red type vrf table 70000 && echo "$WORD of $1"; echo to-stderr >&2; ls /etc/frr | wc -l; exit 3'
    program = script(tmp_path, text)
    status, output = run_in_uml(program, SECONDS, arguments=("two words",), environment={"WORD": "sound"})
    assert (status, output) == (3, "sound of two words\nto-stderr\n0\n")
    assert list(own_directory.iterdir()) == []


def test_a_program_that_does_not_end_is_stopped(tmp_path: Path, own_directory: Path) -> None:
    with pytest.raises(BootFailed, match="began"):
        run_in_uml(script(tmp_path, "echo began; sleep 1000"), 15)
    assert list(own_directory.iterdir()) == []
