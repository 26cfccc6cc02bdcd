"""Pieces: what of a request is scored, and which spans each piece stands for."""

import numpy as np

from guard.screening.pieces import Pieces, joined_pieces, own_pieces
from guard.screening.views import ViewLimits
from guard.wire.call import TextSpan

LIMITS = ViewLimits()


def spans(*texts: str) -> list[TextSpan]:
    return [
        TextSpan(("messages", i, "content"), "user", text, True) for i, text in enumerate(texts)
    ]


def test_equal_texts_are_scored_once_for_all_their_spans() -> None:
    pieces = own_pieces(spans("same", "other", "same"), LIMITS)

    assert dict(zip(pieces.texts, pieces.spans, strict=True)) == {"same": (0, 2), "other": (1,)}


def test_span_scores_are_the_highest_of_their_pieces() -> None:
    pieces = Pieces(("a", "b", "c"), ((0,), (0, 1), (2,)))

    scores = pieces.span_scores(np.array([0.1, 0.7, 0.3], dtype=np.float32), 4)

    assert scores.tolist() == np.array([0.7, 0.7, 0.3, 0], dtype=np.float32).tolist()


def test_joined_turns_cover_their_neighbours_and_leave_out_what_they_are_told() -> None:
    turns = spans("first", "second", "third")

    everything = joined_pieces(turns, LIMITS)
    rest = joined_pieces(turns, LIMITS, without={1})

    assert any({"first", "second"} <= set(text.split()) for text in everything.texts)
    assert all("second" not in text for text in rest.texts)
    assert any(covered == (0, 2) for covered in rest.spans)
