"""Modes on planted data: each finds what it can see, and sources count alike."""

import numpy as np
import pytest

from classifiers.evaluation.feature_modes import MODES, TrainingRows
from classifiers.statistics.detection_metrics import auroc
from guard.terms.detector import Features


def planted(count: int, seed: int) -> tuple[Features, np.ndarray]:
    """Unit rows of width 8; malicious ones lean towards the first axis."""
    rng = np.random.default_rng(seed)
    malicious = np.arange(count) % 2 == 0
    rows = rng.standard_normal((count, 8))
    rows[malicious, 0] += 4
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), malicious


def training_rows(count: int = 200) -> TrainingRows:
    features, malicious = planted(count, 0)
    texts = ["evil word here" if bad else "a kind word" for bad in malicious]
    sources = np.array([f"s{n % 6}" for n in range(count)])
    return TrainingRows(texts, features, malicious, sources)


@pytest.mark.parametrize("mode", ["logistic", "mean-difference"])
def test_modes_on_features_find_what_is_planted(mode: str) -> None:
    scorer = MODES[mode](training_rows())
    features, malicious = planted(200, 1)
    scores = scorer([""] * 200, features)
    assert scores.shape == (200,)
    assert scores.dtype == np.float32
    assert 0 <= scores.min() <= scores.max() <= 1
    assert auroc(scores[malicious], scores[~malicious]) > 0.95


def test_tf_idf_reads_words() -> None:
    scorer = MODES["tf-idf"](training_rows())
    scores = scorer(["an evil day", "a kind day"], np.zeros((2, 8), dtype=np.float32))
    assert scores[0] > 0.5 > scores[1]


def test_length_prefers_the_longer() -> None:
    scores = MODES["length"](training_rows())(["", "ab", "a" * 500], np.zeros((3, 8), np.float32))
    assert 0 <= scores[0] < scores[1] < scores[2] <= 1


def test_sources_and_classes_weigh_alike() -> None:
    malicious = np.array([True] * 9 + [True] + [False] * 30)
    sources = np.array(["big"] * 9 + ["small"] + ["benign"] * 30)
    rows = TrainingRows([""] * 40, np.zeros((40, 1), np.float32), malicious, sources)
    weights = rows.balanced_weights()
    assert weights.mean() == pytest.approx(1)
    totals = [weights[sources == name].sum() for name in ("big", "small", "benign")]
    assert totals == pytest.approx([10, 10, 20])
