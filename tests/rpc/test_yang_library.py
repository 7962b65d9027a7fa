"""RFC 8525: what the library says of modules, schemas and datastores, and when its content-id changes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

from tests.rpc.client import session
from tests.rpc.conftest import MODULES
from tests.serving import NONE, Serving

MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
FILES = {
    "main": "prefix m; include part; %s feature fast; feature slow; leaf a { if-feature fast; type uint8; } "
    "leaf b { type uint8; }",
    "bent": "prefix b; import main { prefix m; } deviation /m:b { deviate not-supported; }",
}
REVISION = "revision 2026-11-22;"


def write(place: Path, revision: str = REVISION) -> None:
    """A module with a submodule, features, and a deviation by another module, that has no revision."""
    place.mkdir(exist_ok=True)
    for name, body in FILES.items():
        text = f'module {name} {{ yang-version 1.1; namespace "urn:test:{name}"; {body.replace("%s", revision)} }}'
        (place / f"{name}.yang").write_text(text)
    part = f"submodule part {{ yang-version 1.1; belongs-to main {{ prefix m; }} {REVISION} leaf c {{ type uint8; }} }}"
    (place / "part.yang").write_text(part)


@dataclass(frozen=True)
class Told:
    """What a server says of its library."""

    library: etree._Element
    state: etree._Element
    capabilities: tuple[str, ...]

    @property
    def content_id(self) -> str:
        return self.library.findtext(f"{{{LIBRARY}}}content-id") or ""

    @property
    def module_set_id(self) -> str:
        return self.state.findtext(f"{{{LIBRARY}}}module-set-id") or ""

    def named(self, kind: str) -> dict[str, etree._Element]:
        return {
            entry.findtext("{*}name") or "": entry for entry in self.library.iterfind(f"{{*}}module-set/{{*}}{kind}")
        }


def told(server: Serving) -> Told:
    async def run() -> Told:
        async with session(server) as client:
            found = [
                (await client.data(f'<get><filter><{name} xmlns="{LIBRARY}"/></filter></get>'))[0]
                for name in ("yang-library", "modules-state")
            ]
            listed = await client.data(
                f'<get><filter><netconf-state xmlns="{MONITORING}"><capabilities/></netconf-state></filter></get>'
            )
            return Told(found[0], found[1], tuple(node.text or "" for node in listed.iterfind(".//{*}capability")))

    return asyncio.run(run())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("yang")
    write(place)
    return place


@pytest.fixture(scope="module")
def library(place: Path) -> Iterator[Told]:
    with Serving(yang=[MODULES, place]) as server:
        yield told(server)


def texts(node: etree._Element, name: str) -> list[str | None]:
    return [found.text for found in node.iterfind(f"{{*}}{name}")]


def test_a_module_with_all_that_may_be_said_of_it(library: Told) -> None:
    main, bent = library.named("module")["main"], library.named("module")["bent"]
    assert [texts(main, name) for name in ("revision", "namespace", "feature", "deviation")] == [
        ["2026-11-22"],
        ["urn:test:main"],
        ["fast", "slow"],
        ["bent"],
    ]
    (part,) = main.findall("{*}submodule")
    assert (part.findtext("{*}name"), part.findtext("{*}revision")) == ("part", "2026-11-22")
    assert texts(bent, "revision") == [], "a module without revision has no such leaf"
    assert texts(bent, "deviation") == []


def test_every_module_is_implemented_once_or_imported(library: Told) -> None:
    implemented, imported = library.named("module"), library.named("import-only-module")
    assert {"kinds", "main", "ietf-netconf", "ietf-netconf-monitoring", "ietf-yang-library"} <= set(implemented)
    assert {"ietf-yang-types", "ietf-inet-types"} <= set(imported) and not set(implemented) & set(imported)
    names = [entry.findtext("{*}name") for entry in library.library.iterfind("{*}module-set/{*}module")]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d|", texts(entry, "revision")[0] or "") for entry in imported.values())
    assert all(texts(entry, "namespace") for entry in (*implemented.values(), *imported.values()))


def test_the_hello_names_the_modules_of_the_library(library: Told) -> None:
    announced = {found[1] for text in library.capabilities if (found := re.search(r"[?&]module=([^&]+)", text))}
    assert announced == set(library.named("module"))


def test_each_datastore_has_one_schema_which_has_its_modules(library: Told) -> None:
    sets = texts(library.library, "module-set/{*}name")
    schemas = {entry.findtext("{*}name"): texts(entry, "module-set") for entry in library.library.iterfind("{*}schema")}
    assert all(set(named) <= set(sets) for named in schemas.values())
    datastores = {
        (entry.findtext("{*}name") or "").partition(":")[2]: entry.findtext("{*}schema")
        for entry in library.library.iterfind("{*}datastore")
    }
    assert set(datastores) == {"running", "candidate", "intended", "operational"}
    assert len(set(datastores.values())) == 1 and set(datastores.values()) <= set(schemas)


def test_the_library_of_the_older_kind_says_the_same(library: Told) -> None:
    entries = {entry.findtext("{*}name") or "": entry for entry in library.state.iterfind("{*}module")}
    kinds = {name: entry.findtext("{*}conformance-type") for name, entry in entries.items()}
    assert {name for name, kind in kinds.items() if kind == "implement"} == set(library.named("module"))
    assert {name for name, kind in kinds.items() if kind == "import"} == set(library.named("import-only-module"))
    deviation = entries["main"].find("{*}deviation")
    assert deviation is not None and texts(deviation, "name") == ["bent"]
    # As the entry of the deviating module itself, which has no revision.
    assert (texts(deviation, "revision"), texts(entries["bent"], "revision"), kinds["bent"]) == (
        [None],
        [None],
        "implement",
    )
    assert texts(entries["main"], "feature") == ["fast", "slow"]
    assert texts(entries["main"], "submodule/{*}name") == ["part"]


def test_the_content_id_changes_with_the_library_and_only_then(place: Path, library: Told, tmp_path: Path) -> None:
    def served(*, yang: Path = place, options: tuple[str, ...] = ()) -> Told:
        with Serving(yang=[MODULES, yang], options=(*NONE, *options)) as server:
            return told(server)

    write(tmp_path / "later", "revision 2026-11-23;")
    write(tmp_path / "fewer", f"{REVISION} feature other;")
    same, others = served(), (
        served(yang=tmp_path / "later"), served(yang=tmp_path / "fewer"), served(options=("--startup-datastore",))
    )  # fmt: skip
    assert (same.content_id, same.module_set_id) == (library.content_id, library.module_set_id)
    for name in ("content_id", "module_set_id"):
        assert len({getattr(one, name) for one in (library, *others)}) == 4
    for one in (library, *others):
        announced = [text for text in one.capabilities if ":capability:yang-library:1.1?" in text]
        assert announced == [
            f"urn:ietf:params:netconf:capability:yang-library:1.1?revision=2019-01-04&content-id={one.content_id}"
        ]
