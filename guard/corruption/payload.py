"""Embeddings as vLLM reads them in `prompt_embeds`: base64 of a saved torch tensor, without torch.

vLLM loads them with `torch.load(…, weights_only=True)`. What `torch.save` writes is a zip archive
that is not compressed: the tensor's numbers as they lie in memory (`data/0`) and a few pickle
opcodes that say their type and shape (`data.pkl`). Those opcodes are fixed but for the numbers in
them, and are written here one by one: nothing is pickled, and five gigabytes of torch stay out of
the serving image. (safetensors is not among what vLLM takes for a prompt.)
"""

import io
import struct
import sys
import zipfile
from typing import Any

import numpy as np
import pybase64
from numpy.typing import NDArray

STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "bfloat16": "BFloat16Storage"}
"""By dtype, torch's class for a run of such numbers."""

FOLDER = "archive/"
VERSION = b"3\n"  # of torch's format, since 1.6
# Zip keeps the time of each entry. A fixed one: the same embeddings are the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def encode_tensor(embeddings: NDArray[Any]) -> str:
    """Base64 text of `embeddings`, shape (tokens, hidden), float32, float16 or bfloat16."""
    text: str = pybase64.b64encode_as_string(saved_tensor(embeddings).getbuffer())
    return text


def saved_tensor(embeddings: NDArray[Any]) -> io.BytesIO:
    """What `torch.save` writes for the tensor of the same type, shape (any) and numbers."""
    plain = np.ascontiguousarray(embeddings).reshape(np.shape(embeddings))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (
            ("data.pkl", _described(plain)),
            ("byteorder", sys.byteorder.encode()),
            ("data/0", plain.reshape(-1).view(np.uint8).data),
            ("version", VERSION),
        ):
            archive.writestr(zipfile.ZipInfo(FOLDER + name, NO_TIME), content)
    return file


def _described(array: NDArray[Any]) -> bytes:
    """The pickle of a call: `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.

    Each `q` stores the object before it under the number behind it, which torch never asks for
    again, but writes.
    """
    storage = STORAGES[array.dtype.name].encode()
    strides = tuple(step // array.itemsize for step in array.strides)
    return b"".join(
        (
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00(",
            b"(" + _text("storage") + b"q\x01ctorch\n" + storage + b"\nq\x02",
            _text("0") + b"q\x03" + _text("cpu") + b"q\x04" + _number(array.size) + b"tq\x05Q",
            _number(0) + _tuple(array.shape) + b"q\x06" + _tuple(strides) + b"q\x07",
            b"\x89ccollections\nOrderedDict\nq\x08)Rq\ttq\nRq\x0b.",
        )
    )


def _text(text: str) -> bytes:
    encoded = text.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _number(number: int) -> bytes:
    """The shortest opcode that holds a number of up to 31 bits."""
    if number < 1 << 8:
        return b"K" + struct.pack("<B", number)
    return (
        b"M" + struct.pack("<H", number) if number < 1 << 16 else b"J" + struct.pack("<i", number)
    )


def _tuple(numbers: tuple[int, ...]) -> bytes:
    """Of one, two or three numbers, with the opcode for that many."""
    return b"".join(_number(number) for number in numbers) + b"\x85\x86\x87"[len(numbers) - 1 :][:1]
