"""What decides an exported encoder's features, as its manifest pins it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from classifiers.encoder.blocks import EncoderBlock
from classifiers.encoder.source import CONFIG, POOLING, hash_source, read_object
from guard.terms.errors import ConfigError

Precision = Literal["fp32", "int8"]
Pooling = Literal["mean", "cls", "blocks"]
REVISION = 1
"""Raised when the same source would be exported differently."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what an export holds; `source` hashes the files it is made from.

    `blocks` is empty unless `pooling` is "blocks".
    """

    source: str
    pooling: Pooling
    precision: Precision
    max_tokens: int
    width: int
    batched: bool
    revision: int = REVISION
    blocks: tuple[EncoderBlock, ...] = ()

    def recorded(self) -> dict[str, JsonValue]:
        """The recipe in a manifest; without blocks, what it was before there were any."""
        recorded: dict[str, JsonValue] = asdict(self)
        del recorded["blocks"]
        return recorded | ({"blocks": [str(block) for block in self.blocks]} if self.blocks else {})


def recipe_of(
    folder: Path, precision: Precision, max_tokens: int, blocks: Sequence[EncoderBlock] = ()
) -> Recipe:
    """The recipe of an export from `folder`; ConfigError for what the model cannot do."""
    config = read_object(folder / CONFIG)
    most = _number(config, "max_position_embeddings") or max_tokens
    if not 8 <= max_tokens <= most:
        raise ConfigError(f"max_tokens: expected 8 to {most} for {folder}, not {max_tokens}")
    layers = _number(config, "num_hidden_layers", "n_layers")
    if over := [str(block) for block in blocks if block.layer > layers]:
        raise ConfigError(f"blocks: {over[0]}: {folder} has layers 0 to {layers}")
    return Recipe(
        source=hash_source(folder),
        pooling="blocks" if blocks else _pooling(folder),
        precision=precision,
        max_tokens=max_tokens,
        width=_number(config, "hidden_size", "dim") * max(len(blocks), 1),
        # Dynamic quantisation scales activations over the whole batch (see OnnxEncoder.encode).
        batched=precision == "fp32",
        blocks=tuple(blocks),
    )


def _number(config: dict[str, object], *keys: str) -> int:
    """The first of the keys that is there (families differ in their names); 0 without any."""
    return next((int(str(config[key])) for key in keys if key in config), 0)


def _pooling(folder: Path) -> Literal["mean", "cls"]:
    """How sentence-transformers pools this model; mean where it does not say."""
    file = folder / POOLING
    if not file.exists():
        return "mean"
    chosen = {
        key for key, on in read_object(file).items() if key.startswith("pooling_mode_") and on
    }
    if chosen == {"pooling_mode_mean_tokens"}:
        return "mean"
    if chosen == {"pooling_mode_cls_token"}:
        return "cls"
    raise ConfigError(f"{file}: pooling {sorted(chosen)} is not supported (mean or CLS is)")
