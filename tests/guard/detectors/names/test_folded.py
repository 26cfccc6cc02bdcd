"""Groups of characters that fold together."""

import pytest

from guard.detectors.names.folded import groups


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("ab", [(0, "a"), (1, "b")]),
        ("a\u0308b", [(0, "a\u0308"), (2, "b")]),
        ("a\u200db", [(0, "a\u200d"), (2, "b")]),
    ],
)
def test_marks_go_with_their_character(text: str, found: list[tuple[int, str]]) -> None:
    assert list(groups(text)) == found
