"""One server for all clients, each of which writes an entry of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import ncclient.transport.session
import pytest

from tests.clients.harbour import MODULES
from tests.serving import USERS, Serving

# ncclient looks at its queue of requests every so many seconds.
ncclient.transport.session.TICK = 0.002


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private key that the user may log in with; the public one lies beside it."""
    path = tmp_path_factory.mktemp("key") / "id_ed25519"
    made = asyncssh.generate_private_key("ssh-ed25519")
    path.touch(mode=0o600)
    made.write_private_key(path)
    made.write_public_key(path.with_suffix(".pub"))
    return path


@pytest.fixture(scope="session")
def server(key: Path) -> Iterator[Serving]:
    public = key.with_suffix(".pub").read_text().strip()
    with Serving(yang=[MODULES], users=f'{USERS}authorized_keys = ["{public}"]\n') as running:
        yield running
