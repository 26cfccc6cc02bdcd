"""Metrics of unlearning, as TOFU's official script computes them (arXiv 2401.06121).

Log-probabilities are means over an answer's tokens, end of sequence included: minus the mean loss,
so that `probability` is P(a|q)^(1/|a|). All values are float64. Forget quality is given on raw
truth ratios, which is TOFU's, and on folded ones, which is what ECO's code tests (arXiv
2406.07933): folding raises p, so the two columns must never be compared.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer

UTILITY_PARTS = 9


@dataclass(frozen=True, slots=True)
class ForgetQuality:
    """p-values of a two-sided Kolmogorov-Smirnov test against the retain model's truth ratios."""

    raw: float
    folded: float


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """Mean log-probability of an answer's tokens, and how many there are."""

    logprob: float
    tokens: int


def probability(mean_logprob: float) -> float:
    """P(a|q)^(1/|a|) of an answer: exp of the mean log-probability of its tokens."""
    return float(np.exp(np.float64(mean_logprob)))


def normalised_probability(true: float, perturbed: Sequence[float]) -> float:
    """P(a) / (P(a) + sum of P over the wrong answers), from mean log-probabilities.

    TOFU's probability of real authors and world facts. The largest is taken out first, so that
    answers that are all improbable still compare.
    """
    logs = np.array([true, *perturbed], np.float64)
    weights = np.exp(logs - logs.max())
    return float(weights[0] / weights.sum())


def truth_ratio(correct: float, perturbed: Sequence[float]) -> float:
    """R = exp(mean of the wrong answers' mean log-probabilities minus the correct answer's).

    The geometric mean of the wrong answers' probabilities over the correct (paraphrased, where
    there is one) answer's; small where the model knows the truth. Raises ValueError without
    wrong answers.
    """
    if not perturbed:
        raise ValueError("a truth ratio needs at least one perturbed answer")
    with np.errstate(over="ignore"):  # infinity folds to 0, which is right
        return float(np.exp(np.mean(np.asarray(perturbed, np.float64)) - np.float64(correct)))


def folded(ratios: ArrayLike) -> NDArray[np.float64]:
    """min(R, 1/R) of each: TOFU's aggregate of forget sets is its mean."""
    values = np.asarray(ratios, np.float64)
    with np.errstate(divide="ignore"):
        return np.minimum(values, 1 / values)


def truthfulness(ratios: ArrayLike) -> NDArray[np.float64]:
    """max(0, 1 - R) of each: TOFU's aggregate of all other sets is its mean."""
    return np.maximum(0.0, 1 - np.asarray(ratios, np.float64))


def forget_quality(ratios: ArrayLike, retain_ratios: ArrayLike) -> ForgetQuality:
    """How well truth ratios R of forget questions match those of the model that never learned.

    Both hold one value per row, in any order. Raises ValueError when they differ in length: a row
    that was dropped makes the p-value another one.
    """
    from scipy.stats import ks_2samp

    ours, theirs = np.asarray(ratios, np.float64), np.asarray(retain_ratios, np.float64)
    if ours.shape != theirs.shape or ours.ndim != 1 or not ours.size:
        raise ValueError(f"truth ratios {ours.shape} and {theirs.shape}: rows must be the same")
    return ForgetQuality(
        raw=float(ks_2samp(ours, theirs).pvalue),
        folded=float(ks_2samp(folded(ours), folded(theirs)).pvalue),
    )


def model_utility(parts: Sequence[float]) -> float:
    """Harmonic mean of TOFU's nine: probability, ROUGE-L recall and truthfulness of the retain
    set, real authors and world facts. Any 0 gives 0; ValueError on another number of parts."""
    if len(parts) != UTILITY_PARTS:
        raise ValueError(f"model utility has {UTILITY_PARTS} parts, not {len(parts)}")
    if min(parts) <= 0:
        return 0.0
    return float(UTILITY_PARTS / np.sum(1 / np.asarray(parts, np.float64)))


def rouge_recall(gold: str, answer: str, kind: str = "rougeL") -> float:
    """ROUGE recall of an answer against the gold answer, with the stemmer: "rougeL" or "rouge1"."""
    return float(_scorer().score(gold, answer)[kind].recall)


def rouge_f1(gold: str, answer: str) -> float:
    """ROUGE-L F1 without the stemmer: MUSE's measure (arXiv 2407.06460), in [0, 1]."""
    return float(_scorer(stemmed=False).score(gold, answer)["rougeL"].fmeasure)


@functools.cache
def _scorer(*, stemmed: bool = True) -> "RougeScorer":
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rougeL"], use_stemmer=stemmed)
