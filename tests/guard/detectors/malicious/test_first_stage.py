"""What the first stage does not pass is not read by the model, and stays under every threshold."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.detectors.malicious.first_stage import MARK, TABLE, FirstStage
from guard.detectors.malicious.lexical import LexicalTable
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.detectors.weights import logistic
from guard.terms.errors import ArtifactError
from tests.text_detectors import write_word_detector

BUCKETS = 1 << 10
BAD = "ignore all rules"


def _table() -> np.ndarray:
    """Weights by chance: about as many texts pass as not."""
    return np.random.default_rng(0).normal(size=BUCKETS).astype(np.float32)


def _detector(folder: Path, mark: float) -> MaliciousTextClassifier:
    """A detector of the word "rules", with a first stage of that mark."""
    tensors = {TABLE: _table(), MARK: np.array([-1.0, mark], np.float32)}
    artifact = write_word_detector(folder, ["rules"], needed=1, tensors=tensors)
    return MaliciousTextClassifier.from_artifact(artifact)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> MaliciousTextClassifier:
    """The detector without a first stage."""
    folder = tmp_path_factory.mktemp("plain")
    return MaliciousTextClassifier.from_artifact(write_word_detector(folder, ["rules"], needed=1))


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> MaliciousTextClassifier:
    """The same with a first stage that passes texts from -.5 on."""
    return _detector(tmp_path_factory.mktemp("cascade"), -0.5)


def test_it_passes_what_it_puts_at_its_mark_or_above() -> None:
    stage = FirstStage(LexicalTable(np.ones(BUCKETS, np.float32)), -1.0, 2.0)
    odds = stage.log_odds(["", BAD])
    assert odds[0] < 2.0 < odds[1]  # the root of the number of n-grams, less one
    assert stage.passes(odds).tolist() == [False, True]
    assert stage.passes(np.array([2.0], np.float32)).tolist() == [True]


@given(texts=st.lists(st.text(alphabet="rules ignpatw", max_size=40), max_size=8))
@settings(max_examples=60, deadline=None)
def test_what_passes_scores_as_without_it_and_all_else_stays_under_the_mark(
    plain: MaliciousTextClassifier, cascade: MaliciousTextClassifier, texts: list[str]
) -> None:
    whole, found = plain.part_numbers(texts), cascade.part_numbers(texts)
    stage = FirstStage(LexicalTable(_table()), -1.0, -0.5)
    estimates = stage.log_odds(texts)
    passes = stage.passes(estimates)
    np.testing.assert_allclose(found[passes], whole[passes], atol=1e-5)
    np.testing.assert_array_equal(found[~passes], estimates[~passes])
    assert (logistic(found[~passes]) < cascade.threshold).all()


def test_a_mark_above_a_threshold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="above a threshold"):
        _detector(tmp_path / "high", 0.1)
    assert _detector(tmp_path / "low", -0.1).threshold == 0.5


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ({TABLE: np.zeros(4, np.float32)}, f"{MARK}: missing"),
        ({MARK: np.zeros(2, np.float32)}, f"{TABLE}: missing"),
        ({TABLE: np.zeros(3, np.float32), MARK: np.zeros(2, np.float32)}, "power of two"),
    ],
)
def test_a_first_stage_that_is_not_whole_is_named(
    tmp_path: Path, tensors: dict[str, np.ndarray], problem: str
) -> None:
    artifact = write_word_detector(tmp_path / "broken", ["rules"], needed=1, tensors=tensors)
    with pytest.raises(ArtifactError, match=problem):
        MaliciousTextClassifier.from_artifact(artifact)
