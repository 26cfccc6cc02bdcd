"""Features from Ray's workers: those of one process, cached alike, clear where Ray is not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder.features import SHARD_ROWS, FeatureCache, encode, key_of
from classifiers.encoder.ray_encoder import RayEncoder
from classifiers.runs.ray_session import LOCAL
from guard.encoders.onnx_encoder import OnnxEncoder
from tests.encoders import WORDS, tiny_artifact

# Two shards and a part of one; all lengths from one word to more than the encoder takes.
TEXTS = [f"{' '.join((WORDS * 4)[i % 17 : i % 61])} {i}" for i in range(2 * SHARD_ROWS + 5)]


@pytest.fixture(scope="module")
def encoder() -> Iterator[RayEncoder]:
    """A Ray of two workers on this machine."""
    with RayEncoder.at(tiny_artifact(), LOCAL, workers=2) as made:
        yield made


def test_features_are_those_of_one_process(encoder: RayEncoder, tmp_path: Path) -> None:
    alone = encode(TEXTS, OnnxEncoder.load(tiny_artifact()))
    cache = FeatureCache(tmp_path)
    np.testing.assert_array_equal(encode(TEXTS, encoder, cache=cache), alone)
    assert len(cache.load(encoder, map(key_of, TEXTS))) == len(TEXTS)


def test_shards_keep_their_order(encoder: RayEncoder) -> None:
    shards = [TEXTS[:3], TEXTS[100:200], TEXTS[7:8]]
    found = list(encoder.encode_shards(shards))
    assert [len(features) for features in found] == [3, 100, 1]
    np.testing.assert_array_equal(found[2], encoder.encode(TEXTS[7:8]))
