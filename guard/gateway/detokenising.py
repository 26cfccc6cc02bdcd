"""The guarded models' own tokenizers, for prompts that come as token ids."""

from collections.abc import Mapping
from pathlib import Path

from tokenizers import Tokenizer

from guard.settings import Model
from guard.terms.errors import ArtifactError, RequestError
from guard.wire.fields import Detokenise


def open_detokenisers(models: Mapping[str, Model]) -> dict[str, Detokenise]:
    """By model name, what turns its token ids into the text that the model will read."""
    folders = {name: model.path for name, model in models.items() if model.path}
    return {name: _detokeniser(folder) for name, folder in folders.items()}


def _detokeniser(folder: Path) -> Detokenise:
    file = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise ArtifactError(f"{file}: not a readable tokenizer") from error
    size = tokenizer.get_vocab_size(with_added_tokens=True)

    def detokenise(ids: list[int]) -> str:
        if any(not 0 <= token < size for token in ids):
            raise RequestError(f"Token ids must lie between 0 and {size - 1}")
        return str(tokenizer.decode(ids, skip_special_tokens=False))

    return detokenise
