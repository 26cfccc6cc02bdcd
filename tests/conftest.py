"""For all tests: what was left out, and why, stands at the end of every run."""

import pytest

from tests.left_out import left_out


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Nothing where nothing was."""
    lines = left_out(terminalreporter.stats.get("skipped", []))
    if lines:
        terminalreporter.section("left out", "-")
    for line in lines:
        terminalreporter.line(line)
