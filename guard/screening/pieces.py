"""What detectors read: every span's views and windows, and turns and parts of turns joined.

A piece is one text to score; it names the spans it stands for. A span's score is the highest over
its pieces, so neither disguise, padding nor splitting over turns hides a prompt.

Joined turns speak for all spans they cover, so they count only where none of those fires alone:
otherwise one bad turn would taint its harmless neighbours. The spans that fired are then left out
and the rest is joined anew, so that a decoy turn shields nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from guard.detectors.contract import WINDOWS, Scores, Windowing, WindowSize
from guard.screening.sentences import sentences
from guard.screening.views import ViewLimits, views
from guard.screening.windows import USER_ROLES, conversation_windows, cut, part_windows
from guard.wire.call import TextSpan

SENTENCE_ENDS = ".!?。！？ \t\n"
# Long enough for a whole prompt in any encoding.
STRETCH_OVERLAP = 10_000
# Steps of a path that the parts of one message share: messages, its index, content.
MESSAGE_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Pieces:
    """Distinct texts to score, and for each the indices of the spans it stands for."""

    texts: tuple[str, ...]
    spans: tuple[tuple[int, ...], ...]

    def cut(self, limits: ViewLimits, sizes: Sequence[WindowSize] = WINDOWS) -> "Pieces":
        """Every view of every text, in windows of each of the sizes."""
        found: dict[str, set[int]] = {}
        for text, spans in zip(self.texts, self.spans, strict=True):
            for window in _windows(text, limits, sizes):
                found.setdefault(window, set()).update(spans)
        return _pieces(found)

    def fitted(self, windowing: Windowing) -> "Pieces":
        """The same pieces, cut again where one has more tokens than the model reads.

        Windows are cut by characters, which is fast; symbols and dense scripts have a token per
        character or more (a Hangul syllable is up to three), so all but short ASCII is counted.
        """
        most = windowing.window_tokens
        found: dict[str, set[int]] = {}
        for text, spans in zip(self.texts, self.spans, strict=True):
            # One token may be the space that some tokenizers put before the first word.
            whole = len(text) < most and text.isascii()
            ranges = [(0, len(text))] if whole else windowing.windows(text, most, most * 3 // 4)
            for start, end in ranges:
                found.setdefault(text[start:end], set()).update(spans)
        return _pieces(found)

    def with_sentences(self) -> "Pieces":
        """The same pieces, and the sentences of each that has several."""
        found = {text: set(spans) for text, spans in zip(self.texts, self.spans, strict=True)}
        for text, spans in zip(self.texts, self.spans, strict=True):
            for sentence in sentences(text):
                found.setdefault(sentence, set()).update(spans)
        return _pieces(found)

    def span_scores(self, scores: Scores, count: int) -> NDArray[np.float32]:
        """Each span's highest score, shape (count,), from the pieces' scores."""
        highest = np.zeros(count, dtype=np.float32)
        for score, spans in zip(scores, self.spans, strict=True):
            for index in spans:
                highest[index] = max(highest[index], score)
        return highest


def own_pieces(
    spans: Sequence[TextSpan], limits: ViewLimits, sizes: Sequence[WindowSize] = WINDOWS
) -> Pieces:
    """The pieces of each span by itself, in windows of `sizes`; equal texts are scored once."""
    return own_texts(spans).cut(limits, sizes)


def joined_pieces(
    spans: Sequence[TextSpan],
    limits: ViewLimits,
    without: Collection[int] = (),
    sizes: Sequence[WindowSize] = WINDOWS,
) -> Pieces:
    """The pieces of all turns joined, and of each turn's parts; `without` are left out."""
    return joined_texts(spans, without, sizes).cut(limits, sizes)


def own_texts(spans: Sequence[TextSpan]) -> Pieces:
    """Each span by itself, not cut yet."""
    found: dict[str, set[int]] = {}
    for index, span in enumerate(spans):
        if span.text.strip():  # a blank part is only there to be joined with its neighbours
            found.setdefault(span.text, set()).add(index)
    return _pieces(found)


def joined_texts(
    spans: Sequence[TextSpan],
    without: Collection[int] = (),
    sizes: Sequence[WindowSize] = WINDOWS,
) -> Pieces:
    """All turns joined, and each turn's parts; in windows, without views. `without` are left out.

    Windows begin at the first turn, so a new turn changes only those at the end.
    """
    found: dict[str, set[int]] = {}
    turns = [i for i, span in enumerate(spans) if is_said(span) and i not in without]
    messages = groupby(turns, key=lambda index: spans[index].path[:MESSAGE_DEPTH])
    runs = [list(parts) for _, parts in messages]
    runs += _unended([i for i in turns if spans[i].role in USER_ROLES], spans)
    said = [(spans[i].role, spans[i].text) for i in turns]
    for size, overlap in sizes:
        for joined, covered in conversation_windows(said, size=size, overlap=overlap):
            found.setdefault(joined, set()).update(turns[position] for position in covered)
        for run in runs:
            for joined, covered in part_windows([spans[i].text for i in run], size, overlap):
                found.setdefault(joined, set()).update(run[position] for position in covered)
    return _pieces(found)


def _unended(turns: Sequence[int], spans: Sequence[TextSpan]) -> list[list[int]]:
    """Runs of turns that stop short of a sentence's or a word's end, as if cut in two."""
    runs: list[list[int]] = []
    for index in turns:
        before = spans[runs[-1][-1]].text[-1:] if runs else ""
        if before.strip(SENTENCE_ENDS) and spans[index].text[:1].strip():
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def is_said(span: TextSpan) -> bool:
    """Whether a span is something said in a turn, not a name, a tool or a constraint."""
    return span.corruptible or "content" in span.path


def _windows(text: str, limits: ViewLimits, sizes: Sequence[WindowSize]) -> Iterator[str]:
    # A view has at most so many characters: what stands behind them must get views of its own.
    longest = max(limits.max_characters // 2, 2 * STRETCH_OVERLAP)
    for stretch in cut(text, longest, STRETCH_OVERLAP):
        for view in views(stretch, limits):
            for size in sizes:
                yield from cut(view.text, *size)


def _pieces(found: dict[str, set[int]]) -> Pieces:
    return Pieces(tuple(found), tuple(tuple(sorted(members)) for members in found.values()))
