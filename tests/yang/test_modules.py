"""The modules load everywhere without a word, and are the profiles that they say they are."""

from __future__ import annotations

import logging
import re
import subprocess
import sysconfig
from pathlib import Path

import libyang
import pytest
from pyang.context import Context as PyangContext

from tests.yang import models


def test_libyang_loads_them_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    libyang.configure_logging(True, logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        context = models.libyang_context()
    assert not [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]
    implemented = {module.name() for module in context if module.implemented()}
    assert implemented >= {*models.NAMES, "iana-if-type"}
    assert "ietf-interfaces" not in implemented


def test_pyang_loads_them_without_a_warning(modules: PyangContext) -> None:
    assert not [(str(position), tag, args) for position, tag, args in modules.errors]


def test_lint() -> None:
    pyang = Path(sysconfig.get_path("scripts")) / "pyang"
    options = ["--lint", "--max-line-length=80", f"--path={models.FOLDERS[0]}:{models.FOLDERS[1]}"]
    files = [str(file) for file in models.FILES]
    done = subprocess.run([str(pyang), *options, *files], capture_output=True, text=True)
    # nesrv.yang is the project's only name without a hyphen.
    words = [line for line in done.stderr.splitlines() if "no module name prefix string used" not in line]
    assert (done.returncode, words, done.stdout) == (0, [], "")


@pytest.mark.parametrize("name", models.OPENCONFIG)
def test_profile_of_a_published_module(modules: PyangContext, name: str) -> None:
    published = {row[0]: row for row in models.table("modules")}
    _, _, namespace, prefix, date, version = published[name]
    module = modules.get_module(name)
    assert module.search_one("namespace").arg == namespace
    assert module.search_one("prefix").arg == prefix
    description = re.sub(r"\s+", " ", module.search_one("description").arg)
    assert description.startswith(f"Profile of {name} {version} ({date}): ")
    revision = module.search_one("revision")
    assert revision.arg == "2026-11-22"
    assert revision.search_one("reference").arg == f"{name} {version} ({date})"


@pytest.mark.parametrize("name", models.SUBMODULES)
def test_profile_of_a_published_submodule(modules: PyangContext, name: str) -> None:
    published = {row[0]: row for row in models.table("modules")}
    _, kind, _, prefix, date, version = published[name]
    part = modules.get_module(name)
    assert kind == "submodule"
    assert part.search_one("belongs-to").search_one("prefix").arg == prefix
    description = re.sub(r"\s+", " ", part.search_one("description").arg)
    assert description.startswith(f"Profile of {name} {version} ({date}): ")
    assert part.search_one("revision").arg == "2026-11-22"


def test_every_submodule_is_included() -> None:
    assert models.SUBMODULES
    included = {name for file in models.FILES for name in re.findall(r"^  include ([\w-]+);", file.read_text(), re.M)}
    assert included == set(models.SUBMODULES)


@pytest.mark.parametrize(
    ("name", "namespace", "prefix"),
    [("nesrv", "urn:nesrv:element", "nesrv"), ("nesrv-bgp", "urn:nesrv:bgp", "nesrv-bgp")],
)
def test_own_module(modules: PyangContext, name: str, namespace: str, prefix: str) -> None:
    module = modules.get_module(name)
    assert module.search_one("namespace").arg == namespace
    assert module.search_one("prefix").arg == prefix
    assert module.search_one("revision").arg == "2026-11-22"


@pytest.mark.parametrize("name", models.OPENCONFIG)
def test_identities_are_published_ones(modules: PyangContext, name: str) -> None:
    published = {(module, identity): bases.split() for module, identity, bases in models.table("identities")}
    for identity in modules.get_module(name).search("identity"):
        assert [base.arg for base in identity.search("base")] == published[name, identity.arg], identity.arg
