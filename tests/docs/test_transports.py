"""What docs/transports.md shows works as it stands there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from nesrv.transport import callhome
from nesrv.transport.callhome import Client
from nesrv.transport.cert_to_name import MAP_TYPES
from tests.serving import NONE, ROOT, Serving

PAGE = (ROOT / "docs" / "transports.md").read_text()


def blocks(language: str) -> list[str]:
    return [part.split("\n```", 1)[0] for part in PAGE.split(f"```{language}\n")[1:]]


def test_the_certificates_the_file_and_the_client_work_together(tmp_path: Path) -> None:
    make, ask = blocks("sh")
    subprocess.run(["bash", "-euc", make], cwd=tmp_path, check=True, capture_output=True)
    settings = tmp_path / "tls.toml"
    settings.write_text(blocks("toml")[0].replace(":6513", ":0"))
    with Serving(options=(*NONE, "--tls", str(settings))) as server:
        port = re.search(r"over TLS on 127\.0\.0\.1 port (\d+)", server.log())
        assert port is not None
        command = ask.replace(":6513", f":{port[1]} -verify_return_error -ign_eof")
        asked = subprocess.Popen(
            ["bash", "-euc", f"exec {command}"], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        assert asked.stdout is not None
        assert asked.stdout.read(7) == b"<hello "
        asked.kill()
        asked.communicate()


def test_the_file_of_calls_is_read_and_shows_what_counts_without(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    path.write_text(blocks("toml")[1])
    shown = callhome.load(path)
    path.write_text('[[call-home]]\nname = "nms"\nendpoints = ["127.0.0.1", "[2001:db8::1]"]\n')
    assert shown == callhome.load(path)
    assert isinstance(shown[0], Client)


def test_every_map_type_is_named() -> None:
    assert [name for name in MAP_TYPES if f"`{name}`" not in PAGE] == []
