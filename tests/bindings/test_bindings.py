"""The generated classes are those of today's modules, and what is said with them is what XML says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from bindings.encode import config
from tests.bindings.objects import objects
from tests.features.cases import Case, all_cases
from tests.features.element import Element

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ROOT / "bindings" / "classes"
MODULES = sorted(file.stem for file in CLASSES.glob("openconfig_*.py"))


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.py")}


def test_the_classes_are_those_of_the_modules(tmp_path: Path) -> None:
    """Where this fails: make bindings."""
    subprocess.run([sys.executable, ROOT / "bindings" / "generate.py", tmp_path], check=True)
    made, kept = contents(tmp_path), contents(CLASSES)
    assert made.keys() == kept.keys()
    assert sorted(name for name in made if made[name] != kept[name]) == []


def encoded(document: str) -> str:
    """``document`` by way of the bindings."""
    return "".join(etree.tostring(one).decode() for one in config(*objects(document)))


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_what_bindings_say_is_what_xml_says(case: Case) -> None:
    one, other = Element(), Element()
    one.commit(case.config)
    other.commit(encoded(case.config))
    assert other.facts() == one.facts()
