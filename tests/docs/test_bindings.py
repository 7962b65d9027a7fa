"""The example of docs/bindings.md prints what the page says it prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "bindings.md").read_text()


def block(language: str) -> str:
    return PAGE.split(f"```{language}\n", 1)[1].split("```", 1)[0].rstrip()


def test_the_example_prints_what_the_page_says() -> None:
    ran = subprocess.run([sys.executable, "-c", block("python")], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.rstrip() == block("xml")


def test_every_file_that_is_linked_exists() -> None:
    for part in PAGE.split("](")[1:]:
        target = part.split(")", 1)[0]
        assert target.startswith("https://") or (ROOT / "docs" / target).exists(), target
