"""The host key: made once, closed to others, kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from nesrv.settings import SettingsError
from nesrv.transport.hostkey import host_key


def test_a_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "state" / "key"
    first = host_key(path)
    assert first.get_algorithm() == "ssh-ed25519"
    assert path.stat().st_mode & 0o777 == 0o600
    assert host_key(path).public_data == first.public_data
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_a_key_that_others_can_read_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "key"
    host_key(path)
    path.chmod(0o644)
    host_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert str(path) in caplog.text


def test_a_file_that_is_no_key_is_said_to_be_none_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("rubbish")
    with pytest.raises(SettingsError, match="key"):
        host_key(path)
    assert path.read_text() == "rubbish"
