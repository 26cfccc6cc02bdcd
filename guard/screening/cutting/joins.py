"""The windows over several items that a detector reads, by how it reads and whom it judges."""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from guard.screening.cutting.cuts import Authors, Cuts
from guard.screening.cutting.pieces import Pieces, gathered
from guard.screening.cutting.seams import CONTEXT
from guard.terms.detector import Detector, Scores


class Joins:
    """Of one request; `scores` and `named` say what a detector finds in texts by themselves."""

    def __init__(
        self,
        cuts: Cuts,
        scores: Callable[[Detector, Sequence[str]], Scores],
        named: Callable[[Detector, Sequence[str]], Collection[str]],
    ) -> None:
        self._cuts = cuts
        self._scores = scores
        self._named = named

    def of(
        self,
        detector: Detector,
        threshold: float,
        authors: Authors,
        without: Collection[int] = (),
    ) -> Pieces:
        """Those for a policy of this detector, `without` some items.

        A detector that finds words is given the texts joined in every way too; if a model stands
        behind it, only where what it looks for is found in the words.
        """
        if detector.reads_as_written:
            return gathered({})
        sizes = self._cuts.sizes(detector)
        found = self._cuts.as_read(sizes, authors, without)
        if not detector.finds_words:
            return gathered(found)
        left_out = {*without, *self._firing_context(detector, threshold, authors)}
        others = self._cuts.seams(authors).in_any_way(sizes, left_out)
        named = self._worded(detector, [text for text in others if text not in found])
        return gathered({**found, **{text: others[text] for text in named}})

    def tainting(
        self, detector: Detector, threshold: float, authors: Authors, by_seams: Scores
    ) -> list[int]:
        """Of the items in windows that fire, `by_seams` shape (n,): those that the policy does not
        judge and that would fire by themselves. They are looked at only where it matters."""
        fired = set(np.flatnonzero(by_seams >= threshold).tolist())
        context = self._cuts.context(authors)
        named = zip(context.texts, context.items, strict=True)
        touched = [(text, items) for text, items in named if fired.intersection(items)]
        ends = [end for text, _ in touched for end in (text, text[:CONTEXT], text[-CONTEXT:])]
        scores = self._scores(detector, ends).reshape(-1, 3).max(axis=1, initial=0)
        pairs = zip(touched, scores.tolist(), strict=True)
        return [item for (_, items), score in pairs if score >= threshold for item in items]

    def _worded(self, detector: Detector, texts: Sequence[str]) -> Collection[str]:
        return texts if detector.encoder is None else self._named(detector, texts)

    def _firing_context(
        self, detector: Detector, threshold: float, authors: Authors
    ) -> Collection[int]:
        """The items that the policy does not judge and that would fire: beside others they would
        make these look as if they did."""
        context = self._cuts.context(authors)
        if detector.encoder is None:
            scores = self._scores(detector, context.texts).tolist()
            fires = {t for t, s in zip(context.texts, scores, strict=True) if s >= threshold}
        else:
            fires = set(self._named(detector, context.texts))
        named = zip(context.texts, context.items, strict=True)
        return {item for text, items in named if text in fires for item in items}
