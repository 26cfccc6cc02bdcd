"""Turns flagged text into corrupted prompt embeddings, ready to be sent to vLLM."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from guard.corruption.embedding_table import EmbeddingTable
from guard.corruption.functions import Corruption, Tokens, corrupt_in_place
from guard.corruption.noise import KeyedDraws
from guard.corruption.ordinary_words import ordinary_text, strange_tokens
from guard.corruption.payload import encode_tensor
from guard.corruption.strangers import Strangers
from guard.terms.errors import ArtifactError, RequestError
from guard.terms.verdict import CharRange


@dataclass(frozen=True, slots=True)
class PromptEmbeds:
    """What stands in for a text: `data` for vLLM's `prompt_embeds`, and its length in tokens."""

    data: str
    tokens: int


class PromptEmbedder:
    """Embeds text as the served model would, with the selected tokens corrupted.

    One per process and model; safe to use from several threads. A token's noise follows from
    the secret `key`, the forget set and the token alone, so asking again, or saying it again in the
    same prompt, gives the same.
    """

    def __init__(
        self, table: EmbeddingTable, tokenizer: Tokenizer, *, key: bytes, max_tokens: int
    ) -> None:
        # A tokenizer file may ask for both; a prompt must be neither cut nor filled up.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.table = table
        self.max_tokens = max_tokens
        self._tokenizer = tokenizer
        self.key = key

    @classmethod
    def open(
        cls, model_folder: Path, *, key: bytes, max_tokens: int, tensor: str | None = None
    ) -> Self:
        """Read the embedding table and `tokenizer.json` of a Hugging Face model folder.

        `max_tokens` is the served model's context length, `tensor` the table's name where it is
        not a known one. Raises ArtifactError, naming folder and field.
        """
        table = EmbeddingTable.open(model_folder, tensor)
        file = model_folder / "tokenizer.json"
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # tokenizers raises plain Exception
            raise ArtifactError(f"{file}: cannot be read as a tokenizer") from error
        return cls(table, tokenizer, key=key, max_tokens=max_tokens)

    def count_tokens(self, text: str, *, add_special_tokens: bool = False) -> int:
        """How many tokens the model reads for this text."""
        return len(self._tokenize(text, add_special_tokens))

    def ordinary_text(self, text: str) -> str:
        """What `names_only` leaves of a text: its ordinary words."""
        return ordinary_text(text, self._tokenize(text, False), self._vocabulary)

    def embed_text(
        self,
        text: str,
        forget_set: str,
        corruption: Corruption | None,
        *,
        corrupted: Sequence[CharRange] | None = None,
        names_only: bool = False,
    ) -> PromptEmbeds:
        """A chat content part: as `embed_prompt`, with no special tokens around it.

        The chat template's own tokens stay vLLM's work. Without a corruption the model reads
        exactly the text. Raises RequestError on a text that is too long or has no tokens.
        """
        return self.embed_prompt(
            text,
            forget_set,
            corruption,
            add_special_tokens=False,
            corrupted=corrupted,
            names_only=names_only,
        )

    def embed_prompt(
        self,
        text: str,
        forget_set: str,
        corruption: Corruption | None,
        *,
        add_special_tokens: bool = True,
        corrupted: Sequence[CharRange] | None = None,
        names_only: bool = False,
    ) -> PromptEmbeds:
        """A completions prompt: tokens that overlap a range of `corrupted` (None: all) change.

        With `names_only` ordinary words do not, where there are others.

        What the tokenizer adds (the begin-of-sequence token) and every token outside the ranges
        are the model's own rows, bit for bit.
        Raises RequestError on a text that is too long or has no tokens.
        """
        encoding = self._tokenize(text, add_special_tokens)
        self._check_length(len(encoding))
        rows = self.table.rows(np.array(encoding.ids, np.int64))
        if corruption is not None:
            ranges = [(0, len(text))] if corrupted is None else corrupted
            selected = _selected(encoding, ranges)
            if names_only:
                strange = strange_tokens(text, encoding, self._vocabulary)[selected]
                selected = selected[strange] if strange.any() else selected
            ids = [encoding.ids[place] for place in selected]
            rows[selected] = self.corrupted_rows(ids, forget_set, corruption)
        return PromptEmbeds(encode_tensor(rows), len(encoding))

    def corrupted_rows(
        self, ids: Sequence[int], forget_set: str, corruption: Corruption | None
    ) -> NDArray[Any]:
        """Rows of tokens, all corrupted, shape (tokens, hidden).

        For scoring an answer whose own tokens are corrupted, as the paper's evaluation does.
        """
        numbers = np.array(ids, np.int64)
        if corruption is None:
            return self.table.rows(numbers)
        # Copies of a token are the same: each is corrupted once.
        distinct, places = np.unique(numbers, return_inverse=True)
        rows = self.table.rows(distinct)
        selected = np.ones(len(rows), np.bool_)
        tokens = self._tokens(distinct, forget_set, corruption)
        corrupt_in_place(rows, selected, corruption, tokens)
        return rows[places]

    def _tokens(self, ids: NDArray[np.int64], forget_set: str, corruption: Corruption) -> Tokens:
        draws = KeyedDraws(self.key, forget_set)
        if corruption.kind != "stranger_first_n":
            return Tokens(ids, draws)
        return Tokens(ids, draws, self.table.rows(self._strangers.replacements(ids, draws)))

    @functools.cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(self._tokenizer.get_vocab())

    @functools.cached_property
    def _strangers(self) -> Strangers:
        return Strangers.of(self._tokenizer, self.table.vocabulary_size)

    def _tokenize(self, text: str, add_special_tokens: bool) -> Encoding:
        try:
            return self._tokenizer.encode(text, add_special_tokens=add_special_tokens)
        except (TypeError, UnicodeError) as error:  # an unpaired surrogate
            raise RequestError("the text is not valid Unicode") from error

    def _check_length(self, tokens: int) -> None:
        if tokens == 0:
            raise RequestError("the text has no tokens")
        if tokens > self.max_tokens:
            raise RequestError(
                f"This model's maximum context length is {self.max_tokens} tokens. However, your "
                f"prompt contains {tokens} input tokens, which exceeds this limit even without "
                "any output tokens. Please reduce the length of the input prompt.",
                code="context_length_exceeded",
            )


def _selected(encoding: Encoding, ranges: Sequence[CharRange]) -> NDArray[np.intp]:
    """The places of the tokens that share a character with some range; added ones are spared."""
    own = np.array(encoding.special_tokens_mask) == 0
    offsets = np.array(encoding.offsets).reshape(-1, 2)
    chosen = np.zeros(len(own), np.bool_)
    for start, end in ranges:
        chosen |= _overlaps(offsets, start, end)
    return np.flatnonzero(own & chosen)


def _overlaps(offsets: NDArray[np.int64], start: int, end: int) -> NDArray[np.bool_]:
    """Which tokens share a character with the range, or stand in it without one of their own."""
    first, last = offsets[:, 0], offsets[:, 1]
    overlapping: NDArray[np.bool_] = (first < end) & (last > start)
    inside: NDArray[np.bool_] = (first == last) & (first >= start) & (last <= end)
    return overlapping | inside
