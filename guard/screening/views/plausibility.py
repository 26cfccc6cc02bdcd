"""Whether letters look like English: cheap evidence for accepting a decipherment.

Used by the modules behind `guard.screening.views`, only on texts that already look odd. English
stands for "the language that attack templates are disguised in"; other languages lose nothing,
since the original text is always scored.
"""

import re
from collections import Counter
from itertools import pairwise

import numpy as np

# Most frequent letter pairs of English, after Norvig's count of 2.8 trillion letters (2012);
# together they are about three quarters of all pairs, and a seventh of the possible ones.
_PAIRS = """
th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me
de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot
il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai
sh ir su id os iv ia am fi ci vi pl ig
"""
_COMMON_PAIRS = frozenset(_PAIRS.split())
_WORDS = """
the and you that for with how are this from what your all not have can will was his they one make
me tell write about ignore instructions previous build create explain give which
"""
_FUNCTION_WORDS = frozenset(_WORDS.split())
_WORD = re.compile("[a-z]+")
# Letters per hundred in English text (Lewand, Cryptological Mathematics, 2000), a to z.
_FREQUENCY = (
    8.17, 1.49, 2.78, 4.25, 12.7, 2.23, 2.02, 6.09, 6.97, 0.15, 0.77, 4.03, 2.41,
    6.75, 7.51, 1.93, 0.10, 5.99, 6.33, 9.06, 2.76, 0.98, 2.36, 0.15, 1.97, 0.07,
)  # fmt: skip
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_LOG = np.log(np.array(_FREQUENCY) / 100)
# Row k: log frequency of the letter that each letter stands for. Shift k, then the mirror (Atbash).
_KEYS = [_ALPHABET[k:] + _ALPHABET[:k] for k in range(26)] + [_ALPHABET[::-1]]
_KEY_LOGS = np.array([[_LOG[ord(c) - ord("a")] for c in key] for key in _KEYS])


def english_pairs(text: str) -> float:
    """Share of adjacent letter pairs that are common in English; about 0.7 for English text."""
    pairs = found = 0
    for word in _WORD.findall(text.lower()):
        pairs += len(word) - 1
        found += sum(a + b in _COMMON_PAIRS for a, b in pairwise(word))
    return found / pairs if pairs else 0.0


def function_words(text: str) -> int:
    """How many words are among the commonest of English, or of prompts."""
    return sum(word in _FUNCTION_WORDS for word in _WORD.findall(text.lower()))


def is_english(text: str) -> bool:
    """Whether at least two words, and one in seven, are among the commonest."""
    common = function_words(text)
    return common >= 2 and common * 7 >= len(_WORD.findall(text.lower()))


def best_key(text: str) -> str | None:
    """The alphabet that `text` (lower case) seems to be enciphered with: what a..z stand for.

    Tries the 25 shifts and the mirrored alphabet by letter frequency; None when the letters are
    few, or already look like English, or no key makes them do so.
    """
    counts = Counter(text)
    histogram = np.array([counts[letter] for letter in _ALPHABET])
    total = int(histogram.sum())
    # Code and tables are full of signs and digits; their letters prove little.
    if total < 16 or total * 5 < 3 * len(text.replace(" ", "")):
        return None
    scores = _KEY_LOGS @ histogram / total
    best = int(scores.argmax())
    return _KEYS[best] if scores[best] > -3.1 and scores[best] - scores[0] > 0.3 else None
