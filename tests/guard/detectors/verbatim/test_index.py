"""The detector over an index of protected texts."""

from pathlib import Path

import numpy as np
import pytest

from classifiers.verbatim.indexing import index
from guard.artifacts.folder import write
from guard.artifacts.manifest import draft
from guard.detectors.context import Context
from guard.detectors.verbatim.index import GRAMS, KIND, QuoteDetector, load
from guard.settings import VerbatimDetector
from guard.terms.errors import ArtifactError

BOOK = " ".join(f"word{number}" for number in range(500))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "book.txt").write_text(BOOK, encoding="utf-8")
    (tmp_path / "canaries.txt").write_text("azure quill 7731\n\n", encoding="utf-8")
    out = tmp_path / "artifact"
    index(out, "book", [tmp_path / "book.txt"], [tmp_path / "canaries.txt"])
    return out


def loaded(folder: Path, words: int = 20) -> QuoteDetector:
    source = VerbatimDetector.model_validate({"kind": "verbatim", "path": folder, "words": words})
    return load(source, Context(""))


def test_the_score_is_the_longest_quotes(folder: Path) -> None:
    detector = loaded(folder)
    texts = [" ".join(BOOK.split()[100 : 100 + count]) for count in (0, 10, 20, 30, 100)]
    scores = detector.score(texts)

    assert scores.tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert detector.score([f"well, {texts[1]} and {texts[2]}"])[0] >= detector.threshold


def test_exact_strings_score_one_whatever_their_length(folder: Path) -> None:
    assert loaded(folder).score(["say azure-quill 7731", "azure quill 77"]).tolist() == [1, 0]


def test_spans_are_those_of_what_is_too_long(folder: Path) -> None:
    long, short = " ".join(BOOK.split()[:30]), " ".join(BOOK.split()[200:210])
    text = f"first {short}, then comes something else: {long}"

    ((start, end),) = loaded(folder).spans(text)
    assert text[start:end] == long


def test_another_length_is_another_version(folder: Path) -> None:
    assert loaded(folder, 20).version != loaded(folder, 30).version


def test_an_artifact_that_is_none_is_refused(tmp_path: Path) -> None:
    tensors = {"lengths": np.array([0], dtype=np.int64), "exact": np.empty(0, dtype=np.uint64)}
    write(tmp_path / "a", draft(KIND, "a"), tensors=tensors, files={GRAMS: b"x"})
    with pytest.raises(ArtifactError, match="lengths"):
        loaded(tmp_path / "a")
    write(tmp_path / "b", draft(KIND, "b"), tensors=tensors)
    with pytest.raises(ArtifactError, match=GRAMS):
        loaded(tmp_path / "b")
