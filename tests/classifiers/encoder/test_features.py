"""Cached features: the same as encoding afresh, and an interrupted run goes on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder.features import SHARD_ROWS, FeatureCache, encode
from guard.terms.detector import Features
from guard.terms.errors import ConfigError
from tests.encoders import WordEncoder

TEXTS = [f"text number {number}" for number in range(SHARD_ROWS + 10)]


class FailingEncoder(WordEncoder):
    """Gives up after so many calls."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    def encode(self, texts: Sequence[str]) -> Features:
        if not self.calls:
            raise RuntimeError("interrupted")
        self.calls -= 1
        return super().encode(texts)


def test_cache_changes_nothing(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    plain = encode(TEXTS, WordEncoder())
    np.testing.assert_array_equal(encode(TEXTS, WordEncoder(), cache=cache), plain)
    again = WordEncoder()
    np.testing.assert_array_equal(encode(TEXTS[::-1], again, cache=cache), plain[::-1])
    assert again.encoded == []


def test_equal_texts_are_encoded_once() -> None:
    encoder = WordEncoder()
    features = encode(["a", "b", "a"], encoder)
    np.testing.assert_array_equal(features[0], features[2])
    assert sorted(encoder.encoded) == ["a", "b"]


def test_an_interrupted_run_resumes(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    with pytest.raises(RuntimeError, match="interrupted"):
        encode(TEXTS, FailingEncoder(1), cache=cache)
    second = WordEncoder()
    features = encode(TEXTS, second, cache=cache)
    assert len(second.encoded) == 10
    np.testing.assert_array_equal(features, encode(TEXTS, WordEncoder()))


def test_encoders_do_not_share_rows(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    encode(["a"], WordEncoder(digest="1" * 64), cache=cache)
    other = WordEncoder(digest="2" * 64)
    encode(["a"], other, cache=cache)
    assert other.encoded == ["a"]


def test_cache_holds_no_text(tmp_path: Path) -> None:
    encode(["a very private question"], WordEncoder(), cache=FeatureCache(tmp_path))
    content = b"".join(file.read_bytes() for file in tmp_path.rglob("*.sqlite*"))
    assert content
    assert b"private" not in content


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    cache, encoder = FeatureCache(tmp_path), WordEncoder()
    encode(["a"], encoder, cache=cache)
    (file,) = tmp_path.rglob("*.sqlite*")
    file.write_bytes(b"broken" * 1000)
    with pytest.raises(ConfigError, match=f"{file.name}: cannot be used as kept work"):
        encode(["a"], encoder, cache=cache)


def test_no_texts_give_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert encode([], WordEncoder(width=3)).shape == (0, 3)
    encode(["a"], WordEncoder(), label="encoding")
    assert capsys.readouterr().out == ""
