"""A request's texts as they are cut: by author, in windows, to fit what reads them."""

from collections.abc import Collection, Sequence
from functools import cached_property

from guard.screening.cutting.item_order import order_of
from guard.screening.cutting.pieces import Pieces, own_texts
from guard.screening.cutting.seams import Found, Seams
from guard.screening.cutting.windows import cut
from guard.screening.views.view import ViewLimits
from guard.screening.workers.turn import OWN_TIME, Turn
from guard.terms.detector import Detector, Encoder, Reader, WindowSize
from guard.terms.item import AUTHORS, Author, Item
from guard.terms.rendering import Rendering, RenderingSource

Authors = frozenset[Author]
EVERYBODY: Authors = frozenset(AUTHORS)


class Cuts:
    """Cut once for all detectors that read through the same model, and for all policies."""

    def __init__(
        self,
        items: Sequence[Item],
        encoder: Encoder | None,
        limits: ViewLimits,
        source: RenderingSource | None = None,
    ) -> None:
        """`source` renders the request; without one, turns are joined as they are listed."""
        self._items = items
        self._source = source
        self._encoder = encoder
        self._limits = limits
        self._own: dict[Authors, Pieces] = {}
        self._seams: dict[Authors, Seams] = {}
        self._as_read: dict[tuple[tuple[WindowSize, ...], Authors], Found] = {}
        self._cut: dict[tuple[str, tuple[WindowSize, ...], bool], tuple[str, ...]] = {}
        # By what reads them, and whether sentences are read by themselves too.
        self._fitted: dict[tuple[int, bool], dict[str, tuple[str, ...]]] = {}

    def sizes(self, detector: Detector) -> tuple[WindowSize, ...]:
        """The windows in which the detector reads."""
        return (self._reader(detector) or detector).window_sizes

    @cached_property
    def _rendering(self) -> Rendering:
        return order_of(self._items) if self._source is None else self._source.render()

    def own(self, authors: Authors) -> Pieces:
        """Each text of these authors by itself, not cut."""
        if authors not in self._own:
            self._own[authors] = own_texts(self._items, self.others(authors))
        return self._own[authors]

    def seams(self, authors: Authors) -> Seams:
        """The windows over several texts, for who judges what these authors wrote."""
        if authors not in self._seams:
            self._seams[authors] = Seams(self._items, self._rendering, authors)
        return self._seams[authors]

    def as_read(
        self, sizes: tuple[WindowSize, ...], authors: Authors, without: Collection[int] = ()
    ) -> Found:
        """Those that the model reads, in windows of these sizes; `without` some items."""
        seams = self.seams(authors)
        if without:
            return seams.as_read(sizes, without)
        if (sizes, authors) not in self._as_read:
            self._as_read[sizes, authors] = seams.as_read(sizes)
        return self._as_read[sizes, authors]

    def context(self, authors: Authors) -> Pieces:
        """Each text of everybody else by itself: what may stand beside that of these authors."""
        return self.own(EVERYBODY - authors)

    def others(self, authors: Authors) -> frozenset[int]:
        """The items that somebody else wrote."""
        numbered = enumerate(self._items)
        return frozenset(index for index, item in numbered if item.author not in authors)

    def pieces(self, detector: Detector, text: str, turn: Turn = OWN_TIME) -> tuple[str, ...]:
        """What of a text is scored: its views in windows, cut to fit the detector.

        A detector of subjects reads each sentence by itself too.
        """
        reader, sizes = self._reader(detector), self.sizes(detector)
        key = text, sizes, detector.reads_as_written
        if key not in self._cut:
            self._cut[key] = self._windows(detector, text, sizes, turn)
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

    def _windows(
        self, detector: Detector, text: str, sizes: tuple[WindowSize, ...], turn: Turn
    ) -> tuple[str, ...]:
        if detector.reads_as_written:
            return tuple(window for size in sizes for window in cut(text, *size))
        return _one(text).cut(self._limits, sizes, turn).texts

    def _reader(self, detector: Detector) -> Reader | None:
        """What reads the texts: the detector itself, or the shared encoder if there is one."""
        return detector if detector.encoder is None else self._encoder


def _one(text: str) -> Pieces:
    return Pieces((text,), ((0,),))
