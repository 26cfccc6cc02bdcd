"""The payload is what vLLM loads: base64, weights-only, same bits."""

import base64
import io
import sys
from typing import Any

import numpy as np
import pytest
import torch

from guard.corruption.payload import encode_tensor
from guard.terms.errors import ConfigError
from tests.guard.corruption.checkpoints import FLOAT_TYPES, random_rows


def load(data: str) -> torch.Tensor:
    """As vLLM does it (`vllm/renderers/embed_utils.py`)."""
    tensor = torch.load(io.BytesIO(base64.b64decode(data, validate=True)), weights_only=True)
    assert isinstance(tensor, torch.Tensor)
    return tensor


@pytest.mark.parametrize("dtype", FLOAT_TYPES, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (5, 64)])
def test_vllm_reads_the_same_numbers(dtype: np.dtype[Any], shape: tuple[int, int]) -> None:
    embeddings = random_rows(*shape, dtype)
    tensor = load(encode_tensor(embeddings))
    assert str(tensor.dtype) == f"torch.{dtype.name}"
    assert tensor.shape == shape
    assert np.array_equal(tensor.float().numpy(), embeddings.astype(np.float32))


def test_a_read_only_or_strided_array_is_taken_too() -> None:
    embeddings = random_rows(6, 8, FLOAT_TYPES[0])
    embeddings.flags.writeable = False
    tensor = load(encode_tensor(embeddings[::2, ::2]))
    assert np.array_equal(tensor.float().numpy(), embeddings[::2, ::2].astype(np.float32))


def test_a_missing_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"install ecoguard\[corrupt\]"):
        encode_tensor(random_rows(1, 2, FLOAT_TYPES[0]))
