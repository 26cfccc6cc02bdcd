"""Progress goes to standard error, to a terminal, and nowhere unless asked for."""

import pytest

from classifiers.runs.step_progress import step_progress


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
