"""Windows: when text is judged, and how much may go."""

import pytest

from guard.answers.windows import Window, clear_length, is_due

WINDOW = Window(200)
SENTENCE = "This sentence has more than forty letters. "


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("", False),
        ("A short beginning", False),
        ("Yes. No. ", False),
        (SENTENCE, True),
        (SENTENCE[:42], False),
        ("x" * 49, False),
        ("x" * 50, True),
        (
            "これは四十文字を超える長さの日本語の文章であり、句点で終わるので窓になるはずです。",
            True,
        ),
    ],
)
def test_text_is_judged_by_sentences_or_quarter_windows(text: str, due: bool) -> None:
    assert is_due(text, WINDOW) is due


@pytest.mark.parametrize(
    ("text", "cleared"),
    [
        ("", 0),
        (SENTENCE, 0),  # nothing stands behind it
        (SENTENCE * 2, len(SENTENCE)),
        (SENTENCE * 2 + "and", len(SENTENCE)),
        (SENTENCE + "Yes. No. ", 0),  # too short to be a window
        (SENTENCE + "Yes. " + SENTENCE, len(SENTENCE) + 5),
        ("x" * 250, 50),
        ("word " * 50, 50),
        ("wordy " * 50, 96),  # of 100, as far as whole words go
    ],
)
def test_text_goes_with_a_window_behind_it(text: str, cleared: int) -> None:
    assert clear_length(text, WINDOW) == cleared


def test_a_detector_may_need_more_behind() -> None:
    assert clear_length(SENTENCE * 2, Window(200, reach=80)) < len(SENTENCE)
    assert clear_length(SENTENCE * 2, Window(200, reach=200)) == 0


def test_new_text_is_judged_with_what_stands_before_it() -> None:
    assert Window(200).context == 400
    assert Window(200, reach=500).context == 1000
