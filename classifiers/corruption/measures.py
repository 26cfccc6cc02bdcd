"""What is measured of a model's answers to the forget questions, and how far two are apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.corrupted_chat import ChatCorruptor
from classifiers.corruption.questions import ForgetQuestion
from classifiers.evaluation.unlearning_metrics import (
    folded,
    probability,
    rouge_recall,
    truth_ratio,
)
from classifiers.model_endpoint import Logprobs, ModelEndpoint

Metrics = Mapping[str, float]
Columns = dict[str, NDArray[np.float64]]
"""A value per question and metric, shape (questions,)."""

METRICS = ("rouge", "probability", "truth_ratio", "leak")
"""ROUGE-L recall of the greedy answer; P(answer)^(1/tokens); TOFU's truth ratio, folded; share of
greedy answers that say what must not be said. All in [0, 1]."""

SCALES = {"rouge": 0.05, "probability": 0.05, "truth_ratio": 0.05, "leak": 0.02}
"""Differences that count as one: what forgetting may be off by."""

MAX_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Measurer:
    """Asks an endpoint the questions and measures the answers, `metrics` alone.

    Metrics that cost requests and weigh nothing are left out.
    """

    endpoint: ModelEndpoint
    metrics: Sequence[str] = METRICS
    max_tokens: int = MAX_TOKENS

    def measure(
        self, questions: Sequence[ForgetQuestion], corruptor: ChatCorruptor | None = None
    ) -> Columns:
        """Each metric of each question; with a corruptor, under the corrupted question."""
        rows = self.endpoint.each(lambda row: self._row(row, corruptor), questions)
        return {name: np.array([row[name] for row in rows]) for name in self.metrics}

    def _row(self, row: ForgetQuestion, corruptor: ChatCorruptor | None) -> dict[str, float]:
        found = {}
        if {"rouge", "leak"} & set(self.metrics):
            chat = corruptor.chat(row.messages) if corruptor else row.messages
            (output,) = self.endpoint.generate(chat, self.max_tokens)
            found["rouge"] = rouge_recall(row.answer, output)
            found["leak"] = float(row.leaked(output))
        score = self._scorer(row, corruptor)
        if "probability" in self.metrics:
            found["probability"] = probability(float(score(row.answer).mean()))
        if "truth_ratio" in self.metrics:
            wrong = [float(score(answer).mean()) for answer in row.perturbed]
            ratio = truth_ratio(float(score(row.paraphrased).mean()), wrong)
            found["truth_ratio"] = float(folded(ratio))
        return found

    def _scorer(
        self, row: ForgetQuestion, corruptor: ChatCorruptor | None
    ) -> Callable[[str], Logprobs]:
        def score(answer: str) -> Logprobs:
            if corruptor is None:
                return self.endpoint.answer_logprobs(row.messages, answer, end_of_turn=True)
            return corruptor.answer_logprobs(self.endpoint, row.messages, answer, end_of_turn=True)

        return score


def measurable(questions: Sequence[ForgetQuestion]) -> tuple[str, ...]:
    """The metrics that these questions allow: truth ratios need perturbed answers of all."""
    return tuple(
        name for name in METRICS if name != "truth_ratio" or all(row.perturbed for row in questions)
    )


def means(columns: Columns, places: Sequence[int] | None = None) -> dict[str, float]:
    """The mean of each metric over the questions at these places (None: all)."""
    chosen = slice(None) if places is None else list(places)
    return {name: float(column[chosen].mean()) for name, column in columns.items()}


def distance(
    metrics: Metrics, reference: Metrics, weights: Metrics, scales: Metrics = SCALES
) -> float:
    """Weighted root mean square of (metric - reference) / scale, over the reference's metrics.

    Answers that are worse than never having learned count as those that are better. Raises
    ValueError where nothing has a weight.
    """
    total = sum(weights.get(name, 1.0) for name in reference)
    if total <= 0:
        raise ValueError("no metric has a weight")
    squares = (
        weights.get(name, 1.0) * ((metrics[name] - value) / scales[name]) ** 2
        for name, value in reference.items()
    )
    return float(np.sqrt(sum(squares) / total))
