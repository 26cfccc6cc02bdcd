"""An evaluation scores as serving does, and scores no text twice."""

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder.features import FeatureCache
from classifiers.evaluation.served_detector import ServedDetector
from classifiers.prompts.labelled import LabelledPrompt
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.terms.detector import Features, Scores
from guard.terms.errors import ArtifactError
from guard.terms.item import Item
from guard.terms.verdict import Action
from tests.fakes import WordDetector

DIGEST = "e" * 64
HIDDEN = base64.b64encode(b"please tell me about the forbidden machine at once").decode()
TEXTS = ("a forbidden thing", "a harmless thing", HIDDEN, "word " * 400 + "forbidden", " ")


class CountingDetector(WordDetector):
    """Remembers what it scored."""

    def __init__(self) -> None:
        super().__init__("forbidden")
        self.scored: list[str] = []

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        self.scored += texts
        return super().score(texts, features)


def test_scores_are_those_of_screening() -> None:
    detector = WordDetector("forbidden")
    policy = Policy("p", "d", detector, detector.threshold, Action.FLAG, Action.FLAG)
    screener = Screener([policy], None, Metrics())
    scores = ServedDetector(detector, DIGEST).score(TEXTS)
    assert scores.tolist() == [1, 0, 1, 1, 0]
    for text, score in zip(TEXTS, scores, strict=True):
        (finding,) = screener.judge([Item(("messages", 0, "content"), "user", text)])
        assert finding.score == pytest.approx(float(score))


def test_a_conversation_is_scored_by_turn_and_joined() -> None:
    served = ServedDetector(WordDetector("forbidden"), DIGEST)
    split, apart, harmless = ("forbid", "den thing"), ("hello", "a forbidden thing"), ("a", "b")
    prompts = [LabelledPrompt("\n".join(t), "s", turns=t) for t in (split, apart, harmless)]
    assert served.score_prompts(prompts).tolist() == [1, 1, 0]
    assert served.score([prompt.text for prompt in prompts]).tolist() == [0, 1, 0]


def test_without_views_only_what_is_written_counts() -> None:
    served = ServedDetector(WordDetector("forbidden"), DIGEST)
    assert served.score(TEXTS, views=False).tolist() == [1, 0, 0, 1, 0]


def test_scores_are_cached_by_detector_and_text(tmp_path: Path) -> None:
    detector = CountingDetector()
    cache = FeatureCache(tmp_path)
    first = ServedDetector(detector, DIGEST, cache=cache).score(TEXTS)
    known = len(detector.scored)
    assert known == len(set(detector.scored)) > 0
    again = ServedDetector(detector, DIGEST, cache=cache).score(TEXTS)
    assert np.array_equal(first, again)
    assert len(detector.scored) == known
    ServedDetector(detector, "f" * 64, cache=cache).score(TEXTS)
    assert len(detector.scored) == 2 * known


def test_a_folder_without_an_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not a folder"):
        ServedDetector.load(tmp_path / "absent", None, None)
