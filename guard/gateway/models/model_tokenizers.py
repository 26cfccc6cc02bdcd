"""The guarded models' own tokenizers: what token ids spell, and how many tokens a text has."""

import json
from collections.abc import Mapping
from pathlib import Path

from tokenizers import Tokenizer

from guard.settings import Model
from guard.terms.errors import ArtifactError, RequestError, about


class ModelTokenizer:
    """One model's; called with token ids it is what a protocol detokenises by."""

    def __init__(self, tokenizer: Tokenizer, size: int) -> None:
        """`size` is how many token ids the model has."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._size = size

    def __call__(self, ids: list[int]) -> str:
        """The text that the model will read; RequestError for an id that it does not have."""
        for token in ids:
            if not 0 <= token < self._size:
                raise RequestError(f"Token id {token} does not lie between 0 and {self._size - 1}")
        return str(self._tokenizer.decode(ids, skip_special_tokens=False))

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """What the model is steered with, as it is written."""
        added = self._tokenizer.get_added_tokens_decoder().values()
        return tuple(token.content for token in added if token.special)

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, special tokens left out; 0 for what is not valid Unicode."""
        try:
            return len(self._tokenizer.encode(text, add_special_tokens=False))
        except (TypeError, UnicodeError):  # an unpaired surrogate: the model server says so
            return 0


def open_tokenizers(models: Mapping[str, Model]) -> dict[str, ModelTokenizer]:
    """By model name, the tokenizers of models whose folder is known."""
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


def _detokeniser(folder: Path) -> ModelTokenizer:
    file = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise ArtifactError(f"{file}: not a readable tokenizer") from error
    size = max(tokenizer.get_vocab_size(with_added_tokens=True), _vocabulary(folder))
    return ModelTokenizer(tokenizer, size)
