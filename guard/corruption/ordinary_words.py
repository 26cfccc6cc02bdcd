"""Which words of a text could be names, and which are anybody's: what a question is made of.

ECO corrupts the names in a prompt, where it finds some, and leaves the question itself (Liu et al.,
2024, section 3): the model then answers as it does about people it never met. A word is ordinary
when it is one token of the model, and in small letters but at a sentence's beginning.
"""

import re
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from guard.corruption.strangers import WORD_STARTS

_WORD = re.compile(r"[^\W_]+")
_ALONE = frozenset("aiI")
"""The letters that are words."""
SENTENCE_ENDS = ".!?:\n\u3002\uff01\uff1f"


def strange_tokens(text: str, encoding: Encoding, vocabulary: Collection[str]) -> NDArray[np.bool_]:
    """Which tokens belong to words that are not ordinary, shape (tokens,)."""
    offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2)
    strange = np.zeros(len(offsets), np.bool_)
    for start, end, first, last in _words(text, offsets):
        if not _is_ordinary(text, start, end, last - first, vocabulary):
            strange[first:last] = True
    return strange


def ordinary_text(text: str, encoding: Encoding, vocabulary: Collection[str]) -> str:
    """The text without the words that are not ordinary."""
    offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2)
    letters = list(text)
    for start, end, first, last in _words(text, offsets):
        if not _is_ordinary(text, start, end, last - first, vocabulary):
            letters[start:end] = " " * (end - start)
    return "".join(letters)


def _words(text: str, offsets: NDArray[np.int64]) -> Iterator[tuple[int, int, int, int]]:
    """Each word's characters, from and up to, and its tokens, likewise."""
    starts, ends = np.maximum.accumulate(offsets, axis=0).T if len(offsets) else (offsets, offsets)
    for match in _WORD.finditer(text):
        first = int(np.searchsorted(ends, match.start(), "right"))
        last = int(np.searchsorted(starts, match.end(), "left"))
        yield match.start(), match.end(), first, last


def _is_ordinary(text: str, start: int, end: int, tokens: int, vocabulary: Collection[str]) -> bool:
    word = text[start:end]
    if tokens != 1 or any(map(str.isdigit, word)) or (len(word) == 1 and word not in _ALONE):
        return False
    if word.islower() or word == "I":
        return True
    before = text[:start].rstrip()[-1:] if start else ""
    begins = before == "" or before in SENTENCE_ENDS
    small = word.lower()
    return begins and any(mark + small in vocabulary for mark in ("", *WORD_STARTS))
