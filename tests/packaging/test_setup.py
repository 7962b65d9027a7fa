"""The set-up's lists and locks: one source each, complete, and nothing in them that only one machine knows."""

from __future__ import annotations

import re
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock", "requirements-netconf.lock")
PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.M)


def pins(lock: Path) -> dict[str, set[str]]:
    """Versions by package; several where markers choose."""
    found: dict[str, set[str]] = {}
    for name, pinned in PIN.findall(lock.read_text()):
        found.setdefault(name, set()).add(pinned)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes_and_no_address(root: Path, name: str) -> None:
    text = (root / ".ci" / name).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) >= 5
    for entry in entries:
        assert PIN.match(entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert not re.search(r"https?:|file:|index-url|find-links|/[a-z]+/", text)


def test_runtime_and_build_locks_are_subsets_of_the_development_lock(root: Path) -> None:
    everything = pins(root / ".ci" / "requirements-dev.lock")
    for name in ("requirements.lock", "requirements-build.lock"):
        part = pins(root / ".ci" / name)
        assert part == {package: everything.get(package) for package in part}


def test_this_environment_is_the_locked_one(root: Path) -> None:
    foreign = {"win-inet-pton", "colorama"}  # of other systems, and marked so
    for package, pinned in pins(root / ".ci" / "requirements-dev.lock").items():
        if package not in foreign:
            assert version(package) in pinned, package


def test_image_installs_what_the_makefile_installs(root: Path) -> None:
    makefile, dockerfile = (root / "Makefile").read_text(), (root / "Dockerfile").read_text()
    assert ".ci/apt-packages.txt" in makefile
    assert "RUN .ci/apt-install .ci/apt-packages.txt" in dockerfile
    assert "apt-get install" not in makefile + dockerfile
    for lock in ("requirements-build.lock", "requirements.lock"):
        assert f"--require-hashes --no-build-isolation -r .ci/{lock}" in dockerfile


def test_image_is_given_every_file_that_the_build_needs(root: Path) -> None:
    copied: set[str] = set()
    for line in (root / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY "):
            copied.update(line.split()[1:-1])
    needed = {"pyproject.toml", "README.md", "LICENSE", ".ci/wheel_hook.py", ".ci/policy-rc.d", "nesrv", "yang"}
    assert needed <= copied
    assert all((root / path).exists() for path in copied)


def apt_install_as_nobody(root: Path, listed: str) -> subprocess.CompletedProcess[str]:
    """Runs .ci/apt-install as a user who may not install anything, so that it stops where it would begin to."""
    with (
        tempfile.NamedTemporaryFile("w", suffix=".txt") as packages,
        (root / ".ci" / "apt-install").open() as script,
    ):
        packages.write(listed)
        packages.flush()
        Path(packages.name).chmod(0o644)
        command = ["setpriv", "--reuid=65534", "--clear-groups", "bash", "-s", packages.name]
        return subprocess.run(command, stdin=script, capture_output=True, text=True)


def test_this_machine_has_every_package(root: Path) -> None:
    lists = [root / ".ci" / name for name in ("apt-packages.txt", "apt-packages-dev.txt")]
    done = apt_install_as_nobody(root, "".join(path.read_text() for path in lists))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_apt_install_notices_a_missing_package(root: Path) -> None:
    done = apt_install_as_nobody(root, "# comment\nprocps\nno-such-package-a no-such-package-b # why\n")
    assert done.returncode == 1
    assert done.stderr == "apt-install: must be root to install: no-such-package-a no-such-package-b\n"


def test_apt_install_takes_any_name_of_a_line(root: Path) -> None:
    assert apt_install_as_nobody(root, "no-such-package procps\n").returncode == 0


def test_apt_install_without_its_list_fails(root: Path) -> None:
    done = subprocess.run([".ci/apt-install", "/no/such/list"], cwd=root, capture_output=True, text=True)
    assert done.returncode != 0


@pytest.mark.parametrize(("action", "status"), [("start", 101), ("(start)", 101), ("restart", 0), ("stop", 0)])
def test_no_service_is_started_by_installing(root: Path, action: str, status: int) -> None:
    assert not Path("/usr/sbin/policy-rc.d.before-nesrv").exists()
    assert subprocess.run([root / ".ci" / "policy-rc.d", "frr", action]).returncode == status


def test_help_names_every_target(root: Path) -> None:
    text = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[1] for line in text.splitlines() if line.startswith("make ")}
    assert {"setup", "lab", "lab-down", "test", "bench", "help"} <= targets
    declared = re.search(r"^\.PHONY: (.*)$", (root / "Makefile").read_text(), re.M)
    assert declared is not None
    assert targets == set(declared.group(1).split())
