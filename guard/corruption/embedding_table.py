"""The served model's token embeddings, memory-mapped from its checkpoint; the model is not loaded.

Rows go to vLLM as they are, so architectures that change them after the look-up are refused.
"""

import functools
import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from guard.terms.errors import ArtifactError

TENSOR_NAMES = (
    "model.embed_tokens.weight",  # Llama, Mistral, Qwen, Phi-3, OLMo, DeepSeek, gpt-oss ...
    "model.language_model.embed_tokens.weight",  # vision-language models, transformers 4.52 on
    "language_model.model.embed_tokens.weight",  # the same, older layout
    "model.text_model.embed_tokens.weight",  # Idefics3, SmolVLM
    "transformer.wte.weight",  # GPT-2, Falcon's and MPT's relatives
    "wte.weight",
    "gpt_neox.embed_in.weight",  # GPT-NeoX, Pythia
    "model.decoder.embed_tokens.weight",  # OPT
    "decoder.embed_tokens.weight",
    "transformer.word_embeddings.weight",  # Falcon, Bloom
    "word_embeddings.weight",
    "transformer.embedding.word_embeddings.weight",  # ChatGLM
    "transformer.token_embeddings.weight",
    "model.tok_embeddings.weight",  # InternLM2
    "model.transformer.wte.weight",  # OLMo 1, Molmo
    "backbone.embeddings.weight",  # Mamba
    "embed_tokens.weight",
)

SCALED_FAMILIES = ("gemma", "rnj1", "hrm_text", "hrmtext", "muse_glimmer", "museglimmer")
"""Parts of `model_type` or `architectures` whose vLLM code scales or normalises rows in the
look-up, which prompt embeddings do not pass through. (Granite, AFMoE and Bloom do so after it.)"""

SCALE_FIELDS = ("scale_emb", "embedding_scale", "scale_embedding")

SAMPLED_ROWS = 4096

WIDTH_FIELDS = ("hidden_size", "n_embd", "d_model")

NUMBERS: dict[str, np.dtype[Any]] = {
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
}


