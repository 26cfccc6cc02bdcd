"""Prompts and what a detector gives each, as serving does: for people who look at single ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from classifiers.prompts.labelled import LabelledPrompt
from guard.screening.explanation import ExplainedReading, Window
from guard.screening.views.view import ViewLimits
from guard.terms.detector import Detector, Encoder
from guard.terms.item import Item


@dataclass(frozen=True, slots=True)
class Scored:
    """A prompt, its score in [0, 1], whether it reaches the detector's threshold, the share of
    harmless texts that score as high (None where nothing is known), and the window that does."""

    prompt: LabelledPrompt
    score: float
    fires: bool
    p_benign: float | None
    window: Window | None


def score_prompts(
    detector: Detector, encoder: Encoder | None, prompts: Iterable[LabelledPrompt]
) -> Iterator[Scored]:
    """Each prompt as one request of a user's; a conversation's turns as its user's turns."""
    for prompt in prompts:
        turns = prompt.turns or (prompt.text,)
        items = [Item(("messages", n, "content"), "user", turn) for n, turn in enumerate(turns)]
        reading = ExplainedReading(items, encoder, ViewLimits())
        score = float(reading.item_scores(detector, detector.threshold).max())
        known = detector.calibration
        usual = known.p_benign(score) if known else None
        window = reading.highest(detector)
        yield Scored(prompt, score, score >= detector.threshold, usual, window)


def tally(scored: Iterable[Scored]) -> dict[str, tuple[int, int]]:
    """By label, how many fire, and of how many."""
    counts: dict[str, tuple[int, int]] = {}
    for one in scored:
        fired, of = counts.get(one.prompt.label, (0, 0))
        counts[one.prompt.label] = fired + one.fires, of + 1
    return counts
