"""Names spelt letter by letter, in syllables, backwards, or in the words of the radio alphabet.

A text's letters are written together, without what stands between them, and searched for whole
names written together; one must begin and end where words of the text do. So 'V.a.r.n-h.o.l.t',
'Varn holt' and 'VarnHolt' are all one.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate

SHORTEST = 9
"""Letters of a whole name; a shorter one turns up in other words by chance."""
FEWEST_RADIO_WORDS = 4

_RADIO_WORDS = (
    "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar "
    "papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu"
)
RADIO_ALPHABET: Mapping[str, str] = {
    **{word: word[0] for word in _RADIO_WORDS.split()},
    **{"alfa": "a", "juliet": "j", "whisky": "w"},
}
"""The words of the ICAO's alphabet, and how they are commonly written."""


class SpeltNames:
    """Finds which whole names are spelt out in a text."""

    def __init__(self, owners: Mapping[str, set[int]]) -> None:
        """`owners` has those of each folded spelling."""
        from ahocorasick_rs import AhoCorasick, MatchKind

        together: dict[str, set[int]] = {}
        for spelling, own in owners.items():
            letters = "".join(filter(str.isalpha, spelling))
            if len(letters) >= SHORTEST and not any(map(str.isdigit, spelling)):
                for written in (letters, letters[::-1]):
                    together.setdefault(written, set()).update(own)
        self._owners = list(together.values())
        self._finder = AhoCorasick(list(together), matchkind=MatchKind.Standard)

    def owners(self, words: Sequence[str]) -> set[int]:
        """The owners of the names spelt out by the words of a folded text."""
        if not self._owners:
            return set()
        parts = read_radio_words(words)
        borders = {0, *accumulate(len(part) for part in parts)}
        found: set[int] = set()
        together = "".join(parts)
        for index, start, end in self._finder.find_matches_as_indexes(together, overlapping=True):
            if start in borders and end in borders:
                found |= self._owners[index]
        return found


def read_radio_words(words: Sequence[str]) -> list[str]:
    """The words, with letters for runs of at least four words of the radio alphabet."""
    read: list[str] = []
    run: list[str] = []
    for word in (*words, ""):
        if word in RADIO_ALPHABET:
            run.append(word)
            continue
        if len(run) >= FEWEST_RADIO_WORDS:
            read += [RADIO_ALPHABET[one] for one in run]
        else:
            read += run
        run = []
        read.append(word)
    return read[:-1]
