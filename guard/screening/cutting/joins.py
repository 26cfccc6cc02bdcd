"""The windows over several items that a detector reads, by how it reads and whom it judges."""

from collections.abc import Callable, Collection, Sequence

from guard.screening.cutting.cuts import Authors, Cuts
from guard.screening.cutting.pieces import Pieces, gathered
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
        sizes = self._cuts.sizes(detector)
        found = self._cuts.as_read(sizes, authors, without)
        if not detector.finds_words:
            return gathered(found)
        left_out = {*without, *self._firing_context(detector, threshold, authors)}
        others = self._cuts.seams(authors).in_any_way(sizes, left_out)
        named = self._worded(detector, [text for text in others if text not in found])
        return gathered({**found, **{text: others[text] for text in named}})

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
