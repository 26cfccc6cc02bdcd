"""The first stage of a cascade: says cheaply which parts of a text the model need not read.

A linear model of hashed n-grams, distilled from the model's own log odds. What it puts under its
pass mark has the log odds that it puts it at; all else is read by the model. The mark is an order
statistic of attacks that fire (`classifiers.malicious.fine_tuning.first_stage`).
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from guard.detectors.malicious.lexical import LexicalTable
from guard.detectors.weights import Array, Weights
from guard.terms.detector import Scores

TABLE = "first_stage.weight"
"""A weight per n-gram bucket, (buckets,), buckets a power of two."""
MARK = "first_stage.mark"
"""(2,): what is added to the table's log odds, and the log odds from which on the model reads."""


class FirstStage:
    """Estimates the log odds of parts; safe to share between threads."""

    def __init__(self, table: LexicalTable, bias: float, mark: float) -> None:
        """Parts that it puts at `mark` or above are to be read by the model."""
        self._table = table
        self._bias = bias
        self.mark = mark

    @classmethod
    def from_weights(cls, weights: Weights, most_words: int) -> Self | None:
        """The first stage among an artifact's tensors, None where it has none; ArtifactError for
        one that is not whole, or whose table is not a power of two."""
        if TABLE not in weights and MARK not in weights:
            return None
        bias, mark = weights.take(MARK, 2).tolist()
        table: Array = weights.take(TABLE, None)
        try:
            return cls(LexicalTable(table, most_words), bias, mark)
        except ValueError as error:
            raise weights.artifact.fail(f"tensors.{TABLE}", str(error)) from error

    def log_odds(self, parts: Sequence[str]) -> Scores:
        """Its estimate of each part's log odds of malicious, shape (n,)."""
        return np.array([self._table.logit(part) + self._bias for part in parts], np.float32)

    def passes(self, log_odds: Scores) -> NDArray[np.bool_]:
        """Which parts with these estimates, shape (n,), the model is to read."""
        return np.asarray(log_odds >= self.mark)
