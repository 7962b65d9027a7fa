"""A release of published modules against ours: what is not supported, and the same element on top of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pyang.context import Context as PyangContext
from pyang.repository import FileRepository

from nesrv.errors import RpcError
from nesrv.features.completeness import unclaimed
from nesrv.features.registry import FEATURES
from nesrv.schema import deviations, published
from nesrv.schema.modules import ietf_directories, module_set, own_directory
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.schema import Schema, load
from tests.features import element
from tests.features.cases import Case, all_cases, outcome
from tests.schema import release
from tests.yang import models

HOSTNAME = '<system xmlns="http://openconfig.net/yang/system"><config><hostname>pe1</hostname></config></system>'
NOT_SUPPORTED = {
    "/openconfig-interfaces:interface-defaults",
    "/openconfig-interfaces:reset-interfaces",
    "/openconfig-interfaces:interfaces/interface/damping",
    "/openconfig-interfaces:interfaces/interface/medium/air/channel",
    "/openconfig-interfaces:interfaces/interface/config/tpid",
    "/openconfig-network-instance:network-instances/reader",
    "/openconfig-telepathy:minds",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release.write(tmp_path_factory.mktemp("public"))


@pytest.fixture(scope="module")
def survey(folder: Path) -> published.Survey:
    return published.survey(folder)


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Schema:
    ready = published.prepare(folder, tmp_path_factory.mktemp("cache"))
    return load(module_set((), with_model=True, release=ready))


def short(target: str) -> str:
    """The target as a schema path: a module only where it changes."""
    found, last = "", ""
    for step in target[1:].split("/"):
        module, name = step.split(":")
        found += f"/{name}" if module == last else f"/{step}"
        last = module
    return found


def changes(found: published.Survey, word: str) -> dict[str, str]:
    return {short(one.target): change for one in found.deviations for change in one.changes if change.startswith(word)}


def test_what_is_not_supported_is_named_at_its_top(survey: published.Survey) -> None:
    assert changes(survey, "deviate not-supported").keys() == NOT_SUPPORTED
    assert "dreams" not in survey.text, "what is not served needs no deviation"


def test_a_must_that_refuses_what_we_take_is_deleted(survey: published.Survey, served: Schema) -> None:
    found = changes(survey, "deviate delete")
    leaves = ("config/hostname", "state/hostname", "config/login-banner")
    assert found.keys() == {f"/openconfig-system:system/{leaf}" for leaf in leaves}
    served.engine.validate(HOSTNAME.encode())
    served.engine.validate(HOSTNAME.replace("hostname", "login-banner").encode())


def test_an_identity_that_we_make_nothing_of_is_refused(survey: published.Survey, served: Schema) -> None:
    path = "/openconfig-network-instance:network-instances/network-instance/config/type"
    assert changes(survey, "deviate add").keys() == {path}
    text = (models.DATA / "pe.xml").read_text()
    served.engine.validate(text.encode())
    with pytest.raises(RpcError, match="nothing of this identity") as caught:
        served.engine.validate(text.replace("oc-ni-types:L3VRF", "oc-ni-types:L2P2P", 1).encode())
    assert caught.value.app_tag == "nesrv-identity"


def test_what_no_deviation_says_is_in_the_table(survey: published.Survey) -> None:
    rows = {(one.path.rpartition("interface/")[2], one.what, one.ours, one.published) for one in survey.differences}
    assert rows == {(f"{kind}/mtu", "type", "uint16", "uint16 68..9216") for kind in ("config", "state")}
    assert published.table(survey)[-1] == f"{len(survey.deviations)} deviations, 2 differences"
    assert survey.missing == ()


def test_a_default_that_differs_is_in_the_table(tmp_path: Path) -> None:
    home = release.write(tmp_path) / "release/models/interfaces/openconfig-interfaces.yang"
    home.write_text(home.read_text().replace('default "true"', 'default "false"', 1))
    found = {
        (one.path, one.ours, one.published) for one in published.survey(tmp_path).differences if one.what == "default"
    }
    assert ("/openconfig-interfaces:interfaces/interface/config/enabled", "true", "false") in found


def test_our_own_modules_need_no_deviation() -> None:
    found = published.survey(own_directory() / "openconfig")
    assert (found.deviations, found.differences, found.missing) == ((), (), ())


def test_pyang_takes_the_module(survey: published.Survey, folder: Path) -> None:
    folders = [*{path.parent for path in folder.rglob("*.yang")}, *ietf_directories()]
    context = PyangContext(FileRepository(":".join(map(str, folders)), use_env=False))
    assert context.add_module(deviations.FILE, survey.text) is not None
    context.validate()
    assert [str(error) for error in context.errors if error[1] != "UNUSED_IMPORT"] == []


def tree(schema: Schema) -> set[tuple[str, str, str, bool]]:
    def described(node: SchemaNode) -> tuple[str, str, str, bool]:
        return node.path, node.kind, node.base, node.config

    return {described(node) for top in schema.data.values() for node in top.walk()}


def test_with_the_deviations_the_tree_is_ours(served: Schema) -> None:
    assert tree(served) == tree(element.model())
    assert set(served.rpcs) == set(element.model().rpcs)
    assert unclaimed(served, FEATURES) == []
    assert served.references.escaping == frozenset(), "a commit looks at what it changes, as with our own"
    assert {one.name for one in served.modules.values() if one.deviations == (deviations.MODULE,)} == {
        "openconfig-interfaces",
        "openconfig-network-instance",
        "openconfig-system",
        "openconfig-telepathy",
    }


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_a_golden_case_comes_to_the_same(case: Case, served: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(element, "model", lambda: served)
    assert outcome(case) == case.expected.read_text(encoding="utf-8")


def test_what_was_found_out_is_kept_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = release.write(tmp_path / "public"), tmp_path / "cache"
    first = published.prepare(folder, cache)
    with monkeypatch.context() as patched:
        patched.delattr(published, "survey")
        assert published.prepare(folder, cache) == first
    file = folder / "release/models/interfaces/openconfig-interfaces.yang"
    file.write_text(file.read_text().replace("leaf reuse", "leaf re-use"))
    assert published.prepare(folder, cache) != first


def test_a_release_without_what_we_translate_is_refused(tmp_path: Path) -> None:
    folder = release.write(tmp_path / "public")
    file = folder / "release/models/system/openconfig-system.yang"
    text, count = re.subn(r"leaf domain-name \{.*?\n    \}", "", file.read_text(), count=1, flags=re.S)
    assert count == 1
    file.write_text(text)
    missing = tuple(f"/openconfig-system:system/{kind}/domain-name" for kind in ("config", "state"))
    assert published.survey(folder).missing == missing
    with pytest.raises(ValueError, match=f"2 nodes that nesrv translates, first {missing[0]}"):
        published.prepare(folder, tmp_path / "cache")


@pytest.mark.parametrize("text", ["a\n  b", "tab\there", "\"both\" 'kinds'", "back\\slash"])
def test_a_quoted_text_reads_back(text: str) -> None:
    module = f"module m {{ namespace u; prefix m; description {deviations.quoted(text)}; }}"
    assert (
        PyangContext(FileRepository("", use_env=False)).add_module("m.yang", module).search_one("description").arg
        == text
    )
