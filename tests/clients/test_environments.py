"""Each client of another maker is there to be used: an environment that lost one must not pass for a success."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from pathlib import Path

import pytest

NETCONF_PYTHON = Path(__file__).resolve().parents[2] / ".cache" / "venv-netconf" / "bin" / "python"


@pytest.mark.parametrize(
    "module", ["ncclient.manager", "netconf_client.connect", "netconf_console.ncc", "scrapli_netconf.driver"]
)
def test_client_imports(module: str) -> None:
    importlib.import_module(module)


def test_netconf_imports_in_its_own_environment() -> None:
    subprocess.run([NETCONF_PYTHON, "-c", "import netconf.client"], check=True)


@pytest.mark.parametrize("command", ["ssh", "yangcli"])
def test_command_is_there(command: str) -> None:
    assert shutil.which(command)
