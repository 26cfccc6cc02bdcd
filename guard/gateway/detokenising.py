"""The guarded models' own tokenizers, for prompts that come as token ids."""

import json
from collections.abc import Mapping
from pathlib import Path

from tokenizers import Tokenizer

from guard.settings import Model
from guard.terms.errors import ArtifactError, RequestError, about
from guard.wire.fields import Detokenise


def open_detokenisers(models: Mapping[str, Model]) -> dict[str, Detokenise]:
    """By model name, what turns its token ids into the text that the model will read."""
    folders = {name: model.path for name, model in models.items() if model.path}
    detokenisers = {}
    for name, folder in folders.items():
        with about("models", name, "path"):
            detokenisers[name] = _detokeniser(folder)
    return detokenisers


def _vocabulary(folder: Path) -> int:
    """How many ids the model itself has: more than its tokenizer, where it is padded.

    The ids between are tokens to the model server, and spell nothing.
    """
    file = folder / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        parts = (config, config.get("text_config") or {})
        return max(int(part.get("vocab_size") or 0) for part in parts)
    except (ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{file}: not a readable model configuration") from error


def _detokeniser(folder: Path) -> Detokenise:
    file = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise ArtifactError(f"{file}: not a readable tokenizer") from error
    size = max(tokenizer.get_vocab_size(with_added_tokens=True), _vocabulary(folder))

    def detokenise(ids: list[int]) -> str:
        for token in ids:
            if not 0 <= token < size:
                raise RequestError(f"Token id {token} does not lie between 0 and {size - 1}")
        return str(tokenizer.decode(ids, skip_special_tokens=False))

    return detokenise
