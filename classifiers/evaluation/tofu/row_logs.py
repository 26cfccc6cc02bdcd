"""What a model said and how likely it held each answer: one log per row, in file order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classifiers.evaluation.tofu.data import UTILITY_SETS, SetName, TofuRow
from classifiers.statistics import unlearning_metrics as metrics
from classifiers.statistics.key_phrases import KeyPhrases, KnownAnswers
from classifiers.statistics.unlearning_metrics import AnswerScore


@dataclass(frozen=True, slots=True)
class RowScores:
    """Teacher-forced scores of one row's answers.

    `correct` is the paraphrased answer, or the answer where a set has no other words for it.
    """

    answer: AnswerScore
    correct: AnswerScore
    perturbed: tuple[AnswerScore, ...]

    @property
    def truth_ratio(self) -> float:
        """R; see `unlearning_metrics.truth_ratio`."""
        return metrics.truth_ratio(
            self.correct.logprob, [wrong.logprob for wrong in self.perturbed]
        )

    @property
    def probability(self) -> float:
        """P of the gold answer."""
        return metrics.probability(self.answer.logprob)

    @property
    def normalised_probability(self) -> float:
        """P of the gold answer among the wrong ones."""
        return metrics.normalised_probability(
            self.answer.logprob, [wrong.logprob for wrong in self.perturbed]
        )


@dataclass(frozen=True, slots=True)
class RowLog:
    """One row: the greedy answer and the scores; a model that is never asked has no scores."""

    generated: str
    scores: RowScores | None = None


Logs = Mapping[SetName, Sequence[RowLog]]
"""The logs of one model on the sets it was asked, row for row as in the files."""


@dataclass(frozen=True, slots=True)
class SetFigures:
    """Means over a set. Probability is normalised in real authors and world facts; `truth_ratio`
    is folded in the forget set and truthfulness elsewhere. Leak rates are shares of the rows whose
    gold answer has a key phrase, `rows_with_phrases`; of any, and of distinctive ones."""

    rows: int
    rouge: float
    probability: float | None
    truth_ratio: float | None
    leak: float | None
    leak_distinctive: float | None
    rows_with_phrases: int
    rows_with_distinctive: int


def set_figures(
    name: SetName, rows: Sequence[TofuRow], logs: Sequence[RowLog], known: KnownAnswers
) -> SetFigures:
    """The figures of one set; ValueError where logs and rows differ in number."""
    phrases = [KeyPhrases.of(row.question, row.answer, known) for row in rows]
    pairs = list(zip(rows, logs, strict=True))
    leaks = [
        found.leaked(log.generated)
        for found, log in zip(phrases, logs, strict=True)
        if found.phrases
    ]
    distinctive = [
        found.leaked(log.generated, distinctive=True)
        for found, log in zip(phrases, logs, strict=True)
        if found.distinctive
    ]
    scores = [log.scores for log in logs if log.scores is not None]
    whole = len(scores) == len(rows)
    return SetFigures(
        rows=len(rows),
        rouge=_mean([metrics.rouge_recall(row.answer, log.generated) for row, log in pairs]) or 0.0,
        probability=_mean([_probability(name, found) for found in scores]) if whole else None,
        truth_ratio=_truth(name, scores) if whole else None,
        leak=_mean(leaks),
        leak_distinctive=_mean(distinctive),
        rows_with_phrases=len(leaks),
        rows_with_distinctive=len(distinctive),
    )


def model_utility(figures: Mapping[SetName, SetFigures]) -> float | None:
    """The harmonic mean of nine; None where a set or its probabilities are missing."""
    parts: list[float] = []
    for name in UTILITY_SETS:
        found = figures.get(name)
        if found is None or found.probability is None or found.truth_ratio is None:
            return None
        parts += [found.probability, found.rouge, found.truth_ratio]
    return metrics.model_utility(parts)


def truth_ratios(logs: Sequence[RowLog]) -> list[float] | None:
    """R of every row, in order; None where a row has no scores, as a row must not be dropped."""
    found = [log.scores.truth_ratio for log in logs if log.scores is not None]
    return found if len(found) == len(logs) else None


def _probability(name: SetName, scores: RowScores) -> float:
    of_options = name in ("real_authors", "world_facts")
    return scores.normalised_probability if of_options else scores.probability


def _truth(name: SetName, scores: Sequence[RowScores]) -> float:
    ratios = [found.truth_ratio for found in scores]
    aggregate = metrics.folded if name == "forget" else metrics.truthfulness
    return float(aggregate(ratios).mean())


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
