"""Embeddings as vLLM reads them in `prompt_embeds`: base64 of a saved torch tensor.

vLLM loads it with `weights_only=True`. Needs the extra `ecoguard[corrupt]` for torch.
"""

import io
from typing import Any

import numpy as np
import pybase64
from numpy.typing import NDArray

from guard.terms.errors import ConfigError

BFLOAT16 = "bfloat16"


def encode_tensor(embeddings: NDArray[Any]) -> str:
    """Base64 text of `embeddings`, shape (tokens, hidden), float32, float16 or bfloat16.

    Raises ConfigError where torch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise ConfigError("corruption needs torch: install ecoguard[corrupt]") from error

    plain = np.require(embeddings, requirements=["C", "W"])  # else torch warns
    if plain.dtype.name == BFLOAT16:
        # numpy and torch share no bfloat16: hand over the bits.
        tensor = torch.from_numpy(plain.view(np.int16)).view(torch.bfloat16)
    else:
        tensor = torch.from_numpy(plain)
    file = io.BytesIO()
    torch.save(tensor, file)
    text: str = pybase64.b64encode_as_string(file.getbuffer())
    return text
