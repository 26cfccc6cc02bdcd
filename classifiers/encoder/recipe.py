"""What decides an exported encoder's features, as its manifest pins it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from classifiers.encoder.source import CONFIG, POOLING, hash_source, read_object
from guard.terms.errors import ConfigError

Precision = Literal["fp32", "int8"]
Pooling = Literal["mean", "cls"]
REVISION = 1
"""Raised when the same source would be exported differently."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what an export holds; `source` hashes the files it is made from.

    `layer` is the hidden layer that is pooled, None for the model's output.
    """

    source: str
    pooling: Pooling
    precision: Precision
    max_tokens: int
    width: int
    batched: bool
    revision: int = REVISION
    layer: int | None = None

    def recorded(self) -> dict[str, JsonValue]:
        """The recipe in a manifest. Without a layer it has no such key: another one would change
        the digest that detectors in service are pinned to."""
        recorded: dict[str, JsonValue] = asdict(self)
        if self.layer is None:
            del recorded["layer"]
        return recorded


def recipe_of(
    folder: Path, precision: Precision, max_tokens: int, layer: int | None = None
) -> Recipe:
    """The recipe of an export from `folder`; ConfigError for what the model cannot do."""
    config = read_object(folder / CONFIG)
    most = _number(config, "max_position_embeddings") or max_tokens
    if not 8 <= max_tokens <= most:
        raise ConfigError(f"max_tokens: expected 8 to {most} for {folder}, not {max_tokens}")
    layers = _number(config, "num_hidden_layers", "n_layers")
    if layer is not None and not 0 <= layer <= layers:
        raise ConfigError(f"layer: {layer}: {folder} has layers 0 to {layers}")
    return Recipe(
        source=hash_source(folder),
        pooling=_pooling(folder),
        precision=precision,
        max_tokens=max_tokens,
        width=_number(config, "hidden_size", "dim"),
        # Dynamic quantisation scales activations over the whole batch (see OnnxEncoder.encode).
        batched=precision == "fp32",
        layer=layer,
    )


def _number(config: dict[str, object], *keys: str) -> int:
    """The first of the keys that is there (families differ in their names); 0 without any."""
    return next((int(str(config[key])) for key in keys if key in config), 0)


def _pooling(folder: Path) -> Pooling:
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
