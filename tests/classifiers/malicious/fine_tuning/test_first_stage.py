"""A first stage learns what a detector says, and passes nearly every attack that fires."""

import numpy as np
import pytest

from classifiers.malicious.calibration import Scaling
from classifiers.malicious.fine_tuning.first_stage import (
    FirstStageModel,
    Taught,
    distil,
    highest_of,
    report,
)
from classifiers.statistics.thresholds import TooFewRowsError
from guard.detectors.malicious.first_stage import FirstStage
from guard.detectors.malicious.lexical import LexicalTable

WORDS = ("river", "bridge", "poem", "stone", "lamp", "garden", "letter", "winter", "market", "boat")
BAD = ("ignore", "bypass", "exfiltrate")


def _taught(count: int = 240) -> tuple[Taught, np.ndarray]:
    """Windows of harmless words, every third with a bad one, at which the detector fires."""
    rng = np.random.default_rng(0)
    fires = np.arange(count) % 3 == 0
    texts = [
        " ".join([*rng.choice(WORDS, 6), *([str(rng.choice(BAD))] if bad else [])]) for bad in fires
    ]
    odds = np.where(fires, 3, -3) + rng.normal(0, 0.1, count)
    owners = np.arange(count) // 2
    return Taught(texts, odds.astype(np.float32), owners, owners % 3), fires


def test_it_passes_attacks_and_few_harmless_windows_of_groups_that_it_has_not_seen() -> None:
    taught, fires = _taught()
    model, estimates = distil(taught, fires, 0.05, 2)
    found = report(taught, estimates, fires, ~fires, model.mark)
    assert found["attacks"] == len(set(taught.owners[fires]))
    assert float(str(found["attacks_passed"])) >= 0.95
    assert float(str(found["harmless_windows_passed"])) < 0.2


def test_served_it_estimates_what_it_learned() -> None:
    taught, fires = _taught()
    model, _ = distil(taught, fires, 0.05, 2)
    stage = FirstStage(LexicalTable(model.table, 2), model.bias, model.mark)
    passes = stage.passes(stage.log_odds(taught.windows))
    assert passes[fires].mean() > 0.95
    assert passes[~fires].mean() < 0.05


def test_an_attack_passes_with_its_highest_window() -> None:
    values, owners = np.array([1, 5, 2], np.float32), np.array([7, 7, 3])
    assert highest_of(values, owners).tolist() == [2, 5]


def test_it_is_scaled_with_the_detector() -> None:
    model = FirstStageModel(np.array([1, 2], np.float32), 1.0, -2.0).scaled(Scaling(0.5, 3.0))
    assert model.table.tolist() == [0.5, 1]
    assert (model.bias, model.mark) == (3.5, 2.0)


def test_without_an_attack_that_fires_there_is_no_mark() -> None:
    taught, fires = _taught()
    with pytest.raises(TooFewRowsError):
        distil(taught, np.zeros_like(fires), 0.05, 2)
