"""One request as its detectors read it: texts are cut to fit each, encoded once and scored once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from guard.screening.budget.priorities import Priorities
from guard.screening.budget.spending import Chosen, Spending
from guard.screening.cutting.cuts import EVERYBODY, Authors, Cuts
from guard.screening.cutting.joins import Joins
from guard.screening.cutting.pieces import Pieces
from guard.screening.discounts import Discounts
from guard.screening.follow_ups import follow_up
from guard.screening.last_turns import LastTurns
from guard.screening.memory import NAMED, PART, PICTURE, TEXT, TURN, Memory
from guard.screening.pictures import Pictures
from guard.screening.shared_features import SharedFeatures
from guard.screening.views.view import ViewLimits
from guard.screening.wanted import WantedError, checked
from guard.screening.workers.pace import Paces
from guard.screening.workers.turn import OWN_TIME, Turn
from guard.terms.detector import Detector, Encoder, Scores
from guard.terms.errors import OverBudgetError
from guard.terms.item import Item
from guard.terms.rendering import RenderingSource


class Reading:
    """A request's items, and what has been made of them so far.

    Policies share it: texts are cut once for all detectors that read through the same model, and a
    piece is encoded and scored once. What `memory` knows is not cut, encoded or scored again: a
    text's score is the highest of its pieces, wherever it stands. Not for two threads at a time.
    """

    def __init__(
        self,
        items: Sequence[Item],
        encoder: Encoder | None,
        limits: ViewLimits,
        memory: Memory | None = None,
        *,
        rendering: RenderingSource | None = None,
        defers: bool = False,
        paces: Paces | None = None,
        spending: Spending | None = None,
    ) -> None:
        """`rendering` is the request as the model reads it, `spending` what may be read. Where it
        `defers`, what a waiting detector must be asked comes out as WantedError, until it is told
        (`tell`)."""
        self._spending = spending or Spending()
        self.turn: Turn = OWN_TIME
        self._defers = defers
        self._paces = paces or Paces()
        self._items = items
        self._encoder = encoder
        self._rendering = rendering
        self._cuts = Cuts(items, encoder, limits, rendering)
        self._memory = memory
        self._states: dict[int, Detector] = {}  # by the detector's identity, as all below
        self._subjects: dict[tuple[int, float, Authors], tuple[int, ...]] = {}
        self._numbers: dict[tuple[str, int], dict[str, float]] = {}  # of texts, and of their parts
        self._features = SharedFeatures(encoder)
        self._passes_unread = False

    def gives_features(self, detector: Detector) -> bool:
        """Whether reading by this detector first spares the encoder work."""
        return self._encoder is not None and detector.features_of == self._encoder.digest

    def known_scores(
        self, detector: Detector, threshold: float, authors: Authors = EVERYBODY
    ) -> NDArray[np.float32] | None:
        """`item_scores` of a request that was judged before, else None; costs a hash."""
        if self._memory is None:
            return None
        state = self._state(detector)
        known = self._memory.request(state.version, threshold, authors, self._digest)
        if known is None:
            return None
        count = len(self._items)
        self._subjects[id(state), threshold, authors] = tuple(map(int, known[count:]))
        return np.array(known[:count], dtype=np.float32)

    def item_scores(
        self,
        detector: Detector,
        threshold: float,
        authors: Authors = EVERYBODY,
        *,
        passes_unread: bool = False,
    ) -> NDArray[np.float32]:
        """Each item's score, shape (number of items,); 0 for those of other authors.

        Where there is more to read than may be: OverBudgetError; or, with `passes_unread`, 0 for
        what is left unread.

        Windows over several items count for all of them, unless items reach `threshold` by
        themselves: then the rest is joined anew without those (`guard.screening.cutting`). For a
        detector of subjects, a turn that refers back to one has the score of that subject's turn.
        """
        detector = self._state(detector)
        account = self._spending.account(detector)
        self._passes_unread = passes_unread
        found, subjects = self._judged_texts(detector, threshold, authors)
        if account.unread and not passes_unread:  # by another policy's leave
            raise OverBudgetError(account.given + account.unread, account.most)
        if "image" in detector.modalities:
            found = np.maximum(found, self._picture_scores(detector, authors))
        self._subjects[id(detector), threshold, authors] = subjects
        if self._memory and not account.unread:
            numbers = (*found.tolist(), *map(float, subjects))
            self._memory.keep_request(detector.version, threshold, authors, self._digest, numbers)
        return found

    def _judged_texts(
        self, detector: Detector, threshold: float, authors: Authors
    ) -> tuple[NDArray[np.float32], tuple[int, ...]]:
        """Each item's score by its text, 0 for one without; and the subjects asked about."""
        count = len(self._items)
        discounts = Discounts(self._items, authors, detector.thresholds)
        if "text" not in detector.modalities or detector.turns_before:
            return discounts.of_items(self._turn_scores(detector, authors)), ()
        joins = Joins(self._cuts, self._text_scores, self._named)  # kept, it would hold us in turn
        own, joined = self._cuts.own(authors), joins.of(detector, threshold, authors)

        def by_windows(windows: Pieces) -> NDArray[np.float32]:
            scores = self._text_scores(detector, windows.texts)
            return windows.item_scores(discounts.of_windows(scores, windows.items), count)

        self._text_scores(detector, (*own.texts, *joined.texts))  # in one pass of its model
        by_item = own.item_scores(self._text_scores(detector, own.texts), count)
        by_item, by_seams = discounts.of_items(by_item), by_windows(joined)
        if by_seams.max(initial=0) >= threshold:
            fired = np.flatnonzero(by_item >= threshold).tolist()
            without = {*fired, *joins.tainting(detector, threshold, authors, by_seams)}
            joined = joins.of(detector, threshold, authors, without)
            by_seams = by_windows(joined)
        found = np.maximum(by_item, by_seams)
        subjects: tuple[int, ...] = ()
        if detector.has_subjects and found.max(initial=0) >= threshold:
            follow_up(self._items, found, threshold)
            subjects = self._subjects_of(detector, threshold, (*own.texts, *joined.texts))
        return found, subjects

    def _turn_scores(self, detector: Detector, authors: Authors) -> NDArray[np.float32]:
        """Each item's score as its conversation's last turn, 0 where texts are not read."""
        reads = "text" in detector.modalities
        pieces = self._chosen(detector, self._cuts.own(authors).texts if reads else ())
        turns = LastTurns(self._items, authors, pieces, detector.turns_before)

        def measure(digests: Sequence[str]) -> dict[str, float]:
            wanted = [turns.contents[digest] for digest in digests]
            raise WantedError(detector, TURN, digests, wanted)

        return turns.item_scores(self._known(TURN, detector, tuple(turns.contents), measure))

    def _named(self, detector: Detector, texts: Sequence[str]) -> list[str]:
        """The texts that may hold a name which the detector looks for, as they stand."""

        def look(new: Sequence[str]) -> dict[str, float]:
            return {text: float(detector.names_in(text)) for text in new}

        known = self._known(NAMED, detector, texts, look)
        return [text for text in texts if known[text]]

    def _picture_scores(self, detector: Detector, authors: Authors) -> NDArray[np.float32]:
        """Each item's score by its picture, 0 for one without, shape (number of items,)."""
        pictures = Pictures(self._items, authors)

        def measure(digests: Sequence[str]) -> dict[str, float]:
            wanted = [pictures.contents[digest] for digest in digests]
            if self._defers:
                raise WantedError(detector, PICTURE, digests, wanted)
            return checked(digests, detector.score_pictures(wanted))

        known = self._known(PICTURE, detector, tuple(pictures.contents), measure)
        return pictures.item_scores(known)

    @cached_property
    def _digest(self) -> str:
        """Of the request: one for all detectors and thresholds."""
        if self._memory is None:
            return ""
        identity = "" if self._rendering is None else self._rendering.identity
        return self._memory.digest(self._items, identity)

    def subjects(
        self, detector: Detector, threshold: float, authors: Authors = EVERYBODY
    ) -> tuple[str, ...]:
        """The names of what it asks about, once its scores at `threshold` are known."""
        state = self._state(detector)
        return state.names_of(self._subjects[id(state), threshold, authors])

    def _subjects_of(
        self, detector: Detector, threshold: float, texts: Sequence[str]
    ) -> tuple[int, ...]:
        """The subjects that the texts which fired ask about, by number."""
        judged = self._numbers[TEXT, id(detector)]
        fired = [text for text in dict.fromkeys(texts) if judged[text] >= threshold]
        account, cut = self._spending.account(detector), partial(self._cuts.pieces, detector)
        pieces = tuple(dict.fromkeys(p for text in fired for p in account.pieces(text, cut)))
        if not pieces:
            return ()
        features = None if detector.encoder is None else self._features.of(pieces)
        return detector.subjects(pieces, features, threshold)

    def unread(self, detector: Detector) -> int:
        """About how many tokens the detector has left unread."""
        return self._spending.account(self._state(detector)).unread

    def _state(self, detector: Detector) -> Detector:
        """What judges this request from end to end: of one that changes, its present state."""
        if id(detector) not in self._states:
            state = detector.current()
            self._states[id(detector)] = self._states[id(state)] = state
        return self._states[id(detector)]

    def _text_scores(self, detector: Detector, texts: Sequence[str]) -> Scores:
        """Each text's highest score over its pieces, shape (n,)."""
        partly = self._spending.account(detector).partly
        judged = self._known(TEXT, detector, texts, partial(self._highest, detector), partly)
        return np.array([judged[text] for text in texts], dtype=np.float32)

    def _known(
        self,
        kind: str,
        detector: Detector,
        texts: Sequence[str],
        measure: Callable[[Sequence[str]], Mapping[str, float]],
        whole: Collection[str] = (),
    ) -> dict[str, float]:
        """The numbers of texts; `measure` sees only those that nobody has asked for yet. Those of
        `whole` texts are not remembered beyond the request."""
        known = self._numbers.setdefault((kind, id(detector)), {})
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if self._memory:
            lasting = [text for text in new if text not in whole]
            known.update(self._memory.numbers(kind, detector.version, lasting))
            new = [text for text in new if text not in known]
        if new:
            found = measure(new)
            known.update(found)
            if self._memory:
                kept = {text: found[text] for text in new if text not in whole}
                self._memory.keep(kind, detector.version, kept)
        return known

    def _highest(self, detector: Detector, texts: Sequence[str]) -> dict[str, float]:
        pieces = self._chosen(detector, texts)
        distinct = list(dict.fromkeys(piece for cut in pieces.values() for piece in cut))
        # A whole text is remembered as such, by its score: only what is in it is a part.
        scores = self._piece_scores(detector, distinct, frozenset(texts))
        return {
            text: max((scores[piece] for piece in cut), default=0.0) for text, cut in pieces.items()
        }

    def _chosen(self, detector: Detector, texts: Sequence[str]) -> Chosen:
        """The pieces of texts that the detector may read."""
        first = Priorities(self._items) if self._passes_unread else None
        cut = partial(self._cuts.pieces, detector, turn=self.turn)
        return self._spending.account(detector).choose(texts, cut, self.turn, first)

    def _piece_scores(
        self, detector: Detector, pieces: Sequence[str], whole: Collection[str]
    ) -> dict[str, float]:
        parts = {piece: detector.parts(piece) for piece in pieces}
        every = [part for own in parts.values() for part in own]
        known = self._known(PART, detector, every, partial(self._part_numbers, detector), whole)
        return {
            piece: detector.score_of_parts([known[part] for part in own])
            for piece, own in parts.items()
        }

    def _part_numbers(self, detector: Detector, parts: Sequence[str]) -> dict[str, float]:
        if self._defers:
            raise WantedError(detector, PART, parts, parts)
        found: dict[str, float] = {}
        for batch in self._paces.batches(detector, parts):
            self.turn.pause()
            found.update(self._batch_numbers(detector, batch))
            self._spending.note(detector, batch)
        return found

    def _batch_numbers(self, detector: Detector, parts: Sequence[str]) -> dict[str, float]:
        if self.gives_features(detector):
            numbers, features = detector.numbers_and_features(parts)
            self._features.keep(parts, features)
            return checked(parts, numbers)
        read = None if detector.encoder is None else self._features.of(parts)
        return checked(parts, detector.part_numbers(parts, read))

    def tell(self, wanted: WantedError, numbers: Scores) -> None:
        """What the detector has answered; DetectorError unless it is a number for each content."""
        found = checked(wanted.names, numbers)
        self._numbers.setdefault((wanted.kind, id(wanted.detector)), {}).update(found)
        if self._memory and wanted.kind != PART:  # parts are remembered with their text
            self._memory.keep(wanted.kind, wanted.detector.version, found)
        self._spending.note(wanted.detector, wanted.texts)
