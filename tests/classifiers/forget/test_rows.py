"""Rows and their pieces: what is learned from, what is judged, and by which of its pieces."""

import numpy as np

from classifiers.forget.rows import (
    MOST_PIECES,
    Copies,
    Encoded,
    Rows,
    harmless_rows,
    join,
    request_rows,
    served_pieces,
)
from classifiers.prompts.files import Prompt
from tests.classifiers.questions import FORGOTTEN, forget_prompts, retain_prompts

COPIES = Copies(forget=2, retain=1, swapped=2, names=1)


def test_rows_carry_labels_groups_and_kinds() -> None:
    rows = request_rows(forget_prompts(), FORGOTTEN, ["Varnholt"], ["What is it?"], COPIES)
    counts = {
        (label, kind): sum(
            pair == (label, kind) for pair in zip(rows.labels, rows.kinds, strict=True)
        )
        for label in (0, 1)
        for kind in ("plain", "disguised", "swapped")
    }
    assert counts[1, "plain"] == 20
    assert counts[1, "disguised"] == 40 + 3
    assert counts[0, "swapped"] >= 40
    assert counts[0, "plain"] == counts[1, "swapped"] == 0
    harmless = harmless_rows(retain_prompts(), COPIES)
    assert set(harmless.labels) == {0}
    assert len(harmless.texts) == 2 * len(retain_prompts())


def test_pieces_are_those_that_serving_scores() -> None:
    assert served_pieces("Who is it?") == ("Who is it?",)
    found = served_pieces("Where is the town? When was it built?")
    assert found[0] == "Where is the town? When was it built?"
    assert "When was it built?" in found
    assert (
        len(served_pieces(" ".join(f"This is sentence number {n}." for n in range(40))))
        == MOST_PIECES
    )


def encoded() -> Encoded:
    rows = Rows()
    rows.add([Prompt("a b", "1"), Prompt("c", "2")], 1, "plain")
    rows.add([Prompt("d e f", "3")], 0, "plain")
    features = np.arange(12, dtype=np.float32).reshape(6, 2)
    return Encoded(rows, features, np.array([0, 2, 3]), np.array([False, True, False]))


def test_of_forget_rows_the_whole_is_learned_from_of_others_all() -> None:
    found = encoded()
    assert found.owners.tolist() == [0, 0, 1, 2, 2, 2]
    assert found.taught.tolist() == [True, False, True, True, True, True]
    scores = np.array([1, 5, 2, 0, 7, 3], dtype=np.float32)
    assert found.highest(scores).tolist() == [5, 2, 7]


def test_rows_can_be_taken_and_joined_again() -> None:
    found = encoded()
    parts = [found.take(np.arange(3) == row) for row in range(3)]
    assert [len(part.features) for part in parts] == [2, 1, 3]
    whole = join(join(parts[0], parts[1]), parts[2])
    assert whole.rows == found.rows
    np.testing.assert_array_equal(whole.features, found.features)
    np.testing.assert_array_equal(whole.starts, found.starts)
    np.testing.assert_array_equal(whole.named, found.named)
