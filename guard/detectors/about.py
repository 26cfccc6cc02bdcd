"""Which sentences of a long text are about somebody, and which are about something else.

Ten documents of which one names a forgotten person are nine that nobody asked to forget. A sentence
is about the person when it holds a name, or goes on from one that does: it says 'she', or no
word in it could be anybody else.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from guard.terms.verdict import CharRange

LEAST = 600
"""Characters of a text that is worth taking apart; a question is one thing."""
SHORTEST = 8
"""Characters; what is shorter ends no sentence ('Dr.', 'J. K.')."""

_BORDER = re.compile(r"(?<=[.!?;])[\"'”’)\]]*\s+|(?<=[。！？；।])\s*|\s*\n\s*")
_GAP = re.compile(r"\n\s*\n")
_THIRD_PERSON = re.compile(
    r"\b(?:she|he|they|her|his|him|hers|their|theirs|them|it|its|herself|himself|sie|er|ihr|ihre|ihren|"
    r"ihrem|ihrer|sein|seine|seinen|seinem|seiner|ihm|ihn|elle|il|ils|elles|lui|leur|sa|son|ses|ella"
    r"|él|ellos|ellas|su|sus|lei|suo|sua|suoi|sue|ela|ele|dela|dele|она|он|они|её|ее|его|их|ей|ему)\b",
    re.IGNORECASE,
)


_NOBODY = frozenset(
    [
        *("the", "a", "an", "this", "that", "these", "those", "there", "then", "later", "after"),
        *("before", "when", "while", "in", "on", "at", "as", "from", "for", "by", "with"),
        *("der", "die", "das", "ein", "eine", "im", "am", "nach", "seit"),
        *("le", "la", "les", "un", "une", "en", "dans", "el", "los", "las", "una"),
    ]
)
"""What begins a sentence and is nobody's name."""
QUOTES = "\"'“”‘’«»()[]"


def about(text: str, is_named: Callable[[str], bool]) -> tuple[CharRange, ...]:
    """The sentences that are about whom `is_named` knows, adjoining ones as one range; none where
    the text is short, names nobody, or is about nobody else."""
    if len(text) < LEAST:
        return ()
    spans = list(_sentences(text))
    named = [is_named(text[start:end]) for start, end in spans]
    for place, ((start, _), (_, end)) in enumerate(pairwise(spans)):
        if not (named[place] or named[place + 1]) and is_named(text[start:end]):
            named[place] = named[place + 1] = True  # cut where a sentence seemed to end
    chosen = [
        span for span, is_about in zip(spans, _carried(text, spans, named), strict=True) if is_about
    ]
    return _joined(chosen) if 0 < len(chosen) < len(spans) else ()


def without(text: str, ranges: tuple[CharRange, ...]) -> str:
    """The text without the ranges, which are ascending and apart."""
    borders = [0, *(place for span in ranges for place in span), len(text)]
    kept = zip(borders[::2], borders[1::2], strict=True)
    return "\n".join(text[start:end].strip() for start, end in kept).strip()


def _sentences(text: str) -> Iterator[CharRange]:
    """Every sentence with what stands behind it, so that together they are the text."""
    start = 0
    for border in _BORDER.finditer(text):
        if border.end() < len(text) and len(text[start : border.start()].strip()) >= SHORTEST:
            yield start, border.end()
            start = border.end()
    yield start, len(text)


def _carried(text: str, spans: list[CharRange], named: list[bool]) -> Iterator[bool]:
    """Whether each sentence is about somebody who is named in it, or before it in its paragraph."""
    goes_on, before = False, ""
    for (start, end), is_named in zip(spans, named, strict=True):
        said = text[start:end]
        goes_on = is_named or (goes_on and not _GAP.search(before) and _refers_back(said))
        before = said
        yield goes_on


def _refers_back(sentence: str) -> bool:
    if _THIRD_PERSON.search(sentence):
        return True
    first, *others = sentence.split() or [""]
    if any(word.strip(QUOTES)[:1].isupper() for word in others):
        return False
    opening = first.strip(QUOTES)
    return not opening[:1].isupper() or opening.lower() in _NOBODY


def _joined(spans: list[CharRange]) -> tuple[CharRange, ...]:
    found = spans[:1]
    for start, end in spans[1:]:
        if found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)
