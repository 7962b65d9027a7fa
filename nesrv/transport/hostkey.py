"""The server's SSH host key: made once, kept with the state."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import asyncssh

from nesrv.settings import SettingsError

logger = logging.getLogger(__name__)


def host_key(path: Path) -> asyncssh.SSHKey:
    """The private key at ``path``, an ed25519 one made there if there is none; raises SettingsError."""
    try:
        if not path.exists():
            _make(path)
        elif path.stat().st_mode & 0o077:
            logger.warning("others could read the host key %s: closed to them now", path)
            path.chmod(0o600)
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError) as error:
        raise SettingsError(
            f"the host key {path} cannot be used: {error}; without the file a new one is made"
        ) from None


def _make(path: Path) -> None:
    """Whole or not at all, and never in the place of another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    key = asyncssh.generate_private_key("ssh-ed25519")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.export_private_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        logger.info("made the host key %s (%s)", path, key.get_fingerprint())
    finally:
        draft.unlink()
