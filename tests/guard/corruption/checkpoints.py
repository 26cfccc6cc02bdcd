"""Makes small model folders as Hugging Face lays them out: config, safetensors, tokenizer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from guard.corruption.embedding_table import NUMBERS

LLAMA_TABLE = "model.embed_tokens.weight"
SPECIALS = ("<s>", "</s>", "<|user|>")


def make_tokenizer() -> Tokenizer:
    """One token per byte, `<s>` in front of every prompt."""
    alphabet = [*SPECIALS, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIALS))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    return tokenizer


def random_rows(rows: int, width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    return (np.random.default_rng(7).standard_normal((rows, width)) * 0.05).astype(dtype)


def write_config(folder: Path, **config: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **config}))


def write_checkpoint(
    folder: Path,
    table: NDArray[Any],
    name: str = LLAMA_TABLE,
    shards: int = 1,
) -> Path:
    """A folder with `table` and other tensors; with `shards` > 1, the table in the last file."""
    write_config(folder, hidden_size=table.shape[1])
    make_tokenizer().save(str(folder / "tokenizer.json"))
    tensors = {"model.layers.0.weight": np.ones((3, 5), np.float32), name: table}
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        return folder
    files = [f"model-{i:05}-of-{shards:05}.safetensors" for i in range(1, shards + 1)]
    for file in files[:-1]:
        save_file({f"{file}.weight": np.ones(3, np.float32)}, folder / file)
    save_file(tensors, folder / files[-1])
    places = dict.fromkeys(tensors, files[-1]) | {f"{file}.weight": file for file in files[:-1]}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder


FLOAT_TYPES = tuple(NUMBERS.values())
