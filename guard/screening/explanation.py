"""Which windows of a request a detector has read, and what it gave each: for people who look."""

from collections.abc import Sequence
from typing import NamedTuple

from guard.screening.judging import failed, judge
from guard.screening.memory import PART, TEXT
from guard.screening.policy import Policy
from guard.screening.reading import Reading
from guard.screening.wanted import WantedError
from guard.terms.detector import Detector
from guard.terms.verdict import Finding


class Window(NamedTuple):
    """A stretch of a request, or of what a disguise in it says, as a detector has read it.

    `score` is the detector's own, before anything is taken off for the request's length or its
    author; `spans` are (start, end) in characters of what was found in it, where that is known.
    """

    text: str
    score: float
    spans: tuple[tuple[int, int], ...] = ()


class ExplainedReading(Reading):
    """A reading that can be asked afterwards what was read. It must have no memory: what is
    remembered is not read again."""

    def windows(self, detector: Detector) -> list[Window]:
        """What a detector has read, the highest score first."""
        state = self._state(detector)
        texts = self._numbers.get((TEXT, id(state)), {})
        numbers = self._numbers.get((PART, id(state)), {})
        pieces = dict.fromkeys(piece for text in texts for piece in self._cuts.pieces(state, text))
        read = [
            Window(piece, state.score_of_parts([numbers[part] for part in parts]))
            for piece in pieces
            if numbers.keys() >= set(parts := state.parts(piece))
        ]
        return sorted(read, key=lambda window: -window.score)

    def highest(self, detector: Detector) -> Window | None:
        """The window with the highest score, and where in it stands what was found."""
        first = next(iter(self.windows(detector)), None)
        if first is None or not detector.finds_spans:
            return first
        return first._replace(spans=self._state(detector).spans(first.text))


async def explain(
    policies: Sequence[Policy], reading: ExplainedReading, waiting: ExplainedReading
) -> list[tuple[Finding, Window | None]]:
    """Each policy's finding, and the window with its detector's highest score.

    Detectors that wait for a server judge by `waiting`, which defers; both are of one request. The
    caller waits for the models. A detector's failure is a failed finding, never raised.
    """
    told = []
    for policy in policies:
        read = waiting if policy.detector.waits else reading
        finding = await _judged(policy, read)
        told.append((finding, None if finding.failed else read.highest(policy.detector)))
    return told


async def _judged(policy: Policy, reading: Reading) -> Finding:
    try:
        while True:
            try:
                return judge((policy,), reading)[0]
            except WantedError as wanted:
                reading.tell(wanted, await wanted.detector.ask(wanted.contents))
    except Exception as error:  # a detector is a plug-in and its server another's
        return failed(policy, error)