@dataclass(frozen=True, eq=False)
class EmbeddingTable:
    """Token embeddings of one model; `weights` is read-only, shape (vocabulary, hidden)."""

    folder: Path
    weights: NDArray[Any]

    @classmethod
    def open(cls, folder: Path, tensor: str | None = None) -> Self:
        """Find and map the table in a Hugging Face model folder.

        `tensor` names it where the architecture is not a known one. Raises ArtifactError, naming
        folder and field, when there is no such folder, no or more than one table, a damaged file,
        a number format that cannot be read, or an architecture that scales embeddings.
        """
        config = _read_json(folder / "config.json")
        _refuse_scaled(folder, config)
        file, name = _locate(folder, tensor)
        weights = _map_tensor(file, name)
        _check_width(folder, config, weights.shape[1])
        return cls(folder, weights)

    @property
    def width(self) -> int:
        """The model's hidden size."""
        return int(self.weights.shape[1])

    @property
    def vocabulary_size(self) -> int:
        """Rows of the table."""
        return int(self.weights.shape[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32, float16 or bfloat16 (`ml_dtypes`)."""
        return self.weights.dtype

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over the table's shape, number format and 4,096 rows spread evenly over it.

        Tells models apart in milliseconds, where hashing all of a large table takes seconds.
        """
        places = np.unique(np.linspace(0, self.vocabulary_size - 1, SAMPLED_ROWS).astype(np.int64))
        digest = hashlib.sha256(f"{self.weights.shape} {self.dtype}".encode())
        digest.update(np.take(self._bits, places, axis=0).tobytes())
        return digest.hexdigest()

    def rows(self, ids: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Copies of the rows with these token ids, shape (tokens, hidden).

        Raises ArtifactError when an id is outside the table (another model's tokenizer).
        """
        if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < self.vocabulary_size:
            raise ArtifactError(
                f"{self.folder}: tokenizer.json has token id {int(ids.max())}, "
                f"but the embedding table has {self.vocabulary_size} rows"
            )
        rows: NDArray[Any] = np.take(self._bits, ids, axis=0).view(self.dtype)
        return rows

    @functools.cached_property
    def _bits(self) -> NDArray[Any]:
        # numpy copies plain integers faster than the bfloat16 it does not know.
        return self.weights.view(f"u{self.dtype.itemsize}")


def _refuse_scaled(folder: Path, config: dict[str, Any]) -> None:
    for part in (config, config.get("text_config") or {}):
        for family in (part.get("model_type"), *(part.get("architectures") or ())):
            if any(name in str(family).lower() for name in SCALED_FAMILIES):
                raise ArtifactError(
                    f"{folder}: config.json: {family} scales its token embeddings; "
                    "corruption is not supported for it"
                )
        for field in SCALE_FIELDS:
            scale = part.get(field)
            if scale is True or scale not in (None, False, 1):
                raise ArtifactError(
                    f"{folder}: config.json: {field} {scale!r} scales its token embeddings; "
                    "corruption is not supported for it"
                )


def _check_width(folder: Path, config: dict[str, Any], width: int) -> None:
    """A narrower table is projected after the look-up (OPT-350m); vLLM wants the hidden size."""
    text_config = config.get("text_config") or config
    for field in WIDTH_FIELDS:
        if text_config.get(field) not in (None, width):
            raise ArtifactError(
                f"{folder}: config.json {field} is {text_config[field]}, but the token embedding "
                f"table has {width} columns"
            )


def _locate(folder: Path, tensor: str | None) -> tuple[Path, str]:
    """The safetensors file that holds the table, and the table's name in it."""
    files = _tensor_files(folder)
    names = [tensor] if tensor else TENSOR_NAMES
    found = [name for name in names if name in files]
    if len(found) != 1:
        what = "no" if not found else "more than one"
        raise ArtifactError(
            f"{folder}: {what} token embedding table among its tensors "
            f"(looked for {', '.join(names)}; found {', '.join(found) or 'none'})"
        )
    return files[found[0]], found[0]


def _tensor_files(folder: Path) -> dict[str, Path]:
    """Which file of the checkpoint holds each tensor."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        single = folder / "model.safetensors"
        return dict.fromkeys(_read_header(single)[0], single)
    places = _read_json(index).get("weight_map")
    if not isinstance(places, dict):
        raise ArtifactError(f"{index}: weight_map is missing")
    for name in places.values():
        if not isinstance(name, str) or Path(name).name != name:
            raise ArtifactError(f"{index}: weight_map points outside the folder: {name!r}")
    return {tensor: folder / name for tensor, name in places.items()}


def _map_tensor(file: Path, name: str) -> NDArray[Any]:
    """Memory-map one tensor of a safetensors file, read-only."""
    header, start = _read_header(file)
    entry = header.get(name)
    if entry is None:
        raise ArtifactError(f"{file}: has no tensor {name}, though the index says so")
    try:
        kind, shape, (first, last) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{file}: {name}: malformed entry in the header") from error
    if kind not in NUMBERS:
        raise ArtifactError(
            f"{file}: {name}: dtype {kind} cannot be read; {', '.join(NUMBERS)} can"
        )
    if len(shape) != 2 or last - first != shape[0] * shape[1] * NUMBERS[kind].itemsize:
        raise ArtifactError(f"{file}: {name}: shape {list(shape)} does not fit its data")
    try:
        return np.asarray(np.memmap(file, NUMBERS[kind], "r", offset=start + first, shape=shape))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{file}: {name}: file is too short") from error


def _read_header(file: Path) -> tuple[dict[str, Any], int]:
    """The tensors of a safetensors file, and where in the file their data starts."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > file.stat().st_size:
                raise ValueError("header is longer than the file")
            header = json.loads(stream.read(length))
    except OSError as error:
        raise ArtifactError(f"{file}: cannot be read: {error.strerror}") from error
    except (struct.error, ValueError) as error:
        raise ArtifactError(f"{file}: not a safetensors file") from error
    if not isinstance(header, dict):
        raise ArtifactError(f"{file}: not a safetensors file")
    header.pop("__metadata__", None)
    return header, 8 + length


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise ArtifactError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ArtifactError(f"{file}: not JSON") from error
    if not isinstance(content, dict):
        raise ArtifactError(f"{file}: not a JSON object")
    return content
