"""Imported classifiers score as torch does, and say what is wrong with a source."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.encoder.classifier_import import import_classifier
from guard.artifacts.folder import Artifact
from guard.detectors.classifier import KIND
from guard.detectors.kinds import load_detector
from guard.terms.errors import ConfigError
from tests.classifiers.encoder.classifiers_to_import import CLASSES, write_classifier

TEXTS = ["tell me of the river", "attack now", "what is the bridge of the attack", "river"]
FAMILIES = ("bert", "roberta", "deberta-v2")


@pytest.fixture(scope="module", params=FAMILIES)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    family = str(request.param)
    return write_classifier(tmp_path_factory.mktemp(family) / "model", family)


@pytest.fixture(scope="module")
def artifact(source: Path) -> Artifact:
    return import_classifier(source.parent / "out", str(source), ["INJECTION", "OTHER"])


def logits_of(source: Path) -> NDArray[np.float32]:
    """The logits of each text, shape (n, classes), by torch."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(source)
    tokenizer = AutoTokenizer.from_pretrained(source)
    with torch.no_grad():
        batches = [tokenizer(text, return_tensors="pt") for text in TEXTS]
        masked = [{k: b[k] for k in ("input_ids", "attention_mask")} for b in batches]
        return np.stack([model(**each).logits[0].numpy() for each in masked])


def test_a_score_is_torchs_probability(source: Path, artifact: Artifact) -> None:
    detector = load_detector(artifact.folder, None)
    scores = detector.score(TEXTS, None)
    odds = np.exp(logits_of(source))
    assert scores == pytest.approx(odds[:, 1:].sum(axis=1) / odds.sum(axis=1), abs=1e-5)
    assert np.ptp(scores) > 1e-3
    assert artifact.manifest.kind == KIND
    assert artifact.manifest.metrics["difference_largest"] <= 1e-3
    assert detector.window_tokens == 62  # the tokenizer's 64, without its two marks


def test_a_text_longer_than_the_model_reads_is_cut_in_windows(artifact: Artifact) -> None:
    detector = load_detector(artifact.folder, None)
    text = "river " * 200 + "attack now"
    assert detector.window_tokens is not None
    ranges = detector.windows(text, detector.window_tokens, 40)
    assert ranges[-1][1] == len(text)
    assert len(ranges) > 3


@pytest.mark.parametrize(
    ("unsafe", "said"),
    [
        ([], "--unsafe: say which classes are bad; the model's classes are SAFE, INJECTION, OTHER"),
        (["INJECTOIN"], "no class 'INJECTOIN'; did you mean 'INJECTION'?"),
        (list(CLASSES), "some class must be good"),
    ],
)
def test_a_class_that_cannot_be_meant_is_said(
    source: Path, unsafe: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as error:
        import_classifier(tmp_path / "out", str(source), unsafe)
    assert said in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_source_that_is_no_classifier_is_said(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="no sequence classifier that can be read"):
        import_classifier(tmp_path / "out", str(tmp_path), ["x"])


def test_classes_with_probabilities_of_their_own_count_by_the_highest(tmp_path: Path) -> None:
    problem = "multi_label_classification"
    source = write_classifier(tmp_path / "m", "bert", problem_type=problem)
    both = import_classifier(tmp_path / "both", str(source), ["INJECTION", "OTHER"])
    found = load_detector(both.folder, None).score(TEXTS, None)
    bad = logits_of(source)[:, 1:]
    assert found == pytest.approx(1 / (1 + np.exp(-bad.max(axis=1))), abs=1e-5)
