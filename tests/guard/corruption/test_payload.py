"""The payload is what vLLM loads: base64, weights-only, same bits; what torch itself writes."""

import base64
import io
import subprocess
import sys
import zipfile
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.corruption.payload import encode_tensor, saved_tensor
from tests.guard.corruption.checkpoints import FLOAT_TYPES, random_rows

# What torch writes for its own use and reads nowhere: alignment for files that are mapped to memory
# and an id of the writing process.
UNREAD = {".format_version", ".storage_alignment", ".data/serialization_id"}


def load(data: str) -> torch.Tensor:
    """As vLLM does it (`vllm/renderers/embed_utils.py`)."""
    tensor = torch.load(io.BytesIO(base64.b64decode(data, validate=True)), weights_only=True)
    assert isinstance(tensor, torch.Tensor)
    return tensor


def saved_by_torch(array: np.ndarray[Any, Any]) -> io.BytesIO:
    numbers = torch.from_numpy(array.view(np.int16) if array.dtype.name == "bfloat16" else array)
    tensor = numbers.view(torch.bfloat16) if array.dtype.name == "bfloat16" else numbers
    file = io.BytesIO()
    torch.save(tensor, file)
    return file


def entries(file: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("dtype", FLOAT_TYPES, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (5, 64), (300, 255), (257, 256), (2, 70_000)])
def test_every_entry_is_torchs_byte_for_byte(dtype: np.dtype[Any], shape: tuple[int, int]) -> None:
    array = random_rows(*shape, dtype)

    ours, theirs = entries(saved_tensor(array)), entries(saved_by_torch(array))

    assert ours == {name: content for name, content in theirs.items() if name not in UNREAD}


@pytest.mark.parametrize("dtype", FLOAT_TYPES, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (5, 64)])
def test_vllm_reads_the_same_numbers(dtype: np.dtype[Any], shape: tuple[int, int]) -> None:
    embeddings = random_rows(*shape, dtype)
    tensor = load(encode_tensor(embeddings))
    assert str(tensor.dtype) == f"torch.{dtype.name}"
    assert tensor.shape == shape
    assert np.array_equal(tensor.float().numpy(), embeddings.astype(np.float32))


@settings(deadline=None)
@given(
    st.sampled_from(FLOAT_TYPES),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_any_shape_and_any_bits_come_back(
    dtype: np.dtype[Any], shape: list[int], seed: int
) -> None:
    """NaN and infinities too: the bits are compared."""
    size = int(np.prod(shape)) * dtype.itemsize
    bits = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    array = bits.view(dtype).reshape(shape)

    tensor = load(encode_tensor(array))

    assert tuple(tensor.shape) == tuple(shape)
    assert np.array_equal(tensor.view(torch.uint8).reshape(-1).numpy(), bits)


def test_a_read_only_or_strided_array_is_taken_too() -> None:
    embeddings = random_rows(6, 8, FLOAT_TYPES[0])
    embeddings.flags.writeable = False
    tensor = load(encode_tensor(embeddings[::2, ::2]))
    assert np.array_equal(tensor.float().numpy(), embeddings[::2, ::2].astype(np.float32))


def test_the_same_embeddings_are_the_same_bytes() -> None:
    embeddings = random_rows(3, 4, FLOAT_TYPES[0])
    assert encode_tensor(embeddings) == encode_tensor(embeddings.copy())


def test_no_torch_and_no_pickle_are_loaded() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules)\n"
        "from guard.corruption.payload import encode_tensor\n"
        "encode_tensor(numpy.ones((2, 3), numpy.float32))\n"
        "print(*sorted({'torch', 'pickle'} & (sys.modules.keys() - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
