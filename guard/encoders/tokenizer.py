"""The tokenizer of an encoder's artifact: what it counts, and where windows are cut."""

from itertools import pairwise
from typing import TYPE_CHECKING

from guard.artifacts.folder import Artifact
from guard.encoders.windows import cut_windows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER = "tokenizer.json"


def open_tokenizer(artifact: Artifact) -> "Tokenizer":
    """The artifact's tokenizer, without truncation and padding; ArtifactError where unreadable."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(artifact.bytes_of(TOKENIZER).decode())
    except Exception as error:  # the library raises bare Exception
        raise artifact.fail(TOKENIZER, "not a readable tokenizer") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def token_windows(
    tokenizer: "Tokenizer", text: str, size: int, stride: int
) -> list[tuple[int, int]]:
    """Character ranges covering all of `text`: at most `size` tokens each, cut between words,
    a new one about every `stride` tokens. A text that fits is one window."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    words = encoding.word_ids
    starts_word = [True] + [left != right for left, right in pairwise(words)]
    return cut_windows(len(text), encoding.offsets, starts_word, size, stride)
