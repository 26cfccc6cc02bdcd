"""Last names by themselves: 'Varnholt' is the person, 'Pia Varnholt' is somebody else.

Whether a word belongs to a name shows in its capital letter alone, so the text is read as it was
written; in one without capitals every last name counts.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from guard.detectors.names.phrases import fold

_WORD = re.compile(r"[^\W\d_]+(?:(?:[-.]|['’](?!s\b))[^\W\d_]+)*")
_BETWEEN = re.compile(r"\.?[ \t]+")
# Words with a capital at times that are no first name.
_NO_FIRST_NAMES = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "professor", "sir", "madam", "herr", "frau", "señor"),
        *("author", "writer", "novelist", "poet", "doctor", "president", "judge", "does", "did"),
        *("is", "was", "has", "had", "can", "could", "will", "would", "should", "the", "a", "an"),
        *("who", "what", "when", "where", "why", "how", "which", "whose", "and", "or", "but"),
        *("about", "of", "by", "from", "for", "with", "to", "in", "on", "at", "as", "that"),
        *("tell", "describe", "explain", "name", "list", "give", "write", "me", "i", "if", "so"),
        *("summarise", "summarize", "compare", "discuss", "please", "provide", "identify", "state"),
        *("outline", "mention", "share", "find", "show", "continue", "translate", "introduce"),
        *("are", "were", "do", "have", "than", "like", "via", "per", "not", "only", "also", "yes"),
    )
)


class LoneNames:
    """The owners of last names that stand alone."""

    def __init__(self, names: Sequence[Iterable[str]], lone: Sequence[Iterable[str]]) -> None:
        """`names[i]` are owner i's full names, `lone[i]` the last names, and nicknames."""
        self._owners: dict[str, set[int]] = {}
        self._own_words: dict[int, frozenset[str]] = {}
        for owner, (full, own) in enumerate(zip(names, lone, strict=True)):
            alone = [fold(name) for name in own]
            for name in alone:
                self._owners.setdefault(name, set()).add(owner)
            words = (word for name in (*full, *alone) for word in fold(name).split())
            self._own_words[owner] = frozenset(words)

    @property
    def spellings(self) -> Collection[str]:
        """The folded last names."""
        return self._owners.keys()

    def owners(self, text: str, found: Iterable[str]) -> set[int]:
        """The owners of those of the `found` spellings that stand alone somewhere in `text`."""
        owners: set[int] = set()
        for spelling in self._owners.keys() & found:
            places = list(_places(text, spelling))
            owners.update(
                owner
                for owner in self._owners[spelling]
                if any(self._stands_alone(around, owner) for around in places)
            )
        return owners

    def _stands_alone(self, around: tuple[str, str], owner: int) -> bool:
        before, after = around
        own = self._own_words[owner]
        return not (_is_name(before, own) or _is_name(after, own))


def _is_name(word: str, own: frozenset[str]) -> bool:
    """Whether a neighbour makes it another person's name."""
    if not word[:1].isupper():
        return False
    folded = fold(word).split()
    if len(word) == 1:  # an initial: the owner's, or somebody else's
        return not any(known.startswith(folded[0]) for known in own) if folded else False
    return fold(word) not in _NO_FIRST_NAMES and not own.issuperset(folded)


def _places(text: str, spelling: str) -> Iterator[tuple[str, str]]:
    """The words before and behind each place, "" where there is none.

    A spelling that is no run of whole words as they are written stands alone.
    """
    words = list(_WORD.finditer(text))
    folded = [fold(word[0]) for word in words]
    found = False
    for first in range(len(words)):
        last = _end_of(spelling, folded, first)
        if last is not None:
            found = True
            yield _neighbour(text, words, first, -1), _neighbour(text, words, last, 1)
    if not found:
        yield "", ""


def _end_of(spelling: str, folded: Sequence[str], first: int) -> int | None:
    """The last of the words that spell it from `first` on."""
    said = ""
    for at in range(first, len(folded)):
        said = f"{said} {folded[at]}".strip()
        if said == spelling:
            return at
        if not spelling.startswith(said):
            return None
    return None


def _neighbour(text: str, words: Sequence[re.Match[str]], at: int, step: int) -> str:
    """The word beside another, where only spaces (or an initial's dot) part them."""
    if not 0 <= at + step < len(words):
        return ""
    left, right = sorted((at, at + step))
    between = text[words[left].end() : words[right].start()]
    return words[at + step][0] if _BETWEEN.fullmatch(between) else ""
