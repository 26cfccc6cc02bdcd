"""The packed encoder: four bits are read as they were written; its pieces know all scripts."""

from importlib.resources import files

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from classifiers.encoder.packed import BLOCK_BYTES, make_tokenizer, unpack_matrix

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "q", "u", "e", "r", "y", ":", "▁a", "b", "▁ab"]
SCORES = [0.0, 0.0, 0.0, 0.0, *[-5.0] * 7, -3.0, -4.0, -1.0]


def packed(weights: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Whole weights from -8 to 7, (rows, blocks, 32), with a scale for each block."""
    halves = (weights + 8).astype(np.uint8)
    joined = halves[..., :16] | (halves[..., 16:] << 4)
    heads = scales.astype("<f2")[..., None].view(np.uint8)
    return np.concatenate([heads, joined], axis=-1).reshape(len(weights), -1)


@given(arrays(np.int8, (2, 3, 32), elements=st.integers(-8, 7)))
def test_four_bits_are_read_as_they_were_written(weights: np.ndarray) -> None:
    scales = np.array([[1.0, 0.5, 2.0], [0.25, 1.0, 4.0]])
    rows = packed(weights, scales)
    assert rows.shape == (2, 3 * BLOCK_BYTES)
    assert np.array_equal(unpack_matrix(rows), (weights * scales[..., None]).reshape(2, 96))


def test_the_prefix_stands_before_every_text() -> None:
    tokenizer = make_tokenizer(PIECES, SCORES)
    assert tokenizer.encode("ab a").tokens == [
        *("<s>", "▁", "q", "u", "e", "r", "y", ":"),
        *("▁ab", "▁a", "</s>"),
    ]
    assert tokenizer.num_special_tokens_to_add(is_pair=False) == 9


@pytest.mark.parametrize(
    "text", ["Guten Morgen", "Доброе утро", "おはようございます", "좋은 아침", "صباح الخير", "नमस्ते"]
)
def test_the_shipped_pieces_know_every_script(text: str) -> None:
    import gzip

    content = (files("classifiers.malicious.shipped") / "pieces.json.gz").read_bytes()
    encoding = make_tokenizer(*orjson.loads(gzip.decompress(content))).encode(text)
    assert 3 not in encoding.ids  # <unk>
    assert len(encoding.ids) < 12 + len(text)
