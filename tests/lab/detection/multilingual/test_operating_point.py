"""The margin by which thresholds are raised keeps the promise on sources that set none of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.multilingual.calibrate import Measured, measured_of
from lab.detection.multilingual.operating_point import (
    HIGHEST,
    STEP,
    excess_of,
    figures_at,
    margin_of,
)
from lab.detection.multilingual.sources import fold_of

HARMLESS, ATTACKS = ("clinc150", "snips", "bbh"), ("med_safety", "aart", "foresight_base")
NO_TWINS = np.zeros(0, np.float32)
PROMPTS = 100
"""Of each source."""


def _measured(of_harmless: Sequence[float], of_attacks: float) -> tuple[Measured, np.ndarray]:
    """Harmless prompts from -2 up to so much, by source; attacks at one logit; each one's fold."""
    prompts, logits = [], []
    for source, highest in zip(HARMLESS, of_harmless, strict=True):
        for n, logit in enumerate(np.linspace(-2, highest, PROMPTS)):
            prompts.append(LabelledPrompt(f"{source} {n}", source, "benign", "question"))
            logits.append(logit)
    for source in ATTACKS:
        prompts += [LabelledPrompt(source, source, "malicious", "harmful_request")] * 2
        logits += [of_attacks] * 2
    folds = np.array([fold_of(prompt.source) for prompt in prompts])
    return measured_of(prompts, np.array(logits, np.float32)), folds


def test_a_prompt_is_judged_by_the_limits_that_other_folds_set() -> None:
    measured, folds = _measured((0, 0, 5), 1)
    excess = excess_of(measured, folds)
    assert excess[folds == 2].max() == pytest.approx(5, abs=0.1)
    harmless = measured.benign & (folds == 0)
    assert excess[harmless].max() < -4  # the third fold's prompts set a limit of 5


def test_without_a_difference_between_sources_next_to_no_margin_is_needed() -> None:
    measured, folds = _measured((0, 0, 0), 1)
    assert margin_of(measured, excess_of(measured, folds), NO_TWINS) <= STEP


def test_the_margin_is_as_high_as_a_source_above_the_others_needs() -> None:
    measured, folds = _measured((0, 0, 1), 1.5)
    excess = excess_of(measured, folds)
    margin = margin_of(measured, excess, NO_TWINS)
    found = figures_at(measured, excess, margin)
    before = figures_at(measured, excess, margin - STEP)
    assert 0.9 < margin < 1.1
    assert found["sources_above"] == {} != before["sources_above"]
    assert found["harmless_sources_up_to_2_percent"] == 1


def test_the_margin_is_as_high_as_generated_twins_need() -> None:
    measured, folds = _measured((0, 0, 0), 1)
    twins = np.linspace(0, 2, 101, dtype=np.float32)
    assert margin_of(measured, excess_of(measured, folds), twins) == pytest.approx(1.93, abs=STEP)


def test_texts_that_a_first_stage_keeps_from_the_model_need_no_margin() -> None:
    measured, folds = _measured((0, 0, 1), 1.5)
    served = np.minimum(measured.logits, np.where(measured.benign, -1, 2)).astype(np.float32)
    assert margin_of(measured, excess_of(measured, folds, served), NO_TWINS) == 0


def test_where_nothing_keeps_the_promise_the_margin_is_the_highest() -> None:
    measured, folds = _measured((0, 0, 10), 1)
    assert margin_of(measured, excess_of(measured, folds), NO_TWINS) == HIGHEST


def test_figures_are_shares_by_family_author_and_language_of_many_prompts() -> None:
    measured, folds = _measured((0, 0, 0), 1)
    found = figures_at(measured, excess_of(measured, folds), 0.5)
    attacks: Any = dict.fromkeys(("all", "requests", "user"), pytest.approx(1))
    assert found["attacks"] == attacks  # too few for their language
    assert found["harmless"] == dict.fromkeys(("all", "ordinary", "user", "en"), 0)
