"""What is installed from the wheel is complete, away from any checkout."""

from __future__ import annotations

import subprocess
import tomllib
import zipfile
from pathlib import Path


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_yang_module_of_the_checkout_is_inside(wheel: Path, root: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {
            name.removeprefix("nesrv/_yang/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith("nesrv/_yang/") and name.endswith(".yang")
        }
    outside = {str(path.relative_to(root / "yang")): path.read_bytes() for path in (root / "yang").rglob("*.yang")}
    assert outside
    assert inside == outside


def test_nothing_but_the_package_is_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert tops == {"nesrv", "nesrv-0.1.0.dist-info"}


def test_package_is_imported_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import nesrv; print(nesrv.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_yang_modules_are_found_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    found = run(
        installed / "python", "-c", "from nesrv.schema import modules; print(modules.own_directory())", cwd=tmp_path
    )
    folder = Path(found.strip())
    assert folder.is_relative_to(installed.parent)
    assert list(folder.rglob("*.yang"))


def test_command_says_its_version(installed: Path, root: Path, tmp_path: Path) -> None:
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert version in run(installed / "nesrv", "--version", cwd=tmp_path)
