"""Shows the figures whatever pytest captures."""

from __future__ import annotations

import pytest

from tests.bench import report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("figures")
    for line in report.lines():
        terminalreporter.write_line(line)
    report.save()
