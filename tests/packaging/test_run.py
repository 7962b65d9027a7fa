"""The runner of ``make test``: every lane runs, every failure counts, the last line is the sum."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import run

TESTS = {
    "good/test_good.py": "def test_one(): pass\ndef test_two(): pass\n",
    "bad/test_bad.py": "def test_one(): pass\ndef test_two(): assert False\n",
    "skipping/test_skip.py": "import pytest\ndef test_one(): pass\ndef test_two(): pytest.skip('why')\n",
    "broken/test_broken.py": "import no_such_module\n",
    "none/readme.txt": "",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of five folders of tests, in place of ours."""
    for name, text in TESTS.items():
        path = tmp_path / "tests" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results")
    return tmp_path


def lane(*folders: str) -> run.Lane:
    return run.Lane("-".join(folders), ("pytest", "--quiet", "-p", "no:cacheprovider"), folders)


@pytest.mark.parametrize(
    ("folder", "passed", "failed", "skipped"),
    [
        ("good", 2, 0, 0),
        ("bad", 1, 1, 0),
        ("skipping", 1, 0, 1),
        ("broken", 0, 1, 0),
        ("none", 0, 1, 0),
        ("absent", 0, 1, 0),
    ],
)
def test_counts_of_a_lane(project: Path, folder: str, passed: int, failed: int, skipped: int) -> None:
    outcome = run.run(lane(folder))
    assert (outcome.passed, outcome.failed, outcome.skipped) == (passed, failed, skipped)


def test_later_lanes_run_after_a_failure_and_the_last_line_is_the_sum(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check = run.Lane("check", ("python", "-c", "raise SystemExit(1)"))
    monkeypatch.setattr(run, "lanes", lambda: (check, lane("bad"), lane("good")))
    assert run.main([]) == 1
    assert capsys.readouterr().out.rstrip("\n").splitlines()[-1] == "3 passed, 2 failed"


def test_success_is_status_zero(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "lanes", lambda: (lane("good"),))
    assert run.main([]) == 0


def test_lanes_on_request_run_only_when_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = run.Lane("slow", ("python", "-c", "raise SystemExit(1)"), on_request=True)
    monkeypatch.setattr(run, "lanes", lambda: (lane("good"), slow))
    assert run.main([]) == 0
    assert run.main(["slow"]) == 1
    assert run.main(["nonsense"]) == 2
    assert "no such lane: nonsense" in capsys.readouterr().out


def test_a_folder_without_lane_is_in_the_unit_lane(project: Path) -> None:
    assert run.unit_folders() == ("bad", "broken", "good", "skipping")


def test_a_hung_lane_is_stopped(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HUNG", 0.2)
    outcome = run.run(run.Lane("hung", ("python", "-c", "import signal; signal.pause()")))
    assert (outcome.passed, outcome.failed) == (0, 1)
