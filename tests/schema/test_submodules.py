"""Submodules: found beside their module, listed with it, and fetched like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nesrv.rpc.monitoring import content_id, yang_library
from nesrv.schema import modules
from tests.features.element import model

PARTS = {
    "openconfig-bgp-common",
    "openconfig-bgp-common-multiprotocol",
    "openconfig-bgp-common-structure",
    "openconfig-bgp-global",
    "openconfig-bgp-neighbor",
    "openconfig-bgp-peer-group",
}


def test_a_module_knows_its_submodules() -> None:
    found = {part.name: part.revision for part in model().modules["openconfig-bgp"].submodules}
    assert found == dict.fromkeys(PARTS, "2026-11-22")
    assert model().modules["openconfig-interfaces"].submodules == ()


@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_submodule_can_be_fetched(name: str) -> None:
    assert model().revision(name) == "2026-11-22"
    assert model().source(name).startswith(f"submodule {name} {{")


def test_what_is_neither_module_nor_submodule() -> None:
    assert model().revision("openconfig-bgp-nothing") is None


def test_the_yang_library_lists_them() -> None:
    library, state = yang_library(model())
    for node, where in ((library, "module-set/import-only-module"), (state, "module")):
        listed = {part.text("name") for module in node.all(where) for part in module.all("submodule")}
        listed |= {part.text("name") for module in node.all("module-set/module") for part in module.all("submodule")}
        assert listed >= PARTS
    assert content_id(model())


def test_a_revision_in_the_file_name(tmp_path: Path) -> None:
    (tmp_path / "main.yang").write_text("module main {\n  include part;\n  include elsewhere;\n}\n")
    (tmp_path / "part@2026-01-02.yang").write_text("submodule part {\n  revision 2026-01-02;\n}\n")
    (found,) = modules.submodules(tmp_path / "main.yang", ())
    assert (found.name, found.revision, found.path.name) == ("part", "2026-01-02", "part@2026-01-02.yang")
