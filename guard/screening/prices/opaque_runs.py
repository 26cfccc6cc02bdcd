"""Long runs of base64, hex and digits, which say nothing letter by letter.

A model reads a token for each one or two of their characters, and learns no more than that they are
there: what they decode to, if it is text, is a view of its own. So of a run only the ends are read,
and every stretch of it that holds words, for a run may be a sentence without spaces.
"""

import re
from collections.abc import Iterator

from guard.screening.views.plausibility import english_pairs

_RUN = re.compile(r"[A-Za-z0-9+/=_\r\n-]{200,}+")
_LETTERS = re.compile("[a-z]+")
STRETCH = 64
WORDLIKE = 0.4
"""Share of English letter pairs: of 64 letters of base64 0.16, one in two hundred above 0.36; of
German, Finnish or English without spaces 0.5 and more."""
LEAST_PAIRS = 16
"""In hex letters seldom stand side by side: of 64 some nine pairs."""
GAP = " … "
STEP = 20_000
"""Characters that are shortened at a time: some milliseconds."""


def abridged(text: str) -> str:
    """The text with its opaque runs cut short."""
    return _RUN.sub(_ends, text)


def abridged_in_steps(text: str) -> Iterator[tuple[str, str]]:
    """Each step of a text, and what is left of it when its opaque runs are cut short."""
    for start in range(0, len(text), STEP):
        step = text[start : start + STEP]
        yield step, abridged(step)


def _ends(match: re.Match[str]) -> str:
    run = match[0]
    stretches = [run[start : start + STRETCH] for start in range(0, len(run), STRETCH)]
    last = len(stretches) - 2  # the last one may be a letter long
    opaque = [
        0 < place < last and not _holds_words(stretch) for place, stretch in enumerate(stretches)
    ]
    shown: list[str] = []
    for stretch, is_opaque in zip(stretches, opaque, strict=True):
        if not is_opaque:
            shown.append(stretch)
        elif shown[-1] != GAP:
            shown.append(GAP)
    return "".join(shown)


def _holds_words(stretch: str) -> bool:
    pairs = sum(len(letters) - 1 for letters in _LETTERS.findall(stretch.lower()))
    return pairs >= LEAST_PAIRS and english_pairs(stretch) >= WORDLIKE
