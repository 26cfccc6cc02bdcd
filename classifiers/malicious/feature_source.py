"""Opens the encoder that a detector is trained on, as the proxy would, and tells its layers."""

from pathlib import Path

from classifiers.encoder.blocks import block_columns
from classifiers.malicious.data.training_set import Block
from guard.artifacts.folder import read
from guard.encoders.kinds import load_encoder
from guard.settings import EncoderSource
from guard.terms.detector import Encoder

PATIENCE_S = 60.0
"""A request to a pooling server may take so long here; in serving it may not."""


def open_encoder(folder: Path, url: str | None = None, key_env: str | None = None) -> Encoder:
    """The encoder in an artifact folder; a pooling one asks the server at `url`.

    Raises ArtifactError naming folder and field, ConfigError for a key that is not set.
    """
    source = EncoderSource(path=folder, url=url, api_key_env=key_env, timeout_s=PATIENCE_S)
    return load_encoder(source)


def blocks_of(folder: Path, width: int) -> tuple[Block, ...]:
    """The layers that features consist of, none where the encoder gives a single one."""
    names = read(folder).manifest.recipe.get("blocks")
    if not isinstance(names, list):
        return ()
    columns = block_columns([str(name) for name in names], width)
    return tuple(Block(name, place.start, place.stop) for name, place in columns.items())
