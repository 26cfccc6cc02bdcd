"""A request's texts as they are cut: by author, in windows, to fit what reads them."""

from collections.abc import Sequence

from guard.screening.pieces import Pieces, joined_texts, own_texts
from guard.screening.views.view import ViewLimits
from guard.terms.detector import Detector, Encoder, Reader, WindowSize
from guard.terms.item import AUTHORS, Author, Item

Authors = frozenset[Author]
EVERYBODY: Authors = frozenset(AUTHORS)


class Cuts:
    """Cut once for all detectors that read through the same model, and for all policies."""

    def __init__(self, items: Sequence[Item], encoder: Encoder | None, limits: ViewLimits) -> None:
        self._items = items
        self._encoder = encoder
        self._limits = limits
        self._whole: dict[tuple[tuple[WindowSize, ...], Authors], tuple[Pieces, Pieces]] = {}
        self._cut: dict[tuple[str, tuple[WindowSize, ...]], tuple[str, ...]] = {}
        # By what reads them, and whether sentences are read by themselves too.
        self._fitted: dict[tuple[int, bool], dict[str, tuple[str, ...]]] = {}

    def sizes(self, detector: Detector) -> tuple[WindowSize, ...]:
        """The windows in which the detector reads."""
        return (self._reader(detector) or detector).window_sizes

    def texts(self, sizes: tuple[WindowSize, ...], authors: Authors) -> tuple[Pieces, Pieces]:
        """Own texts of these authors, not cut, and joined ones."""
        if (sizes, authors) not in self._whole:
            others = self.others(authors)
            own = own_texts(self._items, others)
            self._whole[sizes, authors] = own, joined_texts(self._items, others, sizes)
        return self._whole[sizes, authors]

    def others(self, authors: Authors) -> frozenset[int]:
        """The items that somebody else wrote."""
        numbered = enumerate(self._items)
        return frozenset(index for index, item in numbered if item.author not in authors)

    def pieces(self, detector: Detector, text: str) -> tuple[str, ...]:
        """What of a text is scored: its views in windows, cut to fit the detector.

        A detector of subjects reads each sentence by itself too.
        """
        reader, key = self._reader(detector), (text, self.sizes(detector))
        if key not in self._cut:
            self._cut[key] = _one(text).cut(self._limits, key[1]).texts
        in_sentences = detector.has_subjects
        if (reader is None or reader.window_tokens is None) and not in_sentences:
            return self._cut[key]
        fitted = self._fitted.setdefault((id(reader), in_sentences), {})
        if text not in fitted:
            whole = Pieces(self._cut[key], ((0,),) * len(self._cut[key]))
            if in_sentences:
                whole = whole.with_sentences()
            fitted[text] = (whole if reader is None else whole.fitted(reader)).texts
        return fitted[text]

    def _reader(self, detector: Detector) -> Reader | None:
        """What reads the texts: the detector itself, or the shared encoder if there is one."""
        return detector if detector.encoder is None else self._encoder


def _one(text: str) -> Pieces:
    return Pieces((text,), ((0,),))
