"""English words and how common they are: whether letters are a word, where joined words part.

The evidence for guesses that letter pairs cannot carry: that "mach" and "ine" are one word cut in
two, that `tellmehow` is three. The list (82,765 words) comes with symspellpy and is read at the
first guess, in a tenth of a second; ordinary text never asks for it. Segmentation after Norvig,
Natural Language Corpus Data (2009).
"""

import math
from collections.abc import Sequence
from functools import cache
from itertools import accumulate

from guard.screening.views.plausibility import function_words

LONGEST_WORD = 20
MOST_LETTERS = 2_000
"""Letters that are looked at as one run of words; a longer run is no writing."""
_CORPUS = 1.02e12
# Decimal logarithms: what an unknown word costs (and each of its letters), and a single letter.
_UNKNOWN = -11.0
_LETTER = -4.0
_RAREST = -5.8
_MEAN = -4.2


@cache
def _words() -> dict[str, float]:
    """Each word's share of all words in print, as decimal logarithm."""
    from importlib.resources import files

    listed = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt")
    pairs = (line.split() for line in listed.read_text("utf-8-sig").splitlines())
    found = {word: math.log10(int(count) / _CORPUS) for word, count in pairs}
    return {word: share for word, share in found.items() if len(word) > 1 or word in "ai"}


def likelihood(word: str) -> float:
    """Decimal logarithm of how common a word is (lower case); low for what is none."""
    known = _words().get(word)
    if known is not None:
        return known
    return _LETTER if len(word) == 1 else _UNKNOWN - len(word)


def is_word(word: str) -> bool:
    """Whether it is in the list (lower case)."""
    return word in _words()


def part(letters: str) -> tuple[float, list[str]]:
    """The likeliest words that `letters` (lower case, none but letters) run together.

    With their likelihood, the sum of the words'. Linear: no word has more than twenty letters.
    """
    best, back = [0.0], [0]
    known = _words().get
    for end in range(1, len(letters) + 1):
        highest, start = -math.inf, end - 1
        for begin in range(max(0, end - LONGEST_WORD), end):
            share = known(letters[begin:end])
            if share is None:
                share = _LETTER - 2 if end - begin == 1 else _UNKNOWN - (end - begin)
            if best[begin] + share > highest:
                highest, start = best[begin] + share, begin
        best.append(highest)
        back.append(start)
    return best[-1], _traced(letters, back)


def _traced(letters: str, back: Sequence[int]) -> list[str]:
    words: list[str] = []
    end = len(letters)
    while end:
        words.append(letters[back[end] : end])
        end = back[end]
    return words[::-1]


SURE = 5.0
"""How much commoner, in powers of ten, words are than their pieces if these surely were one."""
CERTAIN = 9.0
"""The same, where nothing else in the text is cut."""


def mend(pieces: Sequence[str], gain: float = SURE) -> str | None:
    """Pieces of letters as the words that they were cut from, or None where they are words.

    They were cut if words that are known go over the cuts, and are commoner than the pieces by
    more than `gain` powers of ten. "re-use" has 1, "for-mat" 3, "pass-word" 4, "mach-ine" 15.
    """
    letters = "".join(pieces)
    if not letters.isascii() or not letters.isalpha() or len(letters) > MOST_LETTERS:
        return None
    joined, words = part(letters.lower())
    if not _crossed(pieces, words, _shortest(gain)):
        return None
    apart = sum(part(piece.lower())[0] if len(piece) > 1 else _LETTER for piece in pieces)
    return _spaced(letters, words) if joined - apart > gain else None


def _shortest(gain: float) -> int:
    """Letters of the shortest word that is believed to be cut, by how much is asked of it."""
    return 2 if gain < SURE else 4 if gain < CERTAIN else 5


def _crossed(pieces: Sequence[str], words: Sequence[str], shortest: int) -> bool:
    """Whether known words of so many letters or more go over most of the ends of pieces."""
    ends = set(accumulate(map(len, pieces[:-1])))
    crossed, at = 0, 0
    for word in words:
        if len(word) >= shortest and is_word(word):
            crossed += sum(place in ends for place in range(at + 1, at + len(word)))
        at += len(word)
    return crossed * 2 > len(ends)


def _spaced(letters: str, words: Sequence[str]) -> str:
    """The letters as they are written, with spaces between the words."""
    parts, at = [], 0
    for word in words:
        parts.append(letters[at : at + len(word)])
        at += len(word)
    return " ".join(parts)


def run_together(letters: str) -> str | None:
    """A long run of letters with spaces between its words, if it is nothing but common words."""
    if not 12 <= len(letters) <= MOST_LETTERS or not letters.isascii():
        return None
    share, words = part(letters.lower())
    if len(words) < 4 or share < len(words) * _MEAN or len(letters) < 3.2 * len(words):
        return None
    if min(map(likelihood, words)) < _RAREST or function_words(" ".join(words)) < 2:
        return None
    return _spaced(letters, words)
