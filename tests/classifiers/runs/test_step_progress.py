"""Progress goes to standard error, as a bar or as lines, and nowhere unless asked for."""

import pytest

from classifiers.runs.step_progress import EVERY_S, ProgressLines, step_progress
from tests.fakes import Clock


@pytest.mark.parametrize(
    ("shown", "terminal", "drawn"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_only_what_is_asked_for_is_drawn(
    shown: bool,
    terminal: bool,
    drawn: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes anything for a terminal
    with step_progress(shown) as report:
        report("fitting", 1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("fitting" in captured.err) == drawn


def test_outside_a_terminal_there_may_be_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with step_progress(True, lines=True) as report:
        report("fitting", 1, 2)
    assert capsys.readouterr().err == "fitting: 1 of 2\n"


def test_lines_tell_of_each_step_and_of_a_long_one_now_and_then() -> None:
    clock, written = Clock(), list[str]()
    lines = ProgressLines(written.append, clock)
    lines.tell("scoring", 1, 9)
    lines.tell("scoring", 2, 9)
    clock.now = EVERY_S
    lines.tell("scoring", 3, 9)
    lines.tell("searching", 0, 4)
    assert written == ["scoring: 1 of 9", "scoring: 3 of 9", "searching: 0 of 4"]
