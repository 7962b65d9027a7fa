"""Each client of another maker is there to be used: an environment that lost one must not pass for a success."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[2] / ".cache"
NETCONF_PYTHON = CACHE / "venv-netconf" / "bin" / "python"
ANSIBLE = CACHE / "venv-ansible" / "bin" / "ansible-playbook"


@pytest.mark.parametrize(
    "module", ["ncclient.manager", "netconf_client.connect", "netconf_console.ncc", "scrapli_netconf.driver"]
)
def test_client_imports(module: str) -> None:
    importlib.import_module(module)


@pytest.mark.parametrize("module", ["netconf.client", "nornir_netconf.plugins.tasks"])
def test_older_client_imports_in_its_own_environment(module: str) -> None:
    subprocess.run([NETCONF_PYTHON, "-c", f"import {module}"], check=True)


def test_ansible_has_the_modules_for_netconf() -> None:
    command = [str(ANSIBLE.with_name("ansible-doc")), "--list", "--type", "module", "ansible.netcommon"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert {"netconf_config", "netconf_get", "netconf_rpc"} <= {
        line.split()[0].removeprefix("ansible.netcommon.") for line in listed.splitlines() if line
    }


@pytest.mark.parametrize("command", ["ssh", "yangcli"])
def test_command_is_there(command: str) -> None:
    assert shutil.which(command)
