"""Indexing: from files to an artifact without their words."""

from pathlib import Path

import pytest

from classifiers.verbatim.indexing import index
from guard.detectors.verbatim.index import quotes_of
from guard.terms.errors import ConfigError

TEXTS = [" ".join(f"{name}{number}" for number in range(3000)) for name in ("a", "b")]


def test_every_passage_of_every_file_is_known(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.txt" for number in range(2)]
    for file, text in zip(files, TEXTS, strict=True):
        file.write_text(text, encoding="utf-8")
    artifact = index(tmp_path / "out", "two", files)
    quotes = quotes_of(artifact)

    for text in TEXTS:
        words = text.split()
        for start in range(0, 2900, 290):
            (found,) = quotes.found(" ".join(words[start : start + 40]))
            assert found.words == 40
    assert artifact.manifest.metrics["words"] == 6000
    assert not any(b"a17" in content for content in artifact.contents.values())


def test_short_exact_strings_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "exact.txt"
    file.write_text("two words\nsecret", encoding="utf-8")
    with pytest.raises(ConfigError, match="exact string 2"):
        index(tmp_path / "out", "x", [], [file])
    with pytest.raises(ConfigError, match="No such file"):
        index(tmp_path / "out", "x", [tmp_path / "none"])
