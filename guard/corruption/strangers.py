"""Tokens that stand in for others: of the same form, so that a name stays a name, of nobody.

Two tokens have the same form when both begin a word or neither does, and they are written alike:
with a capital or not, in so many letters, in figures, in another script. Which of them stands in
follows from the key, the forget set and the token, as noise does.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from guard.corruption.noise import KeyedDraws

WORD_STARTS = ("\u0120", "\u2581", " ")
"""How vocabularies write the space before a word: byte-level, SentencePiece's, plain."""
MOST_LETTERS = 8
STRANGER = b"stranger"

Form = tuple[bool, str, int]


class Strangers:
    """For each token of a vocabulary, the tokens that may stand in for it."""

    def __init__(self, vocabulary: Mapping[str, int], special: frozenset[int]) -> None:
        """`special` tokens stand in for none; any other may stand in for them."""
        groups: dict[Form, list[int]] = defaultdict(list)
        forms: dict[int, Form] = {}
        for token, number in sorted(vocabulary.items(), key=lambda entry: entry[1]):
            if number not in special and (form := form_of(token)):
                forms[number] = form
                groups[form].append(number)
        self._groups = {form: np.array(group, np.int64) for form, group in groups.items()}
        self._forms = forms
        self._special = special
        self._any = np.array(list(forms), np.int64)

    @classmethod
    def of(cls, tokenizer: Tokenizer, rows: int) -> "Strangers":
        """Those of a tokenizer whose model has a table of `rows` rows."""
        vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        added = frozenset(tokenizer.get_added_tokens_decoder())
        return cls({token: at for token, at in vocabulary.items() if at < rows}, added)

    def replacements(self, ids: NDArray[np.int64], draws: KeyedDraws) -> NDArray[np.int64]:
        """The token that stands in for each, shape (tokens,); punctuation stays what it is."""
        return np.array([self._replacement(token, draws) for token in ids.tolist()], np.int64)

    def _replacement(self, token: int, draws: KeyedDraws) -> int:
        form = self._forms.get(token)
        group = self._groups[form] if form else self._any if token in self._special else ()
        others = len(group) - (form is not None)
        if others < 1:
            return token
        chosen = draws.number(STRANGER + b"%d" % token) % others
        if form is not None:  # any but itself
            chosen += chosen >= int(np.searchsorted(group, token))
        return int(group[chosen])


def form_of(token: str) -> Form | None:
    """The form of a token as its vocabulary writes it; None for punctuation and white space."""
    bare = token.lstrip("".join(WORD_STARTS))
    starts = len(bare) < len(token)
    length = min(len(bare), MOST_LETTERS)
    if not bare.isascii():
        return starts, "other", length
    if bare.isdigit():
        return starts, "figures", length
    if not any(map(str.isalpha, bare)):
        return None
    case = "capital" if bare[:1].isupper() else "small"
    return starts, case, length
