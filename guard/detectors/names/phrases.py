"""Phrases matched exactly, as whole words, whatever the case: an operator's list, a person's names.

Used as a detector of its own and as the name evidence of a forget classifier.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from guard.detectors.context import Context
from guard.detectors.names.folded import groups
from guard.settings import PhraseDetector
from guard.terms.detector import Detector, Features, Scores

# Scripts written without spaces between words, or with particles attached: Thai and Lao, Myanmar,
# Khmer, kana, Han and Hangul. A phrase may stand next to their letters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)
_WORD = re.compile(r"\w")
WORDS = re.compile(r"[^\W\d_]+(?:'(?!s\b)[^\W\d_]+)*")
"""The words of a folded text, without what marks a possessive."""
_ASCII = str.maketrans("_-", "  ")
_APOSTROPHES = "\u2018\u2019\u02bc\u00b4"


class PhraseList(Detector):
    """Scores 1.0 for a text that holds one of the phrases, else 0.0.

    Text and phrases are compared after `fold`; a phrase must not continue as a word at either
    end. Matching takes time linear in the text, whatever the number of phrases (Aho-Corasick).
    """

    finds_words = True
    is_priced = False

    def __init__(self, phrases: Iterable[str]) -> None:
        from ahocorasick_rs import AhoCorasick, MatchKind

        folded = sorted({fold(phrase) for phrase in phrases} - {""})
        self.version = hashlib.sha256(
            "\n".join(folded).encode("utf-8", "surrogatepass")
        ).hexdigest()
        # Accents and white space that folding takes away make what is found longer.
        self.reach = 2 * max(map(len, folded), default=0)
        self._matcher = AhoCorasick(folded, matchkind=MatchKind.Standard)

    def score(self, texts: Sequence[str], features: Features | None = None) -> Scores:  # noqa: ARG002
        """1.0 or 0.0 for each text, shape (n,); features are not read."""
        return np.array([self.occurs(text) for text in texts], dtype=np.float32)

    def occurs(self, text: str) -> bool:
        """Whether some phrase occurs in the text as whole words."""
        return next(self._found(fold(text)), None) is not None

    finds_spans = True

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where the phrases stand in a text, as (start, end) in characters."""
        folded, places = _folded_places(text)
        return tuple((places[start], places[end]) for start, end in self._found(folded))

    def _found(self, folded: str) -> Iterator[tuple[int, int]]:
        """Where phrases stand in a folded text, as whole words."""
        matches = self._matcher.find_matches_as_indexes(folded, overlapping=True)
        return ((start, end) for _, start, end in matches if is_bounded(folded, start, end))


def load(source: PhraseDetector, context: Context) -> PhraseList:  # noqa: ARG001
    """The detector of a section of kind `phrases`."""
    return PhraseList(source.phrases)


def fold(text: str) -> str:
    """The text as it is compared: compatibility forms, case, accents, invisible characters, and
    the kind of white space, dash and apostrophe make no difference."""
    if text.isascii():  # the same result, without a look at each character
        return " ".join(text.lower().translate(_ASCII).split())
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(_fold_character(character) for character in decomposed)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _folded_places(text: str) -> tuple[str, list[int]]:
    """The folded text, and where each of its characters stood; one more for its end."""
    folded: list[str] = []
    places: list[int] = []
    for start, group in groups(text):
        said = fold(group)
        if not fold(group[0]) and folded[-1:] not in ([], [" "]):
            said = f" {said}"  # a gap, though a mark on it may fold to a letter
        folded.extend(said)
        places.extend([start] * len(said))
    return "".join(folded), [*places, len(text)]


def _fold_character(character: str) -> str:
    if character.isascii() and character not in "_-":
        return character
    match unicodedata.category(character):
        case "Mn" | "Cf":
            return ""
        case "Pd" | "Pc":
            return " "
    return "'" if character in _APOSTROPHES else character


def is_bounded(text: str, start: int, end: int) -> bool:
    """Whether the folded text's part from `start` to `end` continues as a word at neither end."""
    return _breaks(text[start - 1 : start], text[start]) and _breaks(
        text[end - 1], text[end : end + 1]
    )


def _breaks(left: str, right: str) -> bool:
    """Whether a word may end between two neighbouring characters ("" at the text's end)."""
    if not (_WORD.match(left) and _WORD.match(right)):
        return True
    return bool(_UNSPACED.match(left) or _UNSPACED.match(right))
