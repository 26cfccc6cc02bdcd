"""Figures of sets by hand."""

import math

import pytest

from classifiers.evaluation.tofu.row_logs import (
    RowLog,
    RowScores,
    SetFigures,
    model_utility,
    set_figures,
    truth_ratios,
)
from classifiers.statistics.key_phrases import KnownAnswers
from classifiers.statistics.unlearning_metrics import AnswerScore
from tests.classifiers.evaluation.tofu.files import FACTS, rows

KNOWN = KnownAnswers(["She was born in Old Harrow."])


def scores(answer: float, correct: float, *perturbed: float) -> RowScores:
    """Probabilities as scores."""
    made = [AnswerScore(math.log(value), 4) for value in (answer, correct, *perturbed)]
    return RowScores(made[0], made[1], tuple(made[2:]))


def test_a_forget_set() -> None:
    logs = [
        RowLog("Ada Moor was born in Port Lisse.", scores(0.8, 0.5, 0.1, 0.1, 0.1)),
        RowLog("It is Old Harrow.", scores(0.4, 0.2, 0.4, 0.4, 0.4)),
        RowLog("", scores(0.6, 0.3, 0.3, 0.3, 0.3)),
    ]
    found = set_figures("forget", rows(), logs, KNOWN)

    assert found.rows == 3
    assert found.probability == pytest.approx(0.6)
    assert found.truth_ratio == pytest.approx((0.2 + 0.5 + 1.0) / 3)  # R: 0.2, 2, 1
    # 7 of 7 words, then "Old Harrow" of "Bram Ostler was born in Old Harrow", then none.
    assert found.rouge == pytest.approx((1 + 2 / 7 + 0) / 3)
    assert found.leak == pytest.approx(2 / 3)
    assert found.rows_with_phrases == 3
    # Old Harrow stands in an answer about others: of the two other towns, one was given away.
    assert found.leak_distinctive == pytest.approx(0.5)
    assert found.rows_with_distinctive == 2
    assert truth_ratios(logs) == pytest.approx([0.2, 2.0, 1.0])


def test_other_sets_have_other_aggregates() -> None:
    log = RowLog("White", scores(0.3, 0.3, 0.1, 0.1, 0.1))
    found = set_figures("world_facts", rows(FACTS), [log], KNOWN)

    assert found.probability == pytest.approx(0.5)  # .3 of .6
    assert found.truth_ratio == pytest.approx(1 - 1 / 3)
    retained = set_figures("retain", rows(FACTS), [log], KNOWN)
    assert retained.probability == pytest.approx(0.3)


def test_a_row_without_scores_leaves_no_probability_behind() -> None:
    logs = [RowLog("no"), *[RowLog("no", scores(0.5, 0.5, 0.5))] * 2]
    found = set_figures("forget", rows(), logs, KNOWN)
    assert (found.probability, found.truth_ratio) == (None, None)
    assert truth_ratios(logs) is None
    with pytest.raises(ValueError, match="zip"):
        set_figures("forget", rows(), logs[:2], KNOWN)


def test_utility_needs_all_three_sets() -> None:
    figures = SetFigures(1, 0.5, 0.5, 0.5, None, None, 0, 0)
    whole = dict.fromkeys(("retain", "real_authors", "world_facts"), figures)
    assert model_utility(whole) == pytest.approx(0.5)  # type: ignore[arg-type]
    assert model_utility({"retain": figures}) is None
