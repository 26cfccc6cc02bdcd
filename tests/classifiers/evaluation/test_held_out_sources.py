"""Leave-one-source-out: nothing of a source reaches its scores or its threshold."""

from collections.abc import Sequence

import numpy as np
import pytest

from classifiers.evaluation.feature_modes import Scorer, TrainingRows
from classifiers.evaluation.held_out_sources import (
    PromptPieces,
    leave_one_source_out,
    make_pieces,
)
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.detector import Features, Reader, Scores
from guard.terms.errors import ConfigError

SOURCES = ("bad0", "bad1", "bad2", "good0", "good1", "good2", "good3")


def pieces(sources: Sequence[str] = SOURCES, rows: int = 120) -> PromptPieces:
    """Two pieces a prompt: the first has feature 0, the second what the label planted."""
    rng = np.random.default_rng(0)
    prompts = [
        LabelledPrompt(f"{name} {n}", name, "malicious" if name[0] == "b" else "benign")
        for name in sources
        for n in range(rows)
    ]
    values = [
        value
        for prompt in prompts
        for value in (0.0, rng.normal(0.7 if prompt.label == "malicious" else 0.3, 0.1))
    ]
    features = np.array(values, dtype=np.float32)[:, None]
    texts = [prompt.text for prompt in prompts for _ in range(2)]
    return PromptPieces(prompts, texts, features, np.repeat(np.arange(len(prompts)), 2))


class Recorder:
    """A fit that scores by the feature and remembers which sources it saw and scored."""

    def __init__(self) -> None:
        self.seen: list[set[str]] = []
        self.leaks: list[str] = []

    def __call__(self, rows: TrainingRows) -> Scorer:
        trained = set(rows.sources.tolist())
        self.seen.append(trained)
        assert rows.malicious.any()
        assert not rows.malicious.all()

        def score(texts: Sequence[str], features: Features) -> Scores:
            self.leaks += [text for text in texts if text.split()[0] in trained]
            return features[:, 0]

        return score


def test_no_model_scores_a_source_it_saw() -> None:
    fit = Recorder()
    leave_one_source_out(pieces(), fit, folds=3)
    assert fit.leaks == []
    assert {frozenset(SOURCES) - seen for seen in fit.seen} >= {frozenset({s}) for s in SOURCES}


def test_no_model_scores_a_relative_of_a_source_it_saw() -> None:
    fit = Recorder()
    data = pieces((*SOURCES, "bad3"))
    groups = {"bad0": "bad0", "bad3": "bad0", "good3": "good3"}
    held = leave_one_source_out(data, fit, folds=2, groups=groups)
    assert all(("bad0" in seen) == ("bad3" in seen) for seen in fit.seen)
    assert held.thresholds.keys() == {*SOURCES, "bad3"}
    assert held.thresholds["bad0"] == held.thresholds["bad3"]


def test_scores_are_the_highest_over_pieces() -> None:
    data = pieces()
    held = leave_one_source_out(data, Recorder())
    expected = np.maximum(data.features[0::2, 0], data.features[1::2, 0])
    assert np.array_equal(held.scores, expected)


def test_nested_thresholds_keep_the_rate_on_unseen_sources() -> None:
    data = pieces()
    held = leave_one_source_out(data, Recorder(), fpr=0.05)
    assert set(held.thresholds) == set(SOURCES)
    benign = ~data.malicious
    assert 0 < held.fired[benign].mean() < 0.1
    assert held.fired[~benign].mean() > 0.95


def test_a_threshold_ignores_its_own_source() -> None:
    data = pieces()
    shifted = data.features.copy()
    own = np.repeat(data.sources == "good0", 2)
    shifted[own] += 5
    loud = PromptPieces(data.prompts, data.texts, shifted, data.owner_index)
    held = [leave_one_source_out(rows, Recorder()) for rows in (data, loud)]
    assert held[0].thresholds["good0"] == held[1].thresholds["good0"]
    assert held[1].fired[data.sources == "good0"].all()
    assert held[1].thresholds["good1"] > held[0].thresholds["good1"]


def test_training_rows_are_first_pieces() -> None:
    data = pieces()
    rows = data.training_rows(data.sources == "bad1")
    assert rows.features.tolist() == [[0.0]] * 120
    assert rows.malicious.all()
    assert list(rows.texts) == [f"bad1 {n}" for n in range(120)]


def test_too_few_sources_are_refused() -> None:
    with pytest.raises(
        ConfigError, match="three groups of sources with malicious prompts, found 2"
    ):
        leave_one_source_out(pieces(SOURCES[1:]), Recorder())
    with pytest.raises(ConfigError, match="three groups of sources with benign prompts, found 1"):
        leave_one_source_out(pieces(SOURCES[:4]), Recorder())


def test_pieces_are_those_of_serving() -> None:
    class Narrow(Reader):
        window_tokens = 400

        def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
            return [(start, start + size) for start in range(0, len(text), stride)]

    prompts = [LabelledPrompt("short", "a"), LabelledPrompt("word " * 300, "b")]
    made = make_pieces(prompts, lambda texts: np.ones((len(texts), 2), np.float32), Narrow())
    assert len(made.texts) == len(made.features) == len(made.owner_index)
    assert np.bincount(made.owner_index)[0] == 1
    assert np.bincount(made.owner_index)[1] > 2
