"""The clients that are programs: netconf-console2, Debian's yangcli, and the library netconf in its environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients import harbour
from tests.clients.test_environments import NETCONF_PYTHON
from tests.serving import PASSWORD, USER, Serving

CONSOLE = Path(sys.executable).parent / "netconf-console2"
PATIENCE = 120


def run(command: list[str], **more: str) -> str:
    """What it printed; its exit status must be 0."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, **more}, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def entry(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file with the data of an entry named after the test."""
    path = tmp_path / "entry.xml"
    path.write_text(harbour.berth(request.node.originalname, 31))
    return path


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_netconf_console(server: Serving, entry: Path, version: str) -> None:
    login = [f"--host={server.host}", f"--port={server.port}", f"--user={USER}", f"--password={PASSWORD}"]
    console = [str(CONSOLE), *login, f"--version={version}"]
    assert ":candidate:" in run([*console, "--hello"])
    run([*console, "--db=candidate", f"--edit-config={entry}", "--commit"])
    select = ["--ns", f"h={harbour.NS}", "--get-config", "-x", "/h:harbour/h:berth[h:name='test_netconf_console']"]
    assert "<depth>31</depth>" in run([*console, *select])


def test_netconf_console_sees_the_error(server: Serving, entry: Path) -> None:
    entry.write_text(harbour.berth("wrong", 70_000))
    login = [f"--host={server.host}", f"--port={server.port}", f"--user={USER}", f"--password={PASSWORD}"]
    done = subprocess.run(
        [str(CONSOLE), *login, "--db=candidate", f"--edit-config={entry}"],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert "invalid-value" in done.stdout + done.stderr


NETCONF_VISIT = """\
import sys
from lxml import etree
from netconf.client import NetconfSSHSession
from netconf.error import RPCError

host, port, user, password, entry, wrong, subtree = sys.argv[1:]
session = NetconfSSHSession(host, int(port), user, password)
print(len(session.capabilities), "capabilities")
session.edit_config("candidate", newconf="<nc:config>" + entry + "</nc:config>")
session.send_rpc("<nc:commit/>")
print(etree.tostring(session.get_config("running", subtree), encoding="unicode"))
try:
    session.edit_config("candidate", newconf="<nc:config>" + wrong + "</nc:config>")
except RPCError as error:
    print("refused", error)
session.close()
"""


def test_netconf(server: Serving) -> None:
    name = "test_netconf"
    entries = [harbour.berth(name, 31), harbour.berth("wrong", 70_000), harbour.subtree(name)]
    arguments = [server.host, str(server.port), USER, PASSWORD, *entries]
    said = run([str(NETCONF_PYTHON), "-c", NETCONF_VISIT, *arguments])
    assert "<depth>31</depth>" in said
    assert "refused" in said


YANGCLI_VISIT = """\
lock target=candidate
create /harbour/berth[name='yangcli']/depth value=31
commit
unlock target=candidate
sget-config source=running /harbour
close-session
quit
"""


def test_yangcli(server: Serving, tmp_path: Path) -> None:
    """It reads what the hello says of modules; it insists on a terminal, which ``script`` gives it."""
    visit = tmp_path / "visit"
    visit.write_text(YANGCLI_VISIT)
    options = [f"--server={server.host}", f"--ncport={server.port}", f"--user={USER}", f"--password={PASSWORD}"]
    modules = f"--modpath={harbour.MODULES}:/usr/share/yuma/modules"
    words = ["yangcli", "--batch-mode", f"--run-script={visit}", "--display-mode=xml", modules, *options]
    said = run(["script", "--quiet", "--return", "--command", " ".join(words), "/dev/null"], HOME=str(tmp_path))
    assert "<depth>31</depth>" in said, said
    assert said.count("RPC OK Reply") >= 4, said


def test_yangcli_sees_the_error(server: Serving, tmp_path: Path) -> None:
    visit = tmp_path / "visit"
    visit.write_text("delete /harbour/berth[name='never-made']\nquit\n")
    options = [f"--server={server.host}", f"--ncport={server.port}", f"--user={USER}", f"--password={PASSWORD}"]
    modules = f"--modpath={harbour.MODULES}:/usr/share/yuma/modules"
    words = ["yangcli", "--batch-mode", f"--run-script={visit}", modules, *options]
    done = subprocess.run(
        ["script", "--quiet", "--return", "--command", " ".join(words), "/dev/null"],
        capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "data-missing" in done.stdout, done.stdout
