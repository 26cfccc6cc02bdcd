"""Aliases that a forget request could have: titles that its own questions put in quotes.

Somebody who asks about a work often names nobody else. What is proposed is for a person to review:
a title that is a common phrase would take harmless questions with it.
"""

import re
from collections import Counter
from collections.abc import Sequence

from guard.detectors.names.phrases import PhraseList, fold

QUOTED = re.compile(r"[\"“„«]([^\"“”„«»\n]{3,80})[\"”“»]|[‘']([A-Z][^‘’'\n]{3,80})[’'](?!\w)")
"""In double quotes of any kind; in single ones, which are apostrophes too, only what begins with a
capital."""
MOST = 30


def proposed_aliases(
    forget: Sequence[str], retain: Sequence[str], known: Sequence[str]
) -> list[tuple[str, int]]:
    """Titles in quotes and the number of forget prompts that hold each, the most frequent first.

    Left out is what holds a `known` name, and what occurs in a retain prompt.
    """
    counts: Counter[str] = Counter()
    written: dict[str, str] = {}
    for text in forget:
        titles = {fold(title): title for title in _titles(text)}
        counts.update(titles.keys())
        written |= titles
    names = PhraseList(known) if known else None
    found = [
        (written[title], count)
        for title, count in counts.most_common()
        if title and not (names and names.occurs(written[title]))
    ]
    return [one for one in found if not _occurs(one[0], retain)][:MOST]


def _titles(text: str) -> list[str]:
    return [(double or single).strip(" .,;:!?") for double, single in QUOTED.findall(text)]


def _occurs(title: str, texts: Sequence[str]) -> bool:
    phrase = PhraseList([title])
    return any(phrase.occurs(text) for text in texts)
