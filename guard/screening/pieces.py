"""What detectors read: every span's views and windows, and the last turns joined.

A piece is one text to score; it names the spans it stands for. A span's score is the highest over
its pieces, so neither disguise, padding nor splitting over turns hides a prompt.

Joined turns speak for all spans they cover, so they count only where none of those fires alone:
otherwise one bad turn would taint its harmless neighbours. The spans that fired are then left out
and the rest is joined anew, so that a decoy turn shields nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guard.detectors.contract import Scores
from guard.screening.views import ViewLimits, views
from guard.screening.windows import conversation_windows, cut
from guard.wire.call import TextSpan

WINDOW_CHARACTERS = 800
OVERLAP_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Pieces:
    """Distinct texts to score, and for each the indices of the spans it stands for."""

    texts: tuple[str, ...]
    spans: tuple[tuple[int, ...], ...]

    def span_scores(self, scores: Scores, count: int) -> NDArray[np.float32]:
        """Each span's highest score, shape (count,), from the pieces' scores."""
        highest = np.zeros(count, dtype=np.float32)
        for score, spans in zip(scores, self.spans, strict=True):
            for index in spans:
                highest[index] = max(highest[index], score)
        return highest


def own_pieces(spans: Sequence[TextSpan], limits: ViewLimits) -> Pieces:
    """The pieces of each span by itself; equal texts are scored once."""
    found: dict[str, set[int]] = {}
    for index, span in enumerate(spans):
        _add(found, span.text, {index}, limits)
    return _pieces(found)


def joined_pieces(
    spans: Sequence[TextSpan], limits: ViewLimits, without: Collection[int] = ()
) -> Pieces:
    """The pieces of the last turns joined; turns in `without` are left out."""
    found: dict[str, set[int]] = {}
    turns = [i for i, span in enumerate(spans) if span.corruptible and i not in without]
    for joined, covered in conversation_windows([(spans[i].role, spans[i].text) for i in turns]):
        _add(found, joined, {turns[position] for position in covered}, limits)
    return _pieces(found)


def _add(found: dict[str, set[int]], text: str, spans: set[int], limits: ViewLimits) -> None:
    for view in views(text, limits):
        for window in cut(view.text, WINDOW_CHARACTERS, OVERLAP_CHARACTERS):
            found.setdefault(window, set()).update(spans)


def _pieces(found: dict[str, set[int]]) -> Pieces:
    return Pieces(tuple(found), tuple(tuple(sorted(members)) for members in found.values()))
