"""Opens the encoder that a detector is trained on, as the proxy would."""

from pathlib import Path

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
